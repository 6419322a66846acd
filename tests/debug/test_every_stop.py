"""At every event of every recording everything can be looked at, and looking leaves the run as it was."""

from __future__ import annotations

from typing import Any

import pytest
from cases import Case, cases
from stops import Standing
from tapes import record

from simwasm.abi.table import ALLOCATORS, Side
from simwasm.answers import Clusters
from simwasm.debug.consequences import callback_at, consequence
from simwasm.debug.expression_functions import shown
from simwasm.debug.expression_scope import NAMES
from simwasm.debug.expressions import parse
from simwasm.debug.tape import Tape
from simwasm.debug.waiting import status
from simwasm.engines import find
from simwasm.errors import ExpressionError
from simwasm.session import Session
from simwasm.trace.event import Event, Left

EXPRESSIONS = [parse(name) for name in NAMES]


FEW = 3
"""How many exchanges of a recording are looked at: the others repeat them."""


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.id)
def test_looking_at_every_event_changes_none(case: Case) -> None:
    exchanges = case.exchanges[:FEW]
    options: dict[str, Any] = {"engine": find.engine("wasmtime"), "now_ns": exchanges[0].started_ns}
    if case.clusters:
        answering = Clusters(dict(case.clusters))
        options |= {"clusters": answering.names, "ask_cluster": answering.ask}
    known = record([case.plugin], exchanges, **options)
    tape = Tape(lambda: 0)

    def watch(event: Event) -> None:
        tape.add(event)
        started = session.started[0]
        look(Standing(session.proxy, tape, started.instance.memory if started.instance else None), known)

    session = Session([case.plugin], observers=[watch], **options)
    with session:
        list(session.replay(exchanges))
    assert tape.events == known.events


def look(at: Standing, known: Tape) -> None:
    """Look at everything."""
    state = at.state
    for stream in state.streams:
        assert status(state, stream)
    scope = at.scope
    for expression in EXPRESSIONS:
        try:
            assert shown(expression.value(scope))
        except ExpressionError as error:
            assert str(error).startswith(
                ("there is no result here", "there are no locals", "there are no operands")
            )
    event = at.tape.at(at.position)
    entered = at.tape.entered(at.position)
    assert not any(argument.bad for argument in at.arguments.values())
    result = consequence(state, known, at.position)
    assert (result is None) == (callback_at(known, at.position) == 0)
    if (
        isinstance(event, Left)
        and entered.function.side is Side.PLUGIN
        and entered.function.name not in ALLOCATORS
    ):
        assert result is not None
        assert not result.ahead
        assert result.text.endswith(".")
