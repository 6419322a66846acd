"""Faults that are asked for: what goes wrong does so where and when it was said, and is told as what it is."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from switchboard import (
    CALL_RESPONSE,
    OUT,
    REQUEST_BODY,
    REQUEST_HEADERS,
    RESPONSE_BODY,
    STREAM,
    Call,
    Case,
    pairs,
    switchboard,
)

from simwasm.engines.engine import Engine
from simwasm.errors import InputError
from simwasm.exchange import request, response
from simwasm.host.fault_text import parse_fault
from simwasm.host.outcome import Outcome
from simwasm.plugin import Plugin
from simwasm.session import Session
from simwasm.trace.event import Entered, Event, Left

POST = request("POST", "/", body=[b"abc", b"def"])
PAGE = response(200, body=[b"hello", b" world"])
HEADERS = pairs((":method", "GET"), (":path", "/"), (":authority", "a"))
ASK: Call = ("proxy_http_call", "auth", HEADERS, b"", b"", 500, OUT)
RESUME: Sequence[Call] = [("proxy_set_effective_context", STREAM), ("proxy_continue_stream", 0)]
ASKS = Case("asks", {REQUEST_HEADERS: [ASK], CALL_RESPONSE: RESUME}, {REQUEST_HEADERS: 1}, POST, PAGE)


class Seen:
    """What crossed in a run, and what became of its exchanges."""

    def __init__(self, engine: Engine, case: Case, *faults: str, times: int = 1) -> None:
        self.events: list[Event] = []
        with Session(
            [Plugin("board", switchboard([case]))],
            engine=engine,
            observers=[self.events.append],
            clusters=("auth",),
            ask_cluster=lambda callout: response(200),
            faults=[parse_fault(fault) for fault in faults],
        ) as session:
            self.outcomes: list[Outcome] = list(session.replay([case.exchange(0)] * times))
        assert session.proxy.faults is not None
        self.missed = [fault.text for fault in session.proxy.faults.missed]

    def answers(self, name: str) -> list[tuple[str, str]]:
        """Status and reason of every call of a host function."""
        opened = {
            event.seq for event in self.events if isinstance(event, Entered) and event.function.name == name
        }
        return [(e.result.name, e.reason) for e in self.events if isinstance(e, Left) and e.opened in opened]

    def told(self, name: str) -> list[tuple[object, ...]]:
        """The arguments of every call of a callback, the context left out."""
        return [e.args[1:] for e in self.events if isinstance(e, Entered) and e.function.name == name]


@pytest.mark.parametrize(
    ("how", "headers", "status"), [("reset", 3, "503"), ("timeout", 3, "504"), ("refused", 3, "503"), ("418", 2, "418")]
)  # fmt: skip
def test_a_cluster_answers_otherwise(engine: Engine, how: str, headers: int, status: str) -> None:
    answered = {
        REQUEST_HEADERS: [ASK],
        CALL_RESPONSE: [("proxy_get_header_map_value", 6, ":status", OUT, OUT), *RESUME],
    }
    seen = Seen(engine, Case("asks", answered, {REQUEST_HEADERS: 1}, POST, PAGE), f"callout:auth={how}")
    (asked,) = seen.told(CALL_RESPONSE)
    values = [e.values for e in seen.events if isinstance(e, Left) and e.values and e.values[0] == status]
    assert asked[0] == 4
    assert isinstance(asked[1], int)
    assert asked[1] >= headers
    assert values
    assert seen.outcomes[0].status == 200


@pytest.mark.parametrize(("how", "status"), [("inline", "INTERNAL_FAILURE"), ("unknown", "BAD_ARGUMENT")])
def test_a_callout_is_refused_at_once(engine: Engine, how: str, status: str) -> None:
    seen = Seen(engine, ASKS, f"callout:auth={how}")
    assert seen.answers("proxy_http_call") == [(status, f"a fault that was asked for: callout:auth={how}")]
    assert seen.told(CALL_RESPONSE) == []


def test_calls_of_a_cluster_are_counted_whatever_becomes_of_them(engine: Engine) -> None:
    seen = Seen(engine, ASKS, "callout:auth#2=inline", "callout:auth#3=418", times=3)
    assert [status for status, _ in seen.answers("proxy_http_call")] == ["OK", "INTERNAL_FAILURE", "OK"]
    assert [args[0] for args in seen.told(CALL_RESPONSE)] == [4, 8]
    assert seen.missed == []


def test_a_host_function_gives_a_status_and_does_nothing_else(engine: Engine) -> None:
    writes = Case("writes", {REQUEST_HEADERS: [("proxy_set_shared_data", "k", "v", 0)] * 2})
    seen = Seen(engine, writes, "status:proxy_set_shared_data#1=CAS_MISMATCH")
    assert [status for status, _ in seen.answers("proxy_set_shared_data")] == ["CAS_MISMATCH", "OK"]


@pytest.mark.parametrize("name", [REQUEST_BODY, "proxy_log"])
def test_a_callback_or_a_host_function_traps_when_it_is_called_for_the_second_time(
    engine: Engine, name: str
) -> None:
    logs = Case(
        "logs",
        {REQUEST_HEADERS: [("proxy_log", 2, "one")], REQUEST_BODY: [("proxy_log", 2, "two")]},
        {},
        POST,
    )
    seen = Seen(engine, logs, f"trap:{name}#2")
    traps = [event.trap for event in seen.events if not isinstance(event, (Entered, Left))]
    assert str(traps[0]) == f"unreachable: a fault that was asked for: trap:{name}#2"
    assert seen.outcomes[0].status == 503


def test_an_allocator_without_memory_makes_host_calls_fail(engine: Engine) -> None:
    reads = Case("reads", {REQUEST_HEADERS: [("proxy_get_header_map_value", 0, ":path", OUT, OUT)] * 2})
    seen = Seen(engine, reads, "malloc#3")  # the first is the plugin's own look at the case
    assert [status for status, _ in seen.answers("proxy_get_header_map_value")] == [
        "OK",
        "OK",
        "INVALID_MEMORY_ACCESS",
    ]


def test_the_upstreams_connection_ends_within_its_answer(engine: Engine) -> None:
    seen = Seen(engine, Case("reads", {}, {}, POST, PAGE), "upstream=reset@7")
    (outcome,) = seen.outcomes
    assert outcome.response is not None
    assert (outcome.response.data, outcome.reset) == (b"hello w", "connection termination")
    assert seen.told(RESPONSE_BODY) == [(5, False), (2, False)]


@pytest.mark.parametrize(
    ("at", "bodies"), [(0, []), (4, [(3, False), (1, False)]), (6, [(3, False), (3, False), (0, True)])]
)
def test_the_client_leaves(engine: Engine, at: int, bodies: list[tuple[int, bool]]) -> None:
    seen = Seen(engine, Case("reads", {}, {}, POST, PAGE), f"client=gone@{at}")
    (outcome,) = seen.outcomes
    assert (outcome.response, outcome.details) == (None, "downstream_remote_disconnect")
    assert seen.told(REQUEST_BODY) == bodies
    assert [e.function.name for e in seen.events if isinstance(e, Entered)][-5:-2] == [
        "proxy_on_log", "proxy_on_done", "proxy_on_delete",
    ]  # fmt: skip


def test_what_never_happened_is_known(engine: Engine) -> None:
    assert Seen(engine, ASKS, "malloc#99", "callout:nobody=reset").missed == [
        "malloc#99",
        "callout:nobody=reset",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is no fault; one begins with callout, trap, status, malloc, upstream, client"),
        ("fire", "is no fault"),
        ("callout=reset", "say which cluster: callout:CLUSTER=reset"),
        (
            "callout:a=never",
            "an answer is a status or one of reset, refused, timeout, inline, unknown, not `never`",
        ),
        ("trap:nope", "no callback or host function is called `nope`"),
        ("status:proxy_log=NOPE", "a status is one of OK, NOT_FOUND"),
        ("status:fd_write=OK", "no host function with a status is called `fd_write`"),
        ("upstream=reset", "write upstream=reset@BYTES"),
        ("client=gone", "write client=gone@BYTES"),
    ],
)
def test_what_is_no_fault_is_said_to_be_none(text: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_fault(text)
    assert str(caught.value).startswith(f"--fault: `{text}`")
    assert said in json.dumps(str(caught.value))
