"""The problems: what should not be, where, why, and what to do about it. They stay here.

41 ✗ trap                  │ proxy_on_request_headers trapped: unreachable …
96 ! refused host call     │ What to do: …
"""

from __future__ import annotations

from textwrap import wrap

from textual.app import ComposeResult

from simwasm.debug.problems import Grade, Problem
from simwasm.debug.tape import Tape
from simwasm_tui.messages import Go
from simwasm_tui.model import View
from simwasm_tui.panes.pane import Pane
from simwasm_tui.rowline import called
from simwasm_tui.text import Line, clean, plain
from simwasm_tui.widgets.virtual_list import FixedLines, VirtualList

_EMPTY = "No problems so far.\n\nTraps, refused host calls and exchanges that hung will be listed here, and what to do."
_SIGNS = {Grade.ERROR: ("✗", "bad"), Grade.WARNING: ("!", "warn"), Grade.NOTE: ("·", "muted")}


class ProblemLines:
    """One line for each problem."""

    def __init__(self, view: View) -> None:
        self.view = view

    def __len__(self) -> int:
        return len(self.view.problems)

    def line(self, index: int, width: int) -> Line:
        problem = self.view.problems[index]
        later = self.view.position < problem.position
        number = f"{self.row(index) + 1:>6} " if problem.position else "       "
        sign, sign_ink = _SIGNS[problem.severity]
        told = title(problem, self.view.tape)
        ink = "future" if later else "strong" if problem.severity else ""
        return ((number, "muted"), (sign + " ", sign_ink), (told, ink))

    def row(self, index: int) -> int:
        """The row on which a problem is seen."""
        return max(0, self.view.tape.rows.at(self.view.problems[index].position))


def title(problem: Problem, tape: Tape) -> str:
    """A problem in a few words; that of a call with what it was called with, so that several can be told apart."""
    if not 0 < problem.position <= len(tape):
        return clean(problem.title)
    entered = tape.entered(problem.position)
    what, of, name = problem.title.rpartition(": ")
    if not of or name != entered.function.name:
        return clean(problem.title)
    return f"{clean(what)}: {plain(called(entered, briefly=True))}"


def details(problem: Problem, width: int) -> FixedLines:
    """All that is known of a problem, wrapped."""
    lines: list[Line] = []
    for text, ink in ((problem.happened, ""), (problem.why, "muted"), (problem.advice, "accent")):
        for part in text.splitlines():
            lines += [((line, ink),) for line in wrap(clean(part), max(16, width - 2))]
    return FixedLines(lines)


class Problems(Pane):
    """The problems."""

    HELP = (
        "Whatever should not be: traps, host calls that were refused, exchanges that hung or were cut off, errors in "
        "the log, and what the debugger could not do. ✗ is an error, ! a warning, · worth knowing. Beside the list: "
        "what happened, why, and what to do. Enter goes to where it happened, y copies the line."
    )
    DEFAULT_CSS = """
    Problems { layout: horizontal; }
    Problems #details { width: 45%; border-left: solid $foreground 25%; padding-left: 1; }
    Problems.-none #details { display: none; }
    """

    def compose(self) -> ComposeResult:
        yield VirtualList(empty=_EMPTY, id="list")
        yield VirtualList(id="details")

    def count(self, view: View) -> None:
        bad = sum(problem.severity > Grade.NOTE for problem in view.problems)
        self.head(badge=f" {bad:,}" if bad else "•" if view.problems else "")

    def draw(self, view: View, before: View | None) -> None:
        self.set_class(not view.problems, "-none")
        if before is None or (before.problems, before.last) != (view.problems, view.last):
            self.query_one("#list", VirtualList).show(ProblemLines(view))
            self._explain()

    def _explain(self) -> None:
        view, shown = self.view, self.query_one("#details", VirtualList)
        cursor = self.query_one("#list", VirtualList).cursor
        if view is not None and cursor < len(view.problems):
            shown.show(details(view.problems[cursor], shown.room), 0)

    def on_resize(self) -> None:
        self.call_after_refresh(self._explain)

    def on_virtual_list_moved(self, message: VirtualList.Moved) -> None:
        if message.list.id == "list":
            self._explain()

    def on_virtual_list_chosen(self, message: VirtualList.Chosen) -> None:
        lines = message.list.lines
        if isinstance(lines, ProblemLines) and lines.view.problems[message.index].position:
            self.post_message(Go(lines.view.tape.rows.position(lines.row(message.index))))
