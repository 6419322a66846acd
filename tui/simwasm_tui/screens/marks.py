"""Bookmarks, and going from mark to mark: problems, local replies, breakpoints, bookmarks, and phases."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from simwasm_tui.widgets.timeline import Timeline, marks

if TYPE_CHECKING:
    from textual.screen import Screen

    from simwasm.debug.debugger import Debugger
    from simwasm_tui.model import View
    from simwasm_tui.panes.trace import Trace
    from simwasm_tui.views import Viewer

    _Screen = Screen[None]
else:
    _Screen = object

_NOT_FOUND = "NOT_FOUND: "
"""How the titles of those problems begin that say little."""


class Marks(_Screen):
    """The commands; mixed into the main screen."""

    debugger: Debugger
    viewer: Viewer
    view: View | None

    if TYPE_CHECKING:

        def say(self, text: str) -> None: ...
        def renew(self) -> None: ...
        def goto(self, position: int) -> None: ...
        def _trace(self) -> Trace | None: ...

    def do_bookmark(self) -> None:
        trace = self._trace()
        if trace is None or trace.row < 0:
            return
        position = self.debugger.tape.rows.position(trace.row)
        set_now = self.viewer.bookmark(position)
        self.renew()
        self.say(f"Bookmark {'set on' if set_now else 'removed from'} row {trace.row + 1:,}.")

    def do_bookmarks(self) -> None:
        kept = self.viewer.bookmarks
        if not kept:
            self.say("No bookmarks yet. m sets one on the row under the cursor.")
            return
        here = self.view.position if self.view is not None else 0
        self.goto(kept[bisect_right(kept, here) % len(kept)])

    def _to_mark(self, step: int, rows: list[int], what: str) -> None:
        view = self.view
        if view is None:
            return
        rows = sorted(set(rows))
        place = bisect_right(rows, view.row) if step > 0 else bisect_left(rows, view.row) - 1
        if 0 <= place < len(rows):
            self.goto(view.tape.rows.position(rows[place]))
        else:
            self.say(f"There is no {what} {'after' if step > 0 else 'before'} this row.")

    def do_mark_before(self) -> None:
        self._to_mark(-1, self._marks(), "mark")

    def do_mark_after(self) -> None:
        self._to_mark(1, self._marks(), "mark")

    def do_phase_before(self) -> None:
        self._to_mark(-1, self._phases(), "phase")

    def do_phase_after(self) -> None:
        self._to_mark(1, self._phases(), "phase")

    def _marks(self) -> list[int]:
        """What stands out, and the notes of Problems but for what was merely not found."""
        view = self.view
        if view is None:
            return []
        rows = view.tape.rows
        noted = (
            each
            for each in view.problems
            if each.position and not each.severity and not each.title.startswith(_NOT_FOUND)
        )
        return [mark.row for mark in marks(view)] + [rows.at(each.position) for each in noted]

    def _phases(self) -> list[int]:
        timeline = self.query_one(Timeline)
        return timeline.phase_rows()
