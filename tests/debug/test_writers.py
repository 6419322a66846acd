"""Who wrote this: read off the tapes of plugins that make the calls a table says."""

from __future__ import annotations

from itertools import pairwise

import pytest
from switchboard import (
    CALL_RESPONSE,
    LOG,
    LONG,
    OUT,
    REQUEST_BODY,
    REQUEST_HEADERS,
    RESPONSE_BODY,
    RESPONSE_HEADERS,
    STREAM,
    Case,
    Read,
    pairs,
    switchboard,
)
from tapes import CASES, record, tape_of

from simwasm.abi.enums import BufferType, MapType
from simwasm.debug import writers
from simwasm.debug.tape import Tape
from simwasm.debug.writers import Write
from simwasm.exchange import request, response
from simwasm.plugin import Plugin

REQUEST, RESPONSE = MapType.HTTP_REQUEST_HEADERS, MapType.HTTP_RESPONSE_HEADERS


def tape_for(*cases: Case, plugins: tuple[str, ...] = ("board",), **options: object) -> Tape:
    """The run of these cases, one exchange each."""
    wasm = switchboard(cases)
    exchanges = [case.exchange(number) for number, case in enumerate(cases)]
    return record([Plugin(name, wasm, vm_id=name) for name in plugins], exchanges, **options)


def told(writes: tuple[Write, ...]) -> list[tuple[str, str, str | None, str | None]]:
    """Who, by which function, what it was, what it became; oldest first."""
    return [(write.by, write.call.partition("(")[0], write.old, write.new) for write in reversed(writes)]


def end(tape: Tape) -> int:
    return tape.spans[-1].last


def test_a_header_of_the_request_is_told_from_the_client_on() -> None:
    tape = tape_for(
        Case(
            "header",
            {
                REQUEST_HEADERS: [
                    ("proxy_replace_header_map_value", 0, "X-A", "2"),
                    ("proxy_add_header_map_value", 0, "x-a", "3"),
                    ("proxy_remove_header_map_value", 0, "x-b"),
                    ("proxy_remove_header_map_value", 0, "x-a"),
                    ("proxy_set_header_map_pairs", 0, pairs((":path", "/"), ("x-a", "4"))),
                ]
            },
        )
    )
    assert told(writers.header(tape, end(tape), REQUEST, "x-a")) == [
        ("client", "", None, "1"),
        ("board", "proxy_replace_header_map_value", "1", "2"),
        ("board", "proxy_add_header_map_value", "2", "2, 3"),
        ("board", "proxy_remove_header_map_value", "2, 3", None),
        ("board", "proxy_set_header_map_pairs", None, "4"),
    ]


def test_a_write_has_the_position_and_the_row_of_its_call() -> None:
    tape = tape_for(Case("header", {REQUEST_HEADERS: [("proxy_replace_header_map_value", 0, "x-a", "2")]}))
    newest, first = writers.header(tape, end(tape), REQUEST, "x-a")
    row = tape.rows[newest.row]
    assert (row.position, row.entered.function.name) == (newest.position, "proxy_replace_header_map_value")
    assert first.row == -1


def test_standing_on_a_call_it_has_not_written_yet() -> None:
    tape = tape_for(Case("header", {REQUEST_HEADERS: [("proxy_replace_header_map_value", 0, "x-a", "2")]}))
    newest, *before = writers.header(tape, end(tape), REQUEST, "x-a")
    assert writers.header(tape, newest.position, REQUEST, "x-a") == tuple(before)
    assert writers.header(tape, tape.end_of(newest.position), REQUEST, "x-a")[0] == newest


def test_a_call_that_was_refused_wrote_nothing() -> None:
    tape = tape_for(Case("late", {LOG: [("proxy_replace_header_map_value", 0, "x-a", "2")]}))
    assert told(writers.header(tape, len(tape), REQUEST, "x-a")) == [("client", "", None, "1")]


def test_every_plugin_of_the_chain_has_a_hand_in_a_map() -> None:
    case = Case("chain", {REQUEST_HEADERS: [("proxy_add_header_map_value", 0, "x-a", "2")]})
    tape = tape_for(case, plugins=("one", "two"))
    assert [by for by, *_ in told(writers.header(tape, end(tape), REQUEST, "x-a"))] == [
        "client",
        "one",
        "two",
    ]


def test_what_envoy_adds_is_envoys_and_what_the_upstream_sent_the_upstreams() -> None:
    case = Case("plain", {}, answer=response(200, headers=[("server", "mine"), ("x-b", "1")]))
    tape = tape_for(case)
    assert told(writers.header(tape, end(tape), REQUEST, "x-forwarded-proto")) == [
        ("Envoy", "", None, "http")
    ]
    assert told(writers.header(tape, end(tape), RESPONSE, "x-b")) == [("upstream", "", None, "1")]
    assert told(writers.header(tape, len(tape), RESPONSE, "server")) == [
        ("upstream", "", None, "mine"),
        ("Envoy", "", "mine", "envoy"),
    ]


def test_the_headers_of_a_local_reply_are_the_plugins() -> None:
    reply = ("proxy_send_local_response", 403, "no", "denied", pairs(("X-Why", "you")), -1)
    tape = tape_for(Case("reply", {REQUEST_HEADERS: [reply]}))
    for name, value in ((":status", "403"), ("x-why", "you")):
        assert told(writers.header(tape, end(tape), RESPONSE, name)) == [
            ("board", "proxy_send_local_response", None, value)
        ]
    assert told(writers.header(tape, end(tape), RESPONSE, "content-length")) == [("Envoy", "", None, "6")]
    assert told(writers.body(tape, end(tape), BufferType.HTTP_RESPONSE_BODY)) == [
        ("board", "proxy_send_local_response", None, "denied")
    ]


