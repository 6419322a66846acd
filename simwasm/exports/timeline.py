"""When everything in a trace happened, on one clock that never stands still: what viewers need and traces do not have.

    measured (--timing)    a callback begins at its virtual time; calls last as long as they really took, and what the
                           plugin took by itself lies evenly between its calls
    not measured           virtual time, and one microsecond for each crossing, or all would happen at once

Rules: times are nanoseconds since the run's start; a callback begins when the one before it has ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from simwasm.abi.table import ALLOCATORS
from simwasm.trace.parse import Header
from simwasm.trace.rows import Kind, Row
from simwasm.trace.scan import Found, Over

CROSSING = 1_000
"""How long a crossing lasts that nobody measured."""
MEASURED = "virtual time; calls last as long as they really took"
ASSUMED = "virtual time, and one microsecond for each crossing"


@dataclass(slots=True)
class Slice:
    """A call on the clock."""

    row: Row
    start: int = 0
    end: int = 0
    inside: list[Slice] = field(default_factory=list)

    def all(self) -> Iterator[Slice]:
        """It and all calls in it, from the outside in."""
        yield self
        for each in self.inside:
            yield from each.all()


@dataclass(frozen=True, slots=True)
class Block:
    """A callback of the host with all that happened in it."""

    exchange: int
    """The number of the exchange that it is about, from 1; 0 for none."""
    whole: Slice


class Timeline:
    """Puts what a trace tells on the clock."""

    def __init__(self) -> None:
        self.now = 0
        self.measured = False
        """Whether the trace tells how long calls took, as far as it was read."""

    @property
    def rule(self) -> str:
        """What the times are, in words."""
        return MEASURED if self.measured else ASSUMED

    def blocks(self, told: Iterable[Header | Found | Over]) -> Iterator[Header | Block | Over]:
        """Callbacks, put on the clock; what else there is as it is."""
        started, rows = 0, list[Found]()
        for each in told:
            if isinstance(each, Found) and each.row.depth:
                rows.append(each)
                continue
            if isinstance(each, Found) and each.row.kind not in (Kind.CALLBACK, Kind.HOST_CALL):
                continue
            if rows:
                yield self._block(rows, started)
            rows = [each] if isinstance(each, Found) else []
            if isinstance(each, Header):
                started = each.started_ns
            if not isinstance(each, Found):
                yield each
        if rows:
            yield self._block(rows, started)

    def _block(self, rows: list[Found], started: int) -> Block:
        whole = _nested([found.row for found in rows])
        self.measured = self.measured or bool(whole.row.took_ns)
        self.now = max(self.now, whole.row.entered.at - started)
        if whole.row.took_ns:
            self.now = _last(whole, self.now)
        else:
            self.now = _count(whole, self.now)
        exchange = next((found.exchange for found in rows if found.exchange), 0)
        return Block(exchange, whole)


def _nested(rows: list[Row]) -> Slice:
    """The calls of rows, each in the one around it, without those of the allocator."""
    around = [Slice(rows[0])]
    for row in rows[1:]:
        if row.kind in (Kind.RETURN, Kind.TRAP) or row.entered.function.name in ALLOCATORS:
            continue
        del around[max(1, row.depth) :]
        around[-1].inside.append(made := Slice(row))
        around.append(made)
    return around[0]


def _last(slice: Slice, start: int) -> int:
    """Have a call last as long as it took; when it ends."""
    slice.start = start
    taken = sum(each.row.took_ns for each in slice.inside)
    length = max(slice.row.took_ns, taken)
    gap = (length - taken) // (len(slice.inside) + 1)
    now = start
    for each in slice.inside:
        now = _last(each, now + gap)
    slice.end = max(start + length, now)
    return slice.end


def _count(slice: Slice, start: int) -> int:
    """Have each crossing last a moment; when the call has ended."""
    slice.start = start
    now = start
    for each in slice.inside:
        now = _count(each, now + CROSSING)
    slice.end = now + CROSSING
    return slice.end
