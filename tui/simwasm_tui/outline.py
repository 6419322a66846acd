"""Which rows of a tape one sees, in an order that grows with the tape.

Left out: the plugin's allocator, which is called for every value the host returns; what is inside folded callbacks;
what the filter does not want. Rules: rows are taken in portions, so that a long tape never holds up the screen;
folding cuts a piece out of the order and puts it back, so that it costs nothing in a trace of a million rows.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator

from simwasm.abi.table import ALLOCATORS
from simwasm.debug.tape import Tape
from simwasm.trace.event import Entered
from simwasm.trace.rows import Kind

Among = Callable[[int, int], Iterable[int]]
"""The positions of the rows that a filter wants, between two positions."""
PORTION = 20_000
FILTERED = 8_000
"""Rows taken at once, and rows that are asked a question: about 10 ms."""


class Outline:
    """The rows one sees."""

    def __init__(self, tape: Tape, among: Among | None = None, *, allocator: bool = False) -> None:
        self.tape = tape
        self.among = among
        self.allocator = allocator
        self.folded: set[int] = set()
        """The rows of callbacks whose inside is not shown."""
        self._shown = array("q")
        self._taken = 0

    def __len__(self) -> int:
        return len(self._shown)

    def __getitem__(self, index: int) -> int:
        """The row that is the index-th one sees."""
        return self._shown[index]

    def grow(self, until: int, portion: int = 0) -> bool:
        """Take in the next rows of the tape; whether there are more of them."""
        end = min(until, self._taken + (portion or (PORTION if self.among is None else FILTERED)))
        if self._taken < end:
            self._shown.extend(self._rows(self._taken, end))
            self._taken = end
        return self._taken < until

    def has(self, row: int) -> bool:
        """Whether a row was taken in, seen or not."""
        return row < self._taken

    def _rows(self, first: int, end: int) -> Iterator[int]:
        """Those of a stretch of rows that one sees; no row is made to find out."""
        rows, events = self.tape.rows, self.tape.events
        stands = rows.position
        if self.among is not None:
            wanted: Iterable[int] = map(rows.at, self.among(stands(first), stands(end - 1)))
        else:
            wanted = range(first, end)
        if self.allocator:
            yield from wanted
            return
        for index in wanted:
            event = events[stands(index) - 1]
            entered = event if event.__class__ is Entered else events[event.opened - 1]  # type: ignore[union-attr]
            if entered.function.name not in ALLOCATORS:  # type: ignore[union-attr]  # what begins a call is `Entered`
                yield index

    def place(self, row: int) -> int:
        """Where a row is, or the one before it that one sees; -1 if there is none."""
        return bisect_right(self._shown, row) - 1

    def shows(self, row: int) -> bool:
        """Whether one sees a row."""
        place = self.place(row)
        return place >= 0 and self._shown[place] == row

    # Folding.

    def callback_of(self, row: int) -> int:
        """The row of the callback that a row begins, ends, or is directly in; -1 for none."""
        tape = self.tape
        found = tape.rows[row]
        if found.kind is Kind.CALLBACK:
            return row
        if found.kind is not Kind.HOST_CALL and found.depth % 2 == 0:
            return tape.rows.at(found.entered.seq)
        around = tape.around(found.position)
        return tape.rows.at(around) if around else -1

    def end_of(self, callback: int) -> int:
        """The row on which a callback returns; the last row there is while it has not."""
        tape = self.tape
        end = tape.end_of(tape.rows.position(callback))
        return tape.rows.at(end) if end else len(tape.rows) - 1

    def fold(self, callback: int) -> None:
        """Hide what is inside a callback, its return included."""
        if callback in self.folded or not self.tape.end_of(self.tape.rows.position(callback)):
            return
        self.folded.add(callback)
        first = bisect_right(self._shown, callback)
        del self._shown[first : bisect_right(self._shown, self.end_of(callback))]

    def unfold(self, callback: int) -> None:
        """Show again what is inside a callback."""
        if callback not in self.folded:
            return
        self.folded.discard(callback)
        inside = Outline(self.tape, self.among, allocator=self.allocator)
        inside._taken, end = callback + 1, self.end_of(callback) + 1
        inside.grow(end, end)
        first = bisect_left(self._shown, callback + 1)
        self._shown[first:first] = inside._shown
        for other in [row for row in self.folded if callback < row < end]:
            self.folded.discard(other)

    def calls_in(self, callback: int) -> int:
        """How many host calls are made inside a callback."""
        rows = self.tape.rows
        inside = range(callback + 1, min(self.end_of(callback) + 1, callback + PORTION))
        return sum(rows[index].kind is Kind.HOST_CALL for index in inside)
