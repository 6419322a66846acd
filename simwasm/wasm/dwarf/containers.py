"""Texts and rows as the languages have them: a structure with a pointer and a length, shown as what it stands for.

Rule: they are known by their names and members; a structure that is like none of them, or whose numbers cannot be
those of a text, is shown as the structure that it is.
"""

from __future__ import annotations

from collections.abc import Callable

from simwasm.wasm.dwarf.cells import LONGEST, Cell, quoted
from simwasm.wasm.dwarf.datatypes import POINTERS, Type, named_members, offset_of, plain, size_of
from simwasm.wasm.dwarf.state import Unknown

Elements = Callable[[Type, Cell, int, int], str]
"""Writes a row down: the type of its elements, where they are, how many, how deep."""
_POINTERS = ("data_ptr", "ptr", "pointer", "__data_", "__begin_", "array", "str", "data")
_LENGTHS = ("length", "len", "__size_", "size")
_CONTAINERS = (
    "vec",
    "buf",
    "inner",
    "pointer",
    "ptr",
    "__value_",
    "__rep_",
    "__r_",
    "__0",
    "__data_",
    "bytes",
)
_DEEPEST = 8


def contained(elements: Elements, kind: Type, cell: Cell, depth: int) -> str | None:
    """The text of a string or a row; None for every other structure."""
    name = kind.name
    if name in ("&str", "&mut str", "string") or name == "String":
        return _text(kind, cell)
    if name.startswith(("&[", "&mut [", "[]", "Vec<")):
        return _row(elements, kind, cell, depth)
    if name.startswith("basic_string<char"):
        return _cpp_string(kind, cell)
    if name.startswith("basic_string_view<char"):
        return _text(kind, cell)
    if name.startswith("vector<") and not name.startswith("vector<bool"):
        return _cpp_vector(elements, kind, cell, depth)
    return None


def _text(kind: Type, cell: Cell) -> str | None:
    found = _pointer_and_length(kind, cell)
    if found is None:
        return None
    (address, _), length = found
    if not length:
        return '""'
    return quoted(cell.there(address).bytes(min(length, LONGEST + 1)), length)


def _row(elements: Elements, kind: Type, cell: Cell, depth: int) -> str | None:
    found = _pointer_and_length(kind, cell)
    if found is None:
        return None
    (address, element), length = found
    for parameter in kind.below("DW_TAG_template_type_param"):
        if parameter.name == "T":
            element = parameter.of()
    return elements(element, cell.there(address), length, depth) if length else "[]"


def _pointer_and_length(kind: Type, cell: Cell) -> tuple[tuple[int, Type], int] | None:
    pointer, length = _pointer(kind, cell, 0), _length(kind, cell, 0)
    return None if pointer is None or length is None else (pointer, length)


def _pointer(kind: Type, cell: Cell, depth: int) -> tuple[int, Type] | None:
    """The first pointer in a structure, and what it points to: in a Rust Vec it is six structures down."""
    kind = plain(kind)
    if kind.tag in POINTERS:
        return cell.number(size_of(kind) or 4), kind.of()
    if depth > _DEEPEST:
        return None
    members = dict(named_members(kind))
    for name in (*_POINTERS, *_CONTAINERS):
        if name in members:
            found = _pointer(members[name].of(), cell.at(offset_of(members[name])), depth + 1)
            if found is not None:
                return found
    return None


def _length(kind: Type, cell: Cell, depth: int) -> int | None:
    kind = plain(kind)
    members = dict(named_members(kind))
    for name in _LENGTHS:
        if name in members and plain(members[name].of()).tag == "DW_TAG_base_type":
            return cell.at(offset_of(members[name])).number(min(size_of(members[name].of()) or 4, 8))
    for name in _CONTAINERS:
        if name in members and depth < _DEEPEST:
            found = _length(members[name].of(), cell.at(offset_of(members[name])), depth + 1)
            if found is not None:
                return found
    return None


def _cpp_string(kind: Type, cell: Cell) -> str | None:
    """A string of libc++ on 32 bits: short ones lie within it, behind a byte with their length."""
    if size_of(kind) != 12:
        return None
    first = cell.number(1)
    if not first & 1:
        return quoted(cell.at(1).bytes(min(first >> 1, 10)))
    length, address = cell.at(4).number(4), cell.at(8).number(4)
    return quoted(cell.there(address).bytes(min(length, LONGEST + 1)), length)


def _cpp_vector(elements: Elements, kind: Type, cell: Cell, depth: int) -> str | None:
    members = dict(named_members(kind))
    begin, end = members.get("__begin_"), members.get("__end_")
    if begin is None or end is None:
        return None
    first, last = cell.at(offset_of(begin)).number(4), cell.at(offset_of(end)).number(4)
    element = plain(begin.of()).of()
    size = size_of(element)
    if not size or last < first:
        raise Unknown("a vector whose end is before its beginning")
    return elements(element, cell.there(first), (last - first) // size, depth) if last > first else "[]"
