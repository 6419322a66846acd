"""Finds what should not be on a tape, as it grows: traps, refused calls, errors in the log, exchanges that hung.

A status is a problem unless it is an ordinary answer: by NOT_FOUND, say, a plugin learns that there is nothing.
"""

from __future__ import annotations

from simwasm.abi.enums import LogLevel
from simwasm.debug.tape import Span, Tape
from simwasm.trace.event import Entered, Left, Trapped, shown
from simwasm.trace.query.grades import grade_of_answer
from simwasm_tui.model import Problem

_PORTION = 50_000
_MOST = 10_000
"""Problems kept; a plugin that fails in every call makes no list longer than this."""


class Finder:
    """The problems of a tape, found so far."""

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self.found: list[Problem] = []
        self._events = self._lines = self._spans = 0

    def grow(self) -> bool:
        """Look at what was added to the tape; whether there is more to look at."""
        if len(self.found) >= _MOST:
            return False
        self._look_at_spans()
        self._look_at_lines()
        events = self.tape.events
        end = min(len(events), self._events + _PORTION)
        for index in range(self._events, end):
            event = events[index]
            if event.__class__ is not Entered and (text := self._wrong(event)):
                self.found.append(Problem(index + 1, text))
        self._events = end
        return end < len(events)

    def _wrong(self, event: object) -> str:
        if isinstance(event, Trapped):
            entered = self.tape.entered(event.opened)
            around = self.tape.around(event.opened)
            return "" if around else f"{entered.function.name} trapped: {event.trap}"
        if not isinstance(event, Left) or not event.result:
            return ""
        function = self.tape.entered(event.opened).function
        if not grade_of_answer(function, event.result):
            return ""
        return f"{function.name} answered {shown(event.result)}" + (
            f": {event.reason}" if event.reason else ""
        )

    def _look_at_lines(self) -> None:
        lines = self.tape.lines
        for line in lines[self._lines :]:
            self._lines += 1
            if line.log.level >= LogLevel.ERROR and len(self.found) < _MOST:
                self.found.append(Problem(line.position, f"log: {line.log.text[:400]}"))

    def _look_at_spans(self) -> None:
        spans = self.tape.spans
        while self._spans < len(spans) and spans[self._spans].outcome is not None:
            if text := _ended_badly(spans[self._spans]):
                self.found.append(Problem(spans[self._spans].last, text))
            self._spans += 1


def _ended_badly(span: Span) -> str:
    outcome = span.outcome
    assert outcome is not None
    if outcome.waiting:
        return f"#{span.index + 1} {span.exchange.label} hung: {outcome.waiting}"
    return f"#{span.index + 1} {span.exchange.label} was cut off: {outcome.reset}" if outcome.reset else ""
