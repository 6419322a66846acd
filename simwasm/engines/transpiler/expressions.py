"""Instructions that compute, as Python expressions: one row each.

A row is a function that takes operands off the stack and lets an expression wait, and what it has to know. An
instruction without a row of its own is a call of the operation of its name (`operations.py`).

Rules that live here: a sum, difference, product, left shift or bitwise operation does not care about bits beyond
its width, so its operands come unmasked and its result waits unmasked, with bounds; comparisons, right shifts and
divisions mask their operands unless the bounds make it needless; a truth stays a bool until a number is needed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simwasm.engines.transpiler.emitter import Emitter
from simwasm.engines.transpiler.entries import (
    ATOM,
    CONSTANT,
    INHERITED,
    LINE,
    MASK32,
    MASK64,
    TRAP,
    TRUTH,
    WIDE,
    Entry,
    masked,
    operand,
    value,
)
from simwasm.wasm.module import ValType
from simwasm.wasm.opcodes import OPCODES, Immediate, Opcode

Emit = Callable[[Emitter, Any], None]
Row = tuple[Emit, Any]
Width = tuple[int, int]
"""The mask of a type, and `WIDE` if it is i64."""

_WIDTHS: dict[str, Width] = {"i32": (MASK32, 0), "i64": (MASK64, WIDE)}
_FAR = 1 << 400
"""An unmasked number that may get larger than this is masked."""


def _near(entry: Entry, mask: int) -> Entry:
    """The entry, masked if it may be far from its type."""
    if entry[2] < -_FAR or entry[3] > _FAR:
        return masked(entry, mask), entry[1] & INHERITED | ATOM, 0, mask
    return entry


def _add(e: Emitter, width: Width) -> None:
    mask, wide = width
    second, first = _near(e.stack.pop(), mask), _near(e.stack.pop(), mask)
    if second[1] & CONSTANT and second[2] > mask >> 1:
        back = mask + 1 - second[2]
        flags = first[1] & INHERITED | wide
        e.push(f"{operand(first)} - {back}", flags, first[2] - back, first[3] - back)
        return
    flags = (first[1] | second[1]) & INHERITED | wide
    low, high = first[2] + second[2], first[3] + second[3]
    if low > mask and second[1] & CONSTANT:  # it goes around in any case
        back = mask + 1 - second[2]
        e.push(f"{operand(first)} - {back}", flags, low - mask - 1, high - mask - 1)
        return
    e.push(f"{operand(first)} + {operand(second)}", flags, low, high)


def _sub(e: Emitter, width: Width) -> None:
    mask, wide = width
    second, first = _near(e.stack.pop(), mask), _near(e.stack.pop(), mask)
    flags = (first[1] | second[1]) & INHERITED | wide
    e.push(f"{operand(first)} - {operand(second)}", flags, first[2] - second[3], first[3] - second[2])


def _mul(e: Emitter, width: Width) -> None:
    mask, wide = width
    second, first = _near(e.stack.pop(), mask), _near(e.stack.pop(), mask)
    flags = (first[1] | second[1]) & INHERITED | wide
    low, high = 0, first[3] * second[3]
    if first[2] < 0 or second[2] < 0:
        corners = (first[2] * second[2], first[2] * second[3], first[3] * second[2], high)
        low, high = min(corners), max(corners)
    e.push(f"{operand(first)} * {operand(second)}", flags, low, high)


def _and(e: Emitter, width: Width) -> None:
    second, first = e.stack.pop(), e.stack.pop()
    text = f"{operand(first)} & {operand(second)}"
    flags = (first[1] | second[1]) & INHERITED | width[1]
    if first[1] & second[1] & TRUTH:
        flags |= TRUTH
    if first[2] < 0 and second[2] < 0:
        e.push(text, flags, min(first[2], second[2]) * 2, max(first[3], second[3], 0))
    elif first[2] < 0:
        e.push(text, flags, 0, second[3])
    elif second[2] < 0:
        e.push(text, flags, 0, first[3])
    else:
        e.push(text, flags, 0, min(first[3], second[3]))


def _bitwise(e: Emitter, given: tuple[str, Width]) -> None:
    """`or` and `xor`."""
    sign, (_, wide) = given
    second, first = e.stack.pop(), e.stack.pop()
    text = f"{operand(first)} {sign} {operand(second)}"
    flags = (first[1] | second[1]) & INHERITED | wide
    if first[1] & second[1] & TRUTH:
        flags |= TRUTH
    low, high = min(first[2], second[2]), max(first[3], second[3])
    bits = max((-low).bit_length() if low < 0 else 0, high.bit_length())
    e.push(text, flags, -(1 << bits) if low < 0 else 0, (1 << bits) - 1)


def _shl(e: Emitter, width: Width) -> None:
    mask, wide = width
    second, first = e.stack.pop(), e.stack.pop()
    bits = 31 if mask == MASK32 else 63
    flags = (first[1] | second[1]) & INHERITED | wide
    if first[2] < 0 or first[3] > mask:
        first = masked(first, mask), ATOM, 0, mask
    if second[1] & CONSTANT:
        by = second[2] & bits
        e.push(f"{operand(first)} << {by}", flags, 0, first[3] << by)
    else:
        e.push(f"{operand(first)} << {_count(second, bits)}", flags, 0, first[3] << bits)


def _count(entry: Entry, bits: int) -> str:
    """By how much to shift."""
    if entry[2] >= 0 and entry[3] <= bits:
        return operand(entry)
    return f"({operand(entry)} & {bits})"


def _shr_u(e: Emitter, width: Width) -> None:
    mask, wide = width
    second, first = e.stack.pop(), e.stack.pop()
    bits = 31 if mask == MASK32 else 63
    flags = (first[1] | second[1]) & INHERITED | wide
    high = first[3] if first[2] >= 0 and first[3] <= mask else mask
    if second[1] & CONSTANT:
        by = second[2] & bits
        e.push(f"{masked(first, mask)} >> {by}", flags, 0, high >> by)
    else:
        e.push(f"{masked(first, mask)} >> {_count(second, bits)}", flags, 0, high)


def _rotl(e: Emitter, given: tuple[int, int, int]) -> None:
    """`rotl`, and `rotr` with its sign: of the number twice, side by side, the part from that bit on."""
    mask, wide, sign = given
    if not e.stack[-1][1] & CONSTANT:
        _operation(e, _ROTATIONS[mask, sign])
        return
    width = 32 if mask == MASK32 else 64
    by = e.stack.pop()[2] * sign % width
    entry = e.stack.pop()
    text, flags = masked(entry, mask), entry[1] & INHERITED | wide
    if not by:
        e.push(text, flags | ATOM, 0, mask)
    elif width == 32:
        twice, new = e.facts.shared("r", text) or (f"({text} * 4294967297)", False)
        if new:
            e.line(f"{twice} = {text} * 4294967297")
        e.push(f"{twice} >> {width - by}", flags, 0, (1 << width + by) - 1)
    elif text.isalnum():
        e.push(f"{text} << {by} | {text} >> {width - by}", flags, 0, (1 << width + by) - 1)
    else:
        e.push(f"(r := {text}) << {by} | r >> {width - by}", flags, 0, (1 << width + by) - 1)


def signed(entry: Entry, mask: int) -> str:
    """The operand's signed value, as an operand."""
    half = (mask >> 1) + 1
    if -half <= entry[2] and entry[3] < half:
        return operand(entry)
    return f"(({masked(entry, mask)} ^ {half}) - {half})"