def test_a_callouts_answer_may_write_for_the_exchange_that_waits() -> None:
    check = ("proxy_http_call", "auth", pairs((":method", "GET"), (":path", "/"), (":authority", "auth")), "", "",
             1000, OUT)  # fmt: skip
    case = Case(
        "callout",
        {
            REQUEST_HEADERS: [check],
            CALL_RESPONSE: [
                ("proxy_set_effective_context", STREAM),
                ("proxy_add_header_map_value", 0, "x-user", "ann"),
                ("proxy_continue_stream", 0),
            ],
        },
        {REQUEST_HEADERS: 1},
    )
    tape = tape_for(case, clusters=["auth"], ask_cluster=lambda callout: response(200))
    assert told(writers.header(tape, end(tape), REQUEST, "x-user")) == [
        ("board", "proxy_add_header_map_value", None, "ann")
    ]


def test_an_exchange_is_not_told_of_what_another_wrote() -> None:
    writes = Case("one", {REQUEST_HEADERS: [("proxy_replace_header_map_value", 0, "x-a", "2")]})
    tape = tape_for(writes, Case("two", {}))
    assert len(writers.header(tape, tape.spans[0].last, REQUEST, "x-a")) == 2
    assert told(writers.header(tape, end(tape), REQUEST, "x-a")) == [("client", "", None, "1")]


def test_a_body_is_told_from_its_pieces_to_what_was_put_there() -> None:
    sent = request("POST", "/", body=[b"ab", b"cde"], headers=[("x-a", "1")])
    case = Case(
        "body",
        {
            REQUEST_BODY: [("proxy_set_buffer_bytes", 0, 0, 9, "new")],
            RESPONSE_BODY: [("proxy_set_buffer_bytes", 1, 0, 0, "<")],
        },
        sent=sent,
    )
    tape = tape_for(case)
    assert told(writers.body(tape, end(tape), BufferType.HTTP_REQUEST_BODY))[:4] == [
        ("client", "", None, "2 bytes"),
        ("board", "proxy_set_buffer_bytes", None, "new"),
        ("client", "", None, "3 bytes"),
        ("board", "proxy_set_buffer_bytes", None, "new"),
    ]
    assert ("board", "proxy_set_buffer_bytes", None, "<") in told(
        writers.body(tape, end(tape), BufferType.HTTP_RESPONSE_BODY)
    )


def test_a_property_is_told_by_its_path() -> None:
    calls = [("proxy_set_property", "a\0b", "1"), ("proxy_set_property", "a\0b", "2")]
    tape = tape_for(Case("property", {REQUEST_HEADERS: calls}))
    expected = [("board", "proxy_set_property", None, "1"), ("board", "proxy_set_property", "1", "2")]
    assert told(writers.property(tape, end(tape), ("a", "b"))) == expected
    assert told(writers.property(tape, end(tape), "a.b")) == expected
    assert writers.property(tape, end(tape), "a") == ()


def test_a_shared_value_is_told_across_exchanges() -> None:
    one = Case("one", {REQUEST_HEADERS: [("proxy_set_shared_data", "k", "1", 0)]})
    two = Case("two", {RESPONSE_HEADERS: [("proxy_set_shared_data", "k", "2", 0)]})
    lost = Case("lost", {REQUEST_HEADERS: [("proxy_set_shared_data", "k", "3", 99)]})
    tape = tape_for(one, two, lost)
    assert told(writers.shared(tape, len(tape), "k")) == [
        ("board", "proxy_set_shared_data", None, "1"),
        ("board", "proxy_set_shared_data", "1", "2"),
    ]
    assert len(writers.shared(tape, tape.spans[0].last, "k")) == 1


def test_a_metric_is_told_by_its_name() -> None:
    calls = [
        ("proxy_define_metric", 1, "load", OUT),
        ("proxy_record_metric", Read(2), LONG(5)),
        ("proxy_increment_metric", Read(2), LONG(-2)),
        ("proxy_define_metric", 0, "count", OUT),
        ("proxy_increment_metric", Read(2), LONG(3)),
        ("proxy_record_metric", Read(2), LONG(4)),
    ]
    tape = tape_for(Case("metric", {REQUEST_HEADERS: calls}))
    assert [(old, new) for _, _, old, new in told(writers.metric(tape, end(tape), "load"))] == [
        (None, "5"),
        ("5", "3"),
    ]
    assert [new for *_, new in told(writers.metric(tape, end(tape), "count"))] == ["3", "7"]


@pytest.mark.parametrize("id", CASES)
def test_the_newest_write_is_what_is_there_and_each_begins_where_the_one_before_ended(id: str) -> None:
    tape = tape_of(id)
    for position, maps in tape.seen.between(1, len(tape)):
        for kind, entries in maps:
            for name in {name for name, _ in entries}:
                writes = writers.header(tape, position, kind, name)
                value = ", ".join(value for key, value in entries if key == name)
                assert writes[0].new == value
                assert all(newer.old == older.new for newer, older in pairwise(writes))


def test_nobody_wrote_anything_before_the_first_event() -> None:
    tape = tape_of("rate_limit/tap")
    assert writers.header(tape, 0, REQUEST, ":path") == ()
    assert writers.header(Tape(), 5, REQUEST, ":path") == ()
    assert writers.body(tape, 0, BufferType.HTTP_REQUEST_BODY) == ()
