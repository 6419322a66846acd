"""What each instruction of a function becomes: found once for every distinct one.

Rules that live here: a row is what emits an instruction, and what that has to know; or an operand; it is the same in
every function of a module.
"""

from __future__ import annotations

import struct
from typing import Any

from simwasm.engines.transpiler import accesses, expressions
from simwasm.engines.transpiler.emitter import Emitter
from simwasm.engines.transpiler.entries import (
    ATOM,
    CALL,
    GLOBAL,
    IMPURE,
    INHERITED,
    LINE,
    MASK32,
    MASK64,
    SLOT,
    TRAP,
    TRUTH,
    WIDE,
    Entry,
    condition,
    operand,
    slot,
    value,
)
from simwasm.engines.transpiler.expressions import Emit
from simwasm.engines.transpiler.signatures import Signatures
from simwasm.wasm.decode import Immediates, decode
from simwasm.wasm.fuel import BULK, HOST_CALL
from simwasm.wasm.module import FuncType, ValType
from simwasm.wasm.opcodes import Immediate, Opcode

AnyRow = tuple["Emit | None", Any]
"""Without a function to emit it, an operand that waits."""

_TOPS = {ValType.I32: MASK32, ValType.I64: MASK64}


def of_type(text: str, flags: int, kind: ValType) -> Entry:
    """An operand of which nothing is known but its type."""
    return text, flags | (WIDE if kind is ValType.I64 else 0), 0, _TOPS.get(kind, 0)


class Rows(dict[bytes, AnyRow]):
    """By the bytes of an instruction."""

    def __init__(self, signatures: Signatures) -> None:
        super().__init__()
        self._signatures = signatures

    def __missing__(self, piece: bytes) -> AnyRow:
        opcode, immediates = decode(piece)
        found = self[piece] = self._row(opcode, immediates)
        return found

    def _row(self, opcode: Opcode, immediates: Immediates) -> AnyRow:
        name, kind = opcode.name, opcode.immediate
        if kind in (Immediate.ADDRESS, Immediate.ADDRESS_LANE):
            return accesses.row(opcode, immediates)
        if name in _LOCALS:
            return _LOCALS[name], immediates[0]
        if name in _CONSTANTS:
            constant = _CONSTANTS[name](immediates[0])
            return (_made_of_bits if constant[0].endswith(")") else None), constant
        if name in _SIMPLE:
            return _SIMPLE[name], None
        if kind is Immediate.GLOBAL:
            return self._global(name, immediates[0])
        if name in ("call", "return_call"):
            return call, self._call(immediates[0])
        if name in ("call_indirect", "return_call_indirect"):
            type, table = immediates
            first = self._signatures.first_equal[type]
            return _call_indirect, (f"T{table}_{first}", self._signatures.module.types[type])
        if name in _INSTANCE:
            return _instance, self._instance(name, immediates)
        return expressions.row(opcode, immediates)

    def _call(self, index: int) -> tuple[str, FuncType, bool]:
        return f"f{index}", self._signatures.functions[index], index < self._signatures.hosts

    def _global(self, name: str, index: int) -> AnyRow:
        kind = self._signatures.globals[index]
        if name == "global.set":
            return _global_set, f"g{index}"
        return _global_get, of_type(f"g{index}", ATOM | (GLOBAL if kind.mutable else 0), kind.type)

    def _instance(self, name: str, immediates: Immediates) -> tuple[str, int, ValType | None, int | None]:
        count, shown, result = _INSTANCE[name]
        if result is None and name == "table.get":
            result = ValType.FUNCREF
        text = f"{name.replace('.', '_')}({''.join(f'{immediates[at]}, ' for at in shown)}"
        return text, count, result, BULK.get(name)


def local_get(e: Emitter, index: int) -> None:
    """`local.get`."""
    e.stack.append(e.facts.operands[index])


def _local_set(e: Emitter, index: int) -> None:
    e.set_local(index, e.stack.pop())


