"""From an instruction to the line of source it was made of.

    table = Lines(module)
    table.at(0x177cf)            # Place("/src/lib.rs", 48, 22), or None

Rules that live here: only what is asked for is read, first which unit has which addresses, then the lines of one unit,
and both are kept; DWARF counts addresses from the start of the code section's contents; code that the linker dropped
has addresses that stand for nothing and is left out; broken DWARF has no lines, which is no error.
"""

from __future__ import annotations

import posixpath
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from simwasm.wasm.debuginfo import read_dwarf
from simwasm.wasm.module import Module

if TYPE_CHECKING:
    from elftools.dwarf.compileunit import CompileUnit

_CODE = 10
_DEAD = 0xFFFF_FFF0
"""From here on an address is that of code which was dropped; so is 0."""


class Place(NamedTuple):
    """A line of a source file. A column of 0 means the whole line."""

    file: str
    line: int
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class _Rows(NamedTuple):
    """The lines of one unit by address; a row without a line ends what is before it."""

    addresses: array[int]
    files: array[int]
    lines: array[int]
    columns: array[int]
    names: tuple[str, ...]


_NONE = _Rows(array("Q"), array("L"), array("L"), array("L"), ())


class Lines:
    """The lines of a module."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self._code = next((section.start for section in module.sections if section.id == _CODE), 0)
        self._starts: list[tuple[int, int, int]] | None = None
        """First address, end and unit of each range, in order."""
        self._units: list[CompileUnit] = []
        self._rows: dict[int, _Rows] = {}
        self._dwarf: Any = None

    @property
    def there(self) -> bool:
        """Whether the module has any."""
        return bool(self._module.customs(".debug_line") and self._module.customs(".debug_info"))

    def at(self, offset: int) -> Place | None:
        """The line of the instruction at an offset in the file."""
        if not self.there:
            return None
        try:
            unit = self._unit(offset - self._code)
            return None if unit is None else _place(self._lines(unit), offset - self._code)
        except Exception:  # pyelftools raises whatever broken DWARF makes it stumble over
            return None

    def _unit(self, address: int) -> int | None:
        if self._starts is None:
            self._starts = []
            self._starts = sorted(self._ranges())
        index = bisect_right(self._starts, (address, 1 << 33, 0)) - 1
        if index < 0 or address >= self._starts[index][1]:
            return None
        return self._starts[index][2]

    def _ranges(self) -> Iterator[tuple[int, int, int]]:
        self._dwarf = read_dwarf(self._module)
        self._units = list(self._dwarf.iter_CUs())
        for index, unit in enumerate(self._units):
            for begin, end in _of_unit(self._dwarf, unit):
                if 0 < begin < end <= _DEAD:
                    yield begin, end, index

    def _lines(self, unit: int) -> _Rows:
        if unit not in self._rows:
            self._rows[unit] = _NONE  # what cannot be read is not tried again
            self._rows[unit] = _rows(self._dwarf, self._units[unit])
        return self._rows[unit]


def _of_unit(dwarf: Any, unit: CompileUnit) -> Iterator[tuple[int, int]]:
    """The addresses of a unit's code."""
    attributes = unit.get_top_DIE().attributes
    base = attributes["DW_AT_low_pc"].value if "DW_AT_low_pc" in attributes else 0
    if "DW_AT_ranges" in attributes:
        table = dwarf.range_lists()
        for entry in table.get_range_list_at_offset(attributes["DW_AT_ranges"].value, unit):
            if hasattr(entry, "base_address"):
                base = entry.base_address
            else:
                absolute = getattr(entry, "is_absolute", False)
                shift = 0 if absolute else base
                yield entry.begin_offset + shift, entry.end_offset + shift
    elif "DW_AT_high_pc" in attributes:
        high = attributes["DW_AT_high_pc"]
        yield base, high.value if high.form == "DW_FORM_addr" else base + high.value


def _rows(dwarf: Any, unit: CompileUnit) -> _Rows:
    program = dwarf.line_program_for_CU(unit)
    found: list[tuple[int, int, int, int, int]] = []
    sequence: list[tuple[int, int, int, int, int]] = []
    for entry in program.get_entries() if program is not None else ():
        state = entry.state
        if state is None:
            continue
        sequence.append(
            (
                state.address,
                not state.end_sequence,
                0 if state.end_sequence else state.file,
                state.line,
                state.column,
            )
        )
        if state.end_sequence:
            if 0 < sequence[0][0] < _DEAD:
                found += sequence
            sequence = []
    found.sort(key=lambda row: row[:2])  # what ends at an address comes before what begins there
    names = _names(program, unit) if program is not None else ()
    return _Rows(
        array("Q", (row[0] for row in found)),
        array("L", (row[2] for row in found)),
        array("L", (row[3] if row[1] else 0 for row in found)),
        array("L", (row[4] for row in found)),
        names,
    )


def _names(program: Any, unit: CompileUnit) -> tuple[str, ...]:
    """The path of every file, by its number in the line program."""
    header = program.header
    top = unit.get_top_DIE().attributes
    home = _text(top["DW_AT_comp_dir"].value) if "DW_AT_comp_dir" in top else ""
    folders = [_text(folder) for folder in header["include_directory"]]
    old = header["version"] < 5
    if old:
        folders.insert(0, home)
    names = [
        posixpath.join(
            home, folders[entry.dir_index] if entry.dir_index < len(folders) else "", _text(entry.name)
        )
        for entry in header["file_entry"]
    ]
    return ("", *names) if old else tuple(names)


def _place(rows: _Rows, address: int) -> Place | None:
    index = bisect_right(rows.addresses, address) - 1
    if index < 0 or not rows.lines[index]:
        return None
    file = rows.files[index]
    name = rows.names[file] if file < len(rows.names) else ""
    return Place(posixpath.normpath(name), rows.lines[index], rows.columns[index]) if name else None


def _text(name: bytes | str) -> str:
    return name.decode("utf-8", "surrogateescape") if isinstance(name, bytes) else name
