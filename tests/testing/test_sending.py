"""Requests that a test sends, and what it is told of them, on each engine."""

from __future__ import annotations

import pytest
from under_test import ROOT, sample

from simwasm.abi.enums import LogLevel, Status
from simwasm.engines.engine import Engine
from simwasm.errors import InputError
from simwasm.testing import Action, LocalReply, load_plugin
from simwasm.trace.file import open_trace
from simwasm.traffic.importer import read_traffic


def test_what_a_plugin_denies(engine: Engine) -> None:
    result = sample("allow_header", engine).send("GET", "/status/418")
    assert result.response.status == 403
    assert result.action("proxy_on_request_headers") is Action.PAUSE
    assert result.logs.contains("deny by default")
    assert not result.upstream.called
    assert isinstance(result.local_reply, LocalReply)
    assert result.local_reply.by_plugin


def test_what_a_plugin_lets_pass(engine: Engine) -> None:
    plugin = sample("allow_header", engine)
    plugin.upstream().replies(418, headers={"x-pot": "tea"}, body="short and stout")
    result = plugin.send(
        "POST", "/pot", headers=[("Allow", "true"), ("x-a", "1"), ("x-a", "2")], body=b"hello"
    )
    assert (result.response.status, result.response.text) == (418, "short and stout")
    assert result.response.headers["x-pot"] == "tea"
    assert result.action("proxy_on_request_headers") is Action.CONTINUE
    assert result.upstream.request.headers.all("x-a") == ("1", "2")
    assert result.upstream.request.body == b"hello"
    assert result.local_reply is None


def test_a_body_that_is_a_list_comes_in_those_pieces(engine: Engine) -> None:
    plugin = sample("response_body", engine)
    plugin.upstream().replies(200, body=[b"a sec", b"ret"])
    result = plugin.send("GET", "/")
    bodies = [phase for phase in result.phases if phase.callback == "proxy_on_response_body"]
    assert [phase.body for phase in bodies] == [b"a sec", b"a secret", b"a [redacted]"]
    assert [phase.action for phase in bodies] == [Action.PAUSE, Action.PAUSE, Action.CONTINUE]
    assert result.response.body == b"a [redacted]"


def test_trailers_go_behind_a_body() -> None:
    plugin = sample("allow_header")
    plugin.upstream().replies(200, body="x", trailers={"x-end": "2"})
    result = plugin.send("POST", "/", headers={"allow": "true"}, body="abc", trailers={"x-end": "1"})
    assert result.upstream.request.trailers == {"x-end": "1"}
    assert result.response.trailers == {"x-end": "2"}


def test_what_the_client_sent_is_known() -> None:
    request = sample("allow_header").send("PUT", "/a?b", host="shop.example", body="abc").request
    assert (request.method, request.path, request.host, request.body) == (
        "PUT",
        "/a?b",
        "shop.example",
        b"abc",
    )


def test_a_request_over_http_2_has_no_frame_behind_its_body() -> None:
    pieces = [
        [phase.end_of_stream for phase in result.phases if phase.callback == "proxy_on_request_body"]
        for result in (
            sample("allow_header").send("POST", "/", headers={"allow": "true"}, body="abc", protocol=protocol)
            for protocol in ("HTTP/1.1", "HTTP/2")
        )
    ]
    assert pieces == [[False, True], [True]]


def test_a_recording_is_sent_through_a_plugin(engine: Engine) -> None:
    results = sample("allow_header", engine).replay(ROOT / "traces/traffic/allow_header.har")
    assert [int(result.response.status) for result in results] == [403, 418, 403, 200, 200]
    assert results[0].name == "GET /status/418"


def test_every_result_stays_known() -> None:
    plugin = sample("allow_header")
    first, second = plugin.send("GET", "/1"), plugin.send("GET", "/2")
    assert plugin.results == (first, second)


def test_what_is_known_stays_when_a_plugin_is_closed() -> None:
    with sample("allow_header") as plugin:
        result = plugin.send("GET", "/")
    assert result.trace.count("proxy_log") == 2
    assert plugin.trace.has("proxy_on_done")
    with pytest.raises(InputError, match=r"the plugin was closed.*load it again"):
        plugin.send("GET", "/")


def test_a_callback_that_did_not_happen_is_told_with_those_that_did() -> None:
    result = sample("allow_header").send("GET", "/")
    with pytest.raises(
        InputError, match=r"proxy_on_request_body did not happen; these callbacks did: .*_log"
    ):
        result.action("proxy_on_request_body")


def test_a_callback_that_is_misspelt_is_told_with_the_near_one() -> None:
    result = sample("allow_header").send("GET", "/")
    with pytest.raises(InputError, match=r"did you mean proxy_on_request_headers\?"):
        result.action("proxy_on_request_header")


