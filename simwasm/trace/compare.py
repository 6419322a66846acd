"""Two trace files side by side, of any size: the same as `align` on their rows, of which hardly any is read.

    comparison = compare(open_trace("before.trace.jsonl"), open_trace("after.trace.jsonl"))
    print(first_difference(comparison.alignment))

What both files begin and end with, byte for byte, is not looked at. Of the rest each exchange is hashed, and only those
that have no partner are taken apart. A file in another spelling than the writer's is written anew first, for as long as
it is compared.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import suppress
from os import close, unlink
from pathlib import Path
from tempfile import mkstemp
from typing import NamedTuple

from simwasm.errors import TraceError
from simwasm.trace.align import aligned
from simwasm.trace.alignment import Alignment
from simwasm.trace.endings import ending_changes
from simwasm.trace.exchanges import FileSide
from simwasm.trace.file import TraceFile
from simwasm.trace.linefile import LineFile
from simwasm.trace.matching import together
from simwasm.trace.normal import normal_outcome
from simwasm.trace.parse import Ending, header_json
from simwasm.trace.parts import PartRows
from simwasm.trace.store import Recorder
from simwasm.trace.survey import Otherwise, Survey

_BLOCK = 1 << 20
_USUAL = re.compile(rb'\{"outcome": \{"exchange": "[^"\\]*", "name": "')
_TRIES = 32
"""So many exchanges are tried, one by one, behind those that are the same byte for byte."""


class Outcomes(NamedTuple):
    """What became of two exchanges, by their places among the outcomes; None where one is alone."""

    left: int | None
    right: int | None
    same: bool


class Comparison(NamedTuple):
    """Two trace files, compared."""

    left: TraceFile
    right: TraceFile
    rows: tuple[PartRows, PartRows]
    alignment: Alignment
    outcomes: tuple[Outcomes, ...]

    @property
    def same(self) -> bool:
        """Whether the runs do not differ."""
        return self.alignment.same and all(pair.same for pair in self.outcomes)

    def exchange(self, row: int) -> str:
        """Which exchange a row on the right belongs to, in words."""
        return self.rows[1].exchange(row)

    def endings(self, pair: Outcomes) -> tuple[Ending | None, Ending | None]:
        """What became of two exchanges."""
        left = None if pair.left is None else self.rows[0].outcome(pair.left)
        right = None if pair.right is None else self.rows[1].outcome(pair.right)
        return left, right

    def close(self) -> None:
        """Let go of the files."""
        for side in (self.left, self.right):
            side.close()


def compare(left: str | Path, right: str | Path) -> Comparison:
    """Put the runs of two trace files side by side."""
    sides = Side(left), Side(right)
    try:
        return _compared(*sides)
    except Otherwise:
        for side in sides:
            side.spell()
    try:
        return _compared(*sides)
    except Otherwise:
        raise _odd(f"{left} and {right}") from None


def _odd(where: object) -> TraceError:
    return TraceError(
        f"{where}: there are lines that simwasm does not write, such as an outcome with a `result`; record it again"
    )


class Side:
    """One of the two files."""

    def __init__(self, path: str | Path) -> None:
        self.trace = TraceFile(LineFile(path))
        self._first = self._file = LineFile(path)
        self.survey: Survey
        self.rows: PartRows
        with suppress(Otherwise):
            self._look()
            return
        self.spell()

    def _look(self) -> None:
        self.survey = Survey(self._file, len(self._file.first()))
        self.rows = PartRows(self.survey)

    def spell(self) -> None:
        """Write the file as a recorder would have written it, and look at that instead."""
        number, path = mkstemp(prefix="simwasm-", suffix=".jsonl")
        close(number)
        try:
            with open(path, "w", encoding="utf-8") as file:
                _write_anew(self.trace, file.write)
            self._file = LineFile(path)
        finally:
            unlink(path)
        try:
            self._look()
        except Otherwise:
            raise _odd(self.trace.path) from None

    def is_usual(self, place: int) -> bool:
        """Whether an outcome is spelled as a recorder does it."""
        return _USUAL.match(self._file.line(self.survey.outcomes[place])) is not None

    def digest(self, place: int) -> int:
        """What stands for an outcome."""
        return hash(normal_outcome(self._file.line(self.survey.outcomes[place])))


def _write_anew(trace: TraceFile, write: Callable[[str], object]) -> None:
    recorder = Recorder(write, header_json(trace.header))
    for event in trace.events():
        if isinstance(event, Ending):
            recorder.outcome(event.content)
        else:
            recorder(event)
    recorder.flush()


def _compared(left: Side, right: Side) -> Comparison:
    sides = FileSide(left.survey, left.rows), FileSide(right.survey, right.rows)
    equal = _first_same(left.survey, right.survey)
    before, behind = _common(*sides, equal)
    found = Alignment(left.rows, right.rows)
    middle = [range(before, len(side.survey) - behind) for side in sides]
    found.same_rows(*(side.rows_of(range(before)) for side in sides))
    aligned(found, *(side.exchanges(numbers) for side, numbers in zip(sides, middle, strict=True)))
    found.same_rows(
        *(
            side.rows_of(range(numbers.stop, len(side.survey)))
            for side, numbers in zip(sides, middle, strict=True)
        )
    )
    found.add_exchanges(behind + before - (before > 0 and not left.survey.opens))
    return Comparison(
        left.trace, right.trace, (left.rows, right.rows), found, tuple(_outcomes(left, right, equal))
    )


def _common(left: FileSide, right: FileSide, before: int) -> tuple[int, int]:
    """How many exchanges the two begin and end with that are the same; the first so many are so to the byte."""
    most = _most(left.survey, right.survey)
    for _ in range(_TRIES):
        if before == most or not _alike(left, right, before):
            return before, _last_same(left.survey, right.survey, most - before)
        before += 1
    return before, 0


def _alike(left: FileSide, right: FileSide, number: int) -> bool:
    """Whether two exchanges differ at most in what makes no difference."""
    one, other = (side.exchanges(range(number, number + 1))[0] for side in (left, right))
    return one.content == other.content and len(one.rows) == len(other.rows)


def _most(left: Survey, right: Survey) -> int:
    return min(len(left), len(right)) - (left.open or right.open)


def _first_same(left: Survey, right: Survey) -> int:
    """How many exchanges the two begin with that are the same, byte for byte."""
    length, most, found = _same_bytes(left, right), _most(left, right), 0
    start, other = left.begins[0], right.begins[0]
    while found < most and left.begins[found + 1] - start == right.begins[found + 1] - other <= length:
        found += 1
    return found


def _last_same(left: Survey, right: Survey, most: int) -> int:
    """How many exchanges the two end with that are the same, byte for byte."""
    if left.open or right.open:
        return 0
    length, found = _same_bytes_behind(left, right), 0
    while (
        found < most and left.end - left.begins[-2 - found] == right.end - right.begins[-2 - found] <= length
    ):
        found += 1
    return found


def _same_bytes(left: Survey, right: Survey) -> int:
    """How many bytes behind the first lines are the same."""
    at, starts, size = 0, (left.begins[0], right.begins[0]), min(_size(left), _size(right))
    while at < size:
        count = min(_BLOCK, size - at)
        one, other = (
            side.file.read(start + at, count) for side, start in zip((left, right), starts, strict=True)
        )
        if one != other:
            return at + next(index for index in range(count) if one[index] != other[index])
        at += count
    return at


def _same_bytes_behind(left: Survey, right: Survey) -> int:
    """How many bytes before the ends are the same: at least so many, in whole blocks."""
    found, size = 0, min(_size(left), _size(right))
    count = _BLOCK
    while found < size and count:
        count = min(count, size - found)
        one, other = (side.file.read(side.end - found - count, count) for side in (left, right))
        if one == other:
            found += count
        else:
            count //= 4
    return found


def _size(survey: Survey) -> int:
    return survey.end - survey.begins[0]


def _outcomes(left: Side, right: Side, before: int) -> Iterator[Outcomes]:
    """What became of exchanges, put together in their order; so many exchanges are the same, byte for byte."""
    surveys = left.survey, right.survey
    start = min(bisect_left(survey.outcomes, survey.begins[before]) for survey in surveys)
    yield from (Outcomes(place, place, True) for place in range(start))
    one_side, other_side = (
        [(side.digest(place), place) for place in range(start, len(side.survey.outcomes))]
        for side in (left, right)
    )
    for one, other in together(one_side, other_side, (_digest, _any)):
        same = (
            one is not None
            and other is not None
            and (one[0] == other[0] or _mean_the_same(left, right, one[1], other[1]))
        )
        yield Outcomes(one and one[1], other and other[1], same)


def _mean_the_same(left: Side, right: Side, one: int, other: int) -> bool:
    """Whether two outcomes differ in their spelling alone, which costs a look if one is not as a recorder writes it."""
    if left.is_usual(one) and right.is_usual(other):
        return False
    return not any(ending_changes(left.rows.outcome(one), right.rows.outcome(other)))


def _digest(outcome: tuple[int, int]) -> int:
    return outcome[0]


def _any(outcome: object) -> int:
    return 0
