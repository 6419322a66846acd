"""Makes views of a debugger: looks at it once, and remembers what only the screen knows."""

from __future__ import annotations

from simwasm.debug.debugger import Debugger
from simwasm.debug.stop import Stop
from simwasm_tui.model import Problem, View
from simwasm_tui.problems import Finder


class Viewer:
    """What the user has seen and said so far, and the next view."""

    def __init__(self, debugger: Debugger, title: str = "") -> None:
        self.debugger = debugger
        self.title = title
        self.own: list[Problem] = []
        """Problems of the debugger itself."""
        self.bookmarks: tuple[int, ...] = ()
        self.looked = -1
        self.more = False
        """There is more on the tape than the last view knows of."""
        self._last: Stop | None = None
        self._finder = Finder(debugger.tape)
        self._problems: tuple[Problem, ...] = ()

    def view(self) -> View:
        """The debugger as it is now."""
        debugger = self.debugger
        stop, tape = debugger.stop, debugger.tape
        if stop is not None:
            self._last = stop
        if self._finder.tape is not tape:
            self._finder = Finder(tape)
        self.more = self._finder.grow()
        if len(self._problems) != len(self.own) + len(self._finder.found):
            self._problems = (*self.own, *self._finder.found)
        return View(
            inputs=debugger.inputs,
            tape=tape,
            rows=len(tape.rows),
            lines=len(tape.lines),
            spans=len(tape.spans),
            stop=stop,
            last=self._last,
            busy=debugger.busy,
            bookmarks=self.bookmarks,
            problems=self._problems,
            looked=self.looked,
            title=self.title,
            branch=debugger.branch.name if len(debugger.branches) > 1 else "",
            debugger=debugger if stop is not None else None,
        )

    def bookmark(self, position: int) -> bool:
        """Set a bookmark, or remove it; whether there is one now."""
        kept = set(self.bookmarks) ^ {position}
        self.bookmarks = tuple(sorted(kept))
        return position in kept
