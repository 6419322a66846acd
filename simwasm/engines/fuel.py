"""How long a guest may run.

The rewritten module counts instructions down and calls `Fuel.slice` whenever a slice is used up. That call is
also the only moment at which the rest of the process can reach a guest that computes without calling the
host: signals are handled in it, `interrupt` takes effect in it, other threads run in it.

Rules that live here: a decision depends on the fuel granted and on `interrupt`, never on the clock, so runs
repeat; an interrupt is remembered by the number of the request that it refused, so it repeats too; a refusal
has a reason, and the trap that follows carries it (`refused`); one `Fuel` serves one instance.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from simwasm.errors import TrapKind

SLICE = 2_000_000
"""A few milliseconds of computing."""

FuelState = tuple[Any, ...]
"""What decides about coming requests: for `Fuel.restore`, and to compare."""

_BREATH = 0.000_05  # sleep(0) would take the lock back before anyone woke up


class Fuel:
    """Gives a guest slices of fuel, up to a budget for each call."""

    def __init__(self, budget: int | None = None, slice: int = SLICE) -> None:
        self.budget = budget
        self.granted = 0
        """All fuel given so far, on top of the slice that an instance starts with."""
        self.shared = False
        """Whether other threads wait to run: set it while a debugger is attached."""
        self.refused: TrapKind | None = None
        """Why the last request was refused, until `renew`."""
        self.refusals: dict[int, TrapKind] = {}
        """Which requests are refused, by their number from 1, and why: an interrupt adds the one that it met."""
        self.wait: Callable[[], None] | None = None
        """Called at each request; the guest waits as long as it does, and what it raises unwinds the guest."""
        self.requests = 0
        """How often more was asked for."""
        self._size = slice
        self._left = budget
        self._interrupted: TrapKind | None = None

    def renew(self) -> None:
        """Start a call: the whole budget is there again. An interrupt that was not noticed yet stays."""
        self._left = self.budget
        self.refused = None

    def interrupt(self, kind: TrapKind = TrapKind.INTERRUPTED) -> None:
        """Stop the guest at its next request; callable from any thread. Only once: the call after it runs."""
        self._interrupted = kind

    def calm(self) -> None:
        """Forget an interrupt that was not noticed yet."""
        self._interrupted = None

    def state(self) -> FuelState:
        """What decides about coming requests, without an interrupt that was not noticed yet."""
        return self._left, self.granted, self.requests, self.refused

    def restore(self, state: FuelState) -> None:
        """Go on from a state of earlier: what was refused after it will be refused again."""
        self._left, self.granted, self.requests, self.refused = state

    def burnt(self, left: int) -> int:
        """All fuel burnt so far, when the instance's counter (`simwasm:fuel`) says how much is left."""
        return self._size + self.granted - left

    def slice(self) -> int:
        """Answer the guest's request: how much more it may burn, 0 to stop it."""
        if self.wait is not None:
            self.wait()
        if self.shared:
            time.sleep(_BREATH)
        self.requests += 1
        if self._interrupted is not None:
            self.refusals[self.requests], self._interrupted = self._interrupted, None
        if self.requests in self.refusals:
            self.refused = self.refusals[self.requests]
            return 0
        grant = self._size if self._left is None else min(self._size, self._left)
        if grant <= 0:
            self.refused = TrapKind.OUT_OF_FUEL
            return 0
        if self._left is not None:
            self._left -= grant
        self.granted += grant
        return grant
