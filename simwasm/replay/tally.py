"""Counting by kind without growing: whatever traffic and plugins make up, there are so many kinds and no more.

Rule: what comes once all places are taken is counted under `OTHERS`, so that the sum is always right.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

MOST = 200
"""How many kinds are told apart."""


class Tally(Generic[K]):
    """How often there was what."""

    __slots__ = ("_counts", "others")

    def __init__(self) -> None:
        self._counts: dict[K, int] = {}
        self.others = 0
        """How many are of kinds that had no place any more."""

    def add(self, kind: K, times: int = 1) -> None:
        """Count one, or several."""
        counts = self._counts
        if kind in counts:
            counts[kind] += times
        elif len(counts) < MOST:
            counts[kind] = times
        else:
            self.others += times

    def merge(self, other: Tally[K]) -> None:
        """Count what another one has counted."""
        for kind, times in other._counts.items():
            self.add(kind, times)
        self.others += other.others

    def most_first(self) -> Iterator[tuple[K, int]]:
        """The kinds and how often there was each, the most frequent first; otherwise in the order of their coming."""
        return iter(sorted(self._counts.items(), key=lambda item: -item[1]))

    def __getitem__(self, kind: K) -> int:
        return self._counts.get(kind, 0)

    def __len__(self) -> int:
        """How many kinds are told apart."""
        return len(self._counts)

    @property
    def total(self) -> int:
        """How many there were of all kinds."""
        return sum(self._counts.values()) + self.others

    def __getstate__(self) -> tuple[dict[K, int], int]:
        return self._counts, self.others

    def __setstate__(self, state: tuple[dict[K, int], int]) -> None:
        self._counts, self.others = state
