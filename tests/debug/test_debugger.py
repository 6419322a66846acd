"""Verbs, forwards and backwards, on recorded runs of real plugins."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future

import pytest
from debugging import CASES, WAIT, debugging, inputs_for, inputs_of, moment, requests
from hypothesis import given, settings
from hypothesis import strategies as st
from wat import plugin

from simwasm.abi.enums import Action, Status
from simwasm.abi.table import ALLOCATORS
from simwasm.debug.branch import Override
from simwasm.debug.debugger import Debugger
from simwasm.debug.stop import Stop, Why
from simwasm.engines.engine import Engine
from simwasm.errors import InputError, TrapKind
from simwasm.trace.event import Left, Trapped
from simwasm.trace.rows import Kind

SPINS = """
  (import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
  (global $x (mut i32) (i32.const 0))
  (data (i32.const 0) "hello")
  (func (export "proxy_on_context_create") (param i32 i32))
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    (drop (call $log (i32.const 2) (i32.const 0) (i32.const 5)))
    (loop (global.set $x (i32.add (global.get $x) (i32.const 1))) (br 0))
    i32.const 0)
"""
CHANGES_HEADERS = next(name for name in CASES if "config_loading" in name)
VERBS = ("step", "over", "out", "proceed")


@pytest.fixture(scope="module", params=["allow_header/browser"])
def opened(request: pytest.FixtureRequest, engine: Engine) -> Iterator[Debugger]:
    with debugging(inputs_of(request.param, engine.name)) as debugger:
        yield debugger


def do(debugger: Debugger, verb: str, back: bool = False) -> Stop:
    future: Future[Stop] = getattr(debugger, verb)(back=back)
    return future.result(WAIT)


def test_a_run_is_on_tape_and_one_stands_on_the_first_row_of_the_first_exchange(opened: Debugger) -> None:
    stop = opened.restart().result(WAIT)
    row = opened.tape.rows[stop.row]
    assert opened.tape.complete
    assert stop.why is Why.ENTRY
    assert (row.entered.function.name, row.kind) == ("proxy_on_context_create", Kind.CALLBACK)
    assert opened.tape.spans[0].first == stop.position


def test_steps_go_by_the_allocator_unless_it_is_asked_for(opened: Debugger) -> None:
    rows = opened.tape.rows
    hidden = next(row for row in range(len(rows)) if rows[row].entered.function.name in ALLOCATORS)
    opened.goto(rows.position(hidden - 1)).result(WAIT)
    after = do(opened, "step")
    assert after.row == hidden + 2
    assert do(opened, "step", back=True).row == hidden - 1
    assert opened.step(allocator=True).result(WAIT).row == hidden


def test_step_goes_from_row_to_row_and_back(opened: Debugger) -> None:
    opened.goto(1).result(WAIT)
    forwards = [opened.step(allocator=True).result(WAIT).row for _ in range(30)]
    backwards = [opened.step(back=True, allocator=True).result(WAIT).row for _ in range(29)]
    assert forwards == list(range(1, 31))
    assert backwards == list(range(29, 0, -1))


def test_over_leaves_out_what_happens_inside(opened: Debugger) -> None:
    rows = opened.tape.rows
    callback = next(
        rows[i] for i in range(len(rows)) if rows[i].entered.function.name == "proxy_on_request_headers"
    )
    opened.goto(callback.position).result(WAIT)
    stop = do(opened, "over")
    assert rows[stop.row].kind is Kind.RETURN
    assert rows[stop.row].entered is callback.entered
    assert do(opened, "over", back=True).position == callback.position


def test_out_goes_to_the_return_of_the_callback_and_backwards_to_its_begin(opened: Debugger) -> None:
    tape = opened.tape
    call = next(p for p in range(1, len(tape)) if tape.depth(p) == 1 and tape.opening(p) == p)
    opened.goto(call).result(WAIT)
    assert do(opened, "out").position == tape.end_of(tape.around(call))
    opened.goto(call).result(WAIT)
    assert do(opened, "out", back=True).position == tape.around(call)


def test_the_run_ends_and_has_a_beginning(opened: Debugger) -> None:
    opened.goto(len(opened.tape)).result(WAIT)
    assert do(opened, "step").why is Why.END
    assert do(opened, "step").why is Why.END
    assert do(opened, "step", back=True).position == len(opened.tape)
    opened.goto(1).result(WAIT)
    assert do(opened, "step", back=True).why is Why.BEGIN
    assert do(opened, "out", back=True).position == 1


def test_a_position_that_is_not_on_tape_is_an_error_and_one_stays(opened: Debugger) -> None:
    before = opened.goto(5).result(WAIT)
    with pytest.raises(InputError, match="there is no position 1,000,000: the tape has 1 to"):
        opened.goto(1_000_000).result(WAIT)
    assert opened.stop is before


class Known:
    """What one sees at every position where one can stand, found by going there forwards from the start."""

    def __init__(self, case: str, engine: str) -> None:
        self.moments: dict[int, object] = {}
        with debugging(inputs_of(case, engine)) as debugger:
            debugger.goto(1).result(WAIT)
            while (stop := debugger.stop) is not None and stop.why is not Why.END:
                self.moments[stop.position] = moment(debugger)
                debugger.step().result(WAIT)
            self.last = len(debugger.tape)


walked = sorted(name for name in CASES if CASES[name].clusters or "allow_header" in name)[:4]


@pytest.mark.parametrize("case", walked)
def test_any_walk_reaches_what_going_there_directly_does(case: str, engine: Engine) -> None:
    known = Known(case, engine.name)
    verbs = st.sampled_from([(verb, back) for verb in VERBS for back in (False, True)])
    moves = verbs | st.integers(1, known.last).map(lambda position: ("goto", position))

    with debugging(inputs_of(case, engine.name)) as debugger:

        @settings(max_examples=25)
        @given(st.lists(moves, max_size=12))
        def walk(steps: list[tuple[str, int]]) -> None:
            for verb, argument in steps:
                stop = (
                    debugger.goto(argument).result(WAIT)
                    if verb == "goto"
                    else do(debugger, verb, back=bool(argument))
                )
                if stop.why is not Why.END and stop.position in known.moments:
                    assert moment(debugger) == known.moments[stop.position]

        walk()


def test_a_plugin_that_computes_is_paused_and_gone_back_from(engine: Engine) -> None:
    inputs = inputs_for(plugin(SPINS), requests(2), engine.name, fuel=None)
    debugger = Debugger(inputs)
    try:
        opening = debugger.open()
        while not debugger.tape.lines:
            assert not opening.done()
        debugger.pause()
        stop = opening.result(WAIT)
        assert stop.why is Why.COMPUTING
        assert not debugger.tape.complete
        assert do(debugger, "step", back=True).row == stop.row
        stepping = debugger.step()
        debugger.interrupt()
        assert stepping.result(WAIT).position == stop.position + 1
        trapped = debugger.tape.at(stop.position + 1)
        assert isinstance(trapped, Trapped)
        assert trapped.trap.kind is TrapKind.INTERRUPTED
        debugger.restart().result(WAIT)
        do(debugger, "proceed")
        assert debugger.tape.at(stop.position + 1) is trapped, "an interrupt happens again where it happened"
    finally:
        debugger.close()


def test_a_host_call_can_be_answered_otherwise_on_a_branch(engine: Engine) -> None:
    with debugging(inputs_of("allow_header/browser", engine.name)) as debugger:
        tape = debugger.tape
        call = next(
            position
            for position in range(tape.spans[0].first, len(tape))
            if tape.entered(position).function.name.startswith("proxy_get_header_map")
        )
        stop = debugger.override(call, Override(status=Status.NOT_FOUND)).result(WAIT)
        assert stop.position == call
        ended = debugger.tape.at(debugger.tape.end_of(call))
        assert isinstance(ended, Left)
        assert (ended.result, ended.reason) == (Status.NOT_FOUND, "overridden in the debugger")
        assert debugger.branch.parent is debugger.branches[0]
        assert debugger.tape.events[:call] == tape.events[:call]
        debugger.switch(debugger.branches[0]).result(WAIT)
        assert debugger.tape is tape
        assert do(debugger, "step").position > call


def test_an_action_can_be_answered_otherwise_on_a_branch(engine: Engine) -> None:
    with debugging(inputs_of("allow_header/browser", engine.name)) as debugger:
        tape = debugger.tape
        passing = next(span for span in tape.spans if span.outcome and not span.outcome.local_reply)
        began = next(
            position
            for position in range(passing.first, len(tape))
            if tape.entered(position).function.name == "proxy_on_request_headers"
        )
        debugger.override(began, Override(result=Action.PAUSE, callback=True)).result(WAIT)
        outcome = debugger.tape.spans[passing.index].outcome
        assert outcome is not None
        assert outcome.waiting == "allow_header paused the request and nobody resumed it"
        assert passing.outcome is not None
        assert not passing.outcome.waiting
        assert debugger.stop is not None
        ended = debugger.tape.at(debugger.stop.position)
        assert isinstance(ended, Left)
        assert (ended.opened, ended.result) == (began, Action.PAUSE)
        assert ended.reason == "overridden in the debugger; the plugin returned CONTINUE"


def test_a_rebuilt_plugin_is_loaded_and_one_stands_at_the_same_place(engine: Engine) -> None:
    inputs = inputs_of("allow_header/browser", engine.name)
    with debugging(inputs) as debugger:
        there = debugger.goto(debugger.tape.spans[2].first + 3).result(WAIT)
        before = debugger.tape.at(there.position)
        again = debugger.reload(inputs).result(WAIT)
        assert again.position == there.position
        assert debugger.tape.at(again.position) == before
        assert [branch.name for branch in debugger.branches] == ["run", "build 2"]


def test_headers_are_on_tape_as_they_were_when_a_callback_was_entered_and_left(engine: Engine) -> None:
    with debugging(inputs_of(CHANGES_HEADERS, engine.name)) as debugger:
        tape = debugger.tape
        writes = next(
            position
            for position in range(1, len(tape))
            if tape.entered(position).function.name == "proxy_add_header_map_value"
        )
        kind, name, value = tape.entered(writes).args
        began = tape.around(writes)
        before, after = (dict(tape.seen.get(at) or ())[kind] for at in (began, tape.end_of(began)))
        assert (name, value) not in before
        assert (name, value) in after


def test_a_plugin_that_does_not_start_leaves_what_it_did_and_why(engine: Engine) -> None:
    refusing = '(func (export "proxy_on_vm_start") (param i32 i32) (result i32) i32.const 0)'
    with debugging(inputs_for(plugin(refusing), requests(1), engine.name)) as debugger:
        assert debugger.stop is not None
        assert "proxy_on_vm_start returned false" in debugger.stop.note
        assert debugger.tape.entered(len(debugger.tape)).function.name == "proxy_on_vm_start"


WRITES = """
  (import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
  (data (i32.const 0) "hello")
  (func $say (export "say") (drop (call $log (i32.const 2) (i32.const 0) (i32.const 5))))
  (func (export "proxy_on_context_create") (param i32 i32))
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    (i32.store (i32.const 64) (local.get 0)) (call $say)
    (i32.store (i32.const 64) (local.get 0)) (call $say)
    i32.const 0)
