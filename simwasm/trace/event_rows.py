"""The rows of events in memory: what a test or a comparison has, without a debugger's tape or a file.

Rules: nothing is looked at before the first row is asked for, and then every event once; a position is an event's
`seq`, whatever the list begins with, so rows of a part of a run tell where they are in all of it.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from simwasm.abi.table import Side
from simwasm.exchange import Exchange
from simwasm.trace.event import Entered, Event, Left
from simwasm.trace.rows import Kind, Row

_PLUGIN = Side.PLUGIN


class EventRows:
    """The rows of a list of events, in which every call that ends has begun."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.events: Sequence[Any] = events
        self._stands = array("I")
        """At which events the rows are."""
        self._others = array("i")
        """Where the call of an event ends, or where it began; -1 while it is open."""
        self._parents = array("i")
        """Where the call around it began; -1 for none."""
        self._depths = array("H")
        self._looked = False

    def _look(self) -> None:
        """Find where calls begin and end."""
        self._looked = True
        around: list[int] = []
        others, parents = self._others, self._parents
        for at, event in enumerate(self.events):
            if isinstance(event, Entered):
                self._stands.append(at)
                others.append(-1)
                parents.append(around[-1] if around else -1)
                self._depths.append(len(around))
                around.append(at)
                continue
            opened = around.pop()
            others[opened] = at
            others.append(opened)
            parents.append(parents[opened])
            self._depths.append(len(around))
            if not isinstance(event, Left) or self.events[opened].function.side is _PLUGIN:
                self._stands.append(at)

    def __len__(self) -> int:
        if not self._looked:
            self._look()
        return len(self._stands)

    def __getitem__(self, index: int) -> Row:
        at = self._stands[range(len(self))[index]]
        event, other = self.events[at], self._others[at]
        if isinstance(event, Entered):
            kind = Kind.CALLBACK if event.function.side is _PLUGIN else Kind.HOST_CALL
            ended = self.events[other] if other >= 0 else None
            return Row(index % len(self), event.seq, kind, self._depths[at], event, ended, 0)
        kind = Kind.RETURN if isinstance(event, Left) else Kind.TRAP
        return Row(index % len(self), event.seq, kind, self._depths[at], self.events[other], event, 0)

    def __iter__(self) -> Iterator[Row]:
        return (self[index] for index in range(len(self)))

    def outermost(self, row: Row) -> Entered:
        """The call that was made first of those that are open around a row's, or that call."""
        at = self._event(row.entered.seq)
        while self._parents[at] >= 0:
            at = self._parents[at]
        found: Entered = self.events[at]
        return found

    def at(self, position: int) -> int:
        """The row that stands at a position, or is the first one behind it."""
        size = len(self)
        return bisect_left(range(size), position, key=lambda row: self.events[self._stands[row]].seq)

    def _event(self, position: int) -> int:
        return bisect_left(self.events, position, key=lambda event: event.seq)


class AroundEvents:
    """What is around the calls of events, as filters ask."""

    def __init__(
        self, rows: EventRows, exchanges: Mapping[tuple[str, int], tuple[int, Exchange]] | None = None
    ) -> None:
        self._rows = rows
        self._exchanges = exchanges or {}
        """Which exchange the context of a plugin is of, and its number."""

    def exchange(self, entered: Entered, position: int, /) -> tuple[int, Exchange] | None:
        """The exchange it belongs to, and its number, from 1."""
        return self._exchanges.get((entered.vm, entered.context))

    def callback(self, position: int, /) -> str:
        """The name of the host's callback that it is in, or is; empty for none."""
        outermost = self._rows.outermost(self._rows[self._rows.at(position)])
        return outermost.function.name if outermost.function.side is _PLUGIN else ""
