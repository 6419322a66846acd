"""The problems: traps, refused host calls, exchanges that hung, and what went wrong in the debugger. They stay here."""

from __future__ import annotations

from textual.app import ComposeResult

from simwasm_tui.messages import Go
from simwasm_tui.model import View
from simwasm_tui.panes.pane import Pane
from simwasm_tui.text import Line, clean
from simwasm_tui.widgets.virtual_list import VirtualList

_EMPTY = "No problems so far.\n\nTraps, refused host calls and exchanges that hung will be listed here."


class ProblemLines:
    """One line for each problem."""

    def __init__(self, view: View) -> None:
        self.view = view

    def __len__(self) -> int:
        return len(self.view.problems)

    def line(self, index: int, width: int) -> Line:
        problem = self.view.problems[index]
        rows = self.view.tape.rows
        number = f"{rows.at(problem.position) + 1:>6} " if problem.position else "       "
        return ((number, "muted"), ("✗ ", "bad"), (clean(problem.text), ""))


class Problems(Pane):
    """The problems."""

    HELP = (
        "Whatever should not be: traps, host calls that were refused, exchanges that hung or were cut off, errors in "
        "the log, and what the debugger could not do. Enter goes to where it happened, y copies the text."
    )

    def compose(self) -> ComposeResult:
        yield VirtualList(empty=_EMPTY)

    def count(self, view: View) -> None:
        self.head(badge=f" {len(view.problems):,}" if view.problems else "")

    def draw(self, view: View, before: View | None) -> None:
        if before is None or before.problems != view.problems:
            self.query_one(VirtualList).show(ProblemLines(view))

    def on_virtual_list_chosen(self, message: VirtualList.Chosen) -> None:
        if self.view is not None and (position := self.view.problems[message.index].position):
            self.post_message(Go(position))
