"""How many checkpoints there are, and how much they hold."""

from __future__ import annotations

import pytest
from debugging import WAIT, debugging, inputs_for, moment, requests
from wat import plugin

from simwasm.debug import checkpoints
from simwasm.engines.engine import Engine

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