def _local_tee(e: Emitter, index: int) -> None:
    e.set_local(index, e.stack.pop())
    e.stack.append(e.facts.operands[index])


_LOCALS: dict[str, Emit] = {"local.get": local_get, "local.set": _local_set, "local.tee": _local_tee}


def _made_of_bits(e: Emitter, entry: Entry) -> None:
    """A NaN."""
    e.free.add(entry[0].partition("(")[0])
    e.stack.append(entry)


def _nop(e: Emitter, _: None) -> None:
    pass


def _drop(e: Emitter, _: None) -> None:
    e.discard(e.stack.pop())


def _select(e: Emitter, _: None) -> None:
    chosen = e.stack[-3:]
    if (chosen[0][1] | chosen[1][1] | chosen[2][1]) & CALL or (chosen[0][1] | chosen[1][1]) & TRAP:
        e.flush()
    by, second, first = e.stack.pop(), e.stack.pop(), e.stack.pop()
    flags = (by[1] | second[1] | first[1]) & INHERITED | first[1] & WIDE
    low, high = min(first[2], second[2]), max(first[3], second[3])
    text = f"{_chosen(first)} if ({condition(by)}) else {_chosen(second)}"
    e.push(text, flags, low, high)


def _chosen(entry: Entry) -> str:
    return f"({value(entry)})" if entry[1] & TRUTH else operand(entry)


def _is_null(e: Emitter, _: None) -> None:
    entry = e.stack.pop()
    e.push(f"{operand(entry)} is None", entry[1] & INHERITED | TRUTH, 0, 1)


_SIMPLE: dict[str, Emit] = {"nop": _nop, "drop": _drop, "select": _select, "ref.is_null": _is_null}


def _global_get(e: Emitter, entry: Entry) -> None:
    e.before(CALL)
    e.free.add(entry[0])
    e.stack.append(entry)


def _global_set(e: Emitter, name: str) -> None:
    entry = e.stack.pop()
    e.before(IMPURE if entry[1] & CALL else GLOBAL | CALL | TRAP)
    e.free.add(name)
    e.assigned.add(name)
    e.assign(name, entry)


def taken(e: Emitter, count: int) -> str:
    """Take arguments off the stack: their values, between commas."""
    if not count:
        return ""
    e.weigh(count)
    entries = e.stack[-count:]
    del e.stack[-count:]
    return ", ".join([value(entry) for entry in entries])


def given_back(e: Emitter, text: str, results: tuple[ValType, ...], flags: int) -> None:
    """Let the results of a call wait."""
    if len(results) == 1:
        e.push(*of_type(f"(@{e.offset}\n{text})", flags | CALL | TRAP | ATOM | LINE, results[0]))
        return
    e.weigh(len(results))
    height = len(e.stack)
    names = ", ".join(slot(height + at) for at in range(len(results)))
    e.before(IMPURE | SLOT)
    e.line(f"{names} = {text}" if results else text)
    for at, kind in enumerate(results, height):
        e.stack.append(of_type(slot(at), ATOM | SLOT, kind))


def beneath(e: Emitter, count: int) -> None:
    """Write down what waits below the topmost operands and must not move past a call."""
    top = e.stack[len(e.stack) - count :]
    del e.stack[len(e.stack) - count :]
    e.before(IMPURE)
    e.stack += top
    e.facts.memory_changes()


def _flags(e: Emitter, count: int) -> int:
    """What the arguments read."""
    flags = 0
    for entry in e.stack[len(e.stack) - count :]:
        flags |= entry[1]
    return flags & INHERITED


def call(e: Emitter, given: tuple[str, FuncType, bool]) -> None:
    """`call`."""
    name, type, host = given
    count = len(type.params)
    beneath(e, count)
    flags = _flags(e, count)
    e.free.add(name)
    given_back(e, f"{name}({taken(e, count)})", type.results, flags)
    if host:
        if len(type.results) == 1:
            e.put(len(e.stack) - 1)
        e.line(f"fuel -= {HOST_CALL}")
        e.free.add("fuel")
        e.assigned.add("fuel")


