"""gRPC streams in the debugger: they are seen while they are under way, and going back finds them as they were."""

from __future__ import annotations

from dataclasses import replace

import pytest
from debugging import WAIT, debugging, inputs_for, moment
from switchboard import (
    GRPC_CLOSE,
    GRPC_INITIAL,
    GRPC_RECEIVE,
    REQUEST_HEADERS,
    RESOLVED,
    STREAM,
    Case,
    Out,
    Read,
    switchboard,
)

from simwasm.debug.inputs import Inputs
from simwasm.debug.state_pending import CalloutState
from simwasm.grpc_answers import read_talk
from simwasm.host.grpc_call import framed
from simwasm.plugin import Plugin
from simwasm.trace.event import Entered

TALK = read_talk(
    [
        {"metadata": {"x-a": "1"}, "after_ms": 5},
        {"on": 1, "message": "re:hi", "after_ms": 10},
        {"on": "end", "status": 0, "after_ms": 7},
    ],
    {},
    "x",
)
NUMBER = Read(40)
CASE = Case(
    "talks",
    {
        REQUEST_HEADERS: [("proxy_grpc_stream", "grpc", "s", "m", "", Out(40)),
                          ("proxy_grpc_send", NUMBER, "hi", 0), ("proxy_log", 2, "asked")],
        GRPC_INITIAL: [("proxy_log", 2, "begun")],
        GRPC_RECEIVE: [("proxy_grpc_send", NUMBER, "ho", 1), ("proxy_log", 2, "answered")],
        GRPC_CLOSE: [("proxy_set_effective_context", STREAM), ("proxy_continue_stream", 0), ("proxy_log", 2, "over")],
    },
    {REQUEST_HEADERS: 1},
)  # fmt: skip


@pytest.fixture
def inputs() -> Inputs:
    found = inputs_for(Plugin("board", switchboard([CASE])), (CASE.exchange(0), CASE.exchange(0)))
    return replace(found, clusters={"grpc"}, ask_cluster=lambda callout: TALK)


def at_logs(inputs: Inputs) -> dict[str, tuple[tuple[CalloutState, ...], list[str]]]:
    """What is under way when the plugin logs each of its lines: streams, and what is due."""
    found = {}
    with debugging(inputs) as debugger:
        for position, event in enumerate(debugger.tape.events, 1):
            if (
                isinstance(event, Entered)
                and event.function.name == "proxy_log"
                and event.args[1] not in found
            ):
                debugger.goto(position).result(WAIT)
                state = debugger.state()
                dues = [due.what for due in state.due]
                found[str(event.args[1])] = (state.callouts, dues)
    return found


def test_a_stream_is_seen_with_what_was_sent_and_what_comes_next(inputs: Inputs) -> None:
    seen = at_logs(inputs)
    ((asked,), due) = seen["asked"]
    assert (asked.id, asked.stream, asked.sent, asked.due_ns, asked.exchange) == (6, True, False, None, 1)
    assert asked.request.data == framed(b"hi")
    assert due == ["stream 6 to `grpc` is sent"]
    ((begun,), due) = seen["begun"]
    assert (begun.sent, due[0]) == (True, "the next piece of the answer to stream 6 to `grpc` arrives")
    ((answered,), _) = seen["answered"]
    assert (answered.request.data, answered.due_ns) == (framed(b"hi") + framed(b"ho"), None)
    assert seen["over"][0] == ()


NESTED = Case(
    "is called back while it asks",
    {
        REQUEST_HEADERS: [("envoy_resolve_dns", "127.0.0.1", Out(50)),
                          ("proxy_grpc_stream", "none", "s", "m", "", Out(40)), ("envoy_resolve_dns", "nope", Out(50)),
                          ("envoy_resolve_dns", "a b", Out(50))],
        RESOLVED: [("proxy_get_buffer_bytes", 8, 0, 99, Out(51), Out(52))],
        GRPC_INITIAL: [("proxy_log", 2, "begun")],
        GRPC_CLOSE: [("proxy_log", 2, "over")],
    },
)  # fmt: skip


@pytest.mark.parametrize("case", [CASE, NESTED], ids=lambda case: case.name)
def test_going_back_finds_everything_as_it_was(inputs: Inputs, case: Case) -> None:
    plugin = Plugin("board", switchboard([case]))
    clusters = {"grpc": True, "none": False}
    inputs = replace(
        inputs, plugins=(plugin,), exchanges=(case.exchange(0), case.exchange(0)), clusters=clusters
    )
    with debugging(inputs) as debugger:
        moments = {}
        while True:
            assert debugger.stop is not None
            position = debugger.stop.position
            if position in moments:
                break
            moments[position] = moment(debugger)
            debugger.step().result(WAIT)
        assert len(moments) > 20
        for position in sorted(moments, reverse=True):
            debugger.goto(position).result(WAIT)
            assert moment(debugger) == moments[position], position
