"""The lines of the call stack: the plugin's frames, innermost first, among the calls of the ABI they belong to.

    ▶ proxy_get_property                        host call, row 24
      hostcalls::get_property      +0x177cf     hostcalls.rs:715
      on_http_request_headers      +0x6028      lib.rs:45
    ← proxy_on_request_headers                  callback, row 21

Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from simwasm.abi.table import Side
from simwasm.debug.tape import Tape
from simwasm_tui.binaries import Spot
from simwasm_tui.rowline import call
from simwasm_tui.text import Line, clean, spread


class Level(NamedTuple):
    """A line: a call of the ABI at a position, or a frame of the plugin."""

    position: int = 0
    frame: int = -1


def levels(tape: Tape, position: int, spots: Sequence[Spot]) -> tuple[Level, ...]:
    """The calls around a position and the frames of the innermost callback, innermost first."""
    calls = list(reversed(tape.calls_at(position))) if position else []
    found: list[Level] = []
    frames = [Level(frame=index) for index in range(len(spots))]
    for at in calls:
        if tape.entered(at).function.side is Side.PLUGIN and frames:
            found += frames
            frames = []
        found.append(Level(at))
    return (*found, *frames)


class StackLines:
    """The call stack, as lines."""

    def __init__(self, tape: Tape, position: int, spots: Sequence[Spot], chosen: int) -> None:
        self.levels = levels(tape, position, spots)
        self._tape = tape
        self._position = position
        self._spots = spots
        self._chosen = chosen

    def __len__(self) -> int:
        return len(self.levels)

    def line(self, index: int, width: int) -> Line:
        level = self.levels[index]
        return self._call(level.position, index, width) if level.position else self._frame(level.frame, width)

    def _call(self, position: int, index: int, width: int) -> Line:
        row = self._tape.rows[self._tape.rows.at(position)]
        callback = row.entered.function.side is Side.PLUGIN
        sign = "▶" if index == 0 else " "
        left: Line = ((f"{sign} ", "now"), ("← " if callback else "", "callback"), *call(row))
        kind = "callback" if callback else "host call"
        return spread(left, ((f"{kind} · row {row.index + 1:,} ", "muted"),), width)

    def _frame(self, index: int, width: int) -> Line:
        spot = self._spots[index]
        name = clean(spot.frame.name or f"func[{spot.frame.function}]")
        left: Line = (
            ("    " + ("› " if index == self._chosen else "  "), "now"),
            (name, "strong" if index == self._chosen else ""),
            (f"  +0x{spot.frame.offset:x}", "muted"),
        )
        place = spot.place
        right: Line = ((clean(f"{place.file.rpartition('/')[2]}:{place.line} "), "string"),) if place else ()
        return spread(left, right, width)
