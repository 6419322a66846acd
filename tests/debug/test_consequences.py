"""What is said about a callback's result is what the host then does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from stops import Standing, visit
from switchboard import (
    CALL_RESPONSE,
    OUT,
    REQUEST_BODY,
    REQUEST_HEADERS,
    REQUEST_TRAILERS,
    RESPONSE_BODY,
    RESPONSE_HEADERS,
    STREAM,
    Call,
    Case,
    pairs,
    switchboard,
)
from wat import plugin

from simwasm.debug.consequences import Consequence, consequence
from simwasm.debug.tape import Tape
from simwasm.debug.waiting import lasting
from simwasm.engines.engine import Engine
from simwasm.exchange import Message, request, response
from simwasm.host.outcome import Outcome
from simwasm.plugin import FailPolicy, Plugin

MS = 1_000_000
CALL = (
    "proxy_http_call",
    "auth",
    pairs((":method", "GET"), (":path", "/"), (":authority", "auth")),
    "",
    b"",
    1000,
    OUT,
)
AUTH: dict[str, Any] = {"clusters": {"auth"}, "ask_cluster": lambda callout: response(200, after_ns=12 * MS)}
POSTED = request("POST", "/", body=[b"abc", b"de"])
NO_SETTINGS: Mapping[str, Any] = {}


def told(
    engine: Engine, case: Case, name: str, settings: Mapping[str, Any] = NO_SETTINGS, **options: Any
) -> tuple[list[Consequence], Outcome]:
    """What is said each time when this callback has returned, and what became of the exchange."""
    found: list[Consequence] = []
    board = Plugin("board", switchboard([case]), **settings)
    outcomes = visit(
        engine, board, [case.exchange(0)], {f"-{name}": lambda at: found.append(at.consequence)}, **options
    )
    return found, outcomes[0]


def returns(name: str, number: int, sent: Message = POSTED, *calls: Any) -> Case:
    """A plugin that returns this number from this callback."""
    return Case("returns", {name: calls}, {name: number}, sent=sent)


def test_continue_goes_to_the_next_plugin_and_from_the_last_to_the_upstream(engine: Engine) -> None:
    found: list[str] = []
    wasm = switchboard([returns(REQUEST_HEADERS, 0)])
    visit(
        engine,
        [Plugin("one", wasm), Plugin("two", wasm)],
        [request("GET", "/", headers=[("case", "0")])],
        {
            f"-{REQUEST_HEADERS}": lambda at: found.append(at.consequence.text),
            f"-{RESPONSE_HEADERS}": lambda at: found.append(at.consequence.text),
        },
    )
    assert found == [
        "The request headers go on to `two`.",
        "The request headers go on to the upstream.",
        "The response headers go on to `one`.",
        "The response headers go on to the client.",
    ]


class TestPause:
    def test_it_says_which_callout_is_in_flight(self, engine: Engine) -> None:
        case = Case("asks", {REQUEST_HEADERS: [CALL]}, {REQUEST_HEADERS: 1})
        (found,), _ = told(engine, case, REQUEST_HEADERS, **AUTH)
        assert (found.action, found.stops, found.hopeless) == ("PAUSE", True, False)
        assert found.text == (
            "The request stops here; its body and trailers wait too, without the plugin being asked about them, as "
            "Envoy does by default. It is resumed by proxy_continue_stream(HTTP_REQUEST); callout 4 to `auth` is in "
            "flight (it is sent when the callback has returned)."
        )

    def test_without_a_callout_or_a_tick_nobody_can_resume_it(self, engine: Engine) -> None:
        (found,), outcome = told(engine, returns(REQUEST_HEADERS, 1), REQUEST_HEADERS)
        assert found.hopeless
        assert found.text.endswith(
            "No callout is in flight, no tick is set: NOBODY can resume it; the exchange ends with the idle timeout in "
            "5 min."
        )
        assert outcome.details == "stream_idle_timeout"

    def test_a_tick_may_resume_it(self, engine: Engine) -> None:
        case = returns(REQUEST_HEADERS, 1, POSTED, ("proxy_set_tick_period_milliseconds", 50))
        (found,), _ = told(engine, case, REQUEST_HEADERS)
        assert found.text.endswith("; the next tick is due in 50 ms.")

    def test_where_the_host_allows_it_the_body_still_comes(self, engine: Engine) -> None:
        case = returns(REQUEST_HEADERS, 1)
        allowed = {"stop_iteration_on_headers": True}
        (found,), outcome = told(engine, case, REQUEST_HEADERS, allowed)
        assert found.text.startswith("The request stops here; body and trailers still come to this plugin")
        assert "more of the request comes" in found.text
        assert outcome.status == 200

    def test_a_paused_body_is_seen_whole_by_the_next_callback(self, engine: Engine) -> None:
        found, outcome = told(engine, returns(REQUEST_BODY, 1), REQUEST_BODY)
        assert [each.text.partition(". ")[0] for each in found] == [
            "3 bytes are held back",
            "5 bytes are held back",
            "Everything it held back (5 bytes buffered) goes on to the upstream.",
        ]
        assert outcome.request is not None
        assert outcome.request.data == b"abcde"

    def test_a_dropped_chunk_goes_nowhere(self, engine: Engine) -> None:
        found, outcome = told(engine, returns(REQUEST_BODY, 3), REQUEST_BODY)
        assert found[0].text.startswith("What this callback saw (3 bytes) is dropped: it goes nowhere.")
        assert outcome.request is not None
        assert outcome.request.data == b""

    def test_paused_trailers_have_no_callback_behind_them(self, engine: Engine) -> None:
        sent = request("POST", "/", body=[b"abc"], trailers=[("t", "1")])
        (found,), outcome = told(engine, returns(REQUEST_TRAILERS, 1, sent), REQUEST_TRAILERS)
        assert found.text.startswith("The request trailers stop here, and what is held back before them.")
        assert (found.hopeless, outcome.request) == (True, None)

    def test_a_number_that_is_no_action_stops_everything(self, engine: Engine) -> None:
        (found,), outcome = told(engine, returns(REQUEST_HEADERS, 77), REQUEST_HEADERS)
        assert found.text.startswith(
            "77 is no action: it counts as STOP_ALL_AND_WATERMARK. The request stops here"
        )
        assert outcome.request is None


def test_a_local_reply_makes_the_action_meaningless(engine: Engine) -> None:
    denies = ("proxy_send_local_response", 403, "", "no", b"", -1)
    (found,), outcome = told(engine, returns(REQUEST_HEADERS, 0, POSTED, denies), REQUEST_HEADERS)
    assert found.text == (
        "This plugin sends the local reply 403 of exchange #1, so the action is ignored: the request goes no further."
    )
    assert outcome.status == 403


class TestCalloutAnswers:
    def test_what_was_asked_for_is_told(self, engine: Engine) -> None:
        answers: list[Call] = [("proxy_set_effective_context", STREAM), ("proxy_continue_stream", 0)]
        case = Case("asks", {REQUEST_HEADERS: [CALL], CALL_RESPONSE: answers}, {REQUEST_HEADERS: 1})
        (found,), outcome = told(engine, case, CALL_RESPONSE, **AUTH)
        assert (
            found.text
            == "It returns nothing. Now that it has returned: the request of exchange #1 continues."
        )
        assert outcome.status == 200

    def test_an_exchange_that_is_forgotten_is_told(self, engine: Engine) -> None:
        case = Case("forgets", {REQUEST_HEADERS: [CALL]}, {REQUEST_HEADERS: 1})
        (found,), outcome = told(engine, case, CALL_RESPONSE, **AUTH)
        assert found.text.startswith(
            "It returns nothing. Exchange #1 stays paused in its request: no callout is in"
        )
        assert outcome.details == "stream_idle_timeout"


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        (FailPolicy.FAIL_CLOSED, "Every exchange is answered with 503 from now on (FAIL_CLOSED)."),
        (FailPolicy.FAIL_OPEN, "Open exchanges are answered with 503; new ones go round it (FAIL_OPEN)."),
    ],
)
def test_after_a_trap_it_says_what_the_fail_policy_does(
    engine: Engine, policy: FailPolicy, said: str
) -> None:
    case = Case("traps", {REQUEST_HEADERS: [("unreachable",)]})
    (found,), outcome = told(engine, case, REQUEST_HEADERS, {"fail_policy": policy})
    assert found.text == f"`board` has failed and is not called again. {said}"
    assert outcome.status == 503


def test_a_refused_configuration_is_told(engine: Engine) -> None:
    said: list[str] = []
    refuses = plugin('(func (export "proxy_on_configure") (param i32 i32) (result i32) (i32.const 0))')
    with pytest.raises(Exception, match="returned false"):
        visit(engine, refuses, [], {"-proxy_on_configure": lambda at: said.append(at.consequence.text)})
    assert said == ["The configuration is refused: the plugin is not loaded."]


class TestStatus:
    def run(self, engine: Engine, case: Case, name: str, **options: Any) -> str:
        found: list[str] = []
        board = Plugin("auth", switchboard([case]))
        visit(engine, board, [case.exchange(0)], {name: lambda at: found.append(at.status)}, **options)
        return found[0]

    def test_a_paused_exchange_says_what_it_waits_for(self, engine: Engine) -> None:
        found: list[str] = []
        case = Case("asks", {REQUEST_HEADERS: [CALL]}, {REQUEST_HEADERS: 1})
        visit(
            engine,
            Plugin("auth", switchboard([case])),
            [case.exchange(0)],
            {
                CALL_RESPONSE: lambda at: found.append(at.status),
                f"-{CALL_RESPONSE}": lambda at: found.append(at.status),
            },
            **AUTH,
        )
        assert found == [
            "PAUSED in request headers by `auth`, waiting for proxy_on_http_call_response to do it",
            "PAUSED in request headers by `auth`: no callout is in flight, no tick is set: NOBODY can resume it; the "
            "exchange ends with the idle timeout in 5 min",
        ]

    def test_while_a_callback_runs_it_says_which(self, engine: Engine) -> None:
        case = returns(RESPONSE_BODY, 0)
        assert self.run(engine, case, RESPONSE_BODY) == "response in `auth`: proxy_on_response_body"

    def test_an_exchange_that_has_ended_says_how(self, engine: Engine) -> None:
        assert self.run(engine, returns(RESPONSE_BODY, 0), "proxy_on_log") == "ENDED 200 (via_upstream)"


def test_in_a_callback_what_it_will_return_is_known_from_the_recorded_future(engine: Engine) -> None:
    """The second time one comes there, the tape of the first run knows the end of the call."""
    case = returns(REQUEST_HEADERS, 1)
    board = Plugin("board", switchboard([case]))
    tapes: list[Tape] = []
    found: list[Consequence | None] = []
    visit(engine, board, [case.exchange(0)], {"proxy_on_delete": lambda at: tapes.append(at.tape)})
    visit(
        engine,
        board,
        [case.exchange(0)],
        {REQUEST_HEADERS: lambda at: found.append(consequence(at.state, tapes[0], at.position))},
    )
    assert found[0] is not None
    assert (found[0].action, found[0].ahead) == ("PAUSE", True)
    assert found[0].text.startswith("It will return PAUSE. The request stops here")
    assert "proxy_on_request_headers, which runs now, can do it" in found[0].text


REPLY = ("proxy_send_local_response", 403, "no", "denied", "", -1)


def test_a_callback_that_is_going_to_answer_itself_says_so(engine: Engine) -> None:
    case = Case("replies", {REQUEST_HEADERS: [REPLY]}, {REQUEST_HEADERS: 1})
    board = Plugin("board", switchboard([case]))
    tapes: list[Tape] = []
    found: list[tuple[Consequence | None, int]] = []

    def look(at: Standing) -> None:
        rows = (tapes[0].rows[index] for index in range(len(tapes[0].rows)))
        row = next(row for row in rows if row.entered.function.name == REPLY[0])
        found.append((consequence(at.state, tapes[0], at.position), row.index + 1))

    visit(engine, board, [case.exchange(0)], {"proxy_on_delete": lambda at: tapes.append(at.tape)})
    visit(
        engine,
        board,
        [case.exchange(0)],
        {REQUEST_HEADERS: look, REPLY[0]: look, f"-{REQUEST_HEADERS}": look},
    )
    (begin, row), (before, _), (after, _) = found
    assert begin is not None
    assert begin.text == (
        f"It will return PAUSE. It will answer with 403 itself in row {row}; the action is ignored then, and the "
        "request goes no further."
    )
    assert before == begin
    assert after is not None
    assert "It will answer" not in after.text


@pytest.mark.parametrize(
    ("ns", "words"),
    [(0, "0 ns"), (1_500, "1.5 µs"), (12 * MS, "12 ms"), (1_500 * MS, "1.5 s"), (300_000 * MS, "5 min")],
)
def test_a_time_is_told_in_its_unit(ns: int, words: str) -> None:
    assert lasting(ns) == words
