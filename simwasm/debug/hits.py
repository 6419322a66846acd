"""Where breakpoints are hit: an index of a tape for each of them, which grows as the tape does.

Rules: each event is looked at once; positions are in order; what is not on tape (memory that is written) is fed from
outside, in order too. The tape is no part of an index, which is kept only as long as its tape.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from threading import Lock

from simwasm.debug.conditions import TapeSubject
from simwasm.debug.tape import Tape
from simwasm.debug.where import Where


class Hits:
    """Where one place is come by on one tape."""

    def __init__(self, where: Where, *, ends: bool = False) -> None:
        self.until = 0
        """The last position that was looked at."""
        self._positions = array("q")
        self._where = where
        self._trigger = None if where.memory or where.code else where.trigger(ends=ends)
        self._lock = Lock()

    def grow(self, tape: Tape, until: int) -> None:
        """Look at the tape up to a position."""
        if self._trigger is None or until <= self.until:
            return
        with self._lock:
            first, last = self.until + 1, min(until, len(tape))
            self._positions.extend(self._trigger.positions(tape, first, last))
            self.until = max(self.until, last)

    def feed(self, tape: Tape, positions: Iterable[int], until: int) -> None:
        """Be told where it was come by, up to a position."""
        wanted, subject = self._where.condition, TapeSubject(tape)
        with self._lock:
            for position in positions:
                subject.stand(position)
                if self.until < position <= until and (wanted is None or wanted.test(subject)):
                    self._positions.append(position)
            self.until = max(self.until, until)

    def __len__(self) -> int:
        return len(self._positions)

    def __getitem__(self, index: int) -> int:
        return self._positions[index]

    def count(self, position: int) -> int:
        """How many there are up to a position, itself counted in."""
        return bisect_right(self._positions, position)

    def number(self, position: int) -> int:
        """The how-manieth is at a position, from 1; 0 if none is."""
        at = bisect_left(self._positions, position)
        return at + 1 if at < len(self._positions) and self._positions[at] == position else 0

    def positions(self, first: int = 1, last: int | None = None) -> tuple[int, ...]:
        """Those between two positions."""
        begin = bisect_left(self._positions, first)
        end = len(self._positions) if last is None else bisect_right(self._positions, last)
        return tuple(self._positions[begin:end])
