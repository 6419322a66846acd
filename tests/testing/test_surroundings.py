"""What is around a plugin in a test: time, ticks, shared data, queues, metrics, properties, faults."""

from __future__ import annotations

from pathlib import Path

import pytest
from scripted import ANSWER, CONFIGURE, OUT, QUEUE_READY, REQUEST, TICK, Call
from under_test import Calls, sample, written

from simwasm.engines.engine import Engine
from simwasm.errors import InputError
from simwasm.testing import PluginUnderTest, life, record

ADDRESS = [("proxy_get_property", "source\0address", OUT, OUT)]


def told(plugin: PluginUnderTest) -> str:
    """What the plugin was told by the one host call that it makes."""
    (call,) = plugin.send("GET", "/").phases[0].calls
    return f"{call.result.name} {call.values[0] if call.values else call.reason}"


def test_time_stands_where_a_test_leaves_it(tmp_path: Path) -> None:
    plugin = written(tmp_path, {REQUEST: []})
    for seconds in (1.5, 0, 0.25):
        plugin.advance(seconds)
    assert plugin.time == 1.75


def test_ticks_happen_as_time_passes(engine: Engine, tmp_path: Path) -> None:
    calls: Calls = {
        CONFIGURE: [("proxy_set_tick_period_milliseconds", 250)],
        TICK: [("proxy_log", 2, "tick")],
    }
    plugin = written(tmp_path, calls, engine=engine.name)
    plugin.advance(1)
    assert [line.at for line in plugin.logs] == [0.25, 0.5, 0.75, 1.0]


def test_a_limit_is_over_when_its_second_is(engine: Engine) -> None:
    plugin = sample("rate_limit", engine)
    before = [int(plugin.send("GET", "/").response.status) for _ in range(4)]
    plugin.advance(1)
    assert (before, plugin.send("GET", "/").response.status) == ([200, 200, 200, 429], 200)
    assert plugin.metrics["rate_limit.allowed"] == 4
    assert plugin.metrics["rate_limit.rejected"] == 1


def test_a_test_may_write_shared_data() -> None:
    plugin = sample("rate_limit", config={"limit": 5})
    plugin.shared_data["rate_limit.client.127.0.0.1"] = " 5"
    assert plugin.send("GET", "/").response.status == 429
    assert "rate_limit.client.127.0.0.1" in plugin.shared_data


def test_an_item_in_a_queue_is_told_to_its_plugin(tmp_path: Path) -> None:
    ready: Call = ("proxy_dequeue_shared_queue", 1, OUT, OUT)
    calls: Calls = {CONFIGURE: [("proxy_register_shared_queue", "jobs", OUT)], QUEUE_READY: [ready]}
    plugin = written(tmp_path, calls)
    queue = plugin.queue("jobs")
    queue.put("one")
    assert plugin.trace.has("proxy_dequeue_shared_queue")
    assert queue.items == ()


@pytest.mark.parametrize(
    ("slip", "said"),
    [
        (lambda plugin: plugin.metrics["rate_limit.alowed"], "did you mean `rate_limit.allowed`?"),
        (lambda plugin: plugin.shared_data["nothing"], "no shared data `nothing`; there are no shared data"),
        (lambda plugin: len(plugin.queue("jobs")), "the plugin has no queue `jobs`; there are no queues"),
        (lambda plugin: plugin.advance(-1), "advance: -1 is no number of seconds"),
        (lambda plugin: plugin.advance("1"), "advance: '1' is no number of seconds"),
        (lambda plugin: plugin.property("", 1), "property: '' is no path"),
        (lambda plugin: plugin.property("a", object()), "a text, bytes, a number or a boolean"),
        (lambda plugin: plugin.fault("malloc"), "`malloc` comes too late"),
        (lambda plugin: plugin.fault("boom"), "fault: `boom` is no fault"),
        (lambda plugin: plugin.replay("nowhere.har"), "nowhere.har: cannot be read"),
    ],
)  # fmt: skip
def test_a_slip_is_told(slip: object, said: str) -> None:
    plugin = sample("rate_limit")
    plugin.advance(0)
    with pytest.raises((InputError, KeyError)) as error:
        slip(plugin)  # type: ignore[operator]
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        ("10.0.0.1:1", b"10.0.0.1:1"),
        (b"\xff\0", b"\xff\0"),
        (7, b"\x07" + bytes(7)),
        (-1, b"\xff" * 8),
        (True, b"\x01"),
        (1.0, bytes(6) + b"\xf0\x3f"),
    ],
)
def test_a_property_is_what_a_test_says(tmp_path: Path, value: str | bytes | float, seen: bytes) -> None:
    plugin = written(tmp_path, {REQUEST: ADDRESS})
    plugin.property("source.address", value)
    assert told(plugin) == f"OK {seen!r}"


