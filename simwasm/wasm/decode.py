"""Function bodies as instructions.

One regular expression, generated from the table of opcodes, matches exactly one instruction with its immediates:
`findall` then cuts a body into instructions at the speed of C, in less time than a Python loop takes to only count
them. `br_table`, whose length is in its data, is cut by hand.

Rules that live here: how each kind of immediate is laid out, once as a pattern and once as a reader; LEB128
numbers are as strict as the specification (padding is fine, excess bits are not); what the pattern does not
match is a `BadModule`, whose reason `explain` finds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from itertools import accumulate
from typing import NamedTuple

from simwasm.errors import BadModule
from simwasm.wasm.opcodes import ONE_BYTE, OPCODES, PREFIXED, PROPOSALS, Immediate, Opcode

Immediates = tuple[int, ...]


class Instruction(NamedTuple):
    """One instruction; integers are signed, floats and vectors are their bits, a block type is its s33."""

    offset: int
    opcode: Opcode
    immediates: Immediates


_U32 = rb"(?:[\x00-\x7f]|[\x80-\xff]{1,3}[\x00-\x7f]|[\x80-\xff]{4}[\x00-\x0f])"
_S32 = rb"(?:[\x00-\x7f]|[\x80-\xff]{1,3}[\x00-\x7f]|[\x80-\xff]{4}[\x00-\x07\x78-\x7f])"
_S64 = rb"(?:[\x00-\x7f]|[\x80-\xff]{1,8}[\x00-\x7f]|[\x80-\xff]{9}[\x00\x7f])"
_VALUE_TYPE = rb"[\x6f\x70\x7b-\x7f]"
_BLOCK = rb"(?:[\x00-\x40\x6f\x70\x7b-\x7f]|[\x80-\xff]{1,3}[\x00-\x3f]|[\x80-\xff]{4}[\x00-\x0f])"

_ZERO = rb"\x00"

_PARTS: dict[Immediate, tuple[bytes, ...]] = {
    Immediate.NONE: (),
    Immediate.BLOCK: (_BLOCK,),
    Immediate.LABEL: (_U32,),
    Immediate.FUNCTION: (_U32,),
    Immediate.INDIRECT: (_U32, _U32),
    Immediate.LOCAL: (_U32,),
    Immediate.GLOBAL: (_U32,),
    Immediate.TABLE: (_U32,),
    Immediate.TABLES: (_U32, _U32),
    Immediate.MEMORY: (_ZERO,),
    Immediate.MEMORIES: (_ZERO, _ZERO),
    Immediate.DATA: (_U32,),
    Immediate.DATA_MEMORY: (_U32, _ZERO),
    Immediate.ELEMENT: (_U32,),
    Immediate.ELEMENT_TABLE: (_U32, _U32),
    Immediate.ADDRESS: (_U32, _U32),
    Immediate.ADDRESS_LANE: (_U32, _U32, b"."),
    Immediate.LANE: (b".",),
    Immediate.SHUFFLE: (b".{16}",),
    Immediate.I32: (_S32,),
    Immediate.I64: (_S64,),
    Immediate.F32: (b".{4}",),
    Immediate.F64: (b".{8}",),
    Immediate.V128: (b".{16}",),
    Immediate.HEAP: (rb"[\x6f\x70]",),
    Immediate.TYPES: (rb"\x01", _VALUE_TYPE),
}
"""The parts of an immediate, as patterns."""

_BR_TABLE = 0x0E


def _byte_class(codes: list[int]) -> bytes:
    return b"[" + b"".join(b"\\x%02x" % code for code in sorted(codes)) + b"]"


def _numbers(codes: list[int]) -> bytes:
    """The pattern of the given opcode numbers as LEB128, padded ones included."""
    low = [code for code in codes if code < 0x80]
    forms = [_byte_class(low)] if low else []
    forms += [_byte_class([code | 0x80 for code in low]) + rb"\x80{0,3}\x00"] if low else []
    for high in sorted({code >> 7 for code in codes} - {0}):
        heads = _byte_class([code & 0x7F | 0x80 for code in codes if code >> 7 == high])
        forms.append(heads + rb"(?:\x%02x|\x%02x\x80{0,2}\x00)" % (high, high | 0x80))
    return b"(?:" + b"|".join(forms) + b")"


def _pattern(rows: list[Opcode]) -> bytes:
    """The pattern of any one instruction out of the rows, most common kinds of immediates first."""
    groups: dict[tuple[int, bytes], list[int]] = {}
    for row in rows:
        groups.setdefault((row.prefix, b"".join(_PARTS[row.immediate])), []).append(row.code)
    choices = []
    for (prefix, immediate), codes in sorted(groups.items(), key=lambda item: (item[0][0], -len(item[1]))):
        opcode = b"\\x%02x" % prefix + _numbers(codes) if prefix else _byte_class(codes)
        choices.append(opcode + immediate)
    return b"|".join(choices)


@cache
def _patterns() -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    """Those of one instruction and of many. Made when they are wanted: that takes longer than to read a module."""
    one = _pattern([row for row in OPCODES if row.immediate is not Immediate.LABELS])
    return re.compile(one, re.DOTALL), re.compile(b"(?:" + one + b"){0,65535}", re.DOTALL)


_INDEX = re.compile(_U32)
_CONSTANTS = ("i32.const", "i64.const", "f32.const", "f64.const", "v128.const", "global.get", "ref.null",
              "ref.func", "i32.add", "i32.sub", "i32.mul", "i64.add", "i64.sub", "i64.mul")  # fmt: skip
_LONGEST_CONSTANT = 65_535
_CONSTANT = re.compile(
    b"(?:%s){0,%d}\\x0b" % (_pattern([row for row in OPCODES if row.name in _CONSTANTS]), _LONGEST_CONSTANT),
    re.DOTALL,
)


def split(data: bytes, start: int, end: int, function: str = "") -> list[bytes]:
    """Cut code into instructions, each the bytes it is made of; together they are all bytes of the range.

    The function's name is for the error.
    """
    pieces: list[bytes] = []
    one, many = _patterns()
    at = start
    while at < end:
        stop = many.match(data, at, end).end()  # type: ignore[union-attr]  # it matches the empty string
        pieces += one.findall(data, at, stop)
        if stop == at:
            stop = _end_of_br_table(data, at, end, function)
            pieces.append(data[at:stop])
        at = stop
    return pieces


def _end_of_br_table(data: bytes, at: int, end: int, function: str) -> int:
    if data[at] != _BR_TABLE:
        raise _undecodable(explain(data, at, end), function, at)
    count = _INDEX.match(data, at + 1, end)
    left = unsigned(count[0], 0)[0] + 1 if count else 0
    stop = count.end() if count else end
    if not 0 < left <= end - stop:
        raise _undecodable("br_table with more labels than there is code", function, at)
    while left:
        label = _INDEX.match(data, stop, end)
        if label is None:
            raise _undecodable("br_table with a broken label", function, at)
        stop, left = label.end(), left - 1
    return stop


def _undecodable(reason: str, function: str, offset: int) -> BadModule:
    where = f" (function {function})" if function else ""
    return BadModule(reason + where, section="code", offset=offset)


def constant_end(data: bytes, start: int, end: int, section: str) -> int:
    """Where the constant expression that begins at `start` ends."""
    match = _CONSTANT.match(data, start, end)
    if match is None:
        raise _not_constant(data, start, end, section)
    return match.end()


def _not_constant(data: bytes, at: int, end: int, section: str) -> BadModule:
    one, _ = _patterns()
    for _ in range(_LONGEST_CONSTANT):
        piece = one.match(data, at, end)
        if piece is None:
            reason = explain(data, at, end) if at < end else "unexpected end"
            return BadModule(f"constant expression required: {reason}", section=section, offset=at)
        name = decode(piece[0])[0].name
        if name not in _CONSTANTS:
            return BadModule(f"constant expression required, not {name}", section=section, offset=at)
        at = piece.end()
    return BadModule("a constant expression that is too long", section=section, offset=at)


def instructions(data: bytes, start: int, end: int) -> Iterator[Instruction]:
    """Decode code, one instruction after the other."""
    known: dict[bytes, tuple[Opcode, Immediates]] = {}
    pieces = split(data, start, end)
    for at, piece in zip(accumulate(map(len, pieces), initial=start), pieces):  # noqa: B905  # one more offset
        found = known.get(piece)
        if found is None:
            found = known[piece] = decode(piece)
        yield Instruction(at, *found)


def decode(piece: bytes) -> tuple[Opcode, Immediates]:
    """The row and the immediates of one instruction that `split` cut."""
    row = ONE_BYTE[piece[0]]
    at = 1
    if row is None:
        number, at = unsigned(piece, 1)
        row = PREFIXED[piece[0], number]
    return row, _READERS[row.immediate](piece, at)


def opcode(data: bytes, at: int) -> Opcode:
    """The row of the instruction there, of which nothing else is looked at."""
    return ONE_BYTE[data[at]] or PREFIXED[data[at], unsigned(data, at + 1)[0]]


def unsigned(data: bytes, at: int) -> tuple[int, int]:
    """A number in LEB128, and where it ends."""
    value = shift = 0
    while (byte := data[at]) > 0x7F:
        value |= (byte & 0x7F) << shift
        shift += 7
        at += 1
    return value | byte << shift, at + 1


def _signed(piece: bytes, at: int) -> Immediates:
    value, end = unsigned(piece, at)
    return (value - (1 << 7 * (end - at)) if piece[end - 1] & 0x40 else value,)


def _indices(piece: bytes, at: int) -> Immediates:
    found = []
    while at < len(piece):
        value, at = unsigned(piece, at)
        found.append(value)
    return tuple(found)


def _labels(piece: bytes, at: int) -> Immediates:
    return _indices(piece, at)[1:]


def _lanes(piece: bytes, at: int) -> Immediates:
    return tuple(piece[at:])


def _bits(piece: bytes, at: int) -> Immediates:
    return (int.from_bytes(piece[at:], "little"),)


def _address_lane(piece: bytes, at: int) -> Immediates:
    return (*_indices(piece[:-1], at), piece[-1])


_READERS: dict[Immediate, Callable[[bytes, int], Immediates]] = {
    **dict.fromkeys(Immediate, _indices),
    Immediate.BLOCK: _signed,
    Immediate.LABELS: _labels,
    Immediate.ADDRESS_LANE: _address_lane,
    Immediate.LANE: _lanes,
    Immediate.SHUFFLE: _lanes,
    Immediate.I32: _signed,
    Immediate.I64: _signed,
    Immediate.F32: _bits,
    Immediate.F64: _bits,
    Immediate.V128: _bits,
    Immediate.HEAP: _signed,
    Immediate.TYPES: lambda piece, at: _signed(piece, at + 1),
}


def explain(data: bytes, at: int, end: int) -> str:
    """Say why the bytes there are not an instruction, and what to do where that is known."""
    first = data[at]
    row = ONE_BYTE[first]
    if row is not None:
        return _broken(row, data, at + 1, end)
    for proposal, bytes_ in PROPOSALS.items():
        if first in bytes_:
            return f"opcode 0x{first:02x} belongs to {proposal}, which is not supported: build without it"
    match = _INDEX.match(data, at + 1, end)
    if first in (0xFC, 0xFD) and match:
        number = unsigned(match[0], 0)[0]
        row = PREFIXED.get((first, number))
        return _broken(row, data, match.end(), end) if row else f"illegal opcode 0x{first:02x} 0x{number:x}"
    return f"illegal opcode 0x{first:02x}"


def _broken(row: Opcode, data: bytes, at: int, end: int) -> str:
    """Say what of an instruction's immediates is not as it has to be."""
    told = f"{row.name} is not followed by {row.immediate.value}"
    for part in _PARTS[row.immediate]:
        match = re.compile(part, re.DOTALL).match(data, at, end)
        if match is None:
            reason = "zero byte expected" if part == _ZERO else _broken_number(part, data[at:end])
            return f"{told}: {reason}" if reason else told
        at = match.end()
    return told


def _broken_number(part: bytes, there: bytes) -> str:
    """Why bytes are no LEB128 number, if one has to be there."""
    size = {_U32: 5, _S32: 5, _S64: 10}.get(part)
    if size is None:
        return ""
    going_on = re.compile(rb"[\x80-\xff]*").match(there)
    length = going_on.end() if going_on else 0
    if length >= size:
        return "integer representation too long"
    return "unexpected end" if length == len(there) else "integer too large"
