"""A run on tape, as it grows: every event, and where its rows, exchanges and log lines are.

Rules: only the thread that runs the plugin adds to a tape, anybody may read it meanwhile; what is there never
changes, so what was read stays true; a fork begins as a copy of what came before it.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from operator import attrgetter
from time import perf_counter_ns

from simwasm.abi.enums import MapType
from simwasm.abi.table import Side
from simwasm.exchange import Exchange, Headers
from simwasm.host.outcome import LogLine, Outcome
from simwasm.trace.event import Entered, Event, Left, Trapped
from simwasm.trace.rows import Kind, Row


@dataclass(slots=True)
class Span:
    """An exchange of the run: where it is on the tape, and what became of it."""

    index: int
    exchange: Exchange
    first: int
    """The position of the first event after it began."""
    outcome: Outcome | None = None
    last: int = 0
    """The position of the last event before it ended; 0 while it is open."""

    def until(self, position: int) -> Span:
        """As it was at a position: open, unless it had ended."""
        if 0 < self.last <= position:
            return replace(self)
        return replace(self, outcome=None, last=0)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the proxy's log; `position` is that of the last event before it."""

    position: int
    log: LogLine


Maps = tuple[tuple[MapType, Headers], ...]
"""The header maps that a context can see, each with its entries."""

PackedMap = tuple[MapType, tuple[str, ...], tuple[str, ...]]
Packed = tuple[PackedMap, ...]
"""The same as they are kept: which map, its names, which many maps share, and its values."""


def unpacked(packed: Packed) -> Maps:
    """Header maps as entries."""
    return tuple([(kind, tuple(zip(names, values, strict=True))) for kind, names, values in packed])


class SeenMaps:
    """Header maps by position, in the order in which they were put down."""

    __slots__ = ("_packed", "_positions")

    def __init__(self) -> None:
        self._positions = array("I")
        self._packed: list[Packed] = []

    def put(self, position: int, packed: Packed) -> None:
        """Keep what was seen at a position, which is after all that were kept before."""
        self._packed.append(packed)
        self._positions.append(position)

    def get(self, position: int) -> Maps | None:
        """What was seen exactly there; None if nobody looked."""
        found = next(self.between(position, position), None)
        return None if found is None else found[1]

    def between(self, first: int, last: int) -> Iterator[tuple[int, Maps]]:
        """The positions of a stretch at which somebody looked, and what was seen there."""
        positions = self._positions
        before: Packed | None = None
        maps: Maps = ()
        for index in range(bisect_left(positions, first), bisect_right(positions, last)):
            packed = self._packed[index]
            if packed is not before:
                before, maps = packed, unpacked(packed)
            yield positions[index], maps

    def still(self, position: int, since: int) -> bool:
        """Keep for a position what was seen last, if that was at a certain one; say whether it was."""
        if not self._positions or self._positions[-1] != since:
            return False
        self.put(position, self._packed[-1])
        return True

    def until(self, position: int) -> SeenMaps:
        """Those up to a position."""
        other = SeenMaps()
        end = bisect_right(self._positions, position)
        other._positions, other._packed = self._positions[:end], self._packed[:end]
        return other


