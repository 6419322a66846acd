"""What calls really took, and the instructions they cost, for the ends of a trace's lines.

    {"context": 2, "call": "proxy_log", "args": {…}, "result": "OK", "took_ns": 2100, "instructions": 1000}

Instructions are counted by fuel, as in `simwasm.costs`: they are the same on every engine and machine, what took place
inside of a call is part of it, and each call of the host is charged. Time is what the clock of this machine says, the
recording itself included. Rule: who does not measure pays nothing, since a recorder that does has other functions for
its lines.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter_ns
from typing import Any

from simwasm.abi.table import Function, Side
from simwasm.trace.lines import Call, End
from simwasm.wasm.fuel import HOST_CALL


class Timing:
    """The stopwatch of a recorder; `burnt` has to be set before the first call."""

    def __init__(self) -> None:
        self.burnt: Callable[[str], int] = lambda vm: 0
        """How much fuel a VM has burnt so far, by its name."""
        self._open: list[tuple[str, int, int, int]] = []
        self._outermost = 0
        self._told = 0

    def measured(self, function: Function, call: Call, end: End) -> tuple[Call, End]:
        """The parts of a function's lines with the measuring in them."""
        charge = HOST_CALL if function.side is Side.HOST else 0

        def begun(at: int, vm: str, context: int, args: tuple[Any, ...]) -> str:
            text = call(at, vm, context, args)
            self._open.append((vm, charge, self.burnt(vm), perf_counter_ns()))
            return text

        def ended(result: Any, values: tuple[Any, ...], reason: str) -> str:
            measured = self.end()
            return end(result, values, reason) + measured

        return begun, ended

    def end(self) -> str:
        """What stands behind the end of the innermost call."""
        now = perf_counter_ns()
        vm, charge, before, begun = self._open.pop()
        burnt = self.burnt(vm) - before
        if not self._open:
            self._outermost += burnt
        return f', "took_ns": {now - begun}, "instructions": {burnt + charge}'

    def since(self) -> int:
        """The instructions of callbacks since this was asked the last time."""
        before, self._told = self._told, self._outermost
        return self._told - before
