"""What a benchmark finds: two sides, measured in turns, and what was promised.

Rule: machines differ and are busy with other things, so a figure never stands alone. Each round measures both sides;
the best round of each side counts, being the one that was disturbed least; how far the others lie from it is printed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median

Measure = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Unit:
    """What is counted, and whether more of it is better."""

    name: str
    digits: int = 0
    more_is_better: bool = False

    def best(self, rounds: Iterable[float]) -> float:
        return max(rounds) if self.more_is_better else min(rounds)

    def text(self, rounds: tuple[float, ...]) -> str:
        """The best round, and how far the middle one is from it."""
        if not rounds:
            return ""
        best = self.best(rounds)
        spread = f" ±{abs(median(rounds) - best) / best:.0%}" if best else ""
        return f"{best:,.{self.digits}f} {self.name}{spread}"


MICROSECONDS = Unit("us", 2)
MILLISECONDS = Unit("ms", 1)
MEGABYTES = Unit("MB", 1)
PERCENT = Unit("%", 1)
REQUESTS = Unit("req/s", more_is_better=True)


@dataclass(frozen=True, slots=True)
class Target:
    """What was promised: of the ratio, or of our own figure if it has a unit."""

    bound: float
    unit: Unit | None = None

    def met(self, row: Row) -> bool:
        if self.unit is not None:
            return self.unit.best(row.ours) <= self.bound
        return row.ratio >= self.bound if row.unit.more_is_better else row.ratio <= self.bound

    def text(self, row: Row) -> str:
        sign = ">=" if row.unit.more_is_better else "<="
        return f"{sign} {self.bound:g} {self.unit.name if self.unit else 'x'}"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    name: str
    what: str
    unit: Unit
    ours: tuple[float, ...]
    peer: tuple[float, ...] = ()
    """Empty where nothing else does the same."""
    target: Target | None = None

    @property
    def ratio(self) -> float:
        """Ours to the peer's; 0 without one."""
        if not self.peer:
            return 0.0
        return self.unit.best(self.ours) / self.unit.best(self.peer)

    @property
    def verdict(self) -> str:
        """Whether the promise is kept."""
        return "" if self.target is None else "ok" if self.target.met(self) else "MISSED"


def in_turns(rounds: int, *sides: Measure) -> list[tuple[float, ...]]:
    """Measure every side once a round: what disturbs the machine for a while disturbs them all."""
    found = [[side() for side in sides] for _ in range(rounds)]
    return [tuple(side) for side in zip(*found, strict=True)]
