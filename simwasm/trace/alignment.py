"""Two runs side by side: pairs of rows, and what there is to say of each.

A pair is nine bytes in three arrays and a value when somebody asks for it, so that a million of them cost little.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import NamedTuple, overload

from simwasm.trace.rows import Row, Rows


class Difference(Enum):
    """How two rows differ; the value is its mark."""

    SAME = " "
    RESULT = "≠"
    ARGUMENTS = "~"
    ONLY_LEFT = "-"
    ONLY_RIGHT = "+"


class Pair(NamedTuple):
    """Two rows that belong together, or one that has no partner."""

    left: int | None
    right: int | None
    difference: Difference


_ORDER = tuple(Difference)
_NUMBERS = {difference: number for number, difference in enumerate(Difference)}


class Tally(NamedTuple):
    """How many exchanges are the same, differ, and are in one of the runs alone."""

    same: int
    different: int
    only_left: int
    only_right: int


class Alignment(Sequence[Pair]):
    """The pairs, in an order in which both runs can be read; nine bytes for each."""

    def __init__(self, left: Rows, right: Rows) -> None:
        self.left = left
        self.right = right
        self._lefts = array("i")
        self._rights = array("i")
        self._differences = array("b")
        self._tally = [0, 0, 0, 0]

    def add(self, left: int, right: int, difference: Difference) -> None:
        """Put a pair of rows behind the others."""
        self._lefts.append(left)
        self._rights.append(right)
        self._differences.append(_NUMBERS[difference])

    def alone(self, left: range, right: range) -> None:
        """Put rows without a partner behind the others, those of the left first."""
        for rows, ours, others, difference in (
            (left, self._lefts, self._rights, Difference.ONLY_LEFT),
            (right, self._rights, self._lefts, Difference.ONLY_RIGHT),
        ):
            ours.extend(rows)
            others.extend([-1] * len(rows))
            self._differences.extend([_NUMBERS[difference]] * len(rows))

    def same_rows(self, left: range, right: range) -> None:
        """Put pairs of equal rows behind the others."""
        if not left:
            return
        self._lefts.extend(left)
        self._rights.extend(right)
        self._differences.frombytes(bytes(len(left)))

    def again(self, pairs: range, left: int, right: int) -> None:
        """Put some pairs behind the others once more, with rows that are so far away from theirs."""
        for rows, shift in ((self._lefts, left), (self._rights, right)):
            rows.extend([row + shift if row >= 0 else row for row in rows[pairs.start : pairs.stop]])
        self._differences.extend(self._differences[pairs.start : pairs.stop])

    def add_exchanges(self, number: int, *, left: bool = True, right: bool = True, since: int = -1) -> None:
        """Count exchanges, which have been put behind the others; they may differ from a pair on."""
        if left and right:
            self._tally[since >= 0 and any(self._differences[since:])] += number
        else:
            self._tally[2 if left else 3] += number

    @property
    def exchanges(self) -> Tally:
        """What there is to say of exchanges as a whole."""
        return Tally(*self._tally)

    def __len__(self) -> int:
        return len(self._differences)

    @overload
    def __getitem__(self, index: int) -> Pair: ...
    @overload
    def __getitem__(self, index: slice) -> list[Pair]: ...
    def __getitem__(self, index: int | slice) -> Pair | list[Pair]:
        if isinstance(index, slice):
            return [self[at] for at in range(len(self))[index]]
        left, right = self._lefts[index], self._rights[index]
        difference = _ORDER[self._differences[index]]
        return Pair(None if left < 0 else left, None if right < 0 else right, difference)

    @property
    def same(self) -> bool:
        """Whether the two runs do not differ."""
        return not any(self._differences)

    def kinds(self) -> Counter[Difference]:
        """How many pairs there are of each kind."""
        numbers = self._differences.tobytes()
        return Counter({difference: numbers.count(number) for difference, number in _NUMBERS.items()})

    def changes(self) -> Iterator[int]:
        """Where the pairs are that differ."""
        return (at for at, difference in enumerate(self._differences) if difference)

    def rows(self, pair: Pair) -> tuple[Row | None, Row | None]:
        """The rows of a pair."""
        left = None if pair.left is None else self.left[pair.left]
        right = None if pair.right is None else self.right[pair.right]
        return left, right
