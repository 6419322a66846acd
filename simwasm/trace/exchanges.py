"""The exchanges of a trace file as `align.py` wants them, told from their text: of most, no line is ever looked at.

Rule: what stands for an exchange, a callback or a row is the hash of its normal text (`normal.py`), or of the parts of
it that count (`spelling.py`).
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Sequence
from functools import cached_property
from hashlib import blake2b
from typing import NamedTuple

from simwasm.trace.align import Marks
from simwasm.trace.marking import Marking, name_of
from simwasm.trace.normal import normal
from simwasm.trace.parts import PartRows
from simwasm.trace.survey import BEGINS, Otherwise, Survey, chunks

_BETWEEN = b"\0\n"
"""What no line of a trace holds."""
_HEADINGS = re.compile(
    rb'"call": "((?!proxy_on_memory)(?:proxy_on_|envoy_on_|proxy_validate_|_initialize|_start|main|__main)[a-z_]*)"'
    rb'(?:, "args": \{"context_id": \d+(?:, "(?:parent_context|call)_id": \d+)?([^}]*)\})?'
)
"""Callbacks with what counts of their arguments, which are numbers all."""
_LARGE = 1 << 20
"""A longer exchange is read in pieces."""


class FileBlock:
    """A callback of the host with all that is in it."""

    def __init__(
        self, side: FileSide, rows: range, place: tuple[int, int], spelled: int, closed: bool
    ) -> None:
        self.rows = rows
        self.spelled = spelled
        """What stands for it as it is spelled: less than enough to tell that two differ."""
        self.closed = closed
        self._side = side
        self._place = place
        """Where its lines begin and end."""

    @cached_property
    def _keys(self) -> tuple[int, int, int]:
        """Of all of it, of its first row, and of its function: found at once, since finding its text costs most."""
        text = self._text()
        line = text.partition(b"\n")[0]
        heading = line.partition(b', "result": ')[0].removesuffix(b"}")
        return hash(text), hash(heading), hash(name_of(line))

    @property
    def content(self) -> int:
        """What stands for all of it."""
        return self._keys[0]

    @property
    def heading(self) -> int:
        """What stands for its first row."""
        return self._keys[1]

    @property
    def callback(self) -> int:
        """What stands for its function."""
        return self._keys[2]

    def marks(self) -> Marks:
        """What stands for its rows."""
        marks = Marking(self._side.rows, self.rows.start, self._text().split(b"\n")[:-1]).marks
        if len(marks.contents) != len(self.rows):
            raise Otherwise
        return marks

    def _text(self) -> bytes:
        begin, end = self._place
        return normal(self._side.survey.file.read(begin, end - begin))


class FileExchange(NamedTuple):
    """An exchange."""

    side: FileSide
    number: int

    @property
    def rows(self) -> range:
        """Its rows."""
        bases = self.side.survey.bases
        return range(bases[self.number], bases[self.number + 1])

    @property
    def content(self) -> int:
        """What stands for all of it."""
        return self.side.digest(self.number)

    @property
    def callbacks(self) -> int:
        """What stands for the first rows of its callbacks."""
        found: list[object] = []
        for _, text in self.side.texts(self.number):
            found += _HEADINGS.findall(text)
        return hash(tuple(found))

    @property
    def opens(self) -> bool:
        """Whether a stream is created in it."""
        return self.number > 0 or self.side.survey.opens

    def inside(self) -> Sequence[FileBlock]:
        """Its callbacks."""
        return list(_blocks(self.side, self.number))


class FileSide:
    """One of two files."""

    def __init__(self, survey: Survey, rows: PartRows) -> None:
        self.survey = survey
        self.rows = rows
        self._digests = array("q")
        self._from = 0

    def exchanges(self, numbers: range) -> list[FileExchange]:
        """Some of its exchanges."""
        self._digests, self._from = self._digested(numbers), numbers.start
        return [FileExchange(self, number) for number in numbers]

    def rows_of(self, numbers: range) -> range:
        """The rows of some exchanges."""
        return range(self.survey.bases[numbers.start], self.survey.bases[numbers.stop])

    def digest(self, number: int) -> int:
        """What stands for an exchange."""
        return self._digests[number - self._from]

    def texts(self, number: int) -> Iterator[tuple[int, bytes]]:
        """The lines of an exchange, in pieces with the places where they begin."""
        file, begin, end = self.survey.file, *self.survey.begins[number : number + 2]
        if end - begin > _LARGE:
            yield from chunks(file, begin, end)
        else:
            yield begin, file.read(begin, end - begin)

    def _digested(self, numbers: range) -> array[int]:
        begins, found, hashed = self.survey.begins, array("q"), blake2b(digest_size=8)
        if not numbers:
            return found
        at = numbers.start + 1
        for offset, lines in chunks(self.survey.file, begins[numbers.start], begins[numbers.stop]):
            cuts = [0]
            while begins[at] < offset + len(lines):
                cuts.append(begins[at] - offset)
                at += 1
            pieces = [lines[a:b] for a, b in zip(cuts, [*cuts[1:], len(lines)], strict=True)]
            first, *others = normal(_BETWEEN.join(pieces)).split(_BETWEEN)
            hashed.update(first)
            for text in others:
                found.frombytes(hashed.digest())
                hashed = blake2b(text, digest_size=8)
        found.frombytes(hashed.digest())
        return found


def _blocks(side: FileSide, number: int) -> Iterator[FileBlock]:
    """The callbacks of an exchange."""
    row, end_row = side.survey.bases[number : number + 2]
    lines: list[bytes] = []
    opened: list[bool] = []
    first_row, begin, closed = row, side.survey.begins[number], False
    for offset, text in side.texts(number):
        at = offset
        for line in text.split(b"\n")[:-1]:
            kind = line[2:4]
            if kind in BEGINS:
                if not opened and lines:
                    yield FileBlock(side, range(first_row, row), (begin, at), hash(tuple(lines)), closed)
                    first_row, begin, closed, lines = row, at, False, []
                opened.append(kind == b"at")
                row += 1
            if kind != b"ou":
                lines.append(line)
                if b'"result": ' in line or b'"trap": ' in line:
                    if not opened:
                        raise Otherwise
                    if opened.pop() or b'"trap": ' in line:
                        row += 1
                        closed = not opened
            at += len(line) + 1
    if lines:
        end = side.survey.begins[number + 1]
        yield FileBlock(side, range(first_row, row), (begin, end), hash(tuple(lines)), closed)
    if row != end_row:
        raise Otherwise
