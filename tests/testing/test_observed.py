"""What is known of a plugin and its requests: logs, phases, costs, problems."""

from __future__ import annotations

from pathlib import Path

import pytest
from scripted import CONFIGURE, LOG, REQUEST, REQUEST_BODY, Call
from under_test import Calls, sample, written

from simwasm.engines import find
from simwasm.engines.engine import Engine
from simwasm.errors import InputError
from simwasm.testing import Action, Headers
from simwasm.testing.record import LARGEST

REPLY = ("proxy_send_local_response", 429, "slow_down", "no\n", b"\1\0\0\0\1\0\0\0\1\0\0\0a\0b\0", 3)


def test_lines_are_looked_for_by_text_pattern_and_level(tmp_path: Path) -> None:
    calls = [("proxy_log", 1, "low"), ("proxy_log", 2, "said a=1"), ("proxy_log", 4, "bad a=2")]
    logs = written(tmp_path, {REQUEST: calls}).send("GET", "/").logs
    assert [line.level for line in logs] == ["info", "error"]
    assert logs.contains("a=1")
    assert logs.contains("a=", level="error")
    assert not logs.contains("said", level="error")
    assert [line.text for line in logs.matching(r"a=\d")] == ["said a=1", "bad a=2"]
    assert [line.text for line in logs.at_least("warn")] == ["bad a=2"]
    assert logs[0].whole == "wasm log scripted: said a=1"
    assert [line.text for line in logs[1:]] == ["bad a=2"]


@pytest.mark.parametrize(
    ("slip", "said"),
    [
        (lambda logs: logs.matching("("), "is no regular expression"),
        (lambda logs: logs.contains("x", level="loud"), "level: 'loud' is none of trace"),
    ],
)
def test_a_slip_about_lines_is_told(slip: object, said: str) -> None:
    logs = sample("allow_header").send("GET", "/").logs
    with pytest.raises(InputError, match=said):
        slip(logs)  # type: ignore[operator]


def test_the_host_s_own_lines_are_a_result_s_too(tmp_path: Path) -> None:
    plugin = written(tmp_path, {REQUEST: [("proxy_log", 2, "x")]}, fault="trap:proxy_log")
    assert plugin.send("GET", "/").logs.matching("proxy_on_request_headers failed")


def test_phases_tell_what_each_callback_left(engine: Engine, tmp_path: Path) -> None:
    add: Call = ("proxy_add_header_map_value", 0, "x-by", "me")
    body: list[Call] = [("proxy_set_buffer_bytes", 0, 0, 1, "XY")]
    calls: Calls = {REQUEST: [add, ("proxy_log", 2, "hello")], REQUEST_BODY: body}
    result = written(tmp_path, calls, engine=engine.name).send("POST", "/", body="abc", protocol="HTTP/2")
    headers, body_phase = result.phases[:2]
    assert (headers.callback, headers.action, headers.end_of_stream) == (REQUEST, Action.CONTINUE, False)
    assert headers.headers is not None
    assert headers.headers["x-by"] == "me"
    assert headers.headers[":path"] == "/"
    assert headers.logs.contains("hello")
    assert [call.name for call in headers.calls] == ["proxy_add_header_map_value", "proxy_log"]
    assert (body_phase.body, body_phase.end_of_stream) == (b"XYbc", True)
    assert result.upstream.received == b"XYbc"


def test_a_phase_tells_what_it_answered_with(tmp_path: Path) -> None:
    result = written(tmp_path, {REQUEST: [REPLY]}).send("GET", "/")
    reply = result.phases[0].local_reply
    assert reply is not None
    assert (reply.status, reply.details, reply.body, reply.grpc_status) == (429, "slow_down", b"no\n", 3)
    assert reply.headers == Headers([("a", "b")])
    assert result.local_reply == reply
    assert result.details == "slow_down"


def test_what_the_proxy_answers_is_not_the_plugin_s_reply(tmp_path: Path) -> None:
    reply = written(tmp_path, {REQUEST: []}, {REQUEST: 1}).send("GET", "/").local_reply
    assert reply is not None
    assert (reply.status, reply.by_plugin, reply.details) == (504, False, "stream_idle_timeout")


