"""Two sides that go through the same traffic together, exchange by exchange.

Rules: both begin an exchange at the same instant, when the slower one is ready, so that time that one of them took does
not move what the other sees; only the exchange that is compared is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from simwasm.comparing.aspects import Aspect
from simwasm.comparing.difference import Difference
from simwasm.comparing.differences import Comparer, Differences
from simwasm.comparing.side import Side, Step
from simwasm.errors import PluginError
from simwasm.exchange import Exchange
from simwasm.host.outcome import Outcome
from simwasm.replay.job import Job
from simwasm.trace.explain import one_line

OLD, NEW = "old", "new"


class Compared(NamedTuple):
    """A step of both sides: an exchange, or the start or the end of the plugins."""

    number: int
    """Which exchange of the traffic; 0 for none."""
    where: str
    """In words."""
    exchange: Exchange | None
    differences: Differences
    outcomes: tuple[Outcome | None, Outcome | None] = (None, None)


class Lockstep:
    """The two sides."""

    def __init__(self, old: Job, new: Job, comparer: Comparer) -> None:
        self.sides = Side(old), Side(new)
        self._comparer = comparer

    def start(self) -> tuple[Compared, bool]:
        """Start both; whether both are there now. If neither starts, that is a `PluginError`."""
        steps: list[Step | PluginError] = []
        for side in self.sides:
            try:
                steps.append(side.start())
            except PluginError as error:
                steps.append(error)
        old, new = steps
        if isinstance(old, PluginError) and isinstance(new, PluginError):
            raise PluginError(f"neither the old nor the new one starts: old: {old}; new: {new}")
        if not isinstance(old, PluginError) and not isinstance(new, PluginError):
            return Compared(0, "the start of the plugins", None, self._comparer.compare(old, new)), True
        told = _does_not_start(old, new)
        return Compared(0, "the start of the plugins", None, Differences((told,))), False

    def play(self, numbered: Iterable[tuple[int, Exchange]]) -> Iterator[Compared]:
        """Let exchanges through both sides, and compare."""
        old, new = self.sides
        for number, exchange in numbered:
            ready = max(old.now, new.now)
            if exchange.started_ns < ready:
                exchange = replace(exchange, started_ns=ready)
            one, other = old.play(number, exchange), new.play(number, exchange)
            where = one_line(f"#{number} {exchange.label}")
            yield Compared(
                number, where, exchange, self._comparer.compare(one, other), (one.outcome, other.outcome)
            )

    def end(self) -> Compared:
        """Stop both."""
        old, new = self.sides
        differences = self._comparer.compare(old.end(), new.end())
        return Compared(0, "the end of the plugins", None, differences)

    def close(self) -> None:
        """Let go of both."""
        for side in self.sides:
            side.close()


def _does_not_start(old: Step | PluginError, new: Step | PluginError) -> Difference:
    which, other = (NEW, OLD) if isinstance(new, PluginError) else (OLD, NEW)
    error = new if isinstance(new, PluginError) else old
    kind = f"the {which} one does not start, the {other} one does"
    return Difference(Aspect.TRAP, kind, one_line(f"{kind}: {error}"))
