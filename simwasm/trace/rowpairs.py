"""The rows of two callbacks that belong together and differ.

Their first rows are a pair, however the callback was called, and so are those where both have ended. Of the others,
what both begin and end with is put together by how it is spelled, so that only what is in between is looked at.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple

from simwasm.trace.alignment import Alignment, Difference
from simwasm.trace.matching import together
from simwasm.trace.sides import Block, Likeness


def pair_rows(found: Alignment, left: Block, right: Block) -> None:
    """Put the rows of two callbacks behind the others."""
    sides = _Side(left), _Side(right)
    ended = left.closed and right.closed
    ends = len(left.rows) - ended, len(right.rows) - ended
    _pair(found, sides[0].row(0), sides[1].row(0))
    before, behind = _ends_same(*sides, ends)
    found.same_rows(*(side.rows[1:before] for side in sides))
    middle = sides[0].some(before, ends[0] - behind), sides[1].some(before, ends[1] - behind)
    for one, other in together(*middle, (_content, _call, _name)):
        _pair(found, one, other)
    found.same_rows(*(side.rows[end - behind : end] for side, end in zip(sides, ends, strict=True)))
    if ended:
        _pair(found, sides[0].row(ends[0]), sides[1].row(ends[1]))


class _Side:
    """The rows of one of the two."""

    def __init__(self, block: Block) -> None:
        self.rows = block.rows
        self.marks = block.marks()
        self.spelled = self.marks.spelled

    def row(self, at: int) -> _Row:
        return _Row(self, at)

    def some(self, first: int, end: int) -> list[_Row]:
        return [_Row(self, at) for at in range(first, end)]


class _Row(NamedTuple):
    """A row, by its place in the callback."""

    side: _Side
    at: int

    @property
    def number(self) -> int:
        return self.side.rows[self.at]

    @property
    def likeness(self) -> Likeness:
        return self.side.marks.likeness(self.at)


def _ends_same(left: _Side, right: _Side, ends: tuple[int, int]) -> tuple[int, int]:
    """Up to which row two callbacks begin alike behind their first one, and with how many rows they end alike."""
    before, most, behind = 1, min(ends), 0
    while before < most and _same(left, before, right, before):
        before += 1
    while behind < most - before and _same(left, ends[0] - 1 - behind, right, ends[1] - 1 - behind):
        behind += 1
    return before, behind


def _same(left: _Side, one: int, right: _Side, other: int) -> bool:
    """Whether two rows are the same: most are so as they are spelled."""
    if left.spelled[one] == right.spelled[other]:
        return True
    return left.marks.likeness(one).content == right.marks.likeness(other).content


def _pair(found: Alignment, left: _Row | None, right: _Row | None) -> None:
    if left is None or right is None:
        found.alone(*(range(row.number, row.number + 1) if row else range(0) for row in (left, right)))
    elif _same(left.side, left.at, right.side, right.at):
        found.add(left.number, right.number, Difference.SAME)
    else:
        same_call = left.likeness.called == right.likeness.called
        found.add(left.number, right.number, Difference.RESULT if same_call else Difference.ARGUMENTS)


def _content(row: _Row) -> Hashable:
    return row.likeness.content


def _call(row: _Row) -> Hashable:
    return row.likeness.call


def _name(row: _Row) -> Hashable:
    return row.likeness.name
