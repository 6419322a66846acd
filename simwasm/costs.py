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

Called = tuple[str, Function]
"""Whose calls of which function: a VM's name, empty for those of all."""
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
    """An observer that adds up what calls cost; `burnt` has to be set before the first event.

    Of `several` plugins, the calls of each VM are counted by themselves.
    """

    def __init__(self, *, several: bool = False) -> None:
        self.of: dict[Called, Cost] = {}
        """By function, in the order in which they were called first."""
        self._several = several
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
        self.of.setdefault((vm if self._several else "", function), Cost()).add(burnt + charge)
        if not self._open:
            self._outermost += burnt

    def since(self) -> int:
        """What callbacks have cost since this was asked the last time."""
        before, self._told = self._told, self._outermost
        return self._told - before

    def merge(self, other: Mapping[Called, Cost]) -> None:
        """Add what the calls of another part of the run cost."""
        for called, cost in other.items():
            self.of.setdefault(called, Cost()).merge(cost)

    @property
    def vms(self) -> tuple[str, ...]:
        """The VMs that are counted by themselves, in the order in which they were started; "" for all together."""
        return tuple(dict.fromkeys(vm for vm, _ in self.of))

    def sides(self, vm: str = "") -> dict[Side, list[tuple[Function, Cost]]]:
        """The functions of either side that a VM's calls were of, the dearest first."""
        mine = [(function, cost) for (whose, function), cost in self.of.items() if whose == vm]
        ordered = sorted(mine, key=lambda item: -item[1].total)
        return {side: [item for item in ordered if item[0].side is side] for side in Side}


def _unknown(vm: str) -> int:
    raise RuntimeError("nobody said where to read the fuel")
