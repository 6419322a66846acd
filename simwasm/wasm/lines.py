"""From an instruction to the line of source it was made of.

    table = Lines(module)
    table.at(0x177cf)            # Place("/src/lib.rs", 48, 22), or None

Rules that live here: DWARF comes first, the plugin's own or that of a file beside it, then a source map, which is what
AssemblyScript writes; only what is asked for is read, and kept; broken debug information has no lines, which is no
error.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from functools import cached_property

from simwasm.wasm.companions import Beside, Told, nothing, source_map, told
from simwasm.wasm.dwarf.rows import Place, rows
from simwasm.wasm.dwarf.sections import PROBLEMS
from simwasm.wasm.dwarf.units import Units
from simwasm.wasm.dwarf.variables import Inlined, Variables
from simwasm.wasm.dwarf.written import Written, written
from simwasm.wasm.module import Module
from simwasm.wasm.source_map import SourceMap

__all__ = ["Lines", "Place"]


class Lines:
    """The lines of a module."""

    def __init__(self, module: Module, beside: Beside = nothing, debug: Told | None = None) -> None:
        self._module = module
        self._beside = beside
        self._debug = debug

    @cached_property
    def told(self) -> Told:
        """The other file that the debug information is in, if it is in one."""
        return self._debug if self._debug is not None else told(self._module, self._beside)

    @cached_property
    def units(self) -> Units:
        """The compile units that DWARF tells of."""
        return Units(self._module, self.told.module)

    @cached_property
    def variables(self) -> Variables:
        """The variables, which are found by the same units."""
        return Variables(self._module, self.units)

    @cached_property
    def _map(self) -> SourceMap:
        return SourceMap(source_map(self._module, self._beside) or b"")

    @property
    def there(self) -> bool:
        """Whether the module has any."""
        return (self.units.there and bool(self.units.debug.customs(".debug_line"))) or self._map.there

    def at(self, offset: int) -> Place | None:
        """The line of the instruction at an offset in the file."""
        if not self.units.there:
            return self._mapped(offset)
        try:
            unit = self.units.at(offset)
            return None if unit is None else rows(unit).at(offset - self.units.code)
        except PROBLEMS:
            return None

    def places(self) -> Iterator[tuple[int, Place]]:
        """Every offset at which a line begins, with that line; in the order in which they are listed."""
        if not self.units.there:
            yield from self._map.places()
            return
        for unit in self.units.all:
            unit.dwarf.purse.fill()
            try:
                found = rows(unit)
            except PROBLEMS:
                continue
            for address, file, line in zip(found.addresses, found.files, found.lines, strict=True):
                place = found.place(file, line)
                if place is not None:
                    yield address + self.units.code, place

    def _mapped(self, offset: int) -> Place | None:
        """The line that a source map tells; it tells where lines begin, and not where functions end."""
        own = bisect_right(self._starts, offset) - 1
        if own < 0 or offset >= self._module.bodies[own].end:
            return None
        return self._map.at(offset, self._starts[own])

    @cached_property
    def _starts(self) -> list[int]:
        return [body.start for body in self._module.bodies]

    def within(self, begin: int, end: int) -> Iterator[tuple[int, Place | None]]:
        """The places of a function that has these offsets: from where on each holds."""
        if not self.units.there:
            yield from self._map.within(begin, end)
            return
        try:
            unit = self.units.at(begin)
            code = self.units.code
            if unit is not None:
                for address, place in rows(unit).within(begin - code, end - code):
                    yield address + code, place
        except PROBLEMS:
            return

    def inlined(self, offset: int) -> tuple[Inlined, ...]:
        """What is inlined at the instruction at an offset, the innermost first, each with where it is called."""
        return self.variables.at(offset).inlined if self.units.there else ()

    def written(self, offset: int) -> tuple[Written, ...]:
        """The function of the source that an instruction is in, and all that was inlined into that."""
        return written(self.units, offset) if self.units.there else ()

    def content(self, file: str) -> str | None:
        """The text of a source file, where the plugin brings it along."""
        return None if self.units.there else self._map.content(file)
