"""Callbacks entered again in another engine: they end as they did, or it is told how they did not."""

from __future__ import annotations

import pytest
from debugging import WAIT, debugging, inputs_for, inputs_of, moment, requests
from wat import plugin

from simwasm.debug.instant import Moment
from simwasm.debug.unit import Unit
from simwasm.engines.engine import Engine
from simwasm.engines.image import CHUNK, Image, difference

DEEP = """
  (func $down (param i32) (result i32)
    (if (result i32) (local.get 0)
      (then (i32.add (i32.const 1) (call $down (i32.sub (local.get 0) (i32.const 1)))))
      (else (i32.const 0))))
  (func (export "proxy_on_context_create") (param i32 i32) (drop (call $down (i32.const 20000))))
"""


def test_every_callback_of_a_sample_ends_as_it_did(engine: Engine) -> None:
    with debugging(inputs_of("allow_header_c/browser", engine.name)) as debugger:
        tape = debugger.tape
        for position in range(1, len(tape) + 1):
            if tape.is_callback(position) and not tape.depth(position):
                debugger.goto(position).result(WAIT)
                instants = debugger.inside.instants().result(WAIT)
                assert instants.whole
                assert instants.differs == ""


def test_behind_a_callback_that_was_looked_into_the_run_goes_on_as_it_was(engine: Engine) -> None:
    with debugging(inputs_of("allow_header_c/browser", engine.name)) as debugger:
        tape = debugger.tape
        debugger.goto(len(tape)).result(WAIT)
        at_end = moment(debugger)
        debugger.run_to("proxy_on_request_headers", back=True).result(WAIT)
        debugger.step(unit=Unit.INSTRUCTION).result(WAIT)
        debugger.step(unit=Unit.INSTRUCTION).result(WAIT)
        debugger.goto(len(tape)).result(WAIT)
        assert moment(debugger) == at_end


def test_a_callback_that_goes_another_way_in_the_other_engine_is_left_with_the_reason() -> None:
    with debugging(inputs_for(plugin(DEEP), requests(1), "wasmtime")) as debugger:
        here = debugger.restart().result(WAIT)
        stop = debugger.step(unit=Unit.INSTRUCTION).result(WAIT)
        assert stop.moment == here.moment == Moment(here.position)
        assert "cannot look into this callback: event 4 is not what it was" in stop.note
        assert "The engine python goes another way" in stop.note


def image(at: int, data: bytes, **variables: int) -> Image:
    """The state of a guest of one page with some bytes at an address."""
    memory = bytearray(CHUNK)
    memory[at : at + len(data)] = data
    pages = tuple(bytes(memory[begin : begin + 4096]) for begin in range(0, CHUNK, 4096))
    return Image((pages,), tuple(variables.items()))


@pytest.mark.parametrize(
    ("then", "now", "told"),
    [
        (image(0, b""), image(0, b""), ""),
        (image(5000, b"abc"), image(5000, b"axy"), "2 bytes of its memory differ, the first at 0x1389"),
        (image(0, b"", g=1), image(0, b"", g=2000), "g is 2,000 and was 1"),
        (image(0, b""), Image(image(0, b"").memory * 2, ()), "its memory has 131,072 bytes and had 65,536"),
    ],
)
def test_what_is_not_as_it_was_is_told(then: Image, now: Image, told: str) -> None:
    assert difference(then, now) == told
