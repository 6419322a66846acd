"""Every lint: a plugin that does what it is about, and one that nearly does."""

from __future__ import annotations

from typing import Any

import pytest
from linting import problems_of_case, problems_of_run
from switchboard import (
    CALL_RESPONSE,
    CONFIGURE,
    DONE,
    LOG,
    OUT,
    REQUEST_BODY,
    REQUEST_HEADERS,
    RESPONSE_BODY,
    RESPONSE_HEADERS,
    STREAM,
    TICK,
    Call,
    Case,
    nth,
    pairs,
)
from wat import call, callback, imported, plugin

from simwasm.abi.table import FUNCTIONS, Abi, Function, Side
from simwasm.exchange import Exchange, request, response
from simwasm.host.fault_text import parse_fault
from simwasm.host.ports import Failure
from simwasm.lints.table import LINTS
from simwasm.trace.query.grades import Grade

AUTH = pairs((":method", "GET"), (":path", "/"), (":authority", "auth"))
CHECK: Call = ("proxy_http_call", "auth", AUTH, "", "", 1000, OUT)
REPLY: Call = ("proxy_send_local_response", 403, "no", "denied", "", -1)
STATUS: Call = ("proxy_get_header_map_value", 6, ":status", OUT, OUT)
GO_ON: Call = ("proxy_continue_stream", 0)
ACT: Call = ("proxy_set_effective_context", STREAM)
PAUSED = {REQUEST_HEADERS: 1}
POST = request("POST", "/", headers=[("x-a", "1")], body=b"abc")
TRAILERS = request("POST", "/", body=[b"a", b"b"], headers=[("x-a", "1")], trailers=[("x-t", "1")])
PAGE = response(200, headers=[("content-length", "2"), ("x-b", "1")], body=b"ok")
REFUSED: dict[str, Any] = {
    "clusters": ["auth"],
    "ask_cluster": lambda callout: Failure("connection termination"),
}
ANSWERED: dict[str, Any] = {"clusters": ["auth"], "ask_cluster": lambda callout: response(200)}
ERROR: dict[str, Any] = {"clusters": ["auth"], "ask_cluster": lambda callout: response(503)}


def add(kind: int, value: str = "1") -> Call:
    return ("proxy_add_header_map_value", kind, "x-new", value)


def write(kind: int, start: int, size: int, text: str) -> Call:
    return ("proxy_set_buffer_bytes", kind, start, size, text)


def prop(*path: str) -> Call:
    return ("proxy_get_property", "\0".join(path), OUT, OUT)


Row = tuple[str, Case, dict[str, Any]]

