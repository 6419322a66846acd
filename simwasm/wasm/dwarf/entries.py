"""The entries of a unit: which functions it has, found without making an object of every entry.

A unit can have a hundred thousand entries, of which a lookup needs twenty. Rules that live here: what an entry takes is
worked out once for each kind of it (an abbreviation), so most entries are passed over by one addition; pyelftools reads
the few that are wanted, of which some are kept; passing over entries costs a little, too.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

from simwasm.wasm.dwarf.cursor import Bytes
from simwasm.wasm.dwarf.rows import text_of
from simwasm.wasm.dwarf.sections import DEAD, Broken
from simwasm.wasm.dwarf.units import Unit, ranges_of

if TYPE_CHECKING:
    from elftools.dwarf.die import DIE

_PAID, _PRICE = 4096, 256
"""What so many entries cost that are passed over."""
_KEPT = "functions"
_MOST_KEPT = 2000

_FIXED = {
    "DW_FORM_addr": 4, "DW_FORM_addrx1": 1, "DW_FORM_addrx2": 2, "DW_FORM_addrx3": 3, "DW_FORM_addrx4": 4,
    "DW_FORM_data1": 1, "DW_FORM_data2": 2, "DW_FORM_data4": 4, "DW_FORM_data8": 8, "DW_FORM_data16": 16,
    "DW_FORM_flag": 1, "DW_FORM_flag_present": 0, "DW_FORM_implicit_const": 0,
    "DW_FORM_ref1": 1, "DW_FORM_ref2": 2, "DW_FORM_ref4": 4, "DW_FORM_ref8": 8, "DW_FORM_ref_sig8": 8,
    "DW_FORM_strp": 4, "DW_FORM_line_strp": 4, "DW_FORM_sec_offset": 4, "DW_FORM_ref_addr": 4,
    "DW_FORM_strx1": 1, "DW_FORM_strx2": 2, "DW_FORM_strx3": 3, "DW_FORM_strx4": 4,
}  # fmt: skip
_LEB = frozenset(
    "DW_FORM_" + name for name in ("udata", "sdata", "ref_udata", "strx", "addrx", "loclistx", "rnglistx")
)
_COUNTED = {"DW_FORM_block1": 1, "DW_FORM_block2": 2, "DW_FORM_block4": 4}
_BLOCKS = ("DW_FORM_block", "DW_FORM_exprloc")
_FUNCTION = "DW_TAG_subprogram"


class _Kind(NamedTuple):
    """What the entries of one abbreviation are, and how they are passed over."""

    function: bool
    """Whether they are functions with code."""
    children: bool
    steps: tuple[int | str, ...]
    """Bytes to skip, or a form of no fixed size."""
    attributes: tuple[tuple[str, str], ...]
    """Names and forms, for functions."""


class Functions(NamedTuple):
    """The functions of a unit by address, and the deeper ones by where their entries are."""

    starts: array[int]
    ends: array[int]
    entries: array[int]

    def at(self, address: int) -> int | None:
        """Where the entry is of the function that an address is in."""
        index = bisect_right(self.starts, address) - 1
        return self.entries[index] if index >= 0 and address < self.ends[index] else None


_NONE = Functions(array("L"), array("L"), array("Q"))


def functions(unit: Unit) -> Functions:
    """The functions of a unit that have code, found once."""
    found: Functions | None = unit.known.get(_KEPT)
    if found is None:
        unit.known[_KEPT] = _NONE
        rows = sorted(_with_code(unit))
        found = unit.known[_KEPT] = Functions(
            array("L", (row[0] for row in rows)),
            array("L", (row[1] for row in rows)),
            array("Q", (row[2] for row in rows)),
        )
    return found


def entry(unit: Unit, offset: int) -> DIE:
    """The entry at an offset in `.debug_info`."""
    unit.dwarf.purse.pay(1)
    kept: dict[int, DIE] = unit.known.setdefault("entries", {})
    found = kept.get(offset)
    if found is None:
        if len(kept) >= _MOST_KEPT:
            kept.clear()
        found = kept[offset] = _read(unit, offset)
    return found


def _read(unit: Unit, offset: int) -> DIE:
    from elftools.dwarf.die import DIE

    section = unit.dwarf.info.debug_info_sec
    assert section is not None
    if not unit.cu.cu_die_offset <= offset < unit.cu.cu_offset + unit.cu.size:
        raise Broken("an entry outside its unit")
    return DIE(cu=unit.cu, stream=section.stream, offset=offset)


_LOCAL_FORMS = frozenset(
    {"DW_FORM_ref1", "DW_FORM_ref2", "DW_FORM_ref4", "DW_FORM_ref8", "DW_FORM_ref_udata"}
)


def referred(unit: Unit, die: DIE, name: str) -> tuple[Unit, DIE] | None:
    """The entry that an attribute refers to, with the unit it is in: linked units refer to each other."""
    attribute = die.attributes.get(name)
    if attribute is None:
        return None
    if attribute.form in _LOCAL_FORMS:
        return unit, entry(unit, unit.cu.cu_offset + attribute.raw_value)
    if attribute.form == "DW_FORM_ref_addr":
        other = Unit(unit.dwarf, unit.dwarf.info.get_CU_containing(attribute.raw_value))
        return other, entry(other, attribute.raw_value)
    return None


_ORIGINS = ("DW_AT_abstract_origin", "DW_AT_specification")
_MOST_ORIGINS = 8


def resolved(unit: Unit, die: DIE) -> dict[str, tuple[Unit, DIE]]:
    """Every attribute of an entry by name, with those of what it is an instance or a definition of."""
    found: dict[str, tuple[Unit, DIE]] = {}
    for _ in range(_MOST_ORIGINS):
        for name in die.attributes:
            found.setdefault(name, (unit, die))
        following = next((name for name in _ORIGINS if name in die.attributes), None)
        further = referred(unit, die, following) if following is not None else None
        if further is None:
            break
        unit, die = further
    return found


def value_of(found: dict[str, tuple[Unit, DIE]], name: str) -> Any:
    """The value of an attribute; None if there is none."""
    return found[name][1].attributes[name].value if name in found else None


def name_of(unit: Unit, die: DIE) -> str:
    """What an entry is called; nothing if it has no name."""
    return text_of(value_of(resolved(unit, die), "DW_AT_name"))


def children(unit: Unit, die: DIE) -> Iterator[DIE]:
    """The entries directly below one."""
    if not die.has_children:
        return
    at = die.offset + die.size
    while True:
        child = entry(unit, at)
        if child.tag is None:
            return
        yield child
        at = _behind(unit, child)


def _behind(unit: Unit, die: DIE) -> int:
    """Where the entry begins that follows one and all below it."""
    at = die.offset + die.size
    if not die.has_children:
        return at
    sibling = die.attributes.get("DW_AT_sibling")
    if sibling is not None and sibling.form in _LOCAL_FORMS:
        there = unit.cu.cu_offset + int(sibling.raw_value)
        if there > at:
            return there
    depth = 1
    for end, kind in _walk(unit, at):
        depth += kind.children if kind is not None else -1
        if not depth:
            return end
    raise Broken("entries without end")


def has_any(unit: Unit, *tags: str) -> bool:
    """Whether a unit whose functions were looked for has any entry of these kinds."""
    table = unit.cu.get_abbrev_table()
    return any(table.get_abbrev(code)["tag"] in tags for code in _kinds(unit))


def lowest(unit: Unit) -> Iterator[int]:
    """The lowest address of each function, also of one that was dropped."""
    for at, kind in _functions(unit):
        low, _ = _extent(unit, at, kind)
        if low is not None:
            yield low


def _with_code(unit: Unit) -> Iterator[tuple[int, int, int]]:
    for at, kind in _functions(unit):
        low, high = _extent(unit, at, kind)
        ranges = iter([(low, high)]) if low is not None and high is not None else _ranges(unit, at)
        for begin, stop in ranges:
            if 0 < begin < stop <= DEAD:
                yield begin, stop, at


def _ranges(unit: Unit, at: int) -> Iterator[tuple[int, int]]:
    yield from ranges_of(unit, entry(unit, at).attributes)


def _functions(unit: Unit) -> Iterator[tuple[int, _Kind]]:
    """Where the entries of functions are that have code."""
    at = unit.cu.cu_die_offset
    for end, kind in _walk(unit, at):
        if kind is not None and kind.function:
            yield at, kind
        at = end


def _extent(unit: Unit, at: int, kind: _Kind) -> tuple[int | None, int | None]:
    """The first address of a function and its end, as far as they are attributes of it."""
    cursor = Bytes(unit.dwarf.entries, at, unit.cu.cu_offset + unit.cu.size)
    cursor.unsigned()
    low: int | None = None
    for name, form in kind.attributes:
        if name == "DW_AT_low_pc":
            low = _address(unit, cursor, form)
        elif name == "DW_AT_high_pc" and low is not None:
            return low, _address(unit, cursor, form) + (0 if form.startswith("DW_FORM_addr") else low)
        elif form in _FIXED:
            cursor.at += _size(unit, form)
        else:
            _skip(cursor, form)
    return low, None


def _address(unit: Unit, cursor: Bytes, form: str) -> int:
    value = cursor.unsigned() if form in _LEB else cursor.number(_size(unit, form))
    return int(unit.dwarf.info.get_addr(unit.cu, value)) if form.startswith("DW_FORM_addrx") else value


def _size(unit: Unit, form: str) -> int:
    """How many bytes a form of a fixed size takes."""
    if form not in _FIXED:
        raise Broken(f"a number of the form {form}")
    return 8 if form in _OFFSETS and unit.cu.dwarf_format() == 64 else _FIXED[form]


def _walk(unit: Unit, at: int) -> Iterator[tuple[int, _Kind | None]]:
    """Pass over entries: where each ends, and its kind; None for one that ends a row of children."""
    kinds = _kinds(unit)
    cursor = Bytes(unit.dwarf.entries, at, unit.cu.cu_offset + unit.cu.size)
    for number in count(1):
        if cursor.at >= cursor.end:
            return
        if not number % _PAID:
            unit.dwarf.purse.pay(_PRICE)
        code = cursor.unsigned()
        kind = kinds.get(code) if code else None
        if code and kind is None:
            kind = kinds[code] = _kind(unit, code)
        if kind is not None:
            for step in kind.steps:
                if isinstance(step, int):
                    cursor.at += step
                else:
                    _skip(cursor, step)
        yield cursor.at, kind


def _kinds(unit: Unit) -> dict[int, _Kind]:
    found: dict[int, _Kind] = unit.known.setdefault("kinds", {})
    return found


def _kind(unit: Unit, code: int) -> _Kind:
    declared = unit.cu.get_abbrev_table().get_abbrev(code)
    steps: list[int | str] = []
    for spec in declared["attr_spec"]:
        size = _size(unit, spec.form) if spec.form in _FIXED else None
        if size is None:
            steps.append(spec.form)
        elif steps and isinstance(steps[-1], int):
            steps[-1] += size
        else:
            steps.append(size)
    names = {spec.name for spec in declared["attr_spec"]}
    has_code = declared["tag"] == _FUNCTION and ("DW_AT_low_pc" in names or "DW_AT_ranges" in names)
    attributes = tuple((spec.name, spec.form) for spec in declared["attr_spec"]) if has_code else ()
    return _Kind(has_code, declared.has_children(), tuple(steps), attributes)


_OFFSETS = frozenset(
    {"DW_FORM_strp", "DW_FORM_line_strp", "DW_FORM_sec_offset", "DW_FORM_ref_addr"}
)  # as large as the format's offsets


def _skip(cursor: Bytes, form: str) -> None:
    if form in _LEB:
        cursor.unsigned()
    elif form in _BLOCKS:
        cursor.take(cursor.unsigned())
    elif form in _COUNTED:
        cursor.take(cursor.number(_COUNTED[form]))
    elif form == "DW_FORM_string":
        cursor.text()
    else:
        raise Broken(f"an attribute of the form {form}")
