"""How large figures are, kept in a fixed number of places.

There are eight to a doubling, so that a quantile is right to an eighth.
"""

from __future__ import annotations

from typing import Any

_FINE = 3
"""Bits behind the first one that tell places apart."""


class Histogram:
    """Figures that are not negative."""

    __slots__ = ("places", "count", "total", "least", "most")

    def __init__(self) -> None:
        self.places: dict[int, int] = {}
        """How many figures there are by place; `floor` tells where a place begins."""
        self.count = self.total = self.least = self.most = 0

    def add(self, figure: int) -> None:
        """Note one."""
        drop = figure.bit_length() - _FINE - 1
        place = figure if drop <= 0 else (drop << _FINE) + (figure >> drop)
        places = self.places
        places[place] = places.get(place, 0) + 1
        if figure > self.most:
            self.most = figure
        if not self.count or figure < self.least:
            self.least = figure
        self.count += 1
        self.total += figure

    def merge(self, other: Histogram) -> None:
        """Note all that another one has noted."""
        if not other.count:
            return
        self.least = min(self.least, other.least) if self.count else other.least
        self.most = max(self.most, other.most)
        self.count += other.count
        self.total += other.total
        for place, count in other.places.items():
            self.places[place] = self.places.get(place, 0) + count

    @property
    def mean(self) -> int:
        """The mean, rounded down; 0 of none."""
        return self.total // self.count if self.count else 0

    def quantile(self, part: float) -> int:
        """The figure below which this part of them lies, to an eighth."""
        left = part * self.count
        for place in sorted(self.places):
            left -= self.places[place]
            if left <= 0:
                return min(max(floor(place), self.least), self.most)
        return self.most

    def json(self) -> dict[str, Any]:
        """What there is to tell."""
        return {
            "mean": self.mean,
            "least": self.least,
            "p50": self.quantile(0.5),
            "p90": self.quantile(0.9),
            "p99": self.quantile(0.99),
            "most": self.most,
        }

    def __getstate__(self) -> tuple[Any, ...]:
        return self.places, self.count, self.total, self.least, self.most

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.places, self.count, self.total, self.least, self.most = state


def floor(place: int) -> int:
    """The smallest figure that a place is for."""
    drop = (place >> _FINE) - 1
    return place if drop <= 0 else (place - (drop << _FINE)) << drop