BAD: list[Row] = [
    ("trap", Case("trap", {REQUEST_HEADERS: [("unreachable",)]}), {}),
    ("failed-with-the-plugin", Case("trap", {REQUEST_HEADERS: [("unreachable",)]}), {}),
    ("exit-called", Case("exit", {REQUEST_HEADERS: [("proc_exit", 1)]}), {}),
    ("never-resumed", Case("hung", {}, PAUSED), {}),
    ("called-while-paused", Case("trailers", {}, {REQUEST_BODY: 1}, TRAILERS), {}),
    ("continue-not-paused", Case("go", {REQUEST_HEADERS: [GO_ON]}), {}),
    ("continue-not-paused", Case("go twice", {REQUEST_HEADERS: [CHECK], CALL_RESPONSE: [ACT, GO_ON, GO_ON]}, PAUSED),
     ANSWERED),
    ("double-reply", Case("twice", {REQUEST_HEADERS: [REPLY, REPLY]}, PAUSED), {}),
    ("reply-then-continue", Case("reply", {REQUEST_HEADERS: [REPLY]}), {}),
    ("answered-by-the-plugin", Case("reply", {REQUEST_HEADERS: [REPLY]}, PAUSED), {}),
    ("callout-failed", Case("reset", {REQUEST_HEADERS: [CHECK]}),
     REFUSED | {"ask_cluster": lambda callout: Failure("connection termination", begun=response(200))}),
    ("callout-refused", Case("503", {REQUEST_HEADERS: [CHECK], CALL_RESPONSE: [STATUS]}), ERROR),
    ("failed-callout-unwrapped", Case("unwrap", {REQUEST_HEADERS: [CHECK], CALL_RESPONSE: [STATUS]}),
     REFUSED | {"ask_cluster": lambda callout: Failure("connection termination", begun=response(200))}),
    ("failed-callout-unwrapped", Case("panic", {REQUEST_HEADERS: [CHECK], CALL_RESPONSE: [("unreachable",)]}),
     REFUSED | {"ask_cluster": lambda callout: Failure("connection termination", begun=response(200))}),
    ("callout-without-pseudo-header",
     Case("pseudo", {REQUEST_HEADERS: [("proxy_http_call", "auth", pairs((":method", "GET")), "", "", 9, OUT)]}),
     ANSWERED),
    ("content-length-misfit",
     Case("long", {nth(RESPONSE_BODY, 1): [write(1, 0, 2, "longer")]}, answer=PAGE), {}),
    ("write-inside-a-buffer", Case("middle", {nth(RESPONSE_BODY, 1): [write(1, 1, 1, "x")]}, answer=PAGE), {}),
    ("body-set-at-empty-end", Case("always", {RESPONSE_BODY: [write(1, 0, 9, "new")]}), {}),
    ("wrong-callback", Case("map", {RESPONSE_HEADERS: [("proxy_get_header_map_value", 0, "x-a", OUT, OUT)]}), {}),
    ("wrong-callback", Case("log", {LOG: [add(0)]}), {}),
    ("wrong-callback", Case("buffer", {REQUEST_HEADERS: [("proxy_get_buffer_bytes", 7, 0, 9, OUT, OUT)]}), {}),
    ("write-after-continue", Case("gone", {REQUEST_HEADERS: [CHECK], CALL_RESPONSE: [ACT, GO_ON, add(0)]}, PAUSED),
     ANSWERED),
    ("write-after-continue",
     Case("late", {RESPONSE_HEADERS: [CHECK], CALL_RESPONSE: [ACT, ("proxy_continue_stream", 1)],
                   nth(RESPONSE_BODY, 1): [add(2)]}, {RESPONSE_HEADERS: 1}), ANSWERED),
    ("header-with-line-break", Case("break", {REQUEST_HEADERS: [add(0, "a\r\nx-admin: 1")]}), {}),
    ("header-with-line-break",
     Case("reply", {REQUEST_HEADERS: [(*REPLY[:4], pairs(("x-a", "a\0b")), -1)]}, PAUSED), {}),
    ("property-gone", Case("gone", {REQUEST_HEADERS: [prop("cluster_name")]}), {}),
    ("context-after-end",
     Case("late", {REQUEST_HEADERS: [CHECK, REPLY], CALL_RESPONSE: [ACT]}, PAUSED),
     ANSWERED | {"ask_cluster": lambda callout: response(200, after_ns=9)}),
    ("context-never-deleted", Case("wait", {}, {DONE: 0}), {}),
    ("spoiled", Case("status", {RESPONSE_HEADERS: [("proxy_remove_header_map_value", 2, ":status")]}), {}),
    ("refused", Case("pointer", {REQUEST_HEADERS: [("proxy_log", 2, 0x7FFFFFFF, 5)]}), {}),
    ("missed", Case("none", {REQUEST_HEADERS: [("proxy_get_header_map_value", 0, "x-none", OUT, OUT)]}), {}),
    ("unknown-cluster", Case("cluster", {REQUEST_HEADERS: [CHECK]}), {}),
    ("logged-an-error", Case("log", {REQUEST_HEADERS: [("proxy_log", 4, "no")]}), {}),
]  # fmt: skip
"""What each is found in."""

