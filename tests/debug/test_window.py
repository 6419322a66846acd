"""Callbacks that run more instructions than are kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from debugging import WAIT, debugging, inputs_for, requests
from wat import plugin

from simwasm.debug import code_plans, window
from simwasm.debug.debugger import Debugger
from simwasm.debug.stop import Why
from simwasm.debug.unit import Unit
from simwasm.engines.engine import Engine
from simwasm.errors import InputError
from simwasm.wasm.rewrite import Limits

LONG = """
  (import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
  (func $next (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
  (func $far (result i32) (local i32)
    (loop (local.set 0 (call $next (local.get 0))) (br_if 0 (i32.lt_u (local.get 0) (i32.const 3000))))
    (local.get 0))
  (func (export "proxy_on_context_create") (param i32 i32))
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    (drop (call $far))
    (drop (call $log (i32.const 2) (i32.const 0) (i32.const 0)))
    (drop (call $far))
    i32.const 0)
"""


@pytest.fixture
def opened(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Debugger]:
    monkeypatch.setattr(window, "MOST", 2_000)
    inputs = replace(inputs_for(plugin(LONG), requests(1), engine.name), limits=Limits(slice=1_000))
    with debugging(inputs) as debugger:
        debugger.unit = Unit.INSTRUCTION
        debugger.run_to("proxy_on_request_headers").result(WAIT)
        yield debugger


def test_of_a_long_callback_the_instructions_around_the_stop_are_kept(opened: Debugger) -> None:
    opened.step().result(WAIT)
    begin = opened.inside.instants().result(WAIT)
    assert (begin.first, begin.whole) == (1, False)
    opened.run_to("proxy_log").result(WAIT)
    back = opened.step(back=True).result(WAIT)
    assert back.instant is not None and back.instant.text == "call 0"
    around = opened.inside.instants().result(WAIT)
    assert begin.last < around.first < back.instant.count < around.last
    assert around.depth(back.instant.count) == back.instant.depth == 1


def test_how_deep_instructions_are_is_known_where_the_first_are_not_kept(opened: Debugger) -> None:
    opened.breakpoints.add("function:next", condition="l0 == 2000")
    stop = opened.proceed().result(WAIT)
    assert stop.instant is not None and stop.instant.depth == 3
    instants = opened.inside.instants().result(WAIT)
    assert instants.first > 1
    assert instants.depth(stop.instant.count) == 3
    out = opened.out().result(WAIT)
    assert out.instant is not None and (out.instant.depth, out.instant.text) == (2, "local.set 0")


def test_what_lies_too_far_away_is_not_found_and_one_stays(opened: Debugger) -> None:
    opened.run_to("function:next").result(WAIT)
    here = opened.out().result(WAIT)
    with pytest.raises(InputError, match="none of them fits forwards; a breakpoint stops further away"):
        opened.out().result(WAIT)
    assert opened.stop == here


SPINS = """
  (global $x (mut i32) (i32.const 0))
  (func (export "proxy_on_context_create") (param i32 i32))
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    (loop (global.set $x (i32.add (global.get $x) (i32.const 1))) (br 0))
    i32.const 0)
"""


@pytest.fixture
def spinning() -> Iterator[Debugger]:
    """A debugger whose plugin spins, paused; the slow engine, so that it has not come far."""
    inputs = replace(inputs_for(plugin(SPINS), requests(1), "python", fuel=None), limits=Limits(slice=1_000))
    debugger = Debugger(inputs)
    opened = debugger.open()
    debugger.pause()
    stop = opened.result(WAIT)
    while stop.why is not Why.COMPUTING:
        moved = debugger.proceed()
        debugger.pause()
        stop = moved.result(WAIT)
    yield debugger
    debugger.close()


def test_a_plugin_that_spins_can_be_stepped_from_where_it_was_paused(spinning: Debugger) -> None:
    spinning.unit = Unit.INSTRUCTION
    first = spinning.step().result(WAIT)
    assert first.instant is not None
    texts = [spinning.step().result(WAIT).instant for _ in range(10)]
    assert "global.set 0" in [each.text for each in texts if each is not None]
    assert spinning.step(back=True).result(WAIT).instant == texts[-2]


def test_of_a_long_way_to_where_it_was_paused_only_the_begin_is_gone(
    spinning: Debugger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(code_plans, "_PATIENCE", 10)
    stop = spinning.step(unit=Unit.INSTRUCTION).result(WAIT)
    assert stop.instant is not None
    assert stop.instant.count < 10_000
