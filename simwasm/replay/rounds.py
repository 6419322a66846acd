"""The same traffic several times over: what each round leaves in the plugins' VMs."""

from __future__ import annotations

from typing import Any, NamedTuple

from simwasm.lints.lint import Problem
from simwasm.lints.memory import ROUNDS, grows, growth
from simwasm.session import Session
from simwasm.trace.text import printable


class Left(NamedTuple):
    """A VM after some rounds."""

    vm: str
    sizes: tuple[int, ...]
    """Of its memory: before the first round, and after each."""
    requests: int
    """How many there were in a round."""
    contexts: int
    """That are left over."""
    callouts: int

    def json(self) -> dict[str, Any]:
        """It as an object."""
        return {
            "plugin": self.vm,
            "memory": list(self.sizes),
            "bytes_a_request": round(growth(self.sizes, self.requests), 1),
            "contexts_left": self.contexts,
            "callouts_left": self.callouts,
        }

    def line(self) -> str:
        """It for people."""
        sizes, rate = self.sizes, round(growth(self.sizes, self.requests), 1)
        grown = (
            f"{rate:,.0f} bytes a request"
            if rate
            else "it stays so"
            if sizes[0] == sizes[-1]
            else "not in the end"
        )
        if len(sizes) <= ROUNDS:
            grown += f" ({ROUNDS} rounds are needed to tell)"
        return (
            f"memory of {printable(self.vm)}: {sizes[0]:,} bytes at first, {sizes[-1]:,} after {len(sizes) - 1} "
            f"rounds; growth: {grown}. Left over: {self.contexts} contexts, {self.callouts} callouts."
        )

    def problem(self) -> Problem | None:
        """The problem that it grows, if it does."""
        return grows(self.vm, self.sizes, self.requests)


class Rounds:
    """The sizes of guests' memories, round by round."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._sizes: dict[str, list[int]] = {}
        self._requests = 0
        self.look()

    def ended(self, requests: int) -> None:
        """A round has ended, with so many requests."""
        self._requests = max(requests, self._requests)
        self.look()

    def look(self) -> None:
        """Note how large the memories are."""
        for started in self._session.started:
            if started.instance is not None:
                self._sizes.setdefault(started.vm.name, []).append(len(started.look()))

    def left(self) -> tuple[Left, ...]:
        """What there is to tell of each VM that is in use."""
        return tuple(
            Left(
                vm.name,
                tuple(self._sizes[vm.name]),
                self._requests,
                sum(context not in vm.roots for context in vm.contexts.values()),
                len(vm.in_flight),
            )
            for vm in self._session.proxy.vms
            if vm.name in self._sizes
        )
