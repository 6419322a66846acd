"""What debug information a plugin carries, and whether it can be believed.

DWARF is written by the compiler and left alone by tools that change the code afterwards. Its addresses
count from the start of the code section's contents, and the lowest one of a function is where its body
begins; so the share of functions for which that is still so tells whether lines and variables can be
believed.

Rules that live here: pyelftools is loaded only when there is DWARF, and may be missing; the work is capped,
a sample of the functions is enough; broken DWARF is a finding, not an error.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from simwasm.errors import BadModule
from simwasm.wasm.cursor import Cursor
from simwasm.wasm.module import Module
from simwasm.wasm.names import read_names

if TYPE_CHECKING:
    from elftools.dwarf.dwarfinfo import DWARFInfo

_CODE = 10
_MOST_ENTRIES = 20_000
_TOMBSTONES = 0xFFFF_FFF0


class DebugKind(Enum):
    """The state of the debug information."""

    NONE = "none"
    NAMES = "names only"
    UNCHECKED = "DWARF, not checked (needs pyelftools)"
    OK = "DWARF ok"
    STALE = "DWARF stale: the code was changed after it was written (wasm-opt?)"
    STRIPPED = "DWARF without addresses: they were stripped (wasm-opt?)"
    BROKEN = "DWARF that cannot be read"


@dataclass(frozen=True, slots=True)
class DebugInfo:
    """What there is; `matching` of `sampled` functions begin where DWARF says."""

    kind: DebugKind
    matching: int = 0
    sampled: int = 0
    source_map: str | None = None
    """The URL of a source map, which is what AssemblyScript writes."""


def inspect_debug_info(module: Module) -> DebugInfo:
    """Find out what debug information there is and how much of it is true."""
    source_map = _source_map(module)
    if not module.customs(".debug_info"):
        kind = DebugKind.NAMES if read_names(module).functions else DebugKind.NONE
        return DebugInfo(kind, source_map=source_map)
    try:
        dwarf = read_dwarf(module)
    except ImportError:
        return DebugInfo(DebugKind.UNCHECKED, source_map=source_map)
    code = next((section.start for section in module.sections if section.id == _CODE), 0)
    starts = {body.start - code for body in module.bodies}
    try:
        live = [address for address in _function_addresses(dwarf) if 0 < address < _TOMBSTONES]
    except Exception:  # pyelftools raises whatever broken DWARF makes it stumble over
        return DebugInfo(DebugKind.BROKEN, source_map=source_map)
    matching = sum(address in starts for address in live)
    return DebugInfo(_health(matching, len(live)), matching, len(live), source_map)


def _health(matching: int, sampled: int) -> DebugKind:
    if not sampled:
        return DebugKind.STRIPPED
    return DebugKind.OK if matching >= 0.95 * sampled else DebugKind.STALE


def _source_map(module: Module) -> str | None:
    for span in module.customs("sourceMappingURL")[:1]:
        try:
            return Cursor(module.data, span.start, span.end, "sourceMappingURL").name()
        except BadModule:
            return None
    return None


def _function_addresses(dwarf: DWARFInfo) -> Iterator[int]:
    """The lowest address of functions, from every compilation unit a share of what the cap allows."""
    units = list(dwarf.iter_CUs())
    for unit in units:
        left = max(50, _MOST_ENTRIES // len(units))
        for entry in unit.iter_DIEs():
            left -= 1
            if entry.tag == "DW_TAG_subprogram" and "DW_AT_low_pc" in entry.attributes:
                yield entry.attributes["DW_AT_low_pc"].value
            if not left:
                break


def read_dwarf(module: Module) -> DWARFInfo:
    """The DWARF in a module's sections, for pyelftools to read; nothing of it is looked at yet."""
    from elftools.dwarf.dwarfinfo import DebugSectionDescriptor, DwarfConfig, DWARFInfo

    def part(name: str) -> DebugSectionDescriptor | None:
        for span in module.customs(name)[:1]:
            content = io.BytesIO(module.data[span.start : span.end])
            return DebugSectionDescriptor(content, name, span.start, span.size, 0)
        return None

    return DWARFInfo(
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
