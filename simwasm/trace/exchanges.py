"""The exchanges of a trace file as `align.py` wants them, told from numbers: few lines are ever looked at again.

Rule: what stands for an exchange or a callback are the hashes of its lines' normal texts (`digests.py`); what stands
for a row is found by `marking.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from simwasm.trace.digests import Digests
from simwasm.trace.marking import Known, LineMarks, heading_of, name_of, remember
from simwasm.trace.normal import normal
from simwasm.trace.outline import Blocks, blocks
from simwasm.trace.parts import PartRows
from simwasm.trace.survey import Otherwise, Survey

_EIGHT = 8
"""Bytes of a hash."""


class FirstRow(NamedTuple):
    """What stands for a callback's first row, and for its function."""

    heading: int
    callback: int


class FileBlock:
    """A callback of the host with all that is in it."""

    def __init__(self, side: FileSide, rows: range, lines: range, content: int, closed: bool) -> None:
        self.rows = rows
        self.content = content
        self.closed = closed
        self._side = side
        self._lines = lines

    @property
    def heading(self) -> int:
        """What stands for its first row."""
        return self._side.first_row(self._lines.start).heading

    @property
    def callback(self) -> int:
        """What stands for its function."""
        return self._side.first_row(self._lines.start).callback

    def marks(self) -> LineMarks:
        """What stands for its rows."""
        side = self._side
        return LineMarks(side.rows, self.rows, side.digests, self._lines, side.known)


class FileExchange(NamedTuple):
    """An exchange."""

    side: FileSide
    number: int
    lines: range
    content: int

    @property
    def rows(self) -> range:
        """Its rows."""
        bases = self.side.survey.bases
        return range(bases[self.number], bases[self.number + 1])

    @property
    def callbacks(self) -> int:
        """What stands for the first rows of its callbacks."""
        first_row, base = self.side.first_row, self.lines.start
        return hash(tuple([first_row(base + start).heading for start in self._blocks().starts[:-1]]))

    @property
    def opens(self) -> bool:
        """Whether a stream is created in it."""
        return self.number > 0 or self.side.survey.opens

    def inside(self) -> FileBlocks:
        """Its callbacks."""
        return FileBlocks(self, self._blocks())

    def _blocks(self) -> Blocks:
        found = blocks(bytes(self.side.digests.shape[self.lines.start : self.lines.stop]))
        if found.rows[-1] != len(self.rows):
            raise Otherwise
        return found


class FileBlocks:
    """The callbacks of an exchange."""

    def __init__(self, exchange: FileExchange, found: Blocks) -> None:
        self._exchange = exchange
        self._found = found
        lines = exchange.lines
        hashes = exchange.side.digests.hashes[lines.start : lines.stop].tobytes()
        self.contents: Sequence[int] = [
            hash(hashes[_EIGHT * begin : _EIGHT * end]) for begin, end in pairwise(found.starts)
        ]
        """What stands for each of them."""

    def rows(self, first: int, end: int, /) -> range:
        """The rows of some of them."""
        base, rows = self._exchange.rows.start, self._found.rows
        return range(base + rows[first], base + rows[end])

    def some(self, first: int, end: int, /) -> Sequence[FileBlock]:
        """Some of them."""
        side, base, starts = self._exchange.side, self._exchange.lines.start, self._found.starts
        return [
            FileBlock(
                side,
                self.rows(at, at + 1),
                range(base + starts[at], base + starts[at + 1]),
                self.contents[at],
                bool(self._found.closed[at]),
            )
            for at in range(first, end)
        ]


class FileSide:
    """One of two files."""

    def __init__(self, survey: Survey, rows: PartRows) -> None:
        self.survey = survey
        self.rows = rows
        self.digests: Digests
        self.known: Known = {}
        self._first_rows: dict[int, FirstRow] = {}

    def exchanges(self, numbers: range) -> list[FileExchange]:
        """Some of its exchanges; those that were asked for before cannot be looked into any more."""
        found = self.digests = Digests(self.survey, numbers)
        return [
            FileExchange(self, number, range(found.firsts[at], found.firsts[at + 1]), found.contents[at])
            for at, number in enumerate(numbers)
        ]

    def first_row(self, line: int) -> FirstRow:
        """The first row of a callback, by its line."""
        key = self.digests.hashes[line]
        found = self._first_rows.get(key)
        if found is None:
            text = normal(self.digests.line(line))
            found = FirstRow(hash(heading_of(text)), hash(name_of(text)))
            remember(self._first_rows, key, found)
        return found

    def rows_of(self, numbers: range) -> range:
        """The rows of some exchanges."""
        return range(self.survey.bases[numbers.start], self.survey.bases[numbers.stop])
