"""Bookmarks: those that were set, and below them every stop there was, the newest first."""

from __future__ import annotations

from typing import NamedTuple

from simwasm.debug.branch import Branch
from simwasm.debug.instant import Instant
from simwasm_tui.commands import Command
from simwasm_tui.rowline import body
from simwasm_tui.screens.listing import Listing, Made
from simwasm_tui.text import Line, clean, fit
from simwasm_tui.views import Viewer


class Spot(NamedTuple):
    """A place to go to."""

    branch: Branch
    position: int
    name: str = ""
    """Of a bookmark."""
    why: str = ""
    """Of a stop."""
    back: int = 0
    """How many stops ago it was."""
    instant: Instant | None = None
    """Of a stop inside of a callback."""

    @property
    def ticks(self) -> int:
        """How far behind the position it is."""
        return self.instant.ticks if self.instant is not None else 0


class Bookmarks(Listing[Spot]):
    """The list; what is chosen is where to go."""

    HEADING = "Bookmarks and stops"
    EMPTY = "No bookmarks yet.\n\nm on a row of the trace sets one. Every stop will be listed here by itself."
    ACTIONS = (
        Command("bookmarks.rename", "n", "Name", "Give the bookmark under the cursor a name.", short="name"),
        Command("bookmarks.delete", "d,delete", "Delete", "Remove the bookmark under the cursor.", short="delete"),
    )  # fmt: skip

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self.viewer = viewer
        self.spots: list[Spot] = []

    def fill(self) -> None:
        viewer = self.viewer
        branch = viewer.debugger.branch
        kept = [Spot(branch, position, viewer.names.get(position, "")) for position in viewer.bookmarks]
        stops = [
            Spot(of, stop.position, why=stop.why.value, back=ago, instant=stop.instant)
            for ago, (of, stop) in enumerate(reversed(viewer.history))
            if stop.position
        ]
        self.spots = [*kept, *stops]
        self.show(Made(self.spots, self._line))

    def _line(self, spot: Spot, width: int) -> Line:
        rows = spot.branch.tape.rows
        row = rows[rows.at(spot.position)]
        here = self.viewer.debugger.branch
        sign = ("◆ ", "mark") if not spot.why else ("▶ ", "now") if not spot.back else ("  ", "")
        told = spot.name if not spot.why else f"-{spot.back} {spot.why}" if spot.back else "here"
        other = f" on {spot.branch.name}" if spot.branch is not here else ""
        pieces: Line = (
            sign,
            (f"{row.index + 1:>6}  ", "muted"),
            (f"{clean(told + other):<22.40} ", "strong" if spot.name else "muted"),
            ("  " * min(row.depth, 4), ""),
        )
        if spot.instant is not None:
            return fit((*pieces, (clean(f"ins {spot.instant.count:,} · {spot.instant}"), "callback")), width)
        return fit((*pieces, *body(row)), width)

    @property
    def spot(self) -> Spot | None:
        """What is under the cursor."""
        return self.spots[self.list.cursor] if self.spots else None

    def on_virtual_list_chosen(self) -> None:
        self.dismiss(self.spot)

    def do_rename(self) -> None:
        spot = self.spot
        if spot is None or spot.why:
            self.say("A stop has no name of its own: press m on its row to keep it.")
            return
        self.ask_name(spot.name, "a name for this bookmark", lambda name: self._set_name(spot.position, name))

    def _set_name(self, position: int, name: str) -> None:
        self.viewer.names[position] = name

    def do_delete(self) -> None:
        spot = self.spot
        if spot is None or spot.why:
            self.say("Stops are forgotten by themselves, the oldest first.")
        else:
            self.viewer.bookmark(spot.position)
            self.fill()
