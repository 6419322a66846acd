"""An exchange through the filters: order of callbacks, pause and buffering, local replies, the end."""

from __future__ import annotations

from typing import Any

import pytest
from playbook import Guest, Play, returns

from simwasm.abi.enums import Action, BufferType, DataAction, MapType, Status, StreamType
from simwasm.abi.status import Refusal, Remark
from simwasm.errors import Trap, TrapKind
from simwasm.exchange import Exchange, request, response
from simwasm.host.ports import Failure
from simwasm.plugin import FailPolicy

GET = request("GET", "/")
STREAM: dict[str, Any] = dict.fromkeys(
    ("on_request_headers", "on_request_body", "on_request_trailers", "on_response_headers", "on_response_body",
     "on_response_trailers"), returns(0),
)  # fmt: skip
END = ("on_context_create", "on_log", "on_done", "on_delete")


def all_callbacks(**own: Any) -> dict[str, Any]:
    return STREAM | dict.fromkeys(END, returns(True)) | own


def names(play: Play) -> list[str]:
    return [seen.partition("(")[0] for seen in play.seen]


def noted(where: list[str], what: str) -> Any:
    """A callback that leaves a note and continues."""

    def note(guest: Guest, *args: object) -> int:
        where.append(what)
        return 0

    return note


def reply(guest: Guest, *args: object) -> int:
    guest.call("send_local_response", 403, "", b"no\n", (("X-Why", "because"),), -1)
    return 1


def test_a_get_sees_every_callback_in_order() -> None:
    play = Play(Guest(**all_callbacks()))
    play.run(Exchange("1", 0, GET, response(200, body=b"ok")))
    assert play.seen == [
        "on_context_create(2, 1)",
        "on_request_headers(2, 6, True)",
        "upstream",
        "on_response_headers(2, 3, False)",
        "on_response_body(2, 2, False)",
        "on_response_body(2, 0, True)",
        "on_log(2)",
        "on_done(2)",
        "on_delete(2)",
    ]


def test_chunks_and_trailers_arrive_as_they_were_sent() -> None:
    play = Play(Guest(**all_callbacks()))
    sent = request("POST", "/", body=[b"abc", b"de"], trailers=[("x-sum", "5")])
    outcome = play.run(sent)
    assert play.seen[1:5] == [
        "on_request_headers(2, 6, False)",
        "on_request_body(2, 3, False)",
        "on_request_body(2, 2, False)",
        "on_request_trailers(2, 1)",
    ]
    assert outcome.request is not None
    assert (outcome.request.data, outcome.request.trailers) == (b"abcde", (("x-sum", "5"),))


def test_a_callback_that_is_not_exported_is_not_called() -> None:
    play = Play(Guest(on_request_headers=returns(0)))
    assert play.run(GET).status == 200
    assert names(play) == ["on_request_headers", "upstream"]


def test_a_local_reply_goes_through_the_response_callbacks_and_not_upstream() -> None:
    play = Play(Guest(**all_callbacks(on_request_headers=reply)))
    outcome = play.run(GET)
    assert "upstream" not in play.seen
    assert names(play)[2:4] == ["on_response_headers", "on_response_body"]
    assert (outcome.status, outcome.local_reply, outcome.request) == (403, True, None)
    assert outcome.response is not None
    assert outcome.response.header("x-why") == "because"
    assert outcome.response.header("content-length") == "3"
    assert outcome.response.data == b"no\n"


def test_a_local_reply_stops_the_request_even_if_the_callback_continues() -> None:
    def both(guest: Guest, *args: object) -> int:
        reply(guest)
        return 0

    play = Play(Guest(**all_callbacks(on_request_headers=both)))
    assert play.run(request("POST", "/", body=b"x")).status == 403
    assert "on_request_body" not in names(play)


def test_a_local_reply_in_a_response_callback_replaces_the_response_unfiltered() -> None:
    play = Play(Guest(**all_callbacks(on_response_headers=reply)))
    outcome = play.run(Exchange("1", 0, GET, response(200, body=b"secret")))
    assert outcome.status == 403
    assert outcome.response is not None
    assert outcome.response.data == b"no\n"
    assert names(play).count("on_response_headers") == 1
    assert "on_response_body" not in names(play)


def test_a_local_reply_after_response_headers_cuts_the_stream_off() -> None:
    play = Play(Guest(**all_callbacks(on_response_body=reply)))
    outcome = play.run(Exchange("1", 0, GET, response(200, body=b"secret")))
    assert outcome.reset
    assert outcome.response is None or outcome.response.data == b""


def test_head_gets_headers_only() -> None:
    play = Play(Guest(**all_callbacks(on_request_headers=reply)))
    outcome = play.run(request("HEAD", "/"))
    assert outcome.response is not None
    assert (outcome.response.data, outcome.response.header("content-length")) == (b"", "3")


