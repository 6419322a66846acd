"""Loads and stores as Python: bytes through the bytearray, words through the views of `views.py`.

Rules that live here: an address is the masked operand plus the offset, so it is never negative and may lie beyond
the end, which is an IndexError; it is computed once, into the variable `a` if it is not simple; Python evaluates a
stored value before the address, so an address that may trap, or do something, is written down first; so is what
calls, because the memory may have grown then, and Python looks at the view before what is in its brackets.
"""

from __future__ import annotations

from simwasm.engines.transpiler.emitter import Emitter
from simwasm.engines.transpiler.entries import (
    ATOM,
    CALL,
    CONSTANT,
    IMPURE,
    INHERITED,
    LINE,
    MASK32,
    MASK64,
    MEMORY,
    TRAP,
    WIDE,
    Entry,
    masked,
    operand,
    value,
)
from simwasm.engines.transpiler.expressions import Row
from simwasm.wasm.module import ValType
from simwasm.wasm.opcodes import Opcode


def _place(e: Emitter, view: str, size: int, entry: Entry, offset: int) -> str:
    """The word at an address, in a view."""
    if entry[1] & CONSTANT:
        at = entry[2] + offset
        return f"{view}[{at % size}][{at // size}]"
    base = masked(entry, MASK32)
    if not base.isalnum():
        base = f"(a := {base} + {offset})" if offset else f"(a := {base})"
        return f"{view}[{base} & {size - 1}][a >> {size.bit_length() - 1}]"
    if offset % size:
        return f"{view}[{base} + {offset} & {size - 1}][{base} + {offset} >> {size.bit_length() - 1}]"
    index = f"{base} >> {size.bit_length() - 1}"
    if e.facts.used_again(view, base):
        return _shared_place(e, view, base, index, offset // size)
    return (
        f"{view}[{base} & {size - 1}][({index}) + {offset // size}]"
        if offset
        else f"{view}[{base} & {size - 1}][{index}]"
    )


def _shared_place(e: Emitter, view: str, base: str, index: str, further: int) -> str:
    """A word at a distance from an address that words were read at before: its view and index are kept."""
    through, new = e.facts.shared(f"{view}_", base) or (view, False)
    if new:
        e.line(f"{through} = {view}[{base} & {int(view[1]) - 1}]")
    at, new = e.facts.shared(f"q{view[1]}_", base) or (base, False)
    if new:
        e.line(f"{at} = {index}")
    return f"{through}[{at} + {further}]" if further else f"{through}[{at}]"


def _byte(view: str, entry: Entry, offset: int) -> str:
    if entry[1] & CONSTANT:
        return f"{view}[{entry[2] + offset}]"
    if offset:
        return f"{view}[{masked(entry, MASK32)} + {offset}]"
    return f"{view}[{value(entry)}]"


def _at(e: Emitter, view: str, size: int, entry: Entry, offset: int) -> str:
    return _byte(view, entry, offset) if size == 1 else _place(e, view, size, entry, offset)


def _load(e: Emitter, given: tuple[str, int, int, int, int, int]) -> None:
    view, size, flags, low, high, offset = given
    e.before(CALL)
    entry = e.stack.pop()
    e.free.add(view)
    text = f"(@{e.offset}\n{_at(e, view, size, entry, offset)})"
    e.facts.in_bounds(entry, e.memory - offset - size)
    e.push(text, entry[1] & INHERITED | flags, low, high)


def _load_f32(e: Emitter, offset: int) -> None:
    """What is not equal to itself is a NaN, which only its bits tell exactly."""
    e.before(CALL)
    entry = e.stack.pop()
    e.free.update(("F4", "V4", "f32_reinterpret_i32"))
    if not entry[1] & CONSTANT:
        name = "a"
        place = f"F4[(a := {masked(entry, MASK32)} + {offset}) & 3][a >> 2]"
        again = f"V4[{name} & 3][{name} >> 2]"
    else:
        place, again = _place(e, "F4", 4, entry, offset), _place(e, "V4", 4, entry, offset)
    text = f"(@{e.offset}\nx if (x := {place}) == x else f32_reinterpret_i32({again}))"
    e.push(text, entry[1] & INHERITED | MEMORY | TRAP | ATOM | LINE, 0, 0)


def _load_vector(e: Emitter, given: tuple[str, int]) -> None:
    text, offset = given
    e.before(CALL)
    entry = e.stack.pop()
    e.free.update(("m", text.partition("(")[0]))
    e.push(
        f"(@{e.offset}\n{text}{operand(_moved(entry, offset))}))",
        entry[1] & INHERITED | MEMORY | TRAP | ATOM | LINE,
        0,
        0,
    )


def _load_lane(e: Emitter, given: tuple[str, int]) -> None:
    text, offset = given
    e.before(CALL)
    vector, entry = e.stack.pop(), e.stack.pop()
    e.free.update(("m", text.partition("(")[0]))
    flags = (entry[1] | vector[1]) & INHERITED | MEMORY | TRAP | ATOM | LINE
    e.push(f"(@{e.offset}\n{text}{operand(_moved(entry, offset))}, {vector[0]}))", flags, 0, 0)


def _moved(entry: Entry, offset: int) -> Entry:
    """An address and an offset."""
    base = masked(entry, MASK32)
    return (f"{base} + {offset}" if offset else base), 0, 0, MASK64


def _operands(e: Emitter) -> tuple[Entry, Entry]:
    """The address and the value of a store, in variables if their order matters; what waits below is written."""
    address, stored = e.stack[-2], e.stack[-1]
    traps = address[1] & TRAP and stored[1] & IMPURE
    if address[1] & CALL or traps or (address[1] & IMPURE and stored[1] & CALL):
        e.put(len(e.stack) - 2)
    if stored[1] & CALL:
        e.put(len(e.stack) - 1)
    stored, address = e.stack.pop(), e.stack.pop()
    e.before(IMPURE)
    return address, stored


def _store(e: Emitter, given: tuple[str, int, int, int]) -> None:
    view, size, mask, offset = given
    address, stored = _operands(e)
    e.free.add(view)
    text = f"{operand(stored)} & {mask}" if stored[2] < 0 or stored[3] > mask else value(stored)
    e.line(f"{_at(e, view, size, address, offset)} = {text}")
    e.facts.in_bounds(address, e.memory - offset - size)


def _store_f32(e: Emitter, offset: int) -> None:
    address, stored = _operands(e)
    e.free.update(("F4", "V4", "i32_reinterpret_f32"))
    base = masked(address, MASK32)
    e.line(f"x = {stored[0]}")
    e.line(f"F4[(a := {base} + {offset}) & 3][a >> 2] = x")
    e.line("if x != x: V4[a & 3][a >> 2] = i32_reinterpret_f32(x)")


def _store_vector(e: Emitter, given: tuple[str, int]) -> None:
    text, offset = given
    if e.stack[-1][1] & CALL:
        e.flush()  # it may let the memory grow, which `m` is before
    address, stored = _operands(e)
    e.free.update(("m", text.partition("(")[0]))
    e.line(f"{text}{operand(_moved(address, offset))}, {stored[0]})")


_LOAD = MEMORY | TRAP | ATOM | LINE
_LOADS: dict[str, tuple[str, int, int, int, int]] = {
    "i32.load": ("V4", 4, _LOAD, 0, MASK32),
    "i64.load": ("V8", 8, _LOAD | WIDE, 0, MASK64),
    "f64.load": ("F8", 8, _LOAD, 0, 0),
    "i32.load8_u": ("m", 1, _LOAD, 0, 255),
    "i32.load8_s": ("S1", 1, _LOAD, -128, 127),
    "i32.load16_u": ("V2", 2, _LOAD, 0, 65535),
    "i32.load16_s": ("S2", 2, _LOAD, -32768, 32767),
    "i64.load8_u": ("m", 1, _LOAD | WIDE, 0, 255),
    "i64.load8_s": ("S1", 1, _LOAD | WIDE, -128, 127),
    "i64.load16_u": ("V2", 2, _LOAD | WIDE, 0, 65535),
    "i64.load16_s": ("S2", 2, _LOAD | WIDE, -32768, 32767),
    "i64.load32_u": ("V4", 4, _LOAD | WIDE, 0, MASK32),
    "i64.load32_s": ("S4", 4, _LOAD | WIDE, -(1 << 31), (1 << 31) - 1),
}
_STORES: dict[str, tuple[str, int, int]] = {
    "i32.store": ("V4", 4, MASK32),
    "i64.store": ("V8", 8, MASK64),
    "f64.store": ("F8", 8, 0),
    "i32.store8": ("m", 1, 255),
    "i32.store16": ("V2", 2, 65535),
    "i64.store8": ("m", 1, 255),
    "i64.store16": ("V2", 2, 65535),
    "i64.store32": ("V4", 4, MASK32),
}


def row(opcode: Opcode, immediates: tuple[int, ...]) -> Row:
    """The row of a load or store."""
    name, offset = opcode.name, immediates[1]
    if name in _LOADS:
        return _load, (*_LOADS[name], offset)
    if name in _STORES:
        return _store, (*_STORES[name], offset)
    if name == "f32.load":
        return _load_f32, offset
    if name == "f32.store":
        return _store_f32, offset
    assert opcode.type is not None
    lane = f"{immediates[2]}, " if len(immediates) > 2 else ""
    text = f"{name.replace('.', '_')}(m, {lane}"
    if not opcode.type.results:
        return _store_vector, (text, offset)
    return (_load_lane if ValType.V128 in opcode.type.params else _load_vector), (text, offset)