def _call_indirect(e: Emitter, given: tuple[str, FuncType]) -> None:
    name, type = given
    count = len(type.params)
    beneath(e, count + 1)
    if _flags(e, count + 1) & IMPURE:
        e.flush()
    index = value(e.stack.pop())
    flags = _flags(e, count)
    e.free.add(name)
    given_back(e, f"{name}[{index}]({taken(e, count)})", type.results, flags)


def _instance(e: Emitter, given: tuple[str, int, ValType | None, int | None]) -> None:
    """What changes or asks the instance: an operation of its own."""
    text, count, result, shift = given
    beneath(e, count)
    e.free.add(text.partition("(")[0])
    if shift is not None:
        _pay(e, shift)
    flags = _flags(e, count)
    given_back(e, f"{text}{taken(e, count)})", () if result is None else (result,), flags)


CALLS: tuple[Emit, ...] = (call, _call_indirect, _instance)
"""What may run other code, and so begin or end to be watched."""


def _pay(e: Emitter, shift: int) -> None:
    """Take by the number that is the topmost operand, as a 32-bit counter does."""
    e.flush()
    number = e.stack[-1][0]
    if shift:
        e.line(f"fuel -= {number} >> {shift}")
    else:
        e.line(f"fuel = (fuel - {number} + 2147483648 & 4294967295) - 2147483648")
    e.line("while fuel < 0: refill()")
    e.free.update(("fuel", "refill"))
    e.assigned.add("fuel")


_I32 = ValType.I32
_INSTANCE: dict[str, tuple[int, tuple[int, ...], ValType | None]] = {
    "memory.size": (0, (), _I32),
    "memory.grow": (1, (), _I32),
    "memory.fill": (3, (), None),
    "memory.copy": (3, (), None),
    "memory.init": (3, (0,), None),
    "data.drop": (0, (0,), None),
    "table.get": (1, (0,), None),
    "table.set": (2, (0,), None),
    "table.size": (0, (0,), _I32),
    "table.grow": (2, (0,), _I32),
    "table.fill": (3, (0,), None),
    "table.copy": (3, (0, 1), None),
    "table.init": (3, (1, 0), None),
    "elem.drop": (0, (0,), None),
    "ref.func": (0, (0,), ValType.FUNCREF),
}
"""How many operands, which immediates in which order, and the result; `table.init` has its segment first."""


def _integer(mask: int) -> Any:
    wide = WIDE if mask == MASK64 else 0
    return lambda number: expressions.constant(number & mask, wide)


def float_text(number: float) -> str:
    """A float as Python reads it back; not for NaNs."""
    return repr(number).replace("inf", "1e999")


def _f32(bits: int) -> Entry:
    number = struct.unpack("<f", struct.pack("<I", bits))[0]
    if number != number:
        return f"f32_reinterpret_i32({bits})", ATOM, 0, 0
    return float_text(number), ATOM, 0, 0


def _f64(bits: int) -> Entry:
    number = struct.unpack("<d", struct.pack("<Q", bits))[0]
    if number != number:
        return f"f64_reinterpret_i64({bits})", ATOM, 0, 0
    return float_text(number), ATOM, 0, 0


def _v128(bits: int) -> Entry:
    return "b'" + "".join(f"\\x{byte:02x}" for byte in bits.to_bytes(16, "little")) + "'", ATOM, 0, 0


_CONSTANTS: dict[str, Any] = {
    "i32.const": _integer(MASK32),
    "i64.const": _integer(MASK64),
    "f32.const": _f32,
    "f64.const": _f64,
    "v128.const": _v128,
    "ref.null": lambda _: ("None", ATOM, 0, 0),
}
