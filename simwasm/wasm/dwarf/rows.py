"""The lines of one unit, by address.

Rules that live here: pyelftools reads the program's head, once that is known to be no larger than its bytes; the
program itself is run here (`program.py`), because a unit can have a hundred thousand rows.
"""

from __future__ import annotations

import posixpath
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import Any, NamedTuple

from simwasm.wasm.dwarf.cursor import Bytes
from simwasm.wasm.dwarf.program import run
from simwasm.wasm.dwarf.sections import Broken, Dwarf
from simwasm.wasm.dwarf.units import Unit

_KEPT = "rows"
_LONGEST = 8192
_ADDRESS_BITS = 0xFFFF_FFFF


class Place(NamedTuple):
    """A line of a source file. A column of 0 means the whole line."""

    file: str
    line: int
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class Rows(NamedTuple):
    """The lines of one unit by address; a row without a line ends what is before it."""

    addresses: array[int]
    files: array[int]
    lines: array[int]
    columns: array[int]
    names: tuple[str, ...]

    def at(self, address: int) -> Place | None:
        """The line at an address."""
        index = bisect_right(self.addresses, address) - 1
        if index < 0 or not self.lines[index]:
            return None
        return self.place(self.files[index], self.lines[index], self.columns[index])

    def within(self, begin: int, end: int) -> Iterator[tuple[int, Place | None]]:
        """The lines from an address on, up to another one: from where on each holds."""
        index = bisect_right(self.addresses, begin) - 1
        for at in range(max(0, index), bisect_left(self.addresses, end)):
            line = self.lines[at]
            yield self.addresses[at], self.place(self.files[at], line, self.columns[at]) if line else None

    def place(self, file: int, line: int, column: int = 0) -> Place | None:
        """A line of a file by the file's number."""
        name = self.names[file] if 0 <= file < len(self.names) else ""
        return Place(name, line, column) if name and line else None


_NONE = Rows(array("Q"), array("L"), array("L"), array("L"), ())


def rows(unit: Unit) -> Rows:
    """The rows of a unit, read once; what is broken has none."""
    found: Rows | None = unit.known.get(_KEPT)
    if found is None:
        unit.known[_KEPT] = _NONE  # what cannot be read is not tried again
        found = unit.known[_KEPT] = _read(unit)
    return found


def _read(unit: Unit) -> Rows:
    if "DW_AT_stmt_list" not in unit.top:
        return _NONE
    _believe(unit.dwarf, unit.top["DW_AT_stmt_list"].value)
    program = unit.dwarf.info.line_program_for_CU(unit.cu)
    if program is None:
        return _NONE
    head = program.header
    code = Bytes(unit.dwarf.lines, program.program_start_offset, program.program_end_offset)
    found = sorted(run(code, head), key=lambda row: row[:2])  # an end comes before what begins there
    return Rows(
        array("Q", (row[0] for row in found)),
        array("L", (row[2] for row in found)),
        array("L", (row[3] for row in found)),
        array("L", (row[4] for row in found)),
        _names(head, unit),
    )


_FORMS = frozenset({0x08, 0x0B, 0x05, 0x06, 0x07, 0x0F, 0x1E, 0x1F, 0x0E, 0x09})
"""string, data1, data2, data4, data8, udata, data16, line_strp, strp, block: what file names are made of."""


def _believe(dwarf: Dwarf, offset: int) -> None:
    """Refuse a head that announces more files than it has bytes for: pyelftools would make them all."""
    head = Bytes(dwarf.lines, offset)
    wide = head.number(4) == _ADDRESS_BITS
    if wide:
        head.take(8)
    if head.number(2) < 5:
        return
    head.take(2 + (8 if wide else 4) + 5)
    head.take(head.number(1) - 1)
    forms = [(head.unsigned(), head.unsigned())[1] for _ in range(head.number(1))]
    if head.unsigned() and not (forms and set(forms) <= _FORMS):
        raise Broken("folders of no size")


def _names(head: Any, unit: Unit) -> tuple[str, ...]:
    """The path of every file, by its number in the line program."""
    home = text_of(unit.top["DW_AT_comp_dir"].value) if "DW_AT_comp_dir" in unit.top else ""
    folders = [text_of(folder) for folder in head["include_directory"]]
    old = head["version"] < 5
    if old:
        folders.insert(0, home)
    names = [
        posixpath.normpath(
            posixpath.join(
                home,
                folders[entry.dir_index] if (entry.dir_index or 0) < len(folders) else "",
                text_of(entry.name),
            )
        )
        for entry in head["file_entry"]
    ]
    return ("", *names) if old else tuple(names)


def text_of(name: object) -> str:
    """A text of DWARF's, whatever its bytes are, and no more of it than a path may have."""
    return name[:_LONGEST].decode("utf-8", "surrogateescape") if isinstance(name, bytes) else ""