def _shr_s(e: Emitter, width: Width) -> None:
    mask, wide = width
    second, first = e.stack.pop(), e.stack.pop()
    bits = 31 if mask == MASK32 else 63
    half = (mask >> 1) + 1
    low, high = max(first[2], -half), min(first[3], half - 1)
    if first[2] < -half or first[3] >= half:
        low, high = -half, half - 1
    flags = (first[1] | second[1]) & INHERITED | wide
    if second[1] & CONSTANT:
        by = second[2] & bits
        e.push(f"{signed(first, mask)} >> {by}", flags, low >> by, high >> by)
    else:
        e.push(f"{signed(first, mask)} >> {_count(second, bits)}", flags, min(low, 0), max(high, 0))


def _equality(e: Emitter, given: tuple[str, Width]) -> None:
    """`eq` and `ne`."""
    sign, (mask, _) = given
    second, first = e.stack.pop(), e.stack.pop()
    flags = (first[1] | second[1]) & INHERITED | TRUTH
    text = f"{masked(first, mask)} {sign} {masked(second, mask)}"
    if second[1] & CONSTANT and first[2] >= 0 and first[3] <= mask:
        e.facts.compared(text, sign, first, second[2])
    e.push(text, flags, 0, 1)


def _unsigned_order(e: Emitter, given: tuple[str, Width]) -> None:
    _equality(e, given)


