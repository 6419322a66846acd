"""What a comparison comes to: how many exchanges differ, and in which ways. A value of bounded size that can be merged.

Rule: an exchange counts once for each kind of difference, however often it has that.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from simwasm.comparing.lockstep import Compared

_MOST_KINDS = 200
_OTHERS = "differences of other kinds"


@dataclass(slots=True)
class Kind:
    """A kind of difference."""

    exchanges: int
    first: str
    """Where it was met first, in words."""


@dataclass(slots=True)
class Tally:
    """Counts."""

    compared: int = 0
    different: int = 0
    besides: int = 0
    """Differences outside of exchanges: at the start and at the end."""
    broken: int = 0
    """Entries of the traffic that could not be read, and so not be compared."""
    kinds: dict[str, Kind] = field(default_factory=dict)

    def add(self, compared: Compared) -> None:
        """Count a step."""
        self.compared += compared.exchange is not None
        if compared.differences.all:
            kinds = dict.fromkeys(each.kind for each in compared.differences.all)
            self.differs(compared.number, f"#{compared.number}" if compared.number else compared.where, kinds)

    def differs(self, number: int, where: str, kinds: Iterable[str]) -> None:
        """Count a step that differs; its number is 0 if it is no exchange."""
        self.different += number > 0
        self.besides += number == 0
        for kind in kinds:
            self._count(kind, 1, where)

    def _count(self, kind: str, exchanges: int, first: str) -> None:
        if kind not in self.kinds and len(self.kinds) >= _MOST_KINDS:
            kind = _OTHERS
        known = self.kinds.setdefault(kind, Kind(0, first))
        known.exchanges += exchanges

    @property
    def steps(self) -> int:
        """How many exchanges differ, and what else does."""
        return self.different + self.besides

    @property
    def same(self) -> bool:
        """Whether nothing differs, of what was compared: of nothing that cannot be said."""
        return self.compared > 0 and not self.steps

    def ordered(self) -> list[tuple[str, Kind]]:
        """The kinds, those of most exchanges first."""
        return sorted(self.kinds.items(), key=lambda item: -item[1].exchanges)

    def json(self) -> dict[str, Any]:
        """The counts as JSON."""
        kinds = [{"kind": name, "exchanges": it.exchanges, "first": it.first} for name, it in self.ordered()]
        return {
            "same": self.same,
            "compared": self.compared,
            "different": self.different,
            **({"broken": self.broken} if self.broken else {}),
            "kinds": kinds,
        }
