"""How many checkpoints there are, and how much they hold."""

from __future__ import annotations

import pytest
from debugging import WAIT, debugging, inputs_for, moment, requests
from switchboard import LOG, OUT, REQUEST_HEADERS, Call, Case, Read, switchboard
from wat import plugin

from simwasm.debug import checkpoints
from simwasm.debug.checkpoints import Checkpoints
from simwasm.engines.engine import Engine
from simwasm.errors import BadModule
from simwasm.plugin import Plugin

FILLS = """
  (global $n (mut i32) (i32.const 0))
  (func (export "proxy_on_context_create") (param i32 i32)
    (global.set $n (i32.add (global.get $n) (i32.const 1)))
    (memory.fill (i32.const 65536) (global.get $n) (i32.const 4000000)))
"""


def test_checkpoints_hold_no_more_than_they_may(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "EVERY", 1)
    monkeypatch.setattr(checkpoints, "HEAVIEST", 20_000_000)
    with debugging(inputs_for(plugin(FILLS, memory="64"), requests(500), engine.name)) as debugger:
        held = debugger.branch.checkpoints
        assert 1 < len(held) <= 5
        last = len(debugger.tape)
        debugger.goto(last // 2).result(WAIT)
        half = moment(debugger)
        debugger.goto(last).result(WAIT)
        assert debugger.goto(last // 2).result(WAIT).position == last // 2
        assert moment(debugger) == half


def test_going_back_finds_expressions_and_declared_properties_as_they_were(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "EVERY", 1)
    create: Call = ("proxy_call_foreign_function", "expr_create", "request.path", OUT, OUT)
    evaluate: Call = ("proxy_call_foreign_function", "expr_evaluate", Read(2), 4, OUT, OUT)
    declare: Call = ("proxy_call_foreign_function", "declare_property", b"\x0a\x01x", OUT, OUT)
    calls = {
        REQUEST_HEADERS: [create, evaluate, declare, ("proxy_set_property", "x", "v")],
        LOG: [create, evaluate],
    }
    exchanges = tuple(Case("expressions", calls).exchange(0) for _ in range(30))
    board = Plugin("board", switchboard([Case("expressions", calls)]))
    with debugging(inputs_for(board, exchanges, engine.name)) as debugger:
        last = len(debugger.tape)
        places = range(last, 0, -last // 20)
        debugger.goto(last).result(WAIT)
        backwards = []
        for place in places:
            debugger.goto(place).result(WAIT)
            backwards.append(moment(debugger))
        for place, before in zip(reversed(places), reversed(backwards), strict=True):
            debugger.goto(place).result(WAIT)
            assert moment(debugger) == before


HIDES = """
  (table 1 funcref)
  (func (export "proxy_on_context_create") (param i32 i32)
    (table.set 0 (i32.const 0) (ref.null func)))
"""


def test_code_is_not_read_before_somebody_asks_whether_checkpoints_are_of_use() -> None:
    nonsense = Checkpoints((Plugin("nonsense", b"no module"),))
    with pytest.raises(BadModule):
        _ = nonsense.useless


def test_a_plugin_whose_state_cannot_be_seen_makes_them_useless() -> None:
    why = Checkpoints((plugin(""), plugin(HIDES))).useless
    assert "table.set" in why
    assert not Checkpoints((plugin(""),)).useless


def test_a_useless_branch_takes_none_and_a_fork_of_it_knows(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "EVERY", 1)
    with debugging(inputs_for(plugin(HIDES), requests(20), engine.name)) as debugger:
        held = debugger.branch.checkpoints
        assert len(held) == 0
        assert held.before(5).useless == held.useless != ""
