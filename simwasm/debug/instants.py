"""The instruction tape of a callback: every instruction that it ran, in order, and where among them events were told.

An instruction has a number, its count from the callback's entry, from 1. What is kept of it is its offset; depths and
lines are worked out when somebody asks. Rules: of a callback that runs very many instructions those around a moment are
kept (`window.py`); what was told once stays true.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import cached_property

from simwasm.debug.code import Code
from simwasm.debug.depths import Call, depths
from simwasm.debug.instant import Instant, Moment
from simwasm.debug.line_starts import line_starts

MOST = 8_000_000
"""How many instructions are kept of one callback: 32 MB, and about a second to run them."""


class Marks:
    """Where among the instructions of a callback events were told; positions follow each other."""

    def __init__(self, first: int) -> None:
        self.first = first
        """The position of the callback."""
        self.counts = array("Q")
        """How many instructions had been run when each event was told."""

    def add(self, position: int, count: int) -> None:
        """An event is told. The same one again changes nothing."""
        if position == self.first + len(self.counts):
            self.counts.append(count)

    @property
    def last(self) -> int:
        """The position of the event that was told last."""
        return self.first + len(self.counts) - 1

    def has(self, position: int) -> bool:
        """Whether an event was told."""
        return 0 <= position - self.first < len(self.counts)

    def until(self, position: int) -> int:
        """How many instructions come before an event."""
        return self.counts[position - self.first]

    def moment(self, count: int) -> Moment:
        """Where an instruction is on the timeline."""
        index = bisect_left(self.counts, count) - 1
        return Moment(self.first + index, count - self.counts[index])

    def count(self, moment: Moment) -> int:
        """How many instructions have begun at a moment, its own counted in; 0 before the first."""
        return self.until(moment.position) + moment.ticks


class Instants:
    """What a callback ran."""

    def __init__(
        self,
        code: Code,
        vm: str,
        marks: Marks,
        offsets: array[int],
        *,
        nested: Sequence[tuple[int, int]] = (),
        skipped: int = 0,
        around: Sequence[Call] = (),
        complete: bool = True,
        differs: str = "",
    ) -> None:
        self.code = code
        self.vm = vm
        self.marks = marks
        self.callback = marks.first
        """The position where the callback begins."""
        self.offsets = offsets
        self.skipped = skipped
        """How many instructions come before the first that is kept."""
        self.complete = complete
        """Whether the last instruction of the callback is kept."""
        self.differs = differs
        """How the callback ended otherwise on this engine than where it was recorded; empty if it did not."""
        self._nested = [
            (max(begin - skipped, 0), end - skipped) for begin, end in nested if end > max(begin, skipped)
        ]
        """Callbacks amid host calls, by places among `offsets`: from the first instruction to behind the last."""
        self._around = around

    @property
    def first(self) -> int:
        """The number of the first instruction that is kept."""
        return self.skipped + 1

    @property
    def last(self) -> int:
        """The number of the last one."""
        return self.skipped + len(self.offsets)

    @property
    def total(self) -> int:
        """How many instructions the callback has; 0 if that is not known."""
        return self.last if self.complete else 0

    @property
    def whole(self) -> bool:
        """Whether all instructions of the callback are kept."""
        return self.complete and not self.skipped

    def covers(self, moment: Moment) -> bool:
        """Whether what comes before a moment is kept, and what comes behind it."""
        if self.whole:
            return True
        return self.marks.has(moment.position) and self.first < self.marks.count(moment) < self.last

    def has(self, count: int) -> bool:
        """Whether an instruction is kept."""
        return self.first <= count <= self.last

    def offset(self, count: int) -> int:
        """Which instruction it is."""
        return self.offsets[count - self.first]

    @cached_property
    def depths(self) -> array[int]:
        """How deep each instruction that is kept is: see `depths.py`."""
        return depths(self.code, self.offsets, self._nested, self._around)

    def depth(self, count: int) -> int:
        """How deep an instruction is; 0 outside of what is kept."""
        return self.depths[count - self.first] if self.has(count) else 0

    @cached_property
    def starts(self) -> bytearray:
        """For each instruction that is kept, whether a line of source begins with it: see `line_starts.py`."""
        return line_starts(self.code, self.offsets, self.depths)

    @cached_property
    def _begins(self) -> list[int]:
        return [begin for begin, _ in self._nested]

    def nested(self, count: int) -> tuple[int, int] | None:
        """The callback amid a host call that an instruction is in: its first instruction and its last."""
        place = count - self.first
        index = bisect_right(self._begins, place) - 1
        if index < 0 or place >= self._nested[index][1]:
            return None
        begin, end = self._nested[index]
        return begin + self.first, end + self.skipped

    def instant(self, count: int) -> Instant:
        """What is known of one of them."""
        return instant_at(self.code, self.vm, self.offset(count), self.marks.moment(count), count, self.total)


def instant_at(
    code: Code, vm: str, offset: int, moment: Moment, count: int, total: int = 0, depth: int = 0
) -> Instant:
    """What is known of an instruction."""
    function = code.function_at(offset)
    name, text, place = code.name(function), code.text(offset), code.place(offset)
    return Instant(moment.ticks, count, total, function, name, offset, text, place, depth, vm)
