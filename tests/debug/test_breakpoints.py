"""Breakpoints on runs of real plugins: where they are hit, in both directions, and how they are kept."""

from __future__ import annotations

import gc
import json
import weakref

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tapes import record, tape_of
from wat import callback, plugin

from simwasm.debug.breakpoints import Breakpoint, Breakpoints, hit_rule
from simwasm.debug.tape import Tape
from simwasm.debug.where import MemoryRange
from simwasm.errors import InputError
from simwasm.exchange import Exchange, request
from simwasm.trace.event import Entered, Left
from simwasm.trace.query import QueryError

ID = "http_auth/browser"
WHERES = ("on_request_headers", "get_header", "trap", "status!=OK", "ret:Pause or get_header", "header:authorization",
          "exchange:2 depth<1", "log:answered", "callback", "problem", "value~Bearer", "not call:log")  # fmt: skip


def names_at(tape: Tape, positions: tuple[int, ...]) -> list[str]:
    return [f"{type(tape.at(at)).__name__} {tape.entered(at).function.name}" for at in positions]


def hits(where: str, tape: Tape, **settings: object) -> tuple[int, ...]:
    """Where a breakpoint would be hit."""
    breakpoints = Breakpoints()
    return breakpoints.hits(breakpoints.add(where, **settings).number, tape).positions()


def test_a_function_is_stopped_at_where_it_is_entered() -> None:
    tape = tape_of(ID)
    assert names_at(tape, hits("on_request_headers", tape)) == ["Entered proxy_on_request_headers"] * 3
    assert names_at(tape, hits("http_call", tape)) == ["Entered proxy_http_call"] * 3


def test_what_is_known_at_the_end_is_stopped_at_where_the_call_has_ended() -> None:
    tape = tape_of(ID)
    assert names_at(tape, hits("get_header status=NOT_FOUND", tape)) == ["Left proxy_get_header_map_value"]
    assert names_at(tape, hits("action:Pause", tape)) == ["Left proxy_on_request_headers"] * 3


def test_each_side_of_an_or_stops_where_it_is_known() -> None:
    tape = tape_of(ID)
    both = hits("http_call or ret:Pause", tape)
    assert both == tuple(sorted((*hits("http_call", tape), *hits("ret:Pause", tape))))


def test_a_condition_belongs_to_each_side_of_an_or() -> None:
    tape = tape_of(ID)
    found = hits("http_call or ret:Pause", tape, condition="exchange:2")
    assert names_at(tape, found) == ["Entered proxy_http_call", "Left proxy_on_request_headers"]
    assert {span.index for at in found if (span := tape.span_of(tape.entered(at)))} == {1}


@given(st.sampled_from(WHERES), st.lists(st.integers(0, 200), max_size=8))
def test_an_index_that_grew_is_the_index_that_was_made_at_once(where: str, splits: list[int]) -> None:
    whole = tape_of(ID)
    growing = Breakpoints()
    number = growing.add(where).number
    tape = Tape()
    tape.spans, tape._streams = whole.spans, whole._streams
    for split in (*sorted(splits), len(whole)):
        for event in whole.events[len(tape) : split]:
            tape.add(event)
        growing.hits(number, tape)
    tape.complete = True
    assert growing.hits(number, tape).positions() == hits(where, whole)


@given(st.sampled_from(WHERES), st.integers(0, 200))
def test_the_newest_event_is_looked_at_only_by_who_was_told_of_it(where: str, length: int) -> None:
    tape = Tape()
    for event in tape_of("rate_limit/tap").events[:length]:
        tape.add(event)
    breakpoints = Breakpoints()
    number = breakpoints.add(where).number
    assert breakpoints.hits(number, tape).until == max(0, len(tape) - 1)
    assert breakpoints.hits(number, tape, len(tape)).until == len(tape)


@given(st.integers(0, 4), st.integers(1, 4), st.integers(0, 120))
def test_going_back_finds_what_going_forwards_found(ignore: int, every: int, start: int) -> None:
    tape = tape_of(ID)
    breakpoints = Breakpoints()
    breakpoint = breakpoints.add("get_header or proxy_log", ignore=ignore, every=every)
    all_hits = breakpoints.hits(breakpoint.number, tape).positions()
    stops = [at for number, at in enumerate(all_hits, 1) if number > ignore and not (number - ignore) % every]
    ahead = [at for at in stops if at > start]
    behind = [at for at in stops if at < start]
    assert breakpoints.next_hit(tape, start) == (ahead[0] if ahead else None)
    assert breakpoints.next_hit(tape, start, back=True) == (behind[-1] if behind else None)
    assert breakpoints.matches(tape, max(start, 1)) == ((1,) if max(start, 1) in stops else ())


def test_several_breakpoints_stop_at_the_nearest_and_all_match_there() -> None:
    tape = tape_of(ID)
    breakpoints = Breakpoints()
    breakpoints.add("http_call")
    breakpoints.add("call:*call exchange:1")
    (first, *_) = hits("http_call", tape)
    assert breakpoints.next_hit(tape, 0) == first
    assert breakpoints.matches(tape, first) == (1, 2)


