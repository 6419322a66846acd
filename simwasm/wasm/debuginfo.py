"""What debug information a plugin carries, and whether it can be believed.

DWARF is written by the compiler and left alone by tools that change the code afterwards. Its addresses
count from the start of the code section's contents, and the lowest one of a function is where its body
begins; so the share of functions for which that is still so tells whether lines and variables can be
believed.

Rules that live here: pyelftools is loaded only when there is DWARF, and may be missing; the work is capped,
a sample of the functions is enough; broken DWARF is a finding, not an error.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from importlib.util import find_spec
from itertools import islice

from simwasm.wasm.companions import Beside, Told, nothing, source_map, source_map_url, told
from simwasm.wasm.dwarf.entries import lowest
from simwasm.wasm.dwarf.sections import DEAD, PROBLEMS, READS_OF_ALL
from simwasm.wasm.dwarf.units import Units
from simwasm.wasm.module import Module
from simwasm.wasm.names import read_names
from simwasm.wasm.source_map import SourceMap

_MOST = 20_000
_GOOD = 0.95


class DebugKind(Enum):
    """The state of the debug information."""

    NONE = "none"
    NAMES = "names only"
    MAP = "source map"
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
    file: str | None = None
    """The file it is in, if that is not the plugin's own."""
    problem: str | None = None
    """Why that file, or the source map, is of no use."""

    @property
    def score(self) -> int | None:
        """How many of a hundred functions are where it says; None where nothing could be compared."""
        return 100 * self.matching // self.sampled if self.sampled else None


def inspect_debug_info(module: Module, beside: Beside = nothing, debug: Told | None = None) -> DebugInfo:
    """Find out what debug information there is and how much of it is true."""
    other = debug if debug is not None else told(module, beside)
    units = Units(module, other.module)
    url = source_map_url(module)
    shown = (url if not url.startswith("data:") else f"{url[:40]}…") if url else None
    file, problem = other.name if other.module is not None else None, other.problem or None
    if units.there:
        kind, matching, sampled = _dwarf(module, units)
        return DebugInfo(kind, matching, sampled, shown, file, problem)
    if url:
        content = source_map(module, beside)
        if content is not None and SourceMap(content).there:
            return DebugInfo(DebugKind.MAP, 0, 0, shown, file, problem)
        problem = problem or (
            "the source map is not beside the plugin" if content is None else "the source map is broken"
        )
    kind = DebugKind.NAMES if read_names(module).functions else DebugKind.NONE
    return DebugInfo(kind, 0, 0, shown, file, problem)


def _dwarf(module: Module, units: Units) -> tuple[DebugKind, int, int]:
    """The state of DWARF, how many functions begin where it says, of how many."""
    if find_spec("elftools") is None:
        return DebugKind.UNCHECKED, 0, 0
    if not units.all:
        return DebugKind.BROKEN, 0, 0
    starts = {body.start - units.code for body in module.bodies}
    live: list[int] = []
    try:
        live.extend(islice(_live(units), _MOST))
    except PROBLEMS:
        if not live:
            return DebugKind.BROKEN, 0, 0
    matching = sum(address in starts for address in live)
    if not live:
        return DebugKind.STRIPPED, 0, 0
    kind = DebugKind.OK if matching >= _GOOD * len(live) else DebugKind.STALE
    return kind, matching, len(live)


def _live(units: Units) -> Iterator[int]:
    for unit in units.all[:1]:
        unit.dwarf.purse.fill(READS_OF_ALL)
    for unit in units.all:
        yield from (address for address in lowest(unit) if 0 < address < DEAD)
