"""Where breakpoints in code are come by: found out while callbacks run under a lens.

Rules: a hit is a moment at which one of a breakpoint's instructions comes next and its condition holds; one that counts
its hits (`ignore`, `every`) counts those of the whole run, so all that comes before has to go by under the lens once.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from simwasm.debug.activations import Guest, activation, global_variables
from simwasm.debug.breakpoints import Breakpoint
from simwasm.debug.code import Code
from simwasm.debug.expression_functions import FUNCTIONS
from simwasm.debug.expression_scope import NAMES, Scope
from simwasm.debug.expression_slots import SLOT
from simwasm.debug.expressions import Expression
from simwasm.debug.instant import Moment
from simwasm.debug.machine import Machine
from simwasm.debug.state import read
from simwasm.debug.visit import Visit

STATE = frozenset(
    {"headers", "body", "property", "shared", "metric", "callback", "plugin", "context", "exchange", "now"}
)
"""Names of expressions that need the host to be read, which takes longer."""


class CodeHits:
    """The hits of one breakpoint on one tape, as far as they are known."""

    def __init__(self) -> None:
        self.until = Moment(0)
        """All hits up to here are known."""
        self._moments: list[Moment] = []

    def add(self, moment: Moment) -> int:
        """It is hit: the so-manieth time, from 1."""
        at = bisect_left(self._moments, moment)
        if self._moments[at : at + 1] != [moment]:
            self._moments.insert(at, moment)
        self.until = max(self.until, moment)
        return at + 1


def watching(breakpoints: Iterable[Breakpoint]) -> list[Breakpoint]:
    """Those that can stop the run in code."""
    return [each for each in breakpoints if each.stops and each.code is not None]


def offsets_in(breakpoints: Sequence[Breakpoint], code: Code, vm: str) -> frozenset[int]:
    """The instructions of a VM at which one of them may be hit."""
    found = (each.code.offsets(code) for each in breakpoints if each.code is not None and each.code.is_in(vm))
    return frozenset().union(*found)


def scope_in(visit: Visit, expression: Expression, machine: Machine) -> Scope:
    """What a condition reads where a visit stands; no more of it than it needs."""
    raw = next(iter(visit.instance.activations()), None)
    guest, names = Guest(visit.code, visit.instance), expression.names
    numbered = all(name in NAMES or name in FUNCTIONS or SLOT.fullmatch(name) for name in names)
    active = None if numbered or raw is None else activation(guest, 0, raw)
    run, tape = machine.run, machine.branch.tape
    state = read(run.session.proxy, tape, machine.at) if names & STATE and run is not None else None
    variables = global_variables(guest) if any(name[0] == "g" for name in names) else ()
    return Scope(state, tape.entered(visit.callback), None, visit.instance.memory, active, variables, raw)


def counts(breakpoint: Breakpoint) -> bool:
    """Whether it matters how often it was hit before."""
    return bool(breakpoint.ignore) or breakpoint.every > 1
