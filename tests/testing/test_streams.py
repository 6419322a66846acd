"""Requests that a test says step by step, several of them at once, in virtual time."""

from __future__ import annotations

from pathlib import Path

import pytest
from scripted import CALL_RESPONSE, CONFIGURE, OUT, REQUEST, REQUEST_BODY, TICK, Call
from under_test import Calls, sample, written

from simwasm.engines.engine import Engine
from simwasm.errors import InputError
from simwasm.testing import Action

PASS = {"allow": "true"}


def test_a_body_comes_when_the_test_says_it(engine: Engine) -> None:
    plugin = sample("allow_header", engine)
    stream = plugin.open("POST", "/upload", headers=PASS)
    stream.send(b"one ")
    plugin.advance(5)
    stream.send("two")
    assert not stream.done
    result = stream.finish()
    assert result.upstream.request.body == b"one two"
    assert result.request.chunks == (b"one ", b"two")
    assert result.took == 5


def test_each_piece_is_a_callback_and_the_end_is_one(engine: Engine) -> None:
    stream = sample("allow_header", engine).open("POST", "/", headers=PASS)
    stream.send(b"a")
    stream.send(b"b")
    bodies = [phase for phase in stream.finish().phases if phase.callback == "proxy_on_request_body"]
    assert [(phase.arguments["body_size"], phase.end_of_stream) for phase in bodies] == [
        (1, False), (1, False), (0, True),
    ]  # fmt: skip


def test_trailers_end_a_body() -> None:
    stream = sample("allow_header").open("POST", "/", headers=PASS)
    stream.send(b"a")
    stream.end({"X-End": "1"})
    assert stream.result.upstream.request.trailers == {"x-end": "1"}
    assert stream.result.request.trailers == {"x-end": "1"}


def test_what_a_plugin_denies_is_done_before_its_body() -> None:
    stream = sample("allow_header").open("POST", "/")
    assert stream.done
    assert stream.result.response.status == 403


def test_streams_are_told_apart(engine: Engine) -> None:
    plugin = sample("allow_header", engine)
    streams = [plugin.open("POST", f"/{number}", headers=PASS) for number in range(3)]
    for number, stream in enumerate(streams):
        stream.send(b"x" * (number + 1))
    denied = plugin.send("GET", "/denied")
    results = [stream.finish() for stream in reversed(streams)][::-1]
    assert [result.upstream.request.path for result in results] == ["/0", "/1", "/2"]
    assert [len(result.upstream.received) for result in results] == [1, 2, 3]
    assert [result.trace.count("proxy_on_request_headers") for result in (denied, *results)] == [1, 1, 1, 1]
    assert [len(result.logs) for result in (denied, *results)] == [2, 1, 1, 1]
    assert not denied.upstream.called


def test_the_answer_to_a_callout_belongs_to_the_stream_that_asked(engine: Engine) -> None:
    plugin = sample("http_auth", engine)
    plugin.upstream("auth").replies(200, after=0.5).when(headers={"authorization": "no"}).replies(
        403, after=0.25
    )
    good, bad = plugin.open("GET", "/good"), plugin.open("GET", "/bad", headers={"authorization": "no"})
    plugin.advance(0.75)
    assert [len(each.finish().callouts) for each in (good, bad)] == [1, 1]
    assert [int(each.result.response.status) for each in (good, bad)] == [200, 403]
    assert [each.result.trace.count("proxy_on_http_call_response") for each in (good, bad)] == [1, 1]
    assert bad.result.callouts[0].request.headers["authorization"] == "no"


def test_a_client_leaves() -> None:
    stream = sample("allow_header").open("POST", "/", headers=PASS)
    stream.send(b"half")
    result = stream.leave()
    assert (result.answer, result.details) == (None, "downstream_remote_disconnect")
    assert not result.upstream.called
    with pytest.raises(InputError, match="there is no response: the client left"):
        _ = result.response


