"""Where a verb leads inside of a callback: a question about its instructions and about the rows between them.

Both lie on one timeline, and what comes first is taken. As for rows alone (`steps.py`) a verb is a rule:

    step   any instruction, or the begin of any line; and any row. Not those of the plugin's allocator
    over   what is no deeper
    out    what is less deep: in the function around, also amid a line; where the callback returns, or began

A row is deeper than the instruction that calls the host, and less deep than what happens amid that call. In steps by
line, what was inlined is deeper than what it was inlined into.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import le, lt
from typing import NamedTuple

from simwasm.abi.table import ALLOCATORS
from simwasm.debug.inlines import inlines
from simwasm.debug.instant import Moment
from simwasm.debug.instants import Instants
from simwasm.debug.steps import Verb
from simwasm.debug.tape import Tape
from simwasm.debug.unit import Unit

Depth = tuple[int, int]
"""How many functions are active, and how many are inlined in the innermost."""


class Search(NamedTuple):
    """Where to look from, and for what."""

    instants: Instants
    tape: Tape
    verb: Verb
    unit: Unit
    back: bool = False
    allocator: bool = False


def find(search: Search, start: Moment) -> Moment | None:
    """Where one arrives who sets out at a moment of the callback; None if that is outside of what is kept."""
    instants, back = search.instants, search.back
    fits = _Fits(search, start)
    row = _row(search, start, fits)
    begun = instants.marks.count(start)
    known = instants.marks.has(row)
    if back:
        first, last = instants.marks.until(row) if known else 0, begun - (start.ticks > 0)
    else:
        first, last = begun, instants.marks.until(row) if known else instants.last + 1
    count = _instruction(search, max(first + 1, instants.first), min(last, instants.last), fits, start)
    if count:
        return instants.marks.moment(count)
    cut = first + 1 < instants.first if back else last > instants.last
    return Moment(row) if row and not cut else None


def depth_at(instants: Instants, tape: Tape, moment: Moment) -> int:
    """How deep a moment is; the rows of the callback itself are as deep as what is around it."""
    if moment.ticks:
        return instants.depth(instants.marks.count(moment))
    opened = tape.opening(moment.position)
    if opened == instants.callback:
        return 0
    if tape.is_callback(opened):  # it was called amid a host call
        return depth_at(instants, tape, Moment(tape.around(opened))) + 1
    return instants.depth(instants.marks.until(opened)) + 1


class _Fits:
    """Whether moments are as deep as a verb's rule wants; where it does not matter, nobody works depths out."""

    def __init__(self, search: Search, start: Moment) -> None:
        self._instants = search.instants
        self._tape = search.tape
        self._compare = _COMPARE.get(search.verb)
        self._levels = inlines(search.instants.code) if search.unit is Unit.LINE else None
        self._depth = (0, 0)
        if self._compare is not None and start.ticks:
            self._depth = self._of(search.instants.marks.count(start))
        elif self._compare is not None:
            self._depth = depth_at(self._instants, self._tape, start), 0

    def _of(self, count: int) -> Depth:
        instants = self._instants
        level = 0 if self._levels is None else self._levels[instants.offset(count)]
        return instants.depth(count), level

    def instruction(self, count: int) -> bool:
        """Whether an instruction is."""
        return self._compare is None or self._compare(self._of(count), self._depth)

    def row(self, position: int) -> bool:
        """Whether a row is."""
        if self._compare is None:
            return True
        return self._compare((depth_at(self._instants, self._tape, Moment(position)), 0), self._depth)


_COMPARE: dict[Verb, Callable[[Depth, Depth], bool]] = {Verb.OVER: le, Verb.OUT: lt}


def _row(search: Search, start: Moment, fits: _Fits) -> int:
    """The next row that fits; 0 for none."""
    instants, tape, rows = search.instants, search.tape, search.tape.rows
    opened = instants.callback
    ended = tape.end_of(opened) or len(tape)
    if search.back:
        indices = range(rows.at(start.position - (not start.ticks)), rows.at(opened) - 1, -1)
    else:
        indices = range(rows.at(start.position) + 1, rows.at(ended) + 1)
    hidden = search.verb is Verb.STEP and not search.allocator
    for index in indices:
        position = rows.position(index)
        if hidden and tape.entered(position).function.name in ALLOCATORS:
            continue
        if not instants.marks.has(position) or fits.row(position):
            return position
    return 0


def _starts(search: Search) -> bytearray | None:
    """Where one may arrive; None for anywhere."""
    lines = search.unit is Unit.LINE and search.verb is not Verb.OUT
    return search.instants.starts if lines else None


def _instruction(search: Search, first: int, last: int, fits: _Fits, start: Moment) -> int:
    """The next instruction that fits, of those from one to another; 0 for none."""
    instants = search.instants
    starts = _starts(search)
    within = instants.nested(instants.marks.count(start)) if start.ticks else None
    skips = search.verb is Verb.STEP and not search.allocator and within is None
    counts = iter(range(last, first - 1, -1) if search.back else range(first, last + 1))
    count = next(counts, 0)
    while count:
        if skips and (amid := instants.nested(count)) is not None:
            edge = amid[0] - 1 if search.back else amid[1] + 1
            counts = iter(range(edge, first - 1, -1) if search.back else range(edge, last + 1))
        elif (starts is None or starts[count - instants.first]) and fits.instruction(count):
            return count
        count = next(counts, 0)
    return 0
