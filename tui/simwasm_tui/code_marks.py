"""Breakpoints in code, as the panes about code set and mark them. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from simwasm.debug.breakpoints import Breakpoint
from simwasm.debug.code import Code
from simwasm.debug.code_places import CodePlace
from simwasm.wasm.lines import Place

_FOLDERS = 3
"""Parts of a file's path that a breakpoint names: enough to tell files apart, and the same on another machine."""


def at_offset(offset: int) -> str:
    """Where an instruction is, as a breakpoint has it."""
    return f"at:0x{offset:x}"


def at_line(file: str, line: int) -> str:
    """Where a line of source is, as a breakpoint has it."""
    return f"{'/'.join(file.split('/')[-_FOLDERS:])}:{line}"


def in_code(breakpoints: Iterable[Breakpoint]) -> tuple[tuple[CodePlace, bool], ...]:
    """Those that are places in code, and whether they stop."""
    return tuple((each.code, each.stops) for each in breakpoints if each.code is not None)


def offsets(places: Iterable[tuple[CodePlace, bool]], code: Code, vm: str) -> dict[int, str]:
    """The instructions that they are, with their signs; it takes a while to find out."""
    found: dict[int, str] = {}
    for place, stops in places:
        if place.is_in(vm):
            found.update((at, "●" if stops else found.get(at, "○")) for at in place.offsets(code))
    return found


def lines(breakpoints: Iterable[Breakpoint], shown: Place) -> dict[int, str]:
    """The lines of a file that they name, with their signs."""
    found: dict[int, str] = {}
    for place, stops in in_code(breakpoints):
        path, _, number = place.what.rpartition(":")
        if place.kind == "line" and f"/{shown.file}".endswith("/" + path.removeprefix("./").lstrip("/")):
            found[int(number)] = "●" if stops else found.get(int(number), "○")
    return found
