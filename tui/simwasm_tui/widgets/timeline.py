"""The timeline: the run's exchanges in one line, the phases of the current exchange in the next. A click goes there."""

from __future__ import annotations

from textual import events

from simwasm_tui.messages import Go
from simwasm_tui.model import View
from simwasm_tui.phases import Mark, Segment, Strip, draw, exchange_at, exchanges, phases
from simwasm_tui.text import Line, cells, spread
from simwasm_tui.widgets.line import Drawn

_MOST = 2000
"""Marks of one breakpoint."""


class Timeline(Drawn):
    """One line or two, as the height allows."""

    DEFAULT_CSS = "Timeline { height: 2; }"

    def __init__(self) -> None:
        super().__init__(id="timeline")
        self.view: View | None = None
        self._strips: dict[tuple[int, int], Strip] = {}
        self._segments: tuple[list[Segment], list[Segment]] = ([], [])
        self._marks: list[Mark] = []

    def take(self, view: View) -> None:
        """Show a view."""
        self.view = view
        self._strips.clear()
        tape, rows = view.tape, view.rows
        self._segments = (exchanges(tape, rows), phases(tape, *exchange_at(tape, view.row, rows)))
        self._marks = marks(view)
        self.refresh()

    def phase_rows(self) -> list[int]:
        """Where the exchanges begin, and the phases of the current one."""
        return [segment.first for segments in self._segments for segment in segments]

    def made(self, y: int, width: int) -> Line:
        view = self.view
        if view is None:
            return ()
        line = 1 if self.size.height == 1 else y
        counted = self._counted(view, line)
        strip = self._strips.get((line, width))
        if strip is None:
            room = width - 2 - cells(counted)
            strip = self._strips[line, width] = draw(self._segments[line], room, view.row, self._marks)
        return spread(((" ", ""), *strip.line), counted, width)

    def _counted(self, view: View, line: int) -> Line:
        if line == 0 and self.size.height > 1:
            return (
                (" exchange ", "muted"),
                (_of(view.span.index if view.span else -1, view.spans), ""),
                (" ", ""),
            )
        return ((" row ", "muted"), (_of(view.row, view.rows), ""), (" ", ""))

    def on_click(self, event: events.Click) -> None:
        line = 1 if self.size.height == 1 else event.y
        strip = self._strips.get((line, self.size.width))
        view = self.view
        if strip is not None and view is not None and 0 <= event.x - 1 < len(strip.rows):
            self.post_message(Go(view.tape.rows.position(strip.rows[event.x - 1])))


def _of(index: int, number: int) -> str:
    wide = len(f"{number:,}")
    return f"{f'{index + 1:,}' if index >= 0 else '–':>{wide}}/{number:,}"


def marks(view: View) -> list[Mark]:
    """The rows that stand out: problems, bookmarks and breakpoints."""
    rows = view.tape.rows
    found = [
        Mark(rows.at(problem.position), "✗")
        for problem in view.problems
        if problem.position and problem.severity
    ]
    found += [Mark(rows.at(position), "◆") for position in view.bookmarks]
    for each in view.breakpoints:
        if each.stops and (hits := view.hits.get(each.number)) is not None:
            found += [Mark(rows.at(position), "●") for position in hits.positions[:_MOST]]
    return sorted(found)