def test_one_that_is_off_does_not_stop_and_can_be_switched_on() -> None:
    tape = tape_of(ID)
    breakpoints = Breakpoints()
    breakpoints.add("http_call", enabled=False)
    assert breakpoints.next_hit(tape, 0) is None
    breakpoints.change(1, enabled=True)
    assert breakpoints.next_hit(tape, 0) == hits("http_call", tape)[0]


def test_a_temporary_one_goes_when_it_has_stopped_the_run() -> None:
    breakpoints = Breakpoints()
    breakpoints.add("http_call", temporary=True)
    breakpoints.add("http_call")
    breakpoints.stopped((1, 2))
    assert [each.number for each in breakpoints] == [2]


def test_every_change_is_counted_and_leaves_the_values_as_they_were() -> None:
    breakpoints = Breakpoints()
    breakpoints.add("http_call")
    before, serial = breakpoints.all, breakpoints.serial
    breakpoints.change(1, ignore=2)
    breakpoints.add("trap")
    breakpoints.remove(1)
    assert breakpoints.serial == serial + 3
    assert [(each.number, each.ignore) for each in before] == [(1, 0)]
    assert breakpoints.add("on_log").number == 3


def test_the_index_goes_with_its_tape() -> None:
    breakpoints = Breakpoints()
    breakpoints.add("callback")
    tape = Tape()
    for event in tape_of(ID).events:
        tape.add(event)
    assert breakpoints.next_hit(tape, 0)
    gone = weakref.ref(tape)
    del tape
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("get_heder", "the ABI has no function `get_heder`: did you mean `get_header`?"),
        ("denied", 'put it in quotes: "denied"'),
        ("", "a breakpoint needs a place"),
        ("memory:x", "a range of memory is `memory:0x2f40+16`"),
        ("memory:8..8", "is no range of a memory"),
        ("memory:0xffffffff+2", "is no range of a memory"),
    ],
)
def test_a_place_that_means_nothing_is_refused(where: str, said: str) -> None:
    breakpoints = Breakpoints()
    with pytest.raises(QueryError) as caught:
        breakpoints.add(where)
    assert said in str(caught.value)
    assert len(breakpoints) == 0


def test_a_header_is_watched_for_writes() -> None:
    tape = tape_of("response_body/browser")
    assert (
        names_at(tape, hits("header:content-length does:write", tape)[:2])
        == ["Entered proxy_remove_header_map_value"] * 2
    )


def test_a_text_in_quotes_is_looked_for() -> None:
    tape = tape_of(ID)
    assert names_at(tape, hits('"auth answered"', tape)) == ["Left proxy_log"] * 3


def test_a_trap_is_stopped_at_where_the_callback_trapped() -> None:
    traps = plugin(callback("proxy_on_request_headers", "unreachable"))
    tape = record([traps], [Exchange("1", 0, request("GET", "/"))])
    assert names_at(tape, hits("trap", tape)) == ["Trapped proxy_on_request_headers"]


@pytest.mark.parametrize(
    ("text", "rule"),
    [("", (0, 1)), ("3", (2, 1)), (">3", (3, 1)), ("every 10", (0, 10)), ("%10", (0, 10)), ("> 0", (0, 1))],
)
def test_rules_for_hits_are_read(text: str, rule: tuple[int, int]) -> None:
    read = hit_rule(text)
    assert (read["ignore"], read["every"]) == rule


@pytest.mark.parametrize("text", ["x", "0", "every 0", "-1", "3 4", "9" * 50])
def test_a_rule_for_hits_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="is no rule for hits"):
        hit_rule(text)


# Memory.


@pytest.mark.parametrize(
    ("where", "range"),
    [
        ("memory:0x2f40+16", MemoryRange(0x2F40, 16)),
        ("memory:0x2f40..0x2f58", MemoryRange(0x2F40, 24)),
        ("memory:100", MemoryRange(100, 1)),
        ("memory:0x10+4 vm:auth", MemoryRange(16, 4, "auth")),
    ],
)
def test_a_range_of_memory_is_read(where: str, range: MemoryRange) -> None:
    breakpoints = Breakpoints()
    assert breakpoints.add(where).memory == range
    assert breakpoints.add(str(range)).memory == range


def test_a_range_of_memory_is_hit_where_somebody_says() -> None:
    tape = tape_of(ID)
    breakpoints = Breakpoints()
    number = breakpoints.add("memory:0x100+4").number
    assert breakpoints.next_hit(tape, 0) is None
    breakpoints.feed(number, tape, [5, 9], 20)
    breakpoints.feed(number, tape, [9, 30], 40)
    assert breakpoints.hits(number, tape).positions() == (5, 9, 30)
    assert breakpoints.hits(number, tape).until == 40
    assert breakpoints.matches(tape, 9) == (number,)