def test_a_callback_has_no_more_actions_than_it_happened() -> None:
    result = sample("allow_header").send("GET", "/")
    with pytest.raises(InputError, match="happened 1 times, so there is no number 1"):
        result.action("proxy_on_request_headers", 1)


def test_what_was_asked_of_a_result_is_remembered() -> None:
    result = sample("allow_header").send("GET", "/")
    assert result.response.status == 403
    result.action("proxy_on_request_headers")
    whole = {event.seq: event for event in result.trace.rows.events}
    asked = [(each.value, each.what, type(whole[each.seq]).__name__) for each in result.asked]
    assert asked == [
        (403, "response.status", "Entered"),
        (Action.PAUSE, "action('proxy_on_request_headers')", "Left"),
    ]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"headers": {"a": 1}}, "headers: a: 1 is no text; write '1'"),
        ({"headers": "a: b"}, "headers: give a mapping or pairs, not 'a: b'"),
        ({"headers": ["a"]}, "headers: 'a' is no pair of a name and a value"),
        ({"body": 3}, "body: int is no body; give bytes, a text, or a list of them"),
        ({"body": [3]}, "body: 3 is neither bytes nor a text"),
        ({"protocol": "SPDY"}, "protocol: `SPDY` is none of HTTP/1.1, HTTP/1.0, HTTP/2, HTTP/3"),
    ],
)
def test_a_slip_in_a_request_is_told(given: dict[str, object], said: str) -> None:
    with pytest.raises(InputError) as error:
        sample("allow_header").send("GET", "/", **given)  # type: ignore[arg-type]  # that is the slip
    assert str(error.value) == said


def test_headers_may_say_what_stands_in_the_request_line() -> None:
    pairs = [(":path", "/a"), (":method", "PUT"), ("Host", "shop.example"), ("x", "1")]
    request = sample("allow_header").send("GET", "/", headers=pairs).request
    assert (request.method, request.path, request.host) == ("PUT", "/a", "shop.example")
    assert request.headers == {"x": "1"}
    assert [name for name, _ in request.message.headers].count(":path") == 1


def test_a_path_that_is_none_is_told() -> None:
    with pytest.raises(InputError, match="path: `status` does not begin with `/`"):
        sample("allow_header").send("GET", "status")


def test_a_recording_begins_time_where_nothing_was_sent_before() -> None:
    path = ROOT / "traces/traffic/allow_header.har"
    began = next(read_traffic(path)).started_ns
    plugin, late = sample("allow_header"), sample("allow_header")
    late.send("GET", "/")
    assert plugin.replay(path)[0].outcome.started_ns == began
    assert late.replay(path)[0].outcome.started_ns < began


def test_a_recording_is_sent_as_by_a_run() -> None:
    """Every crossing is that of the golden trace, with its time; behind them the worker stops."""
    auth = str(ROOT / "traces/traffic/http_auth.callouts.json")
    with load_plugin(ROOT / "samples/http_auth/plugin.wasm", callout={"auth": auth}) as plugin:
        plugin.replay(ROOT / "traces/traffic/http_auth.har")
    golden = open_trace(ROOT / "traces/golden/http_auth/browser.jsonl").rows
    rows = plugin.trace.rows
    crossings = [(row.entered.function, row.entered.at, row.entered.args) for row in rows]
    assert crossings == [
        (row.entered.function, row.entered.at, row.entered.args)
        for row in (golden[at] for at in range(len(golden)))
    ]


def test_recordings_are_one_and_may_overlap() -> None:
    paths = [ROOT / "traces/traffic" / f"http_auth.{end}" for end in ("har", "tap.jsonl")]
    alone = [len(list(read_traffic(path))) for path in paths]
    first, second = sample("http_auth"), sample("http_auth")
    apart, together = first.replay(*paths), second.replay(*paths, together=True)
    assert len(apart) == len(together) == sum(alone)
    assert [result.name for result in together] == [result.name for result in apart]


def test_a_callback_and_a_call_are_looked_up_by_name() -> None:
    result = sample("allow_header").send("GET", "/")
    assert result.phase("proxy_on_request_headers").arguments["end_of_stream"] is True
    assert result.phase("proxy_on_done").result is True
    call = result.call("proxy_get_header_map_value", key="allow")
    assert call.result is Status.NOT_FOUND
    assert result.call("proxy_log", 1) == result.call("proxy_log", -1)


@pytest.mark.parametrize(
    ("nth", "arguments", "told"),
    [
        (2, {}, "proxy_log is called 2 times, so there is no number 2"),
        (2, {"level": LogLevel.INFO}, "proxy_log is called 2 times with these arguments, so"),
        (0, {"message": "no"}, "is not called with these arguments; the first of its 2 calls has message="),
    ],
)
def test_a_call_that_is_not_made_is_told(nth: int, arguments: dict[str, object], told: str) -> None:
    result = sample("allow_header").send("GET", "/")
    with pytest.raises(InputError, match=told):
        result.call("proxy_log", nth, **arguments)