def test_pause_in_headers_holds_body_and_trailers_until_continued() -> None:
    def tick(guest: Guest, *args: object) -> None:
        guest.call("set_effective_context", 2)
        guest.call("continue_stream", StreamType.HTTP_REQUEST)
        guest.call("set_tick_period_milliseconds", 0)

    def pause(guest: Guest, *args: object) -> int:
        guest.call("set_tick_period_milliseconds", 10)
        return 1

    play = Play(Guest(**all_callbacks(on_request_headers=pause, on_tick=tick)))
    outcome = play.run(request("POST", "/", body=[b"ab", b"cd"]))
    assert play.seen[1:6] == [
        "on_request_headers(2, 6, False)",
        "on_tick(1)",
        "on_request_body(2, 4, True)",
        "upstream",
        "on_response_headers(2, 3, True)",
    ]
    assert outcome.request is not None
    assert outcome.request.data == b"abcd"


def test_pause_in_body_buffers_and_the_next_callback_sees_it_all() -> None:
    seen: list[bytes] = []

    def body(guest: Guest, context: int, size: int, end: bool) -> int:
        seen.append(guest.call("get_buffer_bytes", BufferType.HTTP_REQUEST_BODY, 0, size))
        if not end:
            return 1
        guest.call("set_buffer_bytes", BufferType.HTTP_REQUEST_BODY, 0, size, b"changed")
        return 0

    play = Play(Guest(**all_callbacks(on_request_body=body)))
    outcome = play.run(request("POST", "/", body=[b"ab", b"cd", b"ef"]))
    assert seen == [b"ab", b"abcd", b"abcdef", b"abcdef"]
    assert outcome.request is not None
    assert outcome.request.data == b"changed"


def test_a_dropped_chunk_does_not_arrive() -> None:
    def body(guest: Guest, context: int, size: int, end: bool) -> DataAction:
        return DataAction.CONTINUE if end else DataAction.STOP_NO_BUFFER

    play = Play(Guest(on_response_body=body, **{k: v for k, v in STREAM.items() if k != "on_response_body"}))
    outcome = play.run(Exchange("1", 0, GET, response(200, body=[b"ab", b"cd"])))
    assert outcome.response is not None
    assert outcome.response.data == b""


def test_more_than_the_buffer_limit_is_refused() -> None:
    play = Play(Guest(on_request_headers=returns(0), on_request_body=returns(1)))
    outcome = play.run(request("POST", "/", body=[b"x" * 700_000] * 2))
    assert (outcome.status, outcome.details) == (413, "request_payload_too_large")


def test_a_pause_that_nobody_ends_is_named_and_times_out() -> None:
    play = Play(Guest("stuck", on_request_headers=returns(1)))
    outcome = play.run(GET)
    assert outcome.status == 504
    assert outcome.waiting == "stuck paused the request and nobody resumed it"
    assert play.proxy.clock.now >= 300 * 10**9


