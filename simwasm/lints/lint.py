"""What a lint is, and what watchers are told and tell.

Named tuples: a call is made for every crossing of a run.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from simwasm.abi.table import Function
from simwasm.errors import Trap
from simwasm.exchange import Exchange
from simwasm.host.outcome import Outcome
from simwasm.trace.query.grades import Grade


class Lint(NamedTuple):
    """A kind of problem."""

    id: str
    grade: Grade
    title: str
    """What is wrong, in a line."""
    why: str
    """Why that is bad, or what brings it about."""
    fix: str
    """What to do."""


class Problem(NamedTuple):
    """One thing that a user may want to look at."""

    position: int
    severity: Grade
    title: str
    happened: str
    why: str = ""
    advice: str = ""
    """What to do next."""
    lint: str = ""
    """The id of its kind."""
    group: str = ""
    """What else it has in common with those that are listed with it."""
    exchange: int = 0
    """The number of the exchange, from 1; 0 for none."""
    row: int = 0
    """Its row as the debugger counts them, from 1."""
    vm: str = ""
    """Whose it is, by the VM's name, where there are several plugins."""

    @property
    def text(self) -> str:
        """All of it, in sentences."""
        return " ".join(part for part in (self.happened, self.why, self.advice) if part)


class Call(NamedTuple):
    """A call that has begun."""

    position: int
    row: int
    vm: str
    context: int
    function: Function
    args: tuple[Any, ...]


class Ended(NamedTuple):
    """How a call has ended; `trap` if it did not return."""

    position: int
    row: int
    result: Any
    values: tuple[Any, ...] = ()
    reason: str = ""
    trap: Trap | None = None

    @property
    def well(self) -> bool:
        """The host did what it was asked for, and has nothing to say about it."""
        return self.trap is None and not self.result and not self.reason


class Over(NamedTuple):
    """An exchange that has ended."""

    number: int
    """From 1."""
    exchange: Exchange
    outcome: Outcome
    position: int
    """The last event before it ended."""
    row: int