def _signed_order(e: Emitter, given: tuple[str, Width]) -> None:
    sign, (mask, _) = given
    second, first = e.stack.pop(), e.stack.pop()
    flags = (first[1] | second[1]) & INHERITED | TRUTH
    half = (mask >> 1) + 1
    if first[2] >= -half and first[3] < half and second[2] >= -half and second[3] < half:
        text = f"{operand(first)} {sign} {operand(second)}"
        if second[1] & CONSTANT and first[2] >= 0:
            e.facts.compared(text, sign, first, second[2])
    elif second[1] & CONSTANT and _simple(first, mask):
        text = _signed_with(first, sign, second[2], half)
        if second[2] < half:
            e.facts.compared_signed(text, sign, first, second[2], half)
    elif _simple(first, mask) and _simple(second, mask):
        one, other = first[0], second[0]
        text = f"({one} {sign} {other} if {one} ^ {other} < {half} else {other} {sign} {one})"
        flags |= ATOM
    else:
        text = f"{_biased(first, mask, half)} {sign} {_biased(second, mask, half)}"
    e.push(text, flags, 0, 1)


def _simple(entry: Entry, mask: int) -> bool:
    """Whether it is a variable, and masked."""
    return entry[0].isalnum() and entry[2] >= 0 and entry[3] <= mask


_UPWARDS = (">", ">=")


def _signed_with(first: Entry, sign: str, number: int, half: int) -> str:
    """A signed comparison of something simple with a number."""
    text, upwards = first[0], sign in _UPWARDS
    if number < half:
        least = number + (sign == ">") if upwards else number + (sign == "<=")
        if upwards:  # at least `least`, and not negative
            return f"{least} <= {text} < {half}" if least else f"{text} < {half}"
        return f"({text} < {least} or {text} >= {half})" if least else f"{text} >= {half}"
    least = number + (sign in (">", "<="))
    if upwards:
        return f"({text} < {half} or {text} >= {least})"
    return f"{half} <= {text} < {least}"


def _biased(entry: Entry, mask: int, half: int) -> str:
    """The value, ordered as signed numbers are when it is compared without a sign."""
    if entry[1] & CONSTANT:
        return str(entry[2] ^ half)
    if entry[2] >= -half and entry[3] < half:
        return f"({operand(entry)} + {half})"
    return f"({masked(entry, mask)} ^ {half})"


def _eqz(e: Emitter, mask: int) -> None:
    entry = e.stack.pop()
    text = operand(entry) if entry[1] & TRUTH else masked(entry, mask)
    text = f"not {text}"
    e.facts.negated(text, entry)
    e.push(text, entry[1] & INHERITED | TRUTH, 0, 1)


def _float_order(e: Emitter, sign: str) -> None:
    second, first = e.stack.pop(), e.stack.pop()
    flags = (first[1] | second[1]) & INHERITED | TRUTH
    e.push(f"{operand(first)} {sign} {operand(second)}", flags, 0, 1)


def _float_sign(e: Emitter, sign: str) -> None:
    """Operators of Python's that do on f64 what Wasm wants."""
    second, first = e.stack.pop(), e.stack.pop()
    flags = (first[1] | second[1]) & INHERITED
    e.push(f"{operand(first)} {sign} {operand(second)}", flags, 0, 0)


