"""Queries asked of a tape: which rows they mean, and at which positions what they wait for is known.

Rules: a query about how a call ended is answered where the call has ended, at the `Left` of a host call say, any other
where the call begins; of an `or` each side goes by itself. Events are gone through without a row being made for them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from simwasm.abi.table import Side
from simwasm.debug.tape import Tape
from simwasm.exchange import Exchange
from simwasm.trace.event import Entered, Left, Trapped
from simwasm.trace.query.compiled import Query, Test
from simwasm.trace.query.subject import Surroundings
from simwasm.trace.rows import Kind

_PLUGIN = Side.PLUGIN
_CALLBACK, _HOST_CALL, _RETURN, _TRAP = Kind.CALLBACK, Kind.HOST_CALL, Kind.RETURN, Kind.TRAP
# An enum looks its members up by a function of its own on Python 3.10, so what is asked for all the time has a name.


class OnTape:
    """What is around the calls of a tape."""

    __slots__ = ("_tape", "_newest")

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self._newest = (0, -1, "")
        """The callback that was asked for last: where it begins, where it ends, and its name."""

    def exchange(self, entered: Entered, position: int, /) -> tuple[int, Exchange] | None:
        """The exchange it belongs to, and its number, from 1."""
        span = self._tape.span_of(entered)
        return None if span is None else (span.index + 1, span.exchange)

    def callback(self, position: int, /) -> str:
        """The name of the host's callback that it is in, or is."""
        first, last, name = self._newest
        if first <= position <= last:
            return name
        tape = self._tape
        at = tape.opening(position)
        while above := tape.around(at):
            at = above
        function = tape.entered(at).function
        name = function.name if function.side is _PLUGIN else ""
        self._newest = at, tape.end_of(at) or position, name
        return name


class TapeSubject:
    """A call of a tape as a query sees it; the same object is put from one to the next."""

    __slots__ = ("entered", "ended", "position", "around", "_tape")

    entered: Entered
    ended: Left | Trapped | None
    position: int

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self.around: Surroundings = OnTape(tape)

    @property
    def kind(self) -> Kind:
        """What the row stands for."""
        ended, plugin = self.ended, self.entered.function.side is _PLUGIN
        if ended is None:
            return _CALLBACK if plugin else _HOST_CALL
        if ended.__class__ is Trapped and ended.seq == self.position:
            return _TRAP
        return _RETURN if plugin else _HOST_CALL

    @property
    def depth(self) -> int:
        """How many calls are open around it."""
        return self._tape.depth(self.position)

    @property
    def took_ns(self) -> int:
        """How long the call really took."""
        tape = self._tape
        return tape.rows[tape.rows.at(tape.opening(self.position))].took_ns

    def stand(self, position: int) -> None:
        """Stand at any position."""
        event = self._tape.at(position)
        self.position = position
        if isinstance(event, Entered):
            self.entered, self.ended = event, None
        else:
            self.entered, self.ended = self._tape.entered(position), event


def matching_rows(query: Query, tape: Tape, first: int = 1, last: int | None = None) -> Iterator[int]:
    """The positions of the rows that a query means, between two positions."""
    events: list[Any] = (
        tape.events
    )  # of many kinds, and looked at a million times: no time to tell a type checker
    subject, test, ends = TapeSubject(tape), query.test, tape.end_of if query.ends else None
    for position in range(first, (len(events) if last is None else last) + 1):
        event = events[position - 1]
        if event.__class__ is Entered:
            subject.entered, subject.ended = event, None
            if ends is not None and event.function.side is not _PLUGIN and (end := ends(position)):
                subject.ended = events[end - 1]
        else:
            entered = events[event.opened - 1]
            if event.__class__ is Left and entered.function.side is not _PLUGIN:
                continue
            subject.entered, subject.ended = entered, event
        subject.position = position
        if test(subject):
            yield position


class Trigger:
    """When something is known to be so: tests for where calls begin, and for where they have ended."""

    def __init__(self, queries: Sequence[Query], *, ends: bool = False) -> None:
        begins = [query.test for query in queries if not (ends or query.ends)]
        self._begin = _either(begins)
        self._end = _either([query.test for query in queries if ends or query.ends])

    def positions(self, tape: Tape, first: int, last: int) -> Iterator[int]:
        """Where it is so, between two positions."""
        events: list[Any] = tape.events
        subject, begin, end = TapeSubject(tape), self._begin, self._end
        for position in range(first, last + 1):
            event = events[position - 1]
            if event.__class__ is Entered:
                if begin is None:
                    continue
                subject.entered, subject.ended, subject.position = event, None, position
                if begin(subject):
                    yield position
            elif end is not None:
                subject.entered, subject.ended, subject.position = events[event.opened - 1], event, position
                if end(subject):
                    yield position


def _either(tests: Sequence[Test]) -> Test | None:
    if len(tests) < 2:
        return tests[0] if tests else None
    return lambda subject: any(test(subject) for test in tests)
