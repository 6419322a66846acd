"""Makes views of a debugger: looks at it once, and remembers what only the screen knows."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from simwasm.backtrace import Backtraces
from simwasm.debug.branch import Branch
from simwasm.debug.debugger import Debugger
from simwasm.debug.problems import Grade, Problem, Problems
from simwasm.debug.stop import Stop
from simwasm.debug.tape import Tape
from simwasm_tui.binaries import Binaries
from simwasm_tui.model import HitRows, View

_PORTION, _MOVING_PORTION = 5_000, 1_000
"""Events looked at for a view: some 10 ms where the run stands, and 2 while it moves and has better to do."""
_REMEMBERED = 500
"""Stops that one can go back to."""


class Viewer:
    """What the user has seen and said so far, and the next view."""

    def __init__(self, debugger: Debugger, title: str = "") -> None:
        self.debugger = debugger
        self.title = title
        self.own: list[Problem] = []
        """Problems of the debugger itself."""
        self.bookmarks: tuple[int, ...] = ()
        self.names: dict[int, str] = {}
        """Of bookmarks, by their position."""
        self.history: deque[tuple[Branch, Stop]] = deque(maxlen=_REMEMBERED)
        """Where it stood, the newest last."""
        self.watches: tuple[str, ...] = ()
        self.binaries = Binaries()
        self.looked = -1
        self.more = False
        """There is more on the tape than the last view knows of."""
        self.hits: dict[int, HitRows] = {}
        self._known: tuple[Tape, int, int] | None = None
        """For what the hits were looked up: the tape, how long it was, and the breakpoints."""
        self._last: Stop | None = None
        self._seen = debugger.tape
        self._frames = Backtraces(debugger.inputs.plugins)
        self._found = Problems(debugger.tape, self._frames)
        self._found_on = debugger.tape
        self._problems: tuple[Problem, ...] = ()

    def view(self) -> View:
        """The debugger as it is now."""
        debugger = self.debugger
        stop, tape = debugger.stop, debugger.tape
        if tape is not self._seen:  # what was on another tape says nothing about this one
            self._seen, self._last, self.looked = tape, None, -1
        if stop is not None:
            self._remember(stop)
            self._last = stop
        self._look_for_problems(tape)
        return View(
            inputs=debugger.inputs,
            tape=tape,
            rows=len(tape.rows),
            lines=len(tape.lines),
            spans=len(tape.spans),
            stop=stop,
            last=self._last,
            busy=debugger.busy,
            breakpoints=debugger.breakpoints.all,
            hits=self.hits,
            bookmarks=self.bookmarks,
            watches=self.watches,
            problems=self._problems,
            looked=self.looked,
            title=self.title,
            branch=debugger.branch.name if len(debugger.branches) > 1 else "",
            debugger=debugger if stop is not None else None,
            alone=debugger.alone,
            binaries=self.binaries,
            unit=debugger.unit,
        )

    def _look_for_problems(self, tape: Tape) -> None:
        """Look at the next portion of the tape."""
        if self._found_on is not tape:
            self._found, self._found_on = Problems(tape, self._frames), tape
        known = len(tape) if tape.complete else len(tape) - 1
        portion = _PORTION if self.debugger.stop is not None else _MOVING_PORTION
        until = min(known, self._found.until + portion)
        self._found.grow(until)
        self.more = until < known
        if len(self._problems) != len(self.own) + len(self._found):
            self._problems = (*self.own, *self._found.all())

    def look_on(self) -> bool:
        """Look at one more portion; whether there is more, and nothing has changed meanwhile."""
        if self.debugger.stop is None or self.debugger.tape is not self._found_on:
            return False
        self._look_for_problems(self._found_on)
        return self.more

    def complain(self, position: int, text: str) -> None:
        """Note a problem of the debugger itself."""
        self.own.append(Problem(position, Grade.ERROR, "the debugger", text))

    def look_up(self) -> Callable[[], dict[int, HitRows]] | None:
        """What to ask in the plugins' thread, to know where breakpoints are come by; None if that is known."""
        debugger = self.debugger
        breakpoints, tape = debugger.breakpoints, debugger.tape
        known = (tape, len(tape), breakpoints.serial)
        if debugger.stop is None or known == self._known:
            return None
        self._known = known
        if not len(breakpoints):
            self.hits = {}
            return None
        return lambda: {
            each.number: HitRows(breakpoints.hits(each.number, tape).positions())
            for each in breakpoints.all
            if not each.suspended and each.memory is None
        }

    def _remember(self, stop: Stop) -> None:
        """Keep where it stands, once."""
        here = self.debugger.branch, stop
        before = self.history[-1] if self.history else None
        if before is None or (before[0], before[1].moment) != (here[0], stop.moment):
            self.history.append(here)

    def bookmark(self, position: int) -> bool:
        """Set a bookmark, or remove it; whether there is one now."""
        kept = set(self.bookmarks) ^ {position}
        self.bookmarks = tuple(sorted(kept))
        self.names.pop(position, None)
        return position in kept