def _negated(e: Emitter, _: None) -> None:
    entry = e.stack.pop()
    e.push(f"-{operand(entry)}", entry[1] & INHERITED, 0, 0)


def _wrap(e: Emitter, _: None) -> None:
    """Only the type changes: bits beyond 32 are masked when someone needs the value."""
    text, flags, low, high = e.stack.pop()
    if flags & CONSTANT:
        low = high = low & MASK32
        text = str(low)
    e.stack.append((text, flags & ~WIDE & (~LINE if high > MASK32 else -1), low, high))


def _widened(e: Emitter, _: None) -> None:
    """`extend_i32_u`."""
    entry = e.stack.pop()
    if entry[1] & TRUTH or entry[2] < 0 or entry[3] > MASK32:
        text = value(entry)
        e.push(
            text, entry[1] & INHERITED | WIDE, 0, min(max(entry[3], 1), MASK32) if entry[2] >= 0 else MASK32
        )
    else:
        e.stack.append((entry[0], entry[1] | WIDE, entry[2], entry[3]))


def _signed_widened(e: Emitter, _: None) -> None:
    entry = e.stack.pop()
    if entry[1] & CONSTANT:
        e.stack.append(constant((entry[2] ^ 1 << 31) - (1 << 31) & MASK64, WIDE))
        return
    flags = entry[1] & (INHERITED | ATOM | TRUTH) | WIDE
    half = 1 << 31
    if -half <= entry[2] and entry[3] < half:
        e.stack.append((entry[0], flags, entry[2], entry[3]))
    else:
        e.push(signed(entry, MASK32), flags & ~TRUTH | ATOM, -half, half - 1)


def _narrow_extended(e: Emitter, given: tuple[int, int]) -> None:
    """`extend8_s`, `extend16_s`, `extend32_s`."""
    half, wide = given
    entry = e.stack.pop()
    low_bits = (
        operand(entry) if entry[2] >= 0 and entry[3] < half * 2 else f"({operand(entry)} & {half * 2 - 1})"
    )
    e.push(f"({low_bits} ^ {half}) - {half}", entry[1] & INHERITED | wide, -half, half - 1)


def _clz(e: Emitter, width: Width) -> None:
    entry = e.stack.pop()
    bits = 32 if width[0] == MASK32 else 64
    e.push(f"{bits} - {_atomic(entry, width[0])}.bit_length()", entry[1] & INHERITED | width[1], 0, bits)


def _atomic(entry: Entry, mask: int) -> str:
    """An operand that an attribute can be asked of: a number in digits cannot."""
    return f"({entry[0]})" if entry[1] & CONSTANT else masked(entry, mask)


def _divided(e: Emitter, given: tuple[str, Width]) -> None:
    """`div_u` and `rem_u`: Python's ZeroDivisionError is the trap."""
    sign, (mask, wide) = given
    second, first = e.stack.pop(), e.stack.pop()
    flags = (first[1] | second[1]) & INHERITED | wide
    text = f"{masked(first, mask)} {sign} {masked(second, mask)}"
    high = first[3] if first[2] >= 0 and first[3] <= mask else mask
    if sign == "%" and second[2] > 0:
        high = min(high, second[3] - 1)
    if second[2] > 0 and second[3] <= mask:
        e.push(text, flags, 0, high)
    else:
        e.push(f"(@{e.offset}\n{text})", flags | TRAP | ATOM | LINE, 0, high)


def _operation(e: Emitter, given: tuple[str, int, bool, int, int]) -> None:
    """Call the operation: its text up to the operands, how many, whether it traps, flags and top of its result."""
    text, count, traps, flags, top = given
    operands = e.stack[len(e.stack) - count :] if count else []
    del e.stack[len(e.stack) - count :]
    e.free.add(text.partition("(")[0])
    for entry in operands:
        flags |= entry[1] & INHERITED
    text += ", ".join(map(value, operands)) + ")"
    if traps:
        e.push(f"(@{e.offset}\n{text})", flags | TRAP | ATOM | LINE, 0, top)
    else:
        e.push(text, flags | ATOM, 0, top)


