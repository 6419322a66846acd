"""The same traffic several times over: what each round leaves in the plugins' VMs."""

from __future__ import annotations

from typing import Any

from simwasm.lints.lint import Problem
from simwasm.lints.memory import ROUNDS, grows, growth
from simwasm.session import Session
from simwasm.trace.text import printable


class Rounds:
    """The sizes of guests' memories, round by round, and what is left over."""

    def __init__(self, session: Session, requests: int) -> None:
        self._session = session
        self._requests = requests
        self._sizes: dict[str, list[int]] = {}
        self.ended()

    def ended(self) -> None:
        """Look after a round, and before the first."""
        for started in self._session.started:
            if started.instance is not None:
                self._sizes.setdefault(started.vm.name, []).append(len(started.look()))

    def problems(self) -> list[Problem]:
        """The VMs that grow."""
        found = (grows(vm, sizes, self._requests) for vm, sizes in self._sizes.items())
        return [problem for problem in found if problem is not None]

    def json(self) -> list[dict[str, Any]]:
        """What there is to tell of each VM."""
        return [
            {
                "plugin": vm.name,
                "memory": self._sizes[vm.name],
                "bytes_a_request": round(growth(self._sizes[vm.name], self._requests), 1),
                "contexts_left": sum(context not in vm.roots for context in vm.contexts.values()),
                "callouts_left": len(vm.in_flight),
            }
            for vm in self._session.proxy.vms
            if vm.name in self._sizes
        ]

    def lines(self) -> list[str]:
        """The same for people."""
        return [_line(each) for each in self.json()]


def _line(found: dict[str, Any]) -> str:
    sizes = found["memory"]
    rate = found["bytes_a_request"]
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
        f"memory of {printable(found['plugin'])}: {sizes[0]:,} bytes at first, {sizes[-1]:,} after {len(sizes) - 1} "
        f"rounds; growth: {grown}. Left over: {found['contexts_left']} contexts, {found['callouts_left']} callouts."
    )
