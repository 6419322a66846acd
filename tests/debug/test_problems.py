"""What is found on the tape of a run that went wrong, and that nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from switchboard import (
    CALL_RESPONSE,
    LOG,
    OUT,
    REQUEST_BODY,
    REQUEST_HEADERS,
    RESPONSE_BODY,
    RESPONSE_HEADERS,
    Call,
    Case,
    nth,
    pairs,
    switchboard,
)
from tapes import CASES, record, tape_of
from wat import callback, plugin

from simwasm.debug.problems import MOST, Grade, Problem, Problems
from simwasm.debug.tape import Span, Tape
from simwasm.exchange import Exchange, request, response
from simwasm.host.ports import Failure
from simwasm.plugin import Plugin

CHECK = ("proxy_http_call", "auth", pairs((":method", "GET"), (":path", "/"), (":authority", "auth")), "", "", 1000,
         OUT)  # fmt: skip


def problems_of(tape: Tape) -> tuple[Problem, ...]:
    problems = Problems(tape)
    problems.grow()
    return problems.all()


def of_case(case: Case, **options: object) -> tuple[Problem, ...]:
    """The problems of one exchange with a plugin that makes the calls of a case."""
    board = Plugin("board", switchboard([case]))
    return problems_of(record([board], [case.exchange(0)], **options))


def of_plugin(made: Plugin, **options: object) -> tuple[Problem, ...]:
    return problems_of(record([made], [Exchange("1", 0, request("GET", "/a"))], **options))


def titles(problems: tuple[Problem, ...]) -> list[tuple[str, str]]:
    return [(problem.severity.name, problem.title) for problem in problems]


def test_a_run_that_went_well_has_none() -> None:
    assert of_case(Case("well", {REQUEST_HEADERS: [("proxy_log", 2, "fine")]})) == ()


def test_a_trap_says_where_and_what_became_of_the_exchange() -> None:
    trap, exchange = of_plugin(plugin(callback("proxy_on_request_headers", "unreachable")))
    assert trap.severity is Grade.ERROR
    assert trap.title == "trap: unreachable"
    assert "proxy_on_request_headers of wat trapped (unreachable)." in trap.text
    assert "It happened in" in trap.why
    assert exchange.title == "exchange 1 (GET /a) failed with the plugin"
    assert exchange.position == trap.position


def test_an_endless_loop_says_what_fuel_is() -> None:
    trap, _ = of_plugin(plugin(callback("proxy_on_request_headers", "(loop $l (br $l))")), fuel=10_000)
    assert trap.title == "trap: out of fuel"
    assert "--fuel" in trap.advice


def test_what_is_missing_is_a_note_with_the_hosts_reason() -> None:
    (note,) = of_case(
        Case("missing", {REQUEST_HEADERS: [("proxy_get_header_map_value", 0, "x-none", OUT, OUT)]})
    )
    assert (note.severity, note.title) == (
        Grade.NOTE,
        "NOT_FOUND: header x-none (proxy_get_header_map_value)",
    )
    assert note.why == "There is no header `x-none`."


def test_a_header_of_a_similar_name_is_told() -> None:
    """The request has `x-a`, and no `x-none` is like it; what is alike but for its case is the same header."""
    looks = [("proxy_get_header_map_value", 0, name, OUT, OUT) for name in ("x-allwo", "x-none")]
    sent = request("GET", "/", headers=[("x-allow", "1")])
    alike, none = of_case(Case("similar", {REQUEST_HEADERS: looks}, sent=sent))
    assert alike.advice.startswith("There is `x-allow`: was that meant?")
    assert "There is" not in none.advice


def test_a_cluster_that_nobody_answers_for_has_the_option_as_advice() -> None:
    (error,) = of_case(Case("cluster", {REQUEST_HEADERS: [CHECK]}))
    assert error.title == "BAD_ARGUMENT: proxy_http_call"
    assert error.advice == "`--callout auth=200` answers for it."


def test_an_answer_says_which_header_was_not_found_before() -> None:
    looks = [("proxy_get_header_map_value", 0, name, OUT, OUT) for name in ("x-first", "allow")]
    reply = ("proxy_send_local_response", 403, "no", "denied", "", -1)
    found = of_case(Case("reply", {REQUEST_HEADERS: [*looks, reply]}, {REQUEST_HEADERS: 1}))
    assert "with 403, right after header `allow` was not found." in found[-1].text


def test_a_header_that_another_callback_did_not_find_is_no_reason_for_an_answer() -> None:
    look = ("proxy_get_header_map_value", 0, "allow", OUT, OUT)
    reply = ("proxy_send_local_response", 403, "no", "denied", "", -1)
    found = of_case(
        Case("reply", {REQUEST_HEADERS: [look], RESPONSE_HEADERS: [reply]}, {RESPONSE_HEADERS: 1})
    )
    assert "answered by the plugin" in found[-1].title
    assert "not found" not in found[-1].text


# A body callback comes twice, once for the end: what is set whenever it comes is set twice.
SIXTEEN = response(200, headers=[("content-length", "16")], body=b"sixteen bytes...")


def test_a_body_that_is_not_as_long_as_its_header_says_is_an_error_where_it_was_set() -> None:
    case = Case(
        "short", {nth(RESPONSE_BODY, 1): [("proxy_set_buffer_bytes", 1, 0, 16, "halfhalf")]}, answer=SIXTEEN
    )
    tape = record([Plugin("board", switchboard([case]))], [case.exchange(0)])
    (error,) = problems_of(tape)
    assert (error.severity, error.title) == (Grade.ERROR, "content-length says 16, the body has 8 bytes")
    assert tape.entered(error.position).function.name == "proxy_set_buffer_bytes"
    assert error.advice == "Remove content-length in proxy_on_response_headers."


def test_the_body_of_a_request_has_to_fit_too() -> None:
    sent = request("POST", "/", headers=[("content-length", "3")], body=b"abc")
    case = Case("long", {nth(REQUEST_BODY, 1): [("proxy_set_buffer_bytes", 0, 0, 3, "halfhalf")]}, sent=sent)
    assert [each.title for each in of_case(case)] == ["content-length says 3, the body has 8 bytes"]


@pytest.mark.parametrize(
    "calls",
    [
        {nth(RESPONSE_BODY, 1): [("proxy_set_buffer_bytes", 1, 0, 16, "replaced" * 2)]},
        {RESPONSE_HEADERS: [("proxy_remove_header_map_value", 2, "content-length")],
         nth(RESPONSE_BODY, 1): [("proxy_set_buffer_bytes", 1, 0, 16, "short")]},
        {RESPONSE_HEADERS: [("proxy_replace_header_map_value", 2, "content-length", "9")]},
    ],
    ids=["the same size", "no length", "body left alone"],
)  # fmt: skip
def test_a_body_that_fits_or_that_the_plugin_left_alone_is_no_problem(calls: dict[str, list[Call]]) -> None:
    assert of_case(Case("fits", calls, answer=SIXTEEN)) == ()


def test_an_answer_to_head_has_the_length_of_another_body() -> None:
    """Its body is set although there is none."""
    calls = {RESPONSE_HEADERS: [("proxy_set_buffer_bytes", 1, 0, 0, "body")]}
    problems = of_case(Case("head", calls, sent=request("HEAD", "/"), answer=SIXTEEN))
    assert not [each for each in problems if each.title.startswith("content-length")]


def test_a_bad_pointer_is_an_error_that_names_it() -> None:
    (error,) = of_case(Case("pointer", {REQUEST_HEADERS: [("proxy_log", 2, 0x7FFFFFFF, 5)]}))
    assert (error.severity, error.title) == (Grade.ERROR, "INVALID_MEMORY_ACCESS: proxy_log")
    assert "5 bytes at address 2147483647" in error.why


def test_a_bad_argument_is_an_error_on_the_row_of_its_call() -> None:
    case = Case("argument", {REQUEST_HEADERS: [("proxy_get_header_map_value", 2, "x", OUT, OUT)]})
    board = Plugin("board", switchboard([case]))
    tape = record([board], [case.exchange(0)])
    (error,) = problems_of(tape)
    assert (error.severity, error.title) == (
        Grade.ERROR,
        "BAD_ARGUMENT: header x (proxy_get_header_map_value)",
    )
    assert tape.rows[tape.rows.at(error.position)].position == error.position


@pytest.mark.parametrize(("level", "found"), [(3, []), (4, ["error"]), (5, ["critical"])])
def test_errors_that_a_plugin_logs_are_problems(level: int, found: list[str]) -> None:
    problems = of_case(Case("log", {REQUEST_HEADERS: [("proxy_log", level, "no\x1b[2Jway")]}))
    assert [problem.title for problem in problems] == [f"the plugin logged: {name}" for name in found]
    assert all('"no\\x1b[2Jway"' in problem.text for problem in problems)


def test_an_exchange_that_nobody_resumed_is_an_error_where_it_was_paused() -> None:
    case = Case("hung", {}, {REQUEST_HEADERS: 1})
    board = Plugin("board", switchboard([case]))
    tape = record([board], [case.exchange(0)])
    (error,) = problems_of(tape)
    assert (error.severity, error.title) == (Grade.ERROR, "exchange 1 (hung) hung")
    assert tape.entered(error.position).function.name == "proxy_on_request_headers"
    assert "board paused the request and nobody resumed it." in error.why


def test_an_answer_of_the_plugin_is_a_note_on_its_call() -> None:
    reply = ("proxy_send_local_response", 403, "no", "denied", "", -1)
    (note,) = of_case(Case("reply", {REQUEST_HEADERS: [reply]}, {REQUEST_HEADERS: 1}))
    assert (note.severity, note.title) == (Grade.NOTE, "exchange 1 (reply) answered by the plugin")
    assert "with 403" in note.text


def test_a_local_reply_together_with_continue_is_noted() -> None:
    reply = ("proxy_send_local_response", 403, "no", "denied", "", -1)
    found = titles(of_case(Case("reply", {REQUEST_HEADERS: [reply]})))
    assert ("NOTE", "local reply, then Continue") in found


def test_a_callout_that_broke_off_is_a_warning() -> None:
    broken = Failure("connection termination", begun=response(200))
    case = Case("callout", {REQUEST_HEADERS: [CHECK]})
    found = of_case(case, clusters=["auth"], ask_cluster=lambda callout: broken)
    assert titles(found) == [("WARNING", "callout 4 failed")]


def test_a_callout_that_was_answered_with_an_error_is_a_warning_where_the_plugin_reads_it() -> None:
    read = ("proxy_get_header_map_value", 6, ":status", OUT, OUT)
    case = Case("callout", {REQUEST_HEADERS: [CHECK], CALL_RESPONSE: [read]})
    for answer, found in ((Failure("timeout"), "504"), (response(503), "503"), (response(403), "")):
        problems = of_case(case, clusters=["auth"], ask_cluster=lambda callout, answer=answer: answer)
        assert titles(problems) == ([("WARNING", f"callout answered {found}")] if found else [])


def test_trailers_that_come_while_paused_are_noted() -> None:
    sent = request("POST", "/", body=[b"a", b"b"], headers=[("x-a", "1")], trailers=[("x-t", "1")])
    case = Case("paused", {}, {REQUEST_BODY: 1}, sent=sent)
    assert titles(of_case(case)) == [("NOTE", "proxy_on_request_trailers while paused")]


def test_a_response_without_status_is_an_error_of_the_plugin() -> None:
    case = Case("status", {RESPONSE_HEADERS: [("proxy_remove_header_map_value", 2, ":status")]})
    (error,) = of_case(case)
    assert (error.severity, error.title) == (Grade.ERROR, "exchange 1 (status): 502")
    assert "A plugin removed `:status`" in error.why


def test_a_stream_that_the_plugin_closed_is_a_note() -> None:
    (note,) = of_case(Case("close", {REQUEST_HEADERS: [("proxy_close_stream", 0)]}, {REQUEST_HEADERS: 1}))
    assert (note.severity, note.title) == (Grade.NOTE, "exchange 1 (close): wasm_close_stream")


def test_what_a_runtime_tries_in_wasi_is_no_more_than_a_note() -> None:
    found = [problem for problem in problems_of(tape_of("allow_header_go/browser")) if "fd_" in problem.title]
    assert found
    assert {problem.severity for problem in found} == {Grade.NOTE}


def test_in_the_log_callback_nothing_can_be_written() -> None:
    (error,) = of_case(Case("late", {LOG: [("proxy_replace_header_map_value", 0, "x-a", "2")]}))
    assert error.why == "Nothing can be written in proxy_on_log."


def test_the_samples_do_nothing_wrong() -> None:
    for id in CASES:
        if id != "http_auth/no_service":
            worst = [problem for problem in problems_of(tape_of(id)) if problem.severity is Grade.ERROR]
            assert worst == []


@pytest.mark.parametrize("id", ["http_auth/no_service", "allow_header_go/browser"])
def test_the_row_and_the_exchange_that_are_told_are_those_of_the_tape(id: str) -> None:
    tape = tape_of(id)
    for problem in problems_of(tape):
        assert problem.row == tape.rows.at(problem.position) + 1
        around = tape.span_of(tape.entered(problem.position))
        assert problem.exchange == (0 if around is None else around.index + 1)


def test_of_problems_that_are_alike_the_first_are_kept_and_the_others_counted() -> None:
    case = Case(
        "missing", {REQUEST_HEADERS: [("proxy_get_header_map_value", 0, "x-none", OUT, OUT)] * (MOST + 5)}
    )
    board = Plugin("board", switchboard([case]))
    problems = Problems(record([board], [case.exchange(0)]))
    problems.grow()
    assert (len(problems), problems.left_off) == (MOST, 5)


@given(st.sampled_from(sorted(CASES)), st.lists(st.integers(0, 300), max_size=6))
def test_problems_that_were_found_as_the_tape_grew_are_those_found_at_once(
    id: str, splits: list[int]
) -> None:
    whole = tape_of(id)
    tape = Tape()
    tape._streams = whole._streams
    problems = Problems(tape)
    for split in (*sorted(splits), len(whole)):
        for event in whole.events[len(tape) : split]:
            tape.add(event)
        _bring_spans(tape, whole.spans)
        problems.grow()
    tape.complete = True
    problems.grow()
    assert problems.all() == problems_of(whole)


def _bring_spans(tape: Tape, spans: list[Span]) -> None:
    """Let a tape know of the exchanges that have begun, and of those that have ended."""
    for span in spans:
        if span.index == len(tape.spans) and span.first <= len(tape) + 1:
            tape.begin(span.exchange)
        if span.last <= len(tape) and span.index < len(tape.spans):
            tape.spans[span.index].outcome, tape.spans[span.index].last = span.outcome, span.last