def test_waiting_for_its_recorded_time_is_no_idleness() -> None:
    play = Play(Guest(on_request_headers=returns(0)))
    play.run(Exchange("1", 0, GET), Exchange("2", 400 * 10**9, GET), together=True)
    assert [outcome.status for outcome in play.outcomes] == [200, 200]


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run is taken for one without end a hundred times as soon as usual."""
    monkeypatch.setattr("simwasm.host.proxy.AT_ONE_INSTANT", 1_000)
    monkeypatch.setattr("simwasm.host.proxy.FOR_ONE_EXCHANGE", 10_000)


def test_ticks_until_a_far_away_exchange_are_not_too_many(few: None) -> None:
    def configure(guest: Guest, *args: object) -> bool:
        guest.call("set_tick_period_milliseconds", 1)
        return True

    play = Play(Guest(on_configure=configure, on_tick=returns(None)))
    assert play.run(Exchange("1", 11 * 10**9, GET)).status == 200


def test_any_number_of_exchanges_may_happen_at_one_instant(few: None) -> None:
    play = Play(Guest(on_request_headers=returns(0)))
    outcomes = play.start().proxy.run(Exchange(str(number), 0, GET) for number in range(6_000))
    assert all(outcome.status == 200 for outcome in outcomes)
    assert play.proxy.clock.now == 0


def test_request_headers_are_gone_once_their_callback_continued() -> None:
    answers: list[Any] = []

    def later(guest: Guest, *args: object) -> int:
        answers.append(guest.call("get_header_map_value", MapType.HTTP_REQUEST_HEADERS, ":path"))
        answers.append(guest.call("get_header_map_pairs", MapType.HTTP_REQUEST_HEADERS))
        return 0

    Play(Guest(on_request_headers=returns(0), on_response_headers=later)).run(GET)
    value, pairs = answers
    assert isinstance(value, Refusal)
    assert value.status is Status.BAD_ARGUMENT
    assert "proxy_on_request_headers, until it returns Continue" in value.reason
    assert isinstance(pairs, Remark)
    assert pairs.value == ()


def test_request_headers_are_there_again_for_the_log_and_cannot_be_written() -> None:
    answers: list[Any] = []

    def log(guest: Guest, *args: object) -> None:
        answers.append(guest.call("get_header_map_value", MapType.HTTP_REQUEST_HEADERS, ":path"))
        answers.append(guest.call("add_header_map_value", MapType.HTTP_REQUEST_HEADERS, "x", "y"))

    Play(Guest(on_request_headers=returns(0), on_log=log)).run(request("GET", "/here"))
    assert answers[0] == "/here"
    assert isinstance(answers[1], Refusal)


def test_headers_written_in_their_callback_reach_the_upstream() -> None:
    def headers(guest: Guest, *args: object) -> int:
        guest.call("add_header_map_value", MapType.HTTP_REQUEST_HEADERS, "X-New", "1")
        return 0

    outcome = Play(Guest(on_request_headers=headers)).run(GET)
    assert outcome.request is not None
    assert outcome.request.header("x-new") == "1"


def test_trailers_can_be_added_at_the_end_of_a_body() -> None:
    def body(guest: Guest, context: int, size: int, end: bool) -> int:
        if end:
            guest.call("add_header_map_value", MapType.HTTP_RESPONSE_TRAILERS, "x-sum", "2")
        return 0

    play = Play(Guest(on_response_body=body))
    outcome = play.run(Exchange("1", 0, GET, response(200, body=[b"ab"])))
    assert outcome.response is not None
    assert outcome.response.trailers == (("x-sum", "2"),)


def _trap(guest: Guest, *args: object) -> int:
    raise Trap(TrapKind.UNREACHABLE)


def test_a_trap_is_a_503_and_every_later_request_too() -> None:
    play = Play(Guest(**all_callbacks(on_request_headers=_trap)))
    outcomes = [play.run(GET), play.run(GET)]
    assert [(outcome.status, outcome.details) for outcome in outcomes] == [(503, "wasm_fail_stream")] * 2
    assert names(play) == ["on_context_create", "on_request_headers"]


def test_with_fail_open_only_the_request_that_trapped_fails() -> None:
    play = Play(Guest(policy=FailPolicy.FAIL_OPEN, on_request_headers=_trap))
    assert [play.run(GET).status, play.run(GET).status] == [503, 200]


def test_plugins_are_asked_in_order_and_answers_come_back_in_reverse() -> None:
    order: list[str] = []

    def noting(name: str) -> dict[str, Any]:
        def note(side: str) -> Any:
            return noted(order, f"{name} {side}")

        return {"on_request_headers": note("request"), "on_response_headers": note("response")}

    Play(Guest("a", **noting("a")), Guest("b", **noting("b"))).run(GET)
    assert order == ["a request", "b request", "b response", "a response"]


def test_a_plugin_behind_a_local_reply_sees_only_the_log() -> None:
    seen: list[str] = []

    second = {name: noted(seen, name) for name in (*STREAM, *END)}
    play = Play(Guest("first", on_request_headers=reply), Guest("second", **second))
    play.start()
    seen.clear()
    play.run(GET)
    assert seen == ["on_context_create", "on_log", "on_done", "on_delete"]


def test_streams_that_overlap_take_turns() -> None:
    play = Play(Guest(on_request_headers=returns(0), on_request_body=returns(0)))
    bodies = request("POST", "/", body=[b"a", b"b"])
    play.run(Exchange("1", 0, bodies), Exchange("2", 0, bodies), together=True)
    assert names(play)[:4] == [
        "on_request_headers",
        "on_request_headers",
        "on_request_body",
        "on_request_body",
    ]
    assert [outcome.exchange.id for outcome in play.outcomes] == ["1", "2"]


@pytest.mark.parametrize(
    ("failure", "status", "words"),
    [
        (Failure("connection failure"), 503, b"upstream connect error"),
        (Failure("timeout", 10**12), 504, b"timeout"),
    ],
)
def test_an_upstream_that_fails_is_a_local_reply(failure: Failure, status: int, words: bytes) -> None:
    outcome = Play(Guest(on_request_headers=returns(0)), answer=failure).run(GET)
    assert outcome.status == status
    assert outcome.response is not None
    assert words in outcome.response.data


def test_closing_a_stream_resets_it() -> None:
    def close(guest: Guest, *args: object) -> int:
        guest.call("close_stream", StreamType.HTTP_REQUEST)
        return int(Action.PAUSE)

    outcome = Play(Guest(on_request_headers=close)).run(GET)
    assert (outcome.reset, outcome.response) == ("wasm_close_stream", None)


def test_a_local_reply_from_a_root_context_says_that_nothing_is_sent() -> None:
    answers: list[Any] = []

    def configure(guest: Guest, *args: object) -> bool:
        answers.append(guest.call("send_local_response", 403, "", b"", (), -1))
        return True

    Play(Guest(on_configure=configure)).start()
    assert isinstance(answers[0], Remark)
    assert "root context" in answers[0].reason