NEAR: list[Row] = [
    ("never-resumed", Case("answered", {REQUEST_HEADERS: [CHECK], CALL_RESPONSE: [ACT, GO_ON]}, PAUSED), ANSWERED),
    ("called-while-paused", Case("body", {}, {}, TRAILERS), {}),
    ("continue-not-paused", Case("once", {REQUEST_HEADERS: [CHECK], CALL_RESPONSE: [ACT, GO_ON]}, PAUSED), ANSWERED),
    ("continue-not-paused", Case("body", {nth(REQUEST_BODY, 1): [GO_ON]}, PAUSED, POST), {}),
    ("double-reply", Case("once", {REQUEST_HEADERS: [REPLY]}, PAUSED), {}),
    ("reply-then-continue", Case("pause", {REQUEST_HEADERS: [REPLY]}, PAUSED), {}),
    ("answered-by-the-plugin", Case("cluster", {REQUEST_HEADERS: [CHECK]}), ANSWERED),
    ("callout-failed", Case("503", {REQUEST_HEADERS: [CHECK]}), ERROR),
    ("callout-refused", Case("200", {REQUEST_HEADERS: [CHECK], CALL_RESPONSE: [STATUS]}), ANSWERED),
    ("failed-callout-unwrapped", Case("503", {REQUEST_HEADERS: [CHECK], CALL_RESPONSE: [STATUS]}), ERROR),
    ("callout-without-pseudo-header", Case("all", {REQUEST_HEADERS: [CHECK]}), ANSWERED),
    ("content-length-misfit", Case("same", {nth(RESPONSE_BODY, 1): [write(1, 0, 2, "no")]}, answer=PAGE), {}),
    ("write-inside-a-buffer", Case("end", {nth(RESPONSE_BODY, 1): [write(1, 2, 0, "x")]}), {}),
    ("body-set-at-empty-end", Case("once", {nth(RESPONSE_BODY, 1): [write(1, 0, 9, "new")]}), {}),
    ("body-set-at-empty-end", Case("at the end", {nth(RESPONSE_BODY, 2): [write(1, 0, 9, "new")]}), {}),
    ("body-set-at-empty-end",
     Case("held", {RESPONSE_BODY: [write(1, 0, 9, "new")]}, {RESPONSE_BODY: 1}), {}),
    ("wrong-callback", Case("map", {LOG: [("proxy_get_header_map_value", 0, "x-a", OUT, OUT)]}), {}),
    ("write-after-continue", Case("first", {REQUEST_HEADERS: [CHECK], CALL_RESPONSE: [ACT, add(0), GO_ON]}, PAUSED),
     ANSWERED),
    ("write-after-continue", Case("other side", {REQUEST_HEADERS: [CHECK], CALL_RESPONSE: [ACT, GO_ON],
                                                 RESPONSE_HEADERS: [add(2)]}, PAUSED), ANSWERED),
    ("header-with-line-break", Case("tab", {REQUEST_HEADERS: [add(0, "a\tb")]}), {}),
    ("property-gone", Case("there", {REQUEST_HEADERS: [prop("xds", "cluster_name"), prop("unknown")]}), {}),
    ("context-after-end", Case("never", {REQUEST_HEADERS: [("proxy_set_effective_context", 99)]}), {}),
    ("context-never-deleted", Case("true", {}, {DONE: 1}), {}),
    ("spoiled", Case("status", {RESPONSE_HEADERS: [("proxy_replace_header_map_value", 2, ":status", "500")]}), {}),
    ("refused", Case("missing", {REQUEST_HEADERS: [("proxy_get_header_map_value", 0, "x-none", OUT, OUT)]}), {}),
    ("missed", Case("there", {REQUEST_HEADERS: [("proxy_get_header_map_value", 0, "x-a", OUT, OUT)]}), {}),
    ("unknown-cluster", Case("known", {REQUEST_HEADERS: [CHECK]}), ANSWERED),
    ("logged-an-error", Case("log", {REQUEST_HEADERS: [("proxy_log", 3, "hm")]}), {}),
]  # fmt: skip
"""Where it is not found, near as it is."""


def named(rows: list[Row]) -> list[object]:
    return [pytest.param(*row, id=f"{row[0]}: {row[1].name}") for row in rows]


@pytest.mark.parametrize(("lint", "case", "options"), named(BAD))
def test_it_is_found(lint: str, case: Case, options: dict[str, Any]) -> None:
    found = [problem for problem in problems_of_case(case, **options) if problem.lint == lint]
    assert found
    assert found[0].happened
    assert found[0].row