def constant(number: int, wide: int) -> Entry:
    """A number as an operand."""
    return str(number), ATOM | CONSTANT | wide, number, number


def _integers(type: str) -> dict[str, Row]:
    width = _WIDTHS[type]
    mask, wide = width
    rows: dict[str, Row] = {
        "add": (_add, width), "sub": (_sub, width), "mul": (_mul, width), "and": (_and, width),
        "or": (_bitwise, ("|", width)), "xor": (_bitwise, ("^", width)), "shl": (_shl, width),
        "shr_u": (_shr_u, width), "shr_s": (_shr_s, width), "eqz": (_eqz, mask), "clz": (_clz, width),
        "eq": (_equality, ("==", width)), "ne": (_equality, ("!=", width)),
        "div_u": (_divided, ("//", width)), "rem_u": (_divided, ("%", width)),
        "extend8_s": (_narrow_extended, (1 << 7, wide)), "extend16_s": (_narrow_extended, (1 << 15, wide)),
        "rotl": (_rotl, (mask, wide, 1)), "rotr": (_rotl, (mask, wide, -1)),
        "extend32_s": (_narrow_extended, (1 << 31, wide)),
    }  # fmt: skip
    for name, sign in (("lt", "<"), ("gt", ">"), ("le", "<="), ("ge", ">=")):
        rows[f"{name}_u"] = _unsigned_order, (sign, width)
        rows[f"{name}_s"] = _signed_order, (sign, width)
    return {f"{type}.{name}": row for name, row in rows.items()}


def _floats() -> dict[str, Row]:
    rows: dict[str, Row] = {
        f"{type}.{name}": (_float_order, sign)
        for type in ("f32", "f64")
        for name, sign in (("eq", "=="), ("ne", "!="), ("lt", "<"), ("gt", ">"), ("le", "<="), ("ge", ">="))
    }
    rows |= {f"f64.{name}": (_float_sign, sign) for name, sign in (("add", "+"), ("sub", "-"), ("mul", "*"))}
    return rows | {"f32.neg": (_negated, None), "f64.neg": (_negated, None)}


_ROTATIONS = {
    (mask, sign): (f"{type}_{name}(", 2, False, wide, mask)
    for type, (mask, wide) in _WIDTHS.items()
    for name, sign in (("rotl", 1), ("rotr", -1))
}
"""As operations, for a number of bits that is not known."""

_SPELT: dict[str, Row] = {
    **_integers("i32"),
    **_integers("i64"),
    **_floats(),
    "i32.wrap_i64": (_wrap, None),
    "i64.extend_i32_u": (_widened, None),
    "i64.extend_i32_s": (_signed_widened, None),
}

_TRAPPING = ("div_", "rem_", "trunc_f")
_TOPS = {ValType.I32: MASK32, ValType.I64: MASK64}
_COMPUTING = (Immediate.NONE, Immediate.LANE, Immediate.SHUFFLE)


def called(opcode: Opcode, first: str) -> Row:
    """An instruction as a call of its operation; `first` is what comes before the operands."""
    assert opcode.type is not None
    kind = opcode.type.results[0]
    traps = any(part in opcode.name for part in _TRAPPING) and "x" not in opcode.name
    flags = WIDE if kind is ValType.I64 else 0
    text = f"{opcode.name.replace('.', '_')}({first}"
    return _operation, (text, len(opcode.type.params), traps, flags, _TOPS.get(kind, 0))


def row(opcode: Opcode, immediates: tuple[int, ...]) -> Row:
    """The row of an instruction that computes."""
    if opcode.immediate is Immediate.NONE:
        return ROWS[opcode.name]
    lanes = f"{immediates[0]}, " if opcode.immediate is Immediate.LANE else f"{immediates}, "
    return called(opcode, lanes)


ROWS: dict[str, Row] = {
    opcode.name: _SPELT.get(opcode.name) or called(opcode, "")
    for opcode in OPCODES
    if opcode.immediate is Immediate.NONE and opcode.type is not None and opcode.type.results
}
"""By name, those without immediates."""
