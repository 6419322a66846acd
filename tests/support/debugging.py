"""Debuggers of real plugins, opened and closed around a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256

from cases import Case, cases

from simwasm.answers import Clusters
from simwasm.debug.debugger import Debugger
from simwasm.debug.inputs import Inputs
from simwasm.exchange import Exchange, request
from simwasm.plugin import Plugin
from simwasm.session import DEFAULT_FUEL

CASES = {case.id: case for case in cases()}
WAIT = 60
"""Seconds until a test gives a verb up: more than any takes."""


def inputs_of(case: Case | str, engine: str | None = None) -> Inputs:
    """What decides the run of a recorded case."""
    found = CASES[case] if isinstance(case, str) else case
    answering = Clusters(dict(found.clusters))
    return Inputs((found.plugin,), found.exchanges, engine, answering.names, ask_cluster=answering.ask)


def requests(count: int, *headers: tuple[str, str]) -> tuple[Exchange, ...]:
    """So many requests without a body."""
    return tuple(
        Exchange(str(number + 1), 0, request("GET", f"/{number + 1}", headers=headers))
        for number in range(count)
    )


def inputs_for(
    plugin: Plugin,
    exchanges: tuple[Exchange, ...],
    engine: str | None = None,
    fuel: int | None = DEFAULT_FUEL,
) -> Inputs:
    """What decides the run of a plugin."""
    return Inputs((plugin,), exchanges, engine, fuel=fuel)


@contextmanager
def debugging(inputs: Inputs, changed: Callable[[], None] = lambda: None, **more: int) -> Iterator[Debugger]:
    """A debugger that was opened and stands on its first row."""
    debugger = Debugger(inputs, changed=changed, **more)
    try:
        debugger.open().result(WAIT)
        yield debugger
    finally:
        debugger.close()


def moment(debugger: Debugger) -> tuple[object, ...]:
    """All that can be seen where a debugger stands: the host's state, and what is in each VM's memory."""
    memories = []
    for vm in debugger.state().vms:
        memory = debugger.memory(vm.name)
        memories.append((memory.size(), sha256(memory.view()).hexdigest()))
    return debugger.state(), memories