@pytest.mark.parametrize(("lint", "case", "options"), named(NEAR))
def test_it_is_not_found(lint: str, case: Case, options: dict[str, Any]) -> None:
    assert lint not in {problem.lint for problem in problems_of_case(case, **options)}


def test_every_lint_has_a_case() -> None:
    assert {row[0] for row in BAD} == {lint.id for lint in LINTS} - {"memory-grows"}


def test_to_say_done_before_one_was_asked_to_wait_is_too_early() -> None:
    case = Case("early", {DONE: [("proxy_done",)]}, {DONE: 0})
    assert "context-never-deleted" in {problem.lint for problem in problems_of_case(case)}


def test_who_hangs_is_told_what_it_waited_for() -> None:
    (hung,) = (each for each in problems_of_case(Case("hung", {}, PAUSED)) if each.lint == "never-resumed")
    assert "It has made no callout and no tick is set: there is nobody left who could resume it." in hung.why
    case = Case("hung", {REQUEST_HEADERS: [CHECK]}, PAUSED)
    (hung,) = (each for each in problems_of_case(case, **ANSWERED) if each.lint == "never-resumed")
    assert "Callout 4 to `auth` was answered on row " in hung.why
    assert "and nobody continued then." in hung.why


def test_ticks_are_somebody_who_could_resume() -> None:
    case = Case("hung", {CONFIGURE: [("proxy_set_tick_period_milliseconds", 60_000)], TICK: []}, PAUSED)
    (hung,) = (each for each in problems_of_case(case) if each.lint == "never-resumed")
    assert "board ticks every 60,000 ms." in hung.why


def test_a_place_is_the_exchange_and_the_row_of_the_debugger() -> None:
    """Rows are calls that begin and callbacks that end, from the first event of the run on."""
    case = Case("log", {REQUEST_HEADERS: [("proxy_log", 4, "no")]})
    first, second = problems_of_case(case, times=2)
    assert (first.exchange, second.exchange) == (1, 2)
    assert second.row - first.row > 5
    assert first.position > first.row


def test_a_trap_is_told_once_however_deep_it_was() -> None:
    made = plugin(callback("proxy_on_request_headers", "unreachable"))
    found = problems_of_run(made, [Exchange("1", 0, request("GET", "/a"))])
    assert [each.lint for each in found] == ["trap", "failed-with-the-plugin"]


def test_what_is_less_than_an_error_is_graded_by_the_lint() -> None:
    (gone,) = problems_of_case(Case("gone", {REQUEST_HEADERS: [prop("cluster_name")]}))
    assert gone.severity is Grade.WARNING
    assert "xds.cluster_name" in gone.why


@pytest.mark.parametrize("row", [row for row in FUNCTIONS if row.side is Side.HOST], ids=lambda row: row.name)
def test_arguments_that_cannot_be_read_are_no_trouble(row: Function) -> None:
    old = row.until is Abi.V0_1_0
    deed = call(row, [0x7FFF_FFF0] * len(row.type.params))
    body = callback("proxy_on_request_headers", deed, abi=Abi.V0_1_0 if old else Abi.V0_2_1)
    made = plugin(imported(row), body, abi="0_1_0" if old else "0_2_1")
    found = problems_of_run(made, [Exchange("1", 0, request("GET", "/a"))])
    assert all(problem.text.isprintable() for problem in found)


def test_a_refusal_that_was_asked_for_is_no_problem() -> None:
    case = Case("fault", {REQUEST_HEADERS: [("proxy_set_shared_data", "k", "v", 0)]})
    fault = parse_fault("status:proxy_set_shared_data=INTERNAL_FAILURE")
    assert problems_of_case(case, faults=[fault]) == ()


def test_ids_are_words_with_hyphens_and_are_not_used_twice() -> None:
    ids = [lint.id for lint in LINTS]
    assert len(set(ids)) == len(ids)
    assert all(id == id.lower() and " " not in id and "_" not in id for id in ids)
