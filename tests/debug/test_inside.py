"""Inside of callbacks: verbs by instruction and by line, forwards and backwards, on real engines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from computing import computing
from debugging import WAIT, debugging, inputs_for, inputs_of, moment, requests
from wat import plugin

from simwasm.debug.debugger import Debugger
from simwasm.debug.stop import Stop, Why
from simwasm.debug.unit import Unit
from simwasm.engines.engine import Engine
from simwasm.errors import InputError
from simwasm.plugin import Plugin

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def opened(engine: Engine) -> Iterator[Debugger]:
    with debugging(inputs_for(computing(), requests(2), engine.name)) as debugger:
        debugger.unit = Unit.INSTRUCTION
        yield debugger


@pytest.fixture(scope="module")
def lined() -> Iterator[Debugger]:
    """A plugin of Rust with debug information."""
    wasm = (ROOT / "samples/allow_header/plugin.debug.wasm").read_bytes()
    inputs = replace(inputs_of("allow_header/browser"), plugins=(Plugin("allow_header", wasm),))
    with debugging(inputs) as debugger:
        debugger.unit = Unit.LINE
        yield debugger


def begin(debugger: Debugger, callback: str = "proxy_on_request_headers") -> int:
    """Stand where the first callback of that name begins."""
    tape = debugger.tape
    found = next(p for p in range(1, len(tape)) if tape.entered(p).function.name == callback)
    return debugger.goto(found).result(WAIT).position


def told(stop: Stop) -> str:
    """What comes next where the run stands: an instruction, or the call of a row."""
    return stop.instant.text if stop.instant is not None else f"row {stop.row}"


def walk(debugger: Debugger, verb: str, steps: int, *, back: bool = False) -> list[str]:
    """What is come by."""
    return [told(getattr(debugger, verb)(back=back).result(WAIT)) for _ in range(steps)]


def test_a_step_leads_to_the_next_instruction_and_into_functions(opened: Debugger) -> None:
    begin(opened)
    assert walk(opened, "step", 5) == ["i32.const 21", "call 1", "local.get 0", "local.get 0", "i32.add"]


def test_a_step_over_a_call_leads_to_the_instruction_behind_it(opened: Debugger) -> None:
    begin(opened)
    walk(opened, "step", 2)
    assert walk(opened, "over", 2) == ["local.set 3", "i32.const 100"]


def test_a_step_over_the_begin_of_a_callback_leads_to_its_return(opened: Debugger) -> None:
    first = begin(opened)
    assert opened.over().result(WAIT).position == opened.tape.end_of(first)


def test_out_of_a_function_leads_behind_its_call_and_backwards_to_it(opened: Debugger) -> None:
    begin(opened)
    walk(opened, "step", 4)
    assert walk(opened, "out", 1) == ["local.set 3"]
    walk(opened, "step", 2, back=True)
    assert walk(opened, "out", 1, back=True) == ["call 1"]


def test_out_of_a_function_that_calls_itself_leads_to_where_it_was_called(opened: Debugger) -> None:
    begin(opened)
    depths = [opened.run_to("function:2").result(WAIT).instant for _ in range(4)]
    assert [each.depth for each in depths if each is not None] == [2, 3, 4, 5]
    assert walk(opened, "out", 4) == ["i32.add", "i32.add", "i32.add", "global.set 0"]


def test_rows_lie_between_the_instructions(opened: Debugger) -> None:
    begin(opened)
    opened.run_to("proxy_log").result(WAIT)
    assert walk(opened, "step", 2, back=True) == ["call 0", "i32.const 5"]
    assert opened.tape.entered(opened.step().result(WAIT).position + 1).function.name == "proxy_log"
    row = opened.step().result(WAIT)
    assert (row.instant, opened.tape.entered(row.position).function.name) == (None, "proxy_log")
    assert walk(opened, "step", 1) == ["drop"]


def test_every_step_back_undoes_a_step_also_across_callbacks(opened: Debugger) -> None:
    begin(opened)
    steps = [opened.step().result(WAIT).moment for _ in range(95)]
    assert len({stop.position for stop in steps}) > 5
    back = [opened.step(back=True).result(WAIT).moment for _ in range(94)]
    assert back == steps[-2::-1]


def test_what_is_seen_at_an_instant_is_the_same_from_both_sides(opened: Debugger) -> None:
    begin(opened)
    opened.run_to("instruction:i32.store8").result(WAIT)
    stop, before = opened.stop, moment(opened)
    active = opened.inside.activations().result(WAIT)
    opened.proceed().result(WAIT)
    assert stop is not None
    again = opened.inside.goto(stop.moment).result(WAIT)
    assert again.instant is not None and stop.instant is not None
    assert (again.instant.offset, again.instant.count) == (stop.instant.offset, stop.instant.count)
    assert moment(opened) == before
    assert opened.inside.activations().result(WAIT) == active


def test_a_callback_has_the_same_instructions_on_every_way(opened: Debugger) -> None:
    first = begin(opened)
    instants = opened.inside.instants().result(WAIT)
    count = 0
    stop = opened.step().result(WAIT)
    while stop.position < opened.tape.end_of(first):
        if stop.instant is not None:
            count += 1
            assert stop.instant.offset == instants.offset(count)
            assert stop.instant.depth == instants.depth(count)
        stop = opened.step().result(WAIT)
    assert count == instants.total
    assert instants.differs == ""


def test_locals_operands_globals_and_arguments_are_seen(opened: Debugger) -> None:
    begin(opened)
    walk(opened, "step", 5)
    inner, outer = opened.inside.activations().result(WAIT)
    assert [(each.slot, each.name, each.value) for each in inner.arguments] == [("l0", "x", 21)]
    assert [each.value for each in inner.stack] == [21, 21]
    assert (inner.name, outer.level, outer.name) == ("twice", 1, "proxy_on_request_headers")
    assert [each.name for each in outer.locals] == ["context", "headers", "end", "found"]
    names = {each.name: each.value for each in opened.inside.globals().result(WAIT)}
    assert names == {"sum": 0}


def test_at_a_row_no_function_is_active(opened: Debugger) -> None:
    begin(opened)
    assert opened.inside.activations().result(WAIT) == ()


def test_the_instructions_of_a_callback_are_told_at_its_return_too(opened: Debugger) -> None:
    first = begin(opened)
    opened.over().result(WAIT)
    assert opened.inside.instants().result(WAIT).callback == first


def test_a_plugin_that_changes_tables_can_be_stepped_where_it_was_recorded_only() -> None:
    hides = """(table 1 funcref)
      (func (export "proxy_on_context_create") (param i32 i32) (table.set 0 (i32.const 0) (ref.null func)))"""
    with debugging(inputs_for(plugin(hides), requests(1), "wasmtime")) as debugger:
        begin(debugger, "proxy_on_context_create")
        with pytest.raises(InputError, match=r"table.set.*record with `--engine python` to step inside"):
            debugger.step(unit=Unit.INSTRUCTION).result(WAIT)
    with debugging(inputs_for(plugin(hides), requests(1), "python")) as debugger:
        begin(debugger, "proxy_on_context_create")
        assert told(debugger.step(unit=Unit.INSTRUCTION).result(WAIT)) == "i32.const 0"


def test_a_trap_has_instructions_before_it() -> None:
    traps = '(func (export "proxy_on_context_create") (param i32 i32) (unreachable))'
    with debugging(inputs_for(plugin(traps), requests(1))) as debugger:
        begin(debugger, "proxy_on_context_create")
        debugger.unit = Unit.INSTRUCTION
        assert walk(debugger, "step", 1) == ["unreachable"]
        stop = debugger.step().result(WAIT)
        assert (stop.instant, stop.why) == (None, Why.STEP)
        assert walk(debugger, "step", 1, back=True) == ["unreachable"]


# Lines.


def line(stop: Stop) -> int:
    """The number of the line."""
    assert stop.instant is not None and stop.instant.place is not None
    return stop.instant.place.line


def test_lines_are_gone_over_one_by_one_and_back(lined: Debugger) -> None:
    begin(lined)
    assert line(lined.run_to("src/lib.rs:36").result(WAIT)) == 36
    lines = [line(lined.over().result(WAIT)) for _ in range(5)]
    assert lines == [38, 41, 47, 48, 45]
    assert [line(lined.over(back=True).result(WAIT)) for _ in range(4)] == lines[-2::-1]


def test_a_step_by_line_leads_into_functions_and_out_of_them(lined: Debugger) -> None:
    begin(lined)
    lined.run_to("src/lib.rs:36").result(WAIT)
    first = lined.stop
    into = lined.step().result(WAIT)
    assert first is not None and first.instant is not None and into.instant is not None
    assert into.instant.place is not None
    assert not into.instant.place.file.endswith("src/lib.rs") or into.instant.depth > first.instant.depth


def test_a_plugin_without_lines_says_so(opened: Debugger) -> None:
    begin(opened)
    stop = opened.step(unit=Unit.LINE).result(WAIT)
    assert "no lines of source" in stop.note
