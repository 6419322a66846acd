"""The compile units of a module and which addresses are theirs: the way into everything that DWARF says.

    units = Units(module)
    units.at(0x177cf)            # the unit of the instruction at an offset in the file, or None

Rules that live here: nothing is read before it is asked for, then the head of each unit and its ranges, once; DWARF
counts addresses from the start of the code section's contents; of a broken section, the units in front of what is
broken are kept.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from simwasm.wasm.dwarf.sections import DEAD, PROBLEMS, READS_OF_ALL, Dwarf, code_start, has_dwarf, open_dwarf
from simwasm.wasm.module import Module

if TYPE_CHECKING:
    from elftools.dwarf.compileunit import CompileUnit

_MOST_RANGES = 1_000_000


@dataclass(frozen=True, eq=False, slots=True)
class Unit:
    """One compile unit; whoever reads more of it may keep it in `known`, under the name of its own module."""

    dwarf: Dwarf
    cu: CompileUnit
    known: dict[str, Any] = field(default_factory=dict)

    @property
    def version(self) -> int:
        """The version of DWARF."""
        return int(self.cu["version"])

    @property
    def top(self) -> dict[str, Any]:
        """The attributes of the unit itself."""
        return self.cu.get_top_DIE().attributes


class Units:
    """The compile units of a module; its debug information may be in another one."""

    def __init__(self, module: Module, debug: Module | None = None) -> None:
        self.module = module
        self.debug = debug if debug is not None else module
        self.code = code_start(module)
        """What is added to an address to have an offset in the file."""

    @property
    def there(self) -> bool:
        """Whether there is debug information at all."""
        return has_dwarf(self.debug)

    @cached_property
    def all(self) -> tuple[Unit, ...]:
        """Every unit that can be read."""
        found: list[Unit] = []
        if self.there:
            try:
                dwarf = open_dwarf(self.debug)
                for unit in dwarf.info.iter_CUs():
                    unit.get_top_DIE()
                    found.append(Unit(dwarf, unit))
            except PROBLEMS:  # what came before can still be of use
                pass
        return tuple(found)

    @cached_property
    def ranges(self) -> list[tuple[int, int, int]]:
        """First address, end and number of the unit of each range, in order.

        Where several units have the same code, the linker has kept that of the first, which comes last here.
        """
        found: list[tuple[int, int, int]] = []
        for unit in self.all[:1]:
            unit.dwarf.purse.fill(READS_OF_ALL)
        for number, unit in enumerate(self.all):
            try:
                for begin, end in ranges_of(unit, unit.top):
                    if 0 < begin < end <= DEAD and len(found) < _MOST_RANGES:
                        found.append((begin, end, number))
            except PROBLEMS:
                continue
        return sorted(found, key=lambda row: (row[0], -row[2]))

    def at(self, offset: int) -> Unit | None:
        """The unit that the instruction at an offset in the file is of."""
        address = offset - self.code
        index = bisect_right(self.ranges, (address, 1 << 33)) - 1
        if index < 0 or address >= self.ranges[index][1]:
            return None
        unit = self.all[self.ranges[index][2]]
        unit.dwarf.purse.fill()
        return unit


def ranges_of(unit: Unit, attributes: dict[str, Any]) -> Iterator[tuple[int, int]]:
    """The addresses of a unit, a function or a block, by the attributes it has."""
    low = attributes.get("DW_AT_low_pc")
    if "DW_AT_ranges" in attributes:
        yield from _listed(unit, attributes["DW_AT_ranges"].value)
    elif low is not None and "DW_AT_high_pc" in attributes:
        high = attributes["DW_AT_high_pc"]
        yield low.value, high.value if high.form == "DW_FORM_addr" else low.value + high.value


def base_of(unit: Unit) -> int:
    """What the addresses in a unit's lists are added to."""
    low = unit.top.get("DW_AT_low_pc")
    return int(low.value) if low is not None else 0


def _listed(unit: Unit, offset: int) -> Iterator[tuple[int, int]]:
    base = base_of(unit)
    lists: Any = unit.dwarf.info.range_lists()
    for entry in lists.get_range_list_at_offset(offset, unit.cu):
        if hasattr(entry, "base_address"):
            base = entry.base_address
        else:
            shift = 0 if getattr(entry, "is_absolute", False) else base
            yield entry.begin_offset + shift, entry.end_offset + shift
