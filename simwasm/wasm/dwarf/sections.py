"""The DWARF in a module's sections, for pyelftools to read; nothing of it is looked at yet.

A plugin may be anybody's, and so may its debug information. pyelftools believes what it reads: a number of a million
bytes, a text of fifty megabytes that a thousand entries share, a table of four thousand million entries of no bytes.
Rules that live here: every look into the sections has a purse of reads, and ends with `Broken` when it is empty;
no number is longer than sixteen bytes, no text than sixty-four thousand; whoever looks catches `PROBLEMS`, which is
all that pyelftools stumbles with.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, NamedTuple

from simwasm.wasm.module import Module

if TYPE_CHECKING:
    from elftools.dwarf.dwarfinfo import DebugSectionDescriptor, DWARFInfo

READS = 150_000
"""How much one look may take: more than ten times of what one into a large unit of C++ takes."""
READS_OF_ALL = 600_000
"""How much a look at all units may take: two thousand units are found with that."""
READS_OF_A_VALUE = 50_000
_LONGEST_NUMBER, _LONGEST_TEXT, _PIECE = 16, 1024, 64
"""Bytes of a number; pieces of a text, which is read in pieces of 64 bytes."""
DEAD = 0xFFFF_FFF0
"""From here on an address is that of code which was dropped; so is 0."""
_CODE = 10


class Broken(Exception):
    """Debug information that cannot be read, or not with reasonable effort."""


PROBLEMS = (Broken, Exception)
"""What a look into DWARF may end with: pyelftools has no errors of its own for most of what can be broken."""


class Purse:
    """How much may still be read. Once it was emptied, it is not filled again: nobody waits for that a second time."""

    def __init__(self) -> None:
        self.left = READS_OF_ALL
        self._spent = False

    def fill(self, reads: int = READS) -> None:
        """Begin another look."""
        if not self._spent:
            self.left = reads

    def pay(self, reads: int) -> None:
        """Take out what so many reads cost."""
        self.left -= reads
        if self.left < 0:
            self._spent = True
            raise Broken("too much to read")


class Bounded(io.BytesIO):
    """A section, as long as there is something in the purse."""

    def __init__(self, content: bytes, purse: Purse) -> None:
        super().__init__(content)
        self._purse = purse
        self._run = 0
        """How many reads in a row said that the number or the text goes on."""

    def read(self, size: int | None = -1, /) -> bytes:
        self._purse.pay(1)
        found = super().read(size)
        most = _LONGEST_NUMBER if size == 1 and found >= b"\x80" else _LONGEST_TEXT
        self._run = self._run + 1 if most == _LONGEST_NUMBER or (size == _PIECE and b"\0" not in found) else 0
        if self._run > most:
            raise Broken("a number or a text without end")
        return found


class Dwarf(NamedTuple):
    """Debug information, and what it takes to look into it."""

    info: DWARFInfo
    purse: Purse
    lines: bytes
    """The section with the programs of lines, for those who look before they leap."""
    entries: bytes
    """The section with the entries."""


def has_dwarf(module: Module) -> bool:
    """Whether a module says of its functions what they are."""
    return bool(module.customs(".debug_info"))


def code_start(module: Module) -> int:
    """Where the contents of the code section begin, from which DWARF counts its addresses."""
    return next((section.start for section in module.sections if section.id == _CODE), 0)


def open_dwarf(module: Module) -> Dwarf:
    """Hand the sections over. Raises ImportError where pyelftools is not there."""
    from elftools.dwarf.dwarfinfo import DebugSectionDescriptor, DwarfConfig, DWARFInfo

    purse = Purse()

    def part(name: str) -> DebugSectionDescriptor | None:
        for span in module.customs(name)[:1]:
            content = Bounded(_content(module, name), purse)
            return DebugSectionDescriptor(content, name, span.start, span.size, 0)
        return None

    info = DWARFInfo(
        config=DwarfConfig(little_endian=True, machine_arch="wasm", default_address_size=4),
        debug_info_sec=part(".debug_info"),
        debug_aranges_sec=part(".debug_aranges"),
        debug_abbrev_sec=part(".debug_abbrev"),
        debug_frame_sec=None,
        eh_frame_sec=None,
        debug_str_sec=part(".debug_str"),
        debug_loc_sec=part(".debug_loc"),
        debug_ranges_sec=part(".debug_ranges"),
        debug_line_sec=part(".debug_line"),
        debug_pubtypes_sec=None,
        debug_pubnames_sec=None,
        debug_addr_sec=part(".debug_addr"),
        debug_str_offsets_sec=part(".debug_str_offsets"),
        debug_line_str_sec=part(".debug_line_str"),
        debug_loclists_sec=part(".debug_loclists"),
        debug_rnglists_sec=part(".debug_rnglists"),
        debug_sup_sec=None,
        gnu_debugaltlink_sec=None,
        debug_types_sec=None,
    )
    return Dwarf(info, purse, _content(module, ".debug_line"), _content(module, ".debug_info"))


def _content(module: Module, name: str) -> bytes:
    return next((module.data[span.start : span.end] for span in module.customs(name)), b"")