def test_a_stream_that_is_paused_says_by_whom(tmp_path: Path) -> None:
    plugin = written(tmp_path, {REQUEST: [], REQUEST_BODY: []}, {REQUEST: 1, REQUEST_BODY: 1})
    stream = plugin.open("POST", "/")
    stream.send(b"a", end=True)
    assert stream.held == "scripted paused the request and nobody resumed it"
    with pytest.raises(InputError, match=r"POST / has not ended: scripted paused the request"):
        _ = stream.result
    plugin.advance(301)
    assert stream.result.response.status == 504
    assert stream.result.waiting == "scripted paused the request and nobody resumed it"


def test_what_finds_no_room_comes_when_there_is_some(tmp_path: Path) -> None:
    stop_and_watermark = 4
    plugin = written(tmp_path, {REQUEST: [], REQUEST_BODY: []}, {REQUEST: stop_and_watermark}, buffer_limit=3)
    stream = plugin.open("POST", "/")
    for piece in (b"aaaa", b"bbbb", b"cccc"):
        stream.send(piece)
        plugin.advance(1)
    assert not stream.done
    assert not any(phase.callback == REQUEST_BODY for phase in stream.leave().phases)


def test_the_upstream_may_answer_early() -> None:
    plugin = sample("allow_header")
    plugin.upstream().replies(418)
    stream = plugin.open("POST", "/", headers=PASS, early=True)
    assert stream.result.response.status == 418


def test_a_stream_that_is_ended_takes_nothing_more() -> None:
    stream = sample("allow_header").open("POST", "/", headers=PASS)
    stream.end()
    with pytest.raises(InputError, match="send: POST / was ended before"):
        stream.send(b"x")
    with pytest.raises(InputError, match="end: POST / was ended before"):
        stream.end()


def test_what_came_of_a_stream_has_its_actions() -> None:
    stream = sample("allow_header").open("POST", "/", headers=PASS)
    assert stream.finish().action("proxy_on_request_headers") is Action.CONTINUE


def test_a_body_that_is_said_at_once_arrives_as_one_that_is_sent() -> None:
    sent = sample("allow_header").send("POST", "/", headers=PASS, body=[b"abc", b"de"])
    stream = sample("allow_header").open("POST", "/", headers=PASS)
    stream.send(b"abc")
    stream.send(b"de")
    assert stream.finish().trace.text == sent.trace.text


def test_what_a_plugin_has_done_is_known_before_a_stream_ends(engine: Engine) -> None:
    plugin = sample("http_auth", engine)
    plugin.upstream("auth").replies(200, after=0.5)
    stream = plugin.open("GET", "/")
    assert stream.action("proxy_on_request_headers") is Action.PAUSE
    assert (len(stream.callouts), len(stream.logs)) == (1, 0)
    plugin.advance(0.5)
    assert stream.logs.contains("auth answered 200")
    assert stream.trace.has("proxy_continue_stream")
    assert stream.cost.callbacks["proxy_on_http_call_response"] > 0


def test_a_callout_of_a_tick_belongs_to_the_stream_that_it_acts_for(tmp_path: Path) -> None:
    headers = b"\3\0\0\0" + b"\7\0\0\0\3\0\0\0" + b"\5\0\0\0\1\0\0\0" + b"\12\0\0\0\1\0\0\0"
    headers += b":method\0GET\0:path\0/\0:authority\0x\0"
    call: Call = ("proxy_http_call", "auth", headers, "", "", 1000, OUT)
    calls: Calls = {
        CONFIGURE: [("proxy_set_tick_period_milliseconds", 1000)],
        TICK: [("proxy_set_effective_context", 3), call],
        REQUEST: [],
        CALL_RESPONSE: [],
    }
    plugin = written(tmp_path, calls, {REQUEST: 1})
    plugin.upstream("auth").replies(200)
    first, second = plugin.open("GET", "/1"), plugin.open("GET", "/2")
    plugin.advance(1)
    assert [len(stream.callouts) for stream in (first, second)] == [0, 1]
    assert [stream.trace.count(CALL_RESPONSE) for stream in (first, second)] == [0, 1]
    assert [stream.trace.count(TICK) for stream in (first, second)] == [1, 1]