def test_a_property_may_have_no_value(tmp_path: Path) -> None:
    plugin = written(tmp_path, {REQUEST: ADDRESS})
    assert told(plugin) == "OK b'127.0.0.1:50000'"
    plugin.property(("source", "address"), None)
    assert told(plugin) == "NOT_FOUND `source.address` was said to have no value"


def test_what_is_inside_of_a_property_is_found(tmp_path: Path) -> None:
    path = "metadata\0filter_metadata\0istio"
    plugin = written(tmp_path, {REQUEST: [("proxy_get_property", path, OUT, OUT)]})
    plugin.property("metadata.filter_metadata", {"istio": "on"})
    assert told(plugin) == "OK b'on'"


def test_an_expression_sees_what_a_test_says(tmp_path: Path) -> None:
    create = (
        "proxy_call_foreign_function",
        "expr_create",
        "source.address == 'x' && request.size == 3",
        OUT,
        OUT,
    )
    evaluate = ("proxy_call_foreign_function", "expr_evaluate", b"\0\0\0\0", OUT, OUT)
    plugin = written(tmp_path, {CONFIGURE: [create], REQUEST: [evaluate]})
    plugin.property("source.address", "x")
    plugin.property("request.size", 3)
    assert told(plugin) == "OK b'\\x01'"


def test_a_fault_happens(engine: Engine, tmp_path: Path) -> None:
    plugin = written(tmp_path, {REQUEST: [("proxy_log", 2, "x")]}, engine=engine.name)
    plugin.fault("trap:proxy_log")
    result = plugin.send("GET", "/")
    assert result.trap is not None
    assert "a fault that was asked for" in str(result.trap)
    assert result.response.status == 503
    with pytest.raises(InputError, match="proxy_on_request_headers trapped: unreachable"):
        result.action(REQUEST)


@pytest.mark.parametrize(("policy", "second"), [("closed", 503), ("open", 200), ("reload", 200)])
def test_a_fail_policy_says_what_comes_after_a_trap(tmp_path: Path, policy: str, second: int) -> None:
    plugin = written(tmp_path, {REQUEST: [("proxy_log", 2, "x")]}, fail_policy=policy, fault="trap:proxy_log")
    first = plugin.send("GET", "/")
    plugin.advance(2)
    assert (first.response.status, plugin.send("GET", "/").response.status) == (503, second)


def test_the_client_may_be_gone() -> None:
    result = sample("allow_header", fault="client=gone@2").send(
        "POST", "/", headers={"allow": "true"}, body="abc"
    )
    assert result.answer is None
    assert result.details == "downstream_remote_disconnect"


def test_workers_take_turns(tmp_path: Path) -> None:
    plugin = written(tmp_path, {ANSWER: []}, concurrency=2)
    plugin.send("GET", "/")
    assert plugin.trace.count("proxy_on_configure") == 0
    assert {row.entered.vm for row in plugin.trace.rows} <= {"scripted", "scripted@2"}


TICKING: Calls = {CONFIGURE: [("proxy_set_tick_period_milliseconds", 1)], TICK: []}


def test_a_test_that_lets_too_much_happen_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(life, "MOST_JOBS", 5)
    with pytest.raises(InputError, match="advance: 5 things were done and more are due by then"):
        written(tmp_path, TICKING).advance(1)


def test_a_test_that_keeps_too_much_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "MOST", 50)
    plugin = written(tmp_path, TICKING)
    with pytest.raises(InputError, match="scripted: more than 50 events are too many to keep of one plugin"):
        plugin.advance(1)
    assert plugin.trace.count("proxy_on_tick") > 20
