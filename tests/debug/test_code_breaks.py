"""Breakpoints in code, forwards and backwards, and who wrote which bytes, on real engines."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from computing import computing
from debugging import WAIT, debugging, inputs_for, requests

from simwasm.debug.breakpoints import Breakpoints
from simwasm.debug.debugger import Debugger
from simwasm.debug.instant import Moment
from simwasm.debug.stop import Why
from simwasm.debug.unit import Unit
from simwasm.engines.engine import Engine
from simwasm.trace.query.syntax import QueryError

COUNT = "function:count"


@pytest.fixture(scope="module")
def shared(engine: Engine) -> Iterator[Debugger]:
    with debugging(inputs_for(computing(), requests(3), engine.name)) as debugger:
        yield debugger


@pytest.fixture
def opened(shared: Debugger) -> Debugger:
    shared.breakpoints.clear()
    shared.unit = Unit.CALL
    shared.restart().result(WAIT)
    return shared


def moments(debugger: Debugger, *, back: bool = False) -> list[Moment]:
    """Where the run stops until nothing stops it any more."""
    found = []
    while (stop := debugger.proceed(back=back).result(WAIT)).why is Why.BREAKPOINT:
        found.append(stop.moment)
    return found


def texts(debugger: Debugger, found: list[Moment]) -> list[str]:
    """The instructions there."""
    stops = [debugger.inside.goto(each).result(WAIT) for each in found]
    return [stop.instant.text if stop.instant is not None else "" for stop in stops]


@pytest.mark.parametrize(
    ("where", "condition", "hits"),
    [
        (COUNT, "", 12),
        (COUNT, "l0 == 2", 3),
        (COUNT, "local[0] > 1", 6),
        (COUNT, "stack", 0),
        ("function:2", "n == 0", 3),
        ("function:func[2]", "l0 == 0", 3),
        ("instruction:i32.store*", "", 6),
        ("instruction:i32.store*", "stack[1] == 42", 3),
        ("instruction:global.set", "g0 == 3", 2),
        ("instruction:i32.store8", "u32(100) == 42 and global[0] == 3", 3),
        ("instruction:call", 'call == "proxy_on_request_headers"', 18),
    ],
)
def test_a_breakpoint_in_code_stops_as_often_forwards_as_backwards(
    opened: Debugger, where: str, condition: str, hits: int
) -> None:
    opened.breakpoints.add(where, condition=condition)
    forwards = moments(opened)
    assert len(forwards) == hits
    assert moments(opened, back=True) == forwards[::-1]


def test_rows_and_instructions_stop_in_their_order(opened: Debugger) -> None:
    opened.breakpoints.add("instruction:i32.store")
    opened.breakpoints.add("proxy_log")
    found = moments(opened)
    assert [each.ticks > 0 for each in found] == [True, False] * 3
    assert moments(opened, back=True) == found[::-1]


def test_an_offset_is_stopped_at(opened: Debugger) -> None:
    opened.breakpoints.add("instruction:i32.store8")
    stop = opened.proceed().result(WAIT)
    assert stop.instant is not None
    opened.breakpoints.clear()
    opened.restart().result(WAIT)
    opened.breakpoints.add(f"at:0x{stop.instant.offset:x}")
    again = opened.proceed().result(WAIT)
    assert again.moment == stop.moment
    assert again.breakpoints == (opened.breakpoints.all[0].number,)


def test_hits_are_counted_from_the_beginning_of_the_run_in_both_directions(opened: Debugger) -> None:
    opened.breakpoints.add(COUNT)
    every = moments(opened)
    opened.breakpoints.clear()
    opened.breakpoints.add(COUNT, ignore=2, every=5)
    assert moments(opened, back=True) == [every[11], every[6]]
    opened.restart().result(WAIT)
    assert moments(opened) == [every[6], every[11]]


def test_run_to_leaves_no_breakpoint_and_goes_back_too(opened: Debugger) -> None:
    there = opened.run_to(COUNT).result(WAIT)
    on = opened.run_to("instruction:i32.store8").result(WAIT)
    assert there.moment < on.moment
    back = opened.run_to("instruction:i32.store", back=True).result(WAIT)
    assert back.instant is not None
    assert back.instant.text == "i32.store"
    assert len(opened.breakpoints) == 0


def test_a_condition_that_has_no_value_stops_and_says_so(opened: Debugger) -> None:
    opened.breakpoints.add(COUNT, condition="no_such_thing == 1")
    stop = opened.proceed().result(WAIT)
    assert stop.why is Why.BREAKPOINT
    assert "there is no `no_such_thing`" in stop.note


def test_standing_before_an_instruction_its_breakpoints_are_told(opened: Debugger) -> None:
    number = opened.breakpoints.add("function:proxy_on_request_headers").number
    opened.breakpoints.change(number, enabled=True)
    first = opened.run_to("proxy_on_request_headers").result(WAIT)
    assert first.instant is None
    assert opened.step(unit=Unit.INSTRUCTION).result(WAIT).breakpoints == (number,)


@pytest.mark.parametrize("where", ["at:nowhere", "instruction:fly", "line:lib.rs", "function:"])
def test_a_place_that_cannot_be_is_refused(where: str) -> None:
    with pytest.raises(QueryError):
        Breakpoints().add(where)


def test_a_place_in_code_has_no_message() -> None:
    with pytest.raises(QueryError, match="stops and says nothing"):
        Breakpoints().add("at:0x10", message="here")


# Who wrote.


def test_bytes_were_written_by_instructions(opened: Debugger) -> None:
    opened.goto(len(opened.tape)).result(WAIT)
    found = opened.inside.written_by(100, 4).result(WAIT)
    assert [each.instant.text for each in found if each.instant is not None] == [
        "i32.store8",
        "i32.store",
    ] * 3
    assert found[0].old + found[0].new == bytes([42, 0, 0, 0, 42, 7, 0, 0])


def test_the_moment_after_a_write_is_where_the_bytes_are_new(opened: Debugger) -> None:
    opened.goto(len(opened.tape)).result(WAIT)
    for write in opened.inside.written_by(100, 4).result(WAIT):
        assert write.instant is not None
        opened.inside.goto(write.after).result(WAIT)
        assert opened.memory().read(100, 4) == write.new
        opened.step(back=True, unit=Unit.INSTRUCTION).result(WAIT)
        assert opened.memory().read(100, 4) == write.old


def test_what_is_written_behind_the_stop_is_not_told(opened: Debugger) -> None:
    opened.run_to("instruction:i32.store").result(WAIT)
    assert opened.inside.written_by(100, 4).result(WAIT) == []
    opened.step(unit=Unit.INSTRUCTION).result(WAIT)
    assert len(opened.inside.written_by(100, 4).result(WAIT)) == 1


# Bytes that are waited for.


def test_among_rows_bytes_stop_at_the_event_behind(opened: Debugger) -> None:
    opened.breakpoints.add("memory:100+4")
    assert [each.ticks for each in moments(opened)] == [0] * 6


def test_among_instructions_bytes_stop_behind_the_one_that_wrote_them(opened: Debugger) -> None:
    opened.breakpoints.add("memory:100+4")
    opened.unit = Unit.INSTRUCTION
    forwards = []
    while (stop := opened.proceed().result(WAIT)).why is Why.BREAKPOINT:
        forwards.append((stop.moment, stop.note))
        before = opened.step(back=True).result(WAIT)
        assert before.instant is not None and before.instant.text.startswith("i32.store")
        opened.step().result(WAIT)
    assert len(forwards) == 6
    assert all("written by proxy_on_request_headers at 0x" in note for _, note in forwards)
    assert moments(opened, back=True) == [moment for moment, _ in reversed(forwards)]


def test_breakpoints_of_all_kinds_stop_in_their_order(opened: Debugger) -> None:
    opened.unit, kinds = Unit.INSTRUCTION, ("memory:100+4", "memory:101+1", "proxy_log", COUNT)
    alone: set[Moment] = set()
    for where in kinds:
        opened.breakpoints.clear()
        opened.breakpoints.add(where)
        opened.restart().result(WAIT)
        alone.update(moments(opened))
    for where in kinds[:-1]:
        opened.breakpoints.add(where)
    opened.restart().result(WAIT)
    assert moments(opened) == sorted(alone)
    assert moments(opened, back=True) == sorted(alone, reverse=True)


def test_what_is_written_in_a_later_callback_hides_no_breakpoint_before_it(opened: Debugger) -> None:
    opened.unit = Unit.INSTRUCTION
    opened.breakpoints.add("memory:5000+4")
    opened.breakpoints.add(COUNT)
    assert len(moments(opened)) == 12


def test_a_stop_for_bytes_names_its_breakpoint_and_no_other(opened: Debugger) -> None:
    opened.unit = Unit.INSTRUCTION
    opened.breakpoints.add("function:twice")
    number = opened.breakpoints.add("memory:100+4").number
    first, second = (opened.proceed().result(WAIT) for _ in range(2))
    assert not first.note
    assert (second.breakpoints, second.note[:10]) == ((number,), "written by")
