"""Tests as a user writes them with annotations: every public name, as type checkers see it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from typing_extensions import assert_type

from simwasm.exchange import Exchange
from simwasm.testing import (
    Action,
    Callout,
    Cost,
    Headers,
    LocalReply,
    Logs,
    Phase,
    PluginUnderTest,
    Reply,
    Request,
    Response,
    Result,
    Stream,
    Talk,
    Trace,
    Upstream,
    Verdict,
    load_plugin,
)


@pytest.fixture
def plugin(simwasm_plugin: Callable[..., PluginUnderTest]) -> PluginUnderTest:
    """A plugin of the project's own."""
    return simwasm_plugin("plugin.wasm", config={"limit": 3})


@pytest.mark.simwasm("plugin.wasm", config={"a": 1})
def test_send(plugin: PluginUnderTest) -> None:
    auth: Upstream = plugin.upstream("auth").replies(403, headers={"x": "y"}, body="no", after=0.5, times=2)
    auth.when(path="/a", method="GET", headers=[("a", "b")]).answers(
        lambda request: Reply(201, body=request.path)
    )
    result: Result = plugin.send(
        "GET", "/", headers={"a": ["b", "c"]}, body=[b"a", "b"], trailers=[("t", "1")]
    )
    assert_type(result.response, Response)
    assert_type(result.response.status, int)
    assert_type(result.response.headers, Headers)
    assert_type(result.response.headers["x"], str)
    assert_type(result.response.body, bytes)
    assert_type(result.upstream.called, bool)
    assert_type(result.upstream.request, Request)
    assert_type(result.callouts, tuple[Callout, ...])
    assert_type(result.local_reply, LocalReply | None)
    assert_type(result.logs, Logs)
    assert_type(result.cost, Cost)
    assert_type(result.phases, tuple[Phase, ...])
    assert result.action("proxy_on_request_headers", nth=-1) is Action.PAUSE
    assert result.logs.at_least("warn").matching("x").contains("y")


def test_trace(plugin: PluginUnderTest) -> None:
    trace = plugin.trace
    assert_type(trace, Trace)
    assert_type(trace.never("proxy_http_call"), Verdict)
    assert_type(trace.count("call:get_header"), int)
    assert trace.in_order("on_request_headers", "on_log") and trace.matches_golden("name")
    trace.save("it.trace.jsonl")


def test_streams() -> None:
    with load_plugin("plugin.wasm", engine="wasmtime", network=True) as plugin:
        stream: Stream = plugin.open("POST", "/")
        stream.send(b"a", end=True)
        talk: Talk = plugin.connect()
        talk.upstream_sends("b")
        assert_type(talk.finish(), Result)
        plugin.advance(0.5)
        assert_type(plugin.metrics["m"], int)
        assert_type(plugin.shared_data["k"], bytes)
        assert_type(plugin.replay("traffic.har"), tuple[Result, ...])


@pytest.mark.simwasm_replay("traffic.har")
def test_replayed(exchange: Exchange, replayed: Result, simwasm_engine: str | None) -> None:
    assert replayed.name == exchange.label