"""


def test_the_plugins_own_stack_is_seen_and_one_stands_where_one_stood(engine: Engine) -> None:
    with debugging(inputs_for(plugin(WRITES), requests(2), engine.name)) as debugger:
        tape = debugger.tape
        call = next(p for p in range(1, len(tape)) if tape.entered(p).function.name == "proxy_log")
        debugger.goto(call).result(WAIT)
        before = moment(debugger)
        frames = debugger.stack().result(WAIT)
        assert [frame.name for frame in frames] == ["say", "proxy_on_request_headers"]
        assert debugger.stop is not None
        assert debugger.stop.position == call
        assert moment(debugger) == before
        assert do(debugger, "out").position == tape.end_of(tape.around(call))
        assert debugger.stack().result(WAIT) == ()


def test_the_stack_of_a_plugin_that_computes(engine: Engine) -> None:
    debugger = Debugger(inputs_for(plugin(SPINS), requests(1), engine.name, fuel=None))
    try:
        opening = debugger.open()
        while not debugger.tape.lines:
            assert not opening.done()
        debugger.pause()
        assert opening.result(WAIT).why is Why.COMPUTING
        frames = debugger.stack().result(WAIT)
        assert [frame.name for frame in frames] == ["proxy_on_request_headers"]
        assert debugger.stop is not None
        assert debugger.stop.why is Why.COMPUTING
    finally:
        debugger.close()


def test_changes_of_memory_are_found_by_letting_the_run_go_by_again(engine: Engine) -> None:
    with debugging(inputs_for(plugin(WRITES), requests(2), engine.name)) as debugger:
        tape = debugger.tape
        logs = [p for p in range(1, len(tape)) if tape.opening(p) == p and tape.depth(p) == 1]
        here = debugger.goto(logs[1]).result(WAIT)
        assert debugger.changes(64, 4).result(WAIT) == (logs[0], logs[2])
        assert debugger.stop is not None
        assert debugger.stop.position == here.position


def test_a_breakpoint_on_bytes_is_hit_both_ways(engine: Engine) -> None:
    with debugging(inputs_for(plugin(WRITES), requests(2), engine.name)) as debugger:
        tape = debugger.tape
        logs = [p for p in range(1, len(tape)) if tape.opening(p) == p and tape.depth(p) == 1]
        debugger.breakpoints.add("memory:64+4")
        found = [do(debugger, "proceed") for _ in range(3)]
        assert [stop.position for stop in found[:2]] == [logs[0], logs[2]]
        assert found[0].why is Why.BREAKPOINT
        assert found[0].breakpoints == (1,)
        assert found[2].why is Why.END
        assert do(debugger, "proceed", back=True).position == logs[2]


def test_breakpoints_stop_on_what_is_not_recorded_yet_too(engine: Engine) -> None:
    inputs = inputs_for(plugin(WRITES), requests(5), engine.name)
    with debugging(inputs) as whole:
        tape = whole.tape
        logs = [p for p in range(1, len(tape)) if tape.opening(p) == p and tape.depth(p) == 1]
        stores = logs[::2]
    with debugging(inputs, ahead=4) as debugger:
        assert len(debugger.tape) == 4
        assert debugger.stop is not None
        assert debugger.stop.note == "4 events are recorded; going on behind them records more"
        debugger.breakpoints.add("proxy_log", ignore=3)
        assert do(debugger, "proceed").position == logs[3]
        debugger.breakpoints.add("memory:64+4")
        debugger.breakpoints.remove(1)
        assert do(debugger, "proceed").position == stores[2]
        assert do(debugger, "proceed", back=True).position == stores[1]
        assert do(debugger, "step").row == debugger.tape.rows.at(stores[1]) + 1


def test_a_breakpoint_on_a_status_stops_where_the_call_has_ended(opened: Debugger) -> None:
    number = opened.breakpoints.add("status=NOT_FOUND", temporary=True).number
    opened.goto(1).result(WAIT)
    stop = do(opened, "proceed")
    ended = opened.tape.at(stop.position)
    assert isinstance(ended, Left)
    assert ended.result is Status.NOT_FOUND
    assert stop.breakpoints == (number,)
    assert not len(opened.breakpoints), "a temporary one has gone"


def test_a_closed_debugger_answers_at_once(engine: Engine) -> None:
    with debugging(inputs_of("allow_header/browser", engine.name)) as debugger:
        pass
    with pytest.raises(InputError, match="the debugger is closed"):
        debugger.step().result(WAIT)


def test_a_plugin_that_computes_is_left_when_the_debugger_closes(engine: Engine) -> None:
    debugger = Debugger(inputs_for(plugin(SPINS), requests(1), engine.name, fuel=None))
    opening = debugger.open()
    while not debugger.tape.lines:
        assert not opening.done()
    debugger.close()
    assert opening.result(WAIT).why is Why.COMPUTING


GROWS = """
  (import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
  (func (export "proxy_on_context_create") (param i32 i32))
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    (i32.store (i32.const 0) (memory.grow (i32.const 1)))
    (drop (call $log (i32.const 2) (i32.const 0) (i32.const 4)))
    i32.const 0)