def test_costs_are_the_same_on_every_engine(engine: Engine) -> None:
    ours, other = (
        sample("rate_limit", each).send("GET", "/").cost for each in (engine, find.engine("python"))
    )
    assert ours == other
    assert ours.instructions == sum(ours.callbacks.values()) > 0
    assert ours.host_calls > 0
    assert ours.allocated > 0


def test_growing_memory_is_a_cost(tmp_path: Path) -> None:
    result = written(tmp_path, {REQUEST: [("memory.grow", 2)]}).send("GET", "/")
    assert result.cost.memory_growth == 2 * 65536


def test_the_cost_of_a_plugin_has_its_start(tmp_path: Path) -> None:
    plugin = written(tmp_path, {CONFIGURE: [("proxy_log", 2, "x")], LOG: []})
    result = plugin.send("GET", "/")
    assert plugin.cost.instructions > result.cost.instructions
    assert (result.cost.host_calls, plugin.cost.host_calls) == (0, 1)


def test_problems_are_those_of_their_request() -> None:
    plugin = sample("http_auth")
    fine, bad = plugin.upstream("auth").replies(200), plugin.send
    good = bad("GET", "/")
    fine.fails("no-host")
    other = bad("GET", "/")
    assert good.problems == ()
    assert {problem.exchange for problem in other.problems} == {2}
    assert plugin.problems == other.problems


def test_a_problem_tells_its_row(tmp_path: Path) -> None:
    calls = [("proxy_remove_header_map_value", 2, "x")]
    plugin = written(tmp_path, {REQUEST: calls})
    result = plugin.send("GET", "/")
    (problem,) = result.problems
    row = plugin.trace.rows[problem.row - 1]
    assert row.entered.function.name == "proxy_remove_header_map_value"


def test_headers_compare_without_case() -> None:
    found = Headers([("A", "1"), ("b", "2"), ("a", "3")])
    assert (found["a"], found.all("A"), found.get("c"), "B" in found) == ("1,3", ("1", "3"), None, True)
    assert found == {"A": "1,3", "B": "2"}
    assert list(found) == ["a", "b"]
    with pytest.raises(KeyError, match="no header `x`; there are: a, b"):
        found["x"]


def test_a_body_that_is_no_json_is_told() -> None:
    response = sample("allow_header").send("GET", "/").response
    with pytest.raises(InputError, match=r"the body is not JSON .*Forbidden"):
        response.json()
    plugin = sample("allow_header")
    plugin.upstream().replies(200, body='{"a": [1]}')
    assert plugin.send("GET", "/", headers={"allow": "true"}).response.json() == {"a": [1]}


def test_an_empty_text_is_in_every_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="contains: every line has an empty text in it"):
        written(tmp_path, {}).send("GET", "/").logs.contains("")


def test_a_status_is_a_number(tmp_path: Path) -> None:
    status = written(tmp_path, {}).send("GET", "/").response.status
    assert status == 200
    assert status != 201
    assert {status: "fine"}[200] == "fine"


@pytest.mark.parametrize("text", ["200", b"200"])
def test_a_status_is_not_compared_with_text(tmp_path: Path, text: object) -> None:
    status = written(tmp_path, {}).send("GET", "/").response.status
    with pytest.raises(InputError, match="status: 200 is a number"):
        assert status != text
    with pytest.raises(InputError, match="status: 200 is a number"):
        assert status in (200, text) and text in (status,)


def test_a_plugin_that_floods_the_log_is_stopped(engine: Engine, tmp_path: Path) -> None:
    line = "x" * 2000
    flood = [("proxy_log", 2, line)] * 8
    plugin = written(tmp_path, {REQUEST: flood}, engine=engine.name)
    plugin._life.record._weight = LARGEST - 5 * len(line)
    with pytest.raises(InputError, match="has given the host more than 64 MiB"):
        plugin.send("GET", "/")
    assert plugin.trace.count("proxy_log") == 6