class Tape:
    """The events of one run, from position 1 on, and what is known of them."""

    def __init__(self, clock: Callable[[], int] = perf_counter_ns) -> None:
        self.events: list[Event] = []
        """The event at position p is `events[p - 1]`."""
        self.complete = False
        """The run has ended: there is nothing after the last event."""
        self.spans: list[Span] = []
        self.lines: list[Line] = []
        self.rows: TapeRows = TapeRows(self)
        self.seen = SeenMaps()
        """The header maps as they were when a stream's callback was entered, and when it was left, by position."""
        self._clock = clock
        self._lost = 0
        """How much of the clock's time the run stood still, or was somewhere else."""
        self._stood = False
        self._times = array("q")
        self._ends = array("I")
        """Where the call ends that an event begins, 0 while it is open; for other events where it began."""
        self._parents = array("I")
        """The position of the call around it, 0 for none."""
        self._depths = array("H")
        self._stands = array("I")
        """The positions of the rows."""
        self._open: list[int] = []
        self._streams: dict[tuple[str, int], int] = {}
        self._rests = array("I")
        """Behind which positions no plugin was running, and a checkpoint could be taken."""

    def __len__(self) -> int:
        return len(self.events)

    def add(self, event: Event) -> None:
        """Put the next event on tape. Another thread reads meanwhile: what leads to an event comes after it."""
        around = self._open
        now = self._clock() - self._lost
        if self._stood:
            self._stood = False
            last = self._times[-1] if self._times else now
            self._lost, now = self._lost + now - last, last
        self._times.append(now)
        events = self.events
        if event.__class__ is Entered:
            position = len(events) + 1
            self._ends.append(0)
            self._parents.append(around[-1] if around else 0)
            self._depths.append(len(around))
            around.append(position)
            events.append(event)
            self._stands.append(position)
        else:
            opened = around.pop()
            before = opened - 1
            self._ends.append(opened)
            self._parents.append(self._parents[before])
            self._depths.append(len(around))
            events.append(event)
            position = len(events)
            self._ends[before] = position
            if events[before].function.side is _PLUGIN or event.__class__ is Trapped:  # type: ignore[union-attr]  # what is open was entered
                self._stands.append(position)

    def stood(self) -> None:
        """The run stood still, or was somewhere else: nothing took that long."""
        self._stood = True

    def rested(self, position: int) -> None:
        """A piece of the run's work is done."""
        if not self._rests or self._rests[-1] < position:
            self._rests.append(position)

    def rest_before(self, position: int) -> int:
        """The last position before this one behind which no plugin was running; 0 for none."""
        index = bisect_left(self._rests, position)
        return self._rests[index - 1] if index else 0

    def begin(self, exchange: Exchange) -> Span:
        """An exchange begins with the next event."""
        span = Span(len(self.spans), exchange, len(self.events) + 1)
        self.spans.append(span)
        return span

    def belongs(self, vm: str, context: int, span: Span) -> None:
        """A context of a plugin is that of an exchange."""
        self._streams[vm, context] = span.index

    # What is asked of it.

    def at(self, position: int) -> Event:
        """The event at a position."""
        return self.events[position - 1]

    def entered(self, position: int) -> Entered:
        """The call that begins or ends at a position."""
        event = self.events[self.opening(position) - 1]
        assert isinstance(event, Entered)
        return event

    def depth(self, position: int) -> int:
        """How many calls are open around the one that begins or ends here."""
        return self._depths[position - 1]

    def opening(self, position: int) -> int:
        """Where the call began that begins or ends here."""
        return position if isinstance(self.events[position - 1], Entered) else self._ends[position - 1]

    def is_callback(self, position: int) -> bool:
        """Whether a callback begins here."""
        event = self.events[position - 1]
        return isinstance(event, Entered) and event.function.side is Side.PLUGIN

    def end_of(self, position: int) -> int:
        """Where the call that begins here ends; 0 while that is not known."""
        return self._ends[position - 1]

    def around(self, position: int) -> int:
        """Where the call began that this event is inside of; 0 for none."""
        return self._parents[position - 1]

    def calls_at(self, position: int) -> tuple[int, ...]:
        """Where the calls began that are open when the event at a position is announced, outermost first."""
        found = []
        at = self.opening(position) if position else 0
        while at:
            found.append(at)
            at = self._parents[at - 1]
        return tuple(reversed(found))

    def span_of(self, entered: Entered) -> Span | None:
        """The exchange that a call belongs to; None for the plugin's own affairs."""
        return self.span_with(entered.vm, entered.context)

    def span_with(self, vm: str, context: int) -> Span | None:
        """The exchange that a context of a plugin belongs to."""
        index = self._streams.get((vm, context))
        return None if index is None else self.spans[index]

    def span_at(self, position: int) -> Span | None:
        """The exchange that was begun last at a position."""
        index = bisect_right(self.spans, position, key=_first) if position else 0
        return self.spans[index - 1] if index else None

    def lines_until(self, position: int) -> int:
        """How many log lines there are when one stands at a position."""
        return bisect_left(self.lines, position, key=_position)

    def fork(self, position: int) -> Tape:
        """Another tape that begins with what is on this one up to a position."""
        other = Tape(self._clock)
        other._stood = True
        other.events = self.events[:position]
        other._times, other._parents = self._times[:position], self._parents[:position]
        other._depths = self._depths[:position]
        other._ends = array("I", (end if end <= position else 0 for end in self._ends[:position]))
        other._stands = self._stands[: bisect_right(self._stands, position)]
        other._open = list(self.calls_at(position))
        if not isinstance(other.events[-1], Entered):
            other._open.pop()
        other.spans = [span.until(position) for span in self.spans if span.first <= position]
        other.lines = self.lines[: self.lines_until(position)]
        other.seen = self.seen.until(position)
        other._rests = self._rests[: bisect_right(self._rests, position)]
        other._streams = {key: index for key, index in self._streams.items() if index < len(other.spans)}
        return other

    def _row(self, index: int) -> Row:
        position = self._stands[index]
        event = self.events[position - 1]
        if isinstance(event, Entered):
            kind = Kind.CALLBACK if event.function.side is Side.PLUGIN else Kind.HOST_CALL
            opened, closed = position, self._ends[position - 1]
        else:
            kind = Kind.RETURN if isinstance(event, Left) else Kind.TRAP
            opened, closed = self._ends[position - 1], position
        entered, ended = self.events[opened - 1], self.events[closed - 1] if closed else None
        assert isinstance(entered, Entered)
        assert not isinstance(ended, Entered)
        took = self._times[closed - 1] - self._times[opened - 1] if closed else 0
        return Row(index, position, kind, self._depths[position - 1], entered, ended, took)


class TapeRows:
    """The rows of a tape."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape

    def __len__(self) -> int:
        return len(self._tape._stands)

    def __getitem__(self, index: int) -> Row:
        return self._tape._row(range(len(self))[index])

    def at(self, position: int) -> int:
        """The row on which one is at a position: the last that stands there or before; -1 for none."""
        return bisect_right(self._tape._stands, position) - 1

    def position(self, index: int) -> int:
        """Where a row stands, which costs less than the row."""
        return self._tape._stands[index]


_PLUGIN = Side.PLUGIN
"""To look a member of an enum up by its class is slow, and this is asked for every event."""
_first = attrgetter("first")
_position = attrgetter("position")