"""


def test_memory_that_grew_is_as_small_as_it_was(engine: Engine) -> None:
    with debugging(inputs_for(plugin(GROWS), requests(800), engine.name)) as debugger:
        last = len(debugger.tape)
        debugger.goto(last).result(WAIT)
        before, whole = moment(debugger), debugger.memory().size()
        debugger.goto(last // 2).result(WAIT)
        half = debugger.memory().size()
        assert half < whole
        debugger.goto(last).result(WAIT)
        assert moment(debugger) == before
        debugger.goto(last // 2).result(WAIT)
        assert debugger.memory().size() == half


CHANGES_A_TABLE = """
  (table 2 funcref) (elem (i32.const 0) $a) (func $a)
  (func (export "proxy_on_context_create") (param i32 i32)
    (table.copy (i32.const 0) (i32.const 1) (i32.const 1)))
"""


def test_what_no_checkpoint_can_hold_runs_again_from_the_start(engine: Engine) -> None:
    with debugging(inputs_for(plugin(CHANGES_A_TABLE), requests(3), engine.name)) as debugger:
        assert debugger.branch.checkpoints.useless == "its code changes a table (table.copy)"
        last = len(debugger.tape)
        assert debugger.goto(last).result(WAIT).position == last
        assert do(debugger, "step", back=True).position < last


def test_the_end_of_a_run_can_be_seen_when_its_plugin_has_failed(engine: Engine) -> None:
    fails = plugin(
        '(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (unreachable))'
    )
    with debugging(inputs_for(fails, requests(2), engine.name)) as debugger:
        assert debugger.proceed().result(WAIT).why is Why.END
        assert debugger.state().maps == ()