def test_a_condition_chooses_among_the_writes_of_memory() -> None:
    tape = tape_of(ID)
    breakpoints = Breakpoints()
    number = breakpoints.add("memory:0x100+4", condition="host:http_call").number
    (call, *_) = hits("http_call", tape)
    breakpoints.feed(number, tape, [call - 1, call], len(tape))
    assert breakpoints.hits(number, tape).positions() == (call,)


# Logpoints.


def test_a_logpoint_says_its_message_and_does_not_stop() -> None:
    tape = tape_of(ID)
    breakpoints = Breakpoints()
    breakpoints.add("http_call", message="{exchange} {method} {path} to {upstream}: {{{status}}} {key}")
    assert breakpoints.next_hit(tape, 0) is None
    said = [text for _, text in breakpoints.log_lines(tape)]
    assert said[0] == "1 GET /get to auth: {OK} -"
    assert [text[0] for text in said] == ["1", "2", "3"]


def test_a_message_that_needs_the_end_of_a_call_is_said_there() -> None:
    tape = tape_of(ID)
    breakpoints = Breakpoints()
    breakpoints.add("http_call", message="{status}")
    breakpoints.add("http_call", message="{upstream}")
    at = [type(tape.at(position)) for position, _ in breakpoints.log_lines(tape)[:2]]
    assert at == [Entered, Left]


def test_a_gap_for_a_header_is_what_the_call_says_of_it_or_what_the_request_had() -> None:
    tape = tape_of(ID)
    breakpoints = Breakpoints()
    breakpoints.add(
        "get_header key:authorization status:OK", message="{header:Authorization} on {header::path}"
    )
    breakpoints.add("ret:Pause", message="{header::method} {header:x-none}")
    said = [text for _, text in breakpoints.log_lines(tape)]
    assert said[:2] == ["Bearer let-me-in on /get", "GET -"]


def test_log_lines_are_of_the_stretch_that_is_asked_for() -> None:
    tape = tape_of(ID)
    breakpoints = Breakpoints()
    breakpoints.add("on_log", message="over")
    places = hits("on_log", tape)
    found = breakpoints.log_lines(tape, places[1], places[1])
    assert found == ((places[1], "over"),)


def test_what_a_plugin_says_stays_on_its_line() -> None:
    shouting = plugin(
        '(import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))',
        callback("proxy_on_request_headers", "(drop (call $log (i32.const 2) (i32.const 64) (i32.const 5)))"),
        '(data (i32.const 64) "\\1b[2J\\n")',
    )
    tape = record([shouting], [Exchange("1", 0, request("GET", "/"))])
    breakpoints = Breakpoints()
    breakpoints.add("proxy_log", message="said {log}")
    assert [text for _, text in breakpoints.log_lines(tape)] == ["said \\x1b[2J\\n"]


@pytest.mark.parametrize("message", ["{statsu}", "{", "a}", "{}"])
def test_a_message_with_a_gap_that_means_nothing_is_refused(message: str) -> None:
    with pytest.raises(QueryError):
        Breakpoints().add("trap", message=message)


# Session files.


def test_breakpoints_come_back_from_a_file_as_they_were() -> None:
    breakpoints = Breakpoints()
    breakpoints.add("http_call", condition="exchange:2", ignore=1, every=2)
    breakpoints.add("trap", message="{trap}", enabled=False)
    breakpoints.remove(1)
    breakpoints.add("memory:0x10+2", temporary=True)
    other = Breakpoints()
    other.load(json.loads(json.dumps(breakpoints.to_json())))
    assert other.all == breakpoints.all
    assert other.add("on_log").number == 4


def test_one_that_means_nothing_any_more_is_suspended_and_says_why() -> None:
    breakpoints = Breakpoints()
    breakpoints.load([{"number": 1, "where": "proxy_on_teapot"}, {"number": 2, "where": "http_call"}])
    first, second = breakpoints
    assert "the ABI has no function `proxy_on_teapot`" in first.suspended
    assert not second.suspended
    assert breakpoints.hits(1, tape_of(ID)).positions() == ()
    assert breakpoints.next_hit(tape_of(ID), 0) == hits("http_call", tape_of(ID))[0]
    breakpoints.change(1, enabled=False)
    assert breakpoints.get(1) == Breakpoint(1, "proxy_on_teapot", enabled=False)


@pytest.mark.parametrize(
    "content",
    [
        None,
        {},
        ["trap"],
        [{"where": "trap"}],
        [{"number": "1", "where": "trap"}],
        [{"number": True, "where": "trap"}],
        [{"number": 0, "where": "trap"}],
        [{"number": 1, "where": "trap", "color": "red"}],
        [{"number": 1, "where": "trap", "every": 0}],
        [{"number": 1, "where": "trap"}, {"number": 1, "where": "trap"}],
        [{"number": 1, "where": "trap", 5: 5}],
    ],
)
def test_a_file_that_holds_no_breakpoints_is_refused_and_changes_nothing(content: object) -> None:
    breakpoints = Breakpoints()
    breakpoints.add("on_log")
    before = breakpoints.all
    with pytest.raises(InputError):
        breakpoints.load(content)
    assert breakpoints.all == before
