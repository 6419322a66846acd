"""The debugger shows a TCP connection: its place on the tape, its bytes, and the way back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from switchboard import DOWNSTREAM_DATA, UPSTREAM_DATA, Case, nth, switchboard

from simwasm.abi.enums import BufferType
from simwasm.conversation import client, conversation, upstream
from simwasm.debug.consequences import consequence
from simwasm.debug.debugger import Debugger
from simwasm.debug.export import export
from simwasm.debug.export_subject import Subject
from simwasm.debug.inputs import Inputs
from simwasm.errors import InputError
from simwasm.plugin import Plugin

TALK = conversation("1", (client(b"PING"), client(b"!", after_ns=5), upstream(b"PONG", after_ns=5)))


@pytest.fixture
def debugger() -> Iterator[Debugger]:
    case = Case("", {DOWNSTREAM_DATA: [], UPSTREAM_DATA: []}, {nth(DOWNSTREAM_DATA, 1): 1})
    debugger = Debugger(Inputs((Plugin("gate", switchboard([case]), network=True),), (TALK,)))
    debugger.open().result(60)
    yield debugger
    debugger.close()


def second_data(debugger: Debugger) -> int:
    """Where the second piece from the client is announced."""
    found = [event[0] for event in debugger.tape.events if DOWNSTREAM_DATA in str(event)]
    return found[1]


def test_the_connection_is_an_exchange_on_the_tape(debugger: Debugger) -> None:
    (span,) = debugger.tape.spans
    assert span.exchange is TALK
    assert span.outcome is not None
    assert span.outcome.response is not None
    assert span.outcome.response.data == b"PONG"


def test_what_is_held_back_is_shown_with_its_holder(debugger: Debugger) -> None:
    debugger.goto(second_data(debugger)).result(60)
    state = debugger.state()
    body = state.body(BufferType.DOWNSTREAM_DATA)
    assert body is not None
    assert (body.data, body.read.allowed) == (b"PING!", True)
    (stream,) = state.streams
    assert (stream.label, stream.request.received, stream.held is not None) == (TALK.label, 5, True)


def test_every_position_is_reached_backwards_as_forwards(debugger: Debugger) -> None:
    last = len(debugger.tape.events)
    states = []
    for position in (*range(1, last + 1), *range(last, 0, -1)):
        debugger.goto(position).result(60)
        states.append(debugger.state())
    assert states[:last] == states[last:][::-1]


def test_what_a_result_means_is_said_for_connections(debugger: Debugger) -> None:
    told = []
    for event in tuple(debugger.tape.events):
        debugger.goto(event[0]).result(60)
        found = consequence(debugger.state(), debugger.tape, event[0])
        if found is not None and found.callback == DOWNSTREAM_DATA and not found.ahead:
            told.append((found.action, found.text.partition(".")[0], found.stops))
    assert told[:2] == [
        ("PAUSE", "4 bytes stay in the connection's buffer", True),
        ("CONTINUE", "All that is buffered (5 bytes) goes on to the upstream", False),
    ]


def test_a_connection_is_exported_as_what_can_hold_it(debugger: Debugger) -> None:
    subject = Subject(debugger.inputs, debugger.tape, debugger.tape.spans[0])
    assert '"tcp": [{"client": "PING"}' in export("traffic", subject)
    with pytest.raises(InputError, match="cannot be written as curl; there are traffic, trace"):
        export("curl", subject)
