"""Whose callbacks, log lines and callouts are: looked up when a test asks, and once.

Rules: a callback is that of its context's stream; the answer to a callout is whose the callout was; whatever else is
called while streams are open (a tick, a queue) is all of theirs.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from operator import attrgetter, itemgetter

from simwasm.abi.table import named
from simwasm.host.outcome import LogLine, Outcome
from simwasm.host.stream import Stream
from simwasm.testing.record import Asked, Record, Visit
from simwasm.trace.event import Entered, Event, Left

_CALLS = frozenset(
    row for name in ("proxy_http_call", "proxy_grpc_call", "proxy_grpc_stream") for row in named(name)
)
_ANSWERS = frozenset(
    row
    for name in (
        "proxy_on_http_call_response", "proxy_on_grpc_receive_initial_metadata", "proxy_on_grpc_receive",
        "proxy_on_grpc_receive_trailing_metadata", "proxy_on_grpc_close",
    )
    for row in named(name)
)  # fmt: skip


class Owners:
    """Who owns what in a record."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._owned = 0
        """How many callbacks have owners by now."""
        self._askers: dict[tuple[str, int], tuple[Stream, ...]] = {}
        """Who has asked for a callout, by VM and number."""
        self._contexts: dict[tuple[str, int], Stream] = {}
        self._mine: dict[Stream, list[Visit]] = {}
        self._calls: dict[Stream, dict[tuple[str, int], None]] = {}

    def visits_of(self, stream: Stream) -> list[Visit]:
        """The outermost callbacks that are a stream's and have ended, in their order."""
        self._own()
        return self._mine.get(stream, [])

    def callouts_of(self, stream: Stream) -> list[Asked]:
        """What clusters were asked by a stream's callbacks."""
        self._own()
        return [
            self._record.asked[call] for call in self._calls.get(stream, ()) if call in self._record.asked
        ]

    def inside(self, visit: Visit) -> Iterator[Visit]:
        """A callback, and those that were made while it ran."""
        for at in range(visit.number, len(self._record.visits)):
            if self._record.visits[at].begin > visit.end:
                return
            yield self._record.visits[at]

    def _own(self) -> None:
        """Find out whose callbacks are that nobody has asked for yet."""
        while self._owned < len(self._record.visits):
            visit = self._record.visits[self._owned]
            if visit.end < 0:
                return
            self._owned += 1
            entered = self._begin_of(visit)
            if visit.stream is not None:
                self._contexts[entered.vm, entered.context] = visit.stream
            if visit.function in _ANSWERS:
                visit.streams = self._askers.get((entered.vm, entered.args[1]), visit.streams)
            if visit.outer:
                for stream in visit.streams:
                    self._mine.setdefault(stream, []).append(visit)
            self._note_calls(visit)

    def _note_calls(self, visit: Visit) -> None:
        """Note which callouts a callback has asked for."""
        for at in range(visit.begin + 1, visit.end):
            call = self._record.events[at]
            if isinstance(call, Entered) and call.function in _CALLS:
                left = self._end_of(at, visit.end)
                if isinstance(left, Left) and left.values:
                    self._asked(visit, call, left.values[0])

    def _asked(self, visit: Visit, call: Entered, number: int) -> None:
        """Note who asked for a callout: whom the plugin acted for, otherwise who the callback is for."""
        acted_for = self._contexts.get((call.vm, call.context))
        streams = visit.streams if acted_for is None else (acted_for,)
        self._askers[call.vm, number] = streams
        for stream in streams:
            self._calls.setdefault(stream, {})[call.vm, number] = None

    def _end_of(self, at: int, last: int) -> Event | None:
        """The event that ends what one begins."""
        events = self._record.events
        seq = events[at].seq
        for number in range(at + 1, last):  # it is near, and a slice would be a copy
            event = events[number]
            if not isinstance(event, Entered) and event.opened == seq:
                return event
        return None

    def _begin_of(self, visit: Visit) -> Entered:
        entered = self._record.events[visit.begin]
        assert isinstance(entered, Entered)
        return entered

    def entries_of(self, visits: Sequence[Visit], outcome: Outcome | None) -> Iterator[Event | Outcome]:
        """The events of callbacks, and what became of their exchange where that was known."""
        at = len(self._record.events) if outcome is None else self._record.ended_at[id(outcome)]
        before = bisect_left(visits, at, key=attrgetter("begin"))
        for visit in visits[:before]:
            yield from self._record.events[visit.begin : visit.end + 1]
        if outcome is not None:
            yield outcome
        for visit in visits[before:]:
            yield from self._record.events[visit.begin : visit.end + 1]

    def lines_of(self, visits: Sequence[Visit], outcome: Outcome | None = None) -> list[LogLine]:
        """The log lines of callbacks, and those that the host wrote for their exchange."""
        found: list[tuple[int, LogLine]] = []
        for visit in visits:
            first = bisect_right(self._record.written_at, visit.begin)
            last = bisect_right(self._record.written_at, visit.end + 1)
            found += zip(self._record.written_at[first:last], self._record.lines[first:last], strict=True)
        if outcome is not None:
            have = {id(line) for _, line in found}
            found += [(self._at_of(line), line) for line in outcome.logs if id(line) not in have]
            found.sort(key=itemgetter(0))
        return [line for _, line in found]

    def _at_of(self, line: LogLine) -> int:
        """How many events there had been when a line was written."""
        return next(
            at for at, each in zip(self._record.written_at, self._record.lines, strict=True) if each is line
        )
