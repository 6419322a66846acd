"""Values of variables, as text: what the bytes mean to the language they were written in.

Rules that live here: structures are shown to a depth of `DEEPEST`, `MOST` members or elements of each, texts up to
`LONGEST` bytes, and at most `PARTS` parts in all, because a type and a memory may say anything; a part that cannot be
told says why in its place and spoils no other.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable

from simwasm.wasm.dwarf.cells import LONGEST, Cell, c_string, quoted
from simwasm.wasm.dwarf.containers import contained
from simwasm.wasm.dwarf.datatypes import (
    POINTERS,
    Type,
    extents,
    named_members,
    offset_of,
    plain,
    size_of,
    type_name,
)
from simwasm.wasm.dwarf.state import Unknown

DEEPEST = 4
MOST = 24
PARTS = 400
_NUMBERED = re.compile("__[0-9]+")
"""The members of a tuple."""
STRUCTURES = frozenset({"DW_TAG_structure_type", "DW_TAG_class_type", "DW_TAG_union_type"})


class Reader:
    """One value being written down."""

    def __init__(self) -> None:
        self._left = PARTS

    def more(self) -> bool:
        """Whether there may be one part more."""
        self._left -= 1
        return self._left >= 0

    def text(self, kind: Type, cell: Cell, depth: int = 0) -> str:
        """The value of a type that is in a cell."""
        if not self.more():
            return "…"
        kind = plain(kind)
        try:
            text = contained(self.elements, kind, cell, depth) if kind.tag in STRUCTURES else None
            return text if text is not None else self._plainly(kind, cell, depth)
        except Unknown as reason:
            if not depth:
                raise
            return f"<{reason}>"

    def _plainly(self, kind: Type, cell: Cell, depth: int) -> str:
        show = _SHOWN.get(kind.tag)
        if show is None:
            raise Unknown("of a type that the debug information does not tell of")
        return show(self, kind, cell, depth)

    def elements(self, kind: Type, cell: Cell, count: int, depth: int) -> str:
        """A row of values."""
        size = size_of(kind)
        if size is None:
            raise Unknown("a row of elements whose size is not told")
        if depth >= DEEPEST:
            return f"[… {count}]" if count else "[]"
        shown = [self.text(kind, cell.at(index * size), depth + 1) for index in range(min(count, MOST))]
        more = [f"… {count} in all"] if count > MOST else []
        return f"[{', '.join(shown + more)}]"

    def members(self, kind: Type, cell: Cell, depth: int) -> str:
        """A structure."""
        if depth >= DEEPEST:
            return "{…}"
        members = named_members(kind)
        row = bool(members) and all(_NUMBERED.fullmatch(name) for name, _ in members)
        parts = []
        for name, member in members[:MOST]:
            text = self._member(member, cell, depth)
            parts.append(text if row or not name else f"{name}: {text}")
        if len(members) > MOST:
            parts.append(f"… {len(members)} in all")
        return f"({', '.join(parts)})" if row else "{" + ", ".join(parts) + "}"

    def _member(self, member: Type, cell: Cell, depth: int) -> str:
        bits = member.number("DW_AT_bit_size")
        if bits:
            return str(_bits(member, cell, bits))
        return self.text(member.of(), cell.at(offset_of(member)), depth + 1)


def _bits(member: Type, cell: Cell, bits: int) -> int:
    """The value of a member that is some bits of a number."""
    size = member.number("DW_AT_byte_size") or size_of(member.of()) or 4
    first = member.number("DW_AT_data_bit_offset")
    if first is None:
        high = member.number("DW_AT_bit_offset") or 0
        first = offset_of(member) * 8 + size * 8 - high - bits
    whole = cell.at(first // 8).number((first % 8 + bits + 7) // 8)
    value = whole >> first % 8 & (1 << bits) - 1
    encoding = plain(member.of()).number("DW_AT_encoding")
    return value - (1 << bits) if encoding in _SIGNED and value >> (bits - 1) else value


_ADDRESS, _BOOLEAN, _FLOAT, _SIGNED_NUMBER, _SIGNED_CHAR, _UNSIGNED, _UNSIGNED_CHAR, _UTF = (
    1,
    2,
    4,
    5,
    6,
    7,
    8,
    16,
)
_SIGNED = frozenset({_SIGNED_NUMBER, _SIGNED_CHAR})
_FLOATS = {4: "<f", 8: "<d"}
_LARGEST = 64
_CHARS = frozenset({"char", "signed char", "unsigned char", "char8_t", "char16_t", "char32_t", "wchar_t"})


def _base(reader: Reader, kind: Type, cell: Cell, depth: int) -> str:
    size, encoding = size_of(kind), kind.number("DW_AT_encoding")
    if size is None or not 0 <= size <= _LARGEST:
        raise Unknown("of a type whose size is not told")
    if not size:
        return "()"
    if encoding == _FLOAT and size in _FLOATS:
        (number,) = struct.unpack(_FLOATS[size], cell.bytes(size))
        return repr(number) if size == 8 else f"{number:.9g}"
    value = cell.number(size, signed=encoding in _SIGNED)
    if encoding == _BOOLEAN:
        return ("false", "true")[value] if value < 2 else f"true (0x{value:x})"
    if encoding == _UTF:
        return _character(value)
    if encoding in (_SIGNED_CHAR, _UNSIGNED_CHAR) and kind.name in _CHARS:
        return f"{value} {_character(value & 0xFF)}" if 32 <= value & 0xFF < 127 else str(value)
    return f"0x{value:x}" if encoding == _ADDRESS else str(value)


def _character(value: int) -> str:
    return repr(chr(value)) if value <= 0x10FFFF else f"0x{value:x}"


def _enumeration(reader: Reader, kind: Type, cell: Cell, depth: int) -> str:
    size = size_of(kind) or 4
    value = cell.number(min(size, 8))
    for each in kind.below("DW_TAG_enumerator"):
        told = each.number("DW_AT_const_value")
        if told is not None and told & (1 << 8 * size) - 1 == value:
            return each.name
    return f"{value} (none of {type_name(kind)})"


def _pointer(reader: Reader, kind: Type, cell: Cell, depth: int) -> str:
    address = cell.number(size_of(kind) or 4)
    if not address or (kind.tag == _TO_MEMBER and address == _NO_MEMBER):
        return "null"
    target = plain(kind.of())
    text = f"0x{address:x}"
    if (
        target.tag == "DW_TAG_base_type"
        and size_of(target) == 1
        and target.number("DW_AT_encoding") in _LETTERS
    ):
        told = c_string(cell.there(address)) if target.name in _CHARS else None
        return f"{text} {told}" if told is not None else text
    if depth == 0 and target.tag in STRUCTURES:
        return f"{text} → {reader.text(target, cell.there(address), depth + 1)}"
    return text


_TO_MEMBER, _NO_MEMBER = "DW_TAG_ptr_to_member_type", 0xFFFF_FFFF
_LETTERS = frozenset({_SIGNED_CHAR, _UNSIGNED_CHAR})


def _array(reader: Reader, kind: Type, cell: Cell, depth: int) -> str:
    sizes, element = extents(kind), plain(kind.of())
    if sizes[0] is None:
        raise Unknown("an array of no told size")
    if len(sizes) == 1 and element.name in _CHARS and size_of(element) == 1:
        return quoted(cell.bytes(min(sizes[0], LONGEST + 1)).partition(b"\0")[0])
    return _rows(reader, kind.of(), cell, sizes, depth)


def _rows(reader: Reader, element: Type, cell: Cell, sizes: list[int | None], depth: int) -> str:
    count, inner = sizes[0] or 0, sizes[1:]
    if not reader.more():
        return "…"
    if not inner:
        return reader.elements(element, cell, count, depth)
    step = size_of(element) or 0
    for size in inner:
        step *= size or 0
    if depth >= DEEPEST:
        return f"[… {count}]"
    shown = [
        _rows(reader, element, cell.at(index * step), inner, depth + 1) for index in range(min(count, MOST))
    ]
    return f"[{', '.join(shown)}{', …' if count > MOST else ''}]"


def _structure(reader: Reader, kind: Type, cell: Cell, depth: int) -> str:
    variants = kind.below("DW_TAG_variant_part")
    return _variant(reader, variants[0], cell, depth) if variants else reader.members(kind, cell, depth)


def _variant(reader: Reader, part: Type, cell: Cell, depth: int) -> str:
    """A value that is one of several, as Rust's enums are: the name of that one, and what is in it."""
    chosen = _chosen(part, cell)
    if chosen is None:
        raise Unknown("none of the values that its type has")
    member = next(iter(chosen.below("DW_TAG_member")), None)
    if member is None:
        return "{}"
    inner = plain(member.of())
    if not named_members(inner):
        return member.name or inner.name
    return (member.name or inner.name) + reader.members(inner, cell.at(offset_of(member)), depth)


def _chosen(part: Type, cell: Cell) -> Type | None:
    variants = part.below("DW_TAG_variant")
    judge = part.of("DW_AT_discr")
    default = next((each for each in variants if each.number("DW_AT_discr_value") is None), None)
    if judge.die is None:
        return default or next(iter(variants), None)
    size = size_of(judge.of()) or 4
    value = cell.at(offset_of(judge)).number(min(size, 16))
    for each in variants:
        told = each.number("DW_AT_discr_value")
        if told is not None and told & (1 << 8 * size) - 1 == value:
            return each
    return default


def _function(reader: Reader, kind: Type, cell: Cell, depth: int) -> str:
    return "a function"


_SHOWN: dict[str, Callable[[Reader, Type, Cell, int], str]] = {
    "DW_TAG_base_type": _base,
    "DW_TAG_enumeration_type": _enumeration,
    "DW_TAG_array_type": _array,
    "DW_TAG_structure_type": _structure,
    "DW_TAG_class_type": _structure,
    "DW_TAG_union_type": _structure,
    "DW_TAG_subroutine_type": _function,
    **dict.fromkeys(POINTERS, _pointer),
}
