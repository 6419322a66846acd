"""What calls cost: instructions, as fuel counts them, for each callback and host function.

Fuel is the same on every engine and machine, so these figures repeat and can be compared and asserted. Rules: a call's
cost is all that was burnt between its begin and its end, calls within it included; a host function costs what each call
of the host is charged (`wasm/fuel.py`) and what the allocator burns for it; only sums are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from simwasm.abi.table import Function, Side
from simwasm.trace.event import Entered, Event
from simwasm.wasm.fuel import HOST_CALL

Burnt = Callable[[str], int]
"""How much fuel a VM has burnt so far, by its name."""


@dataclass(slots=True)
class Cost:
    """What the calls of one function cost."""

    calls: int = 0
    total: int = 0
    least: int = 0
    most: int = 0

    def add(self, burnt: int) -> None:
        """Count one more call."""
        self.least = min(self.least, burnt) if self.calls else burnt
        self.most = max(self.most, burnt)
        self.calls += 1
        self.total += burnt

    def merge(self, other: Cost) -> None:
        """Count the calls of another one."""
        self.least = min(self.least, other.least) if self.calls else other.least
        self.most = max(self.most, other.most)
        self.calls += other.calls
        self.total += other.total


class Costs:
    """An observer that adds up what calls cost; `burnt` has to be set before the first event."""

    def __init__(self) -> None:
        self.of: dict[Function, Cost] = {}
        """By function, in the order in which they were called first."""
        self.burnt: Burnt = _unknown
        self._open: list[tuple[str, Function, int]] = []
        self._told = 0
        self._outermost = 0

    def __call__(self, event: Event) -> None:
        if isinstance(event, Entered):
            self._open.append((event.vm, event.function, self.burnt(event.vm)))
            return
        vm, function, before = self._open.pop()
        burnt = self.burnt(vm) - before
        charge = HOST_CALL if function.side is Side.HOST else 0
        self.of.setdefault(function, Cost()).add(burnt + charge)
        if not self._open:
            self._outermost += burnt

    def since(self) -> int:
        """What callbacks have cost since this was asked the last time."""
        before, self._told = self._told, self._outermost
        return self._told - before

    def merge(self, other: Mapping[Function, Cost]) -> None:
        """Add what the calls of another part of the run cost."""
        for function, cost in other.items():
            self.of.setdefault(function, Cost()).merge(cost)

    def sides(self) -> dict[Side, list[tuple[Function, Cost]]]:
        """The functions of either side, the dearest first."""
        ordered = sorted(self.of.items(), key=lambda item: -item[1].total)
        return {side: [item for item in ordered if item[0].side is side] for side in Side}


def _unknown(vm: str) -> int:
    raise RuntimeError("nobody said where to read the fuel")
