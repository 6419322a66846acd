"""What generated code leaves out because it knows better must not be missed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import wasmtime

from simwasm.engines.transpiler.generate import Generator
from simwasm.engines.transpiler.instance import instantiate
from simwasm.engines.transpiler.references import FunctionExtern
from simwasm.wasm.reader import read_module


def started(text: str) -> Callable[..., object]:
    """What a module exports as `run`."""
    run = instantiate(read_module(bytes(wasmtime.wat2wasm(f"(module {text})"))), {}).exports["run"]
    assert isinstance(run, FunctionExtern)
    return lambda *words: run.call(*words)


def source(text: str) -> str:
    return Generator(read_module(bytes(wasmtime.wat2wasm(f"(module {text})")))).generate(0).source


def test_an_address_that_is_used_often_keeps_its_view() -> None:
    loads = "".join(f"(i32.load offset={at} (local.get 0))" for at in (0, 4, 8, 12))
    text = f'(memory 1) (func (export "run") (param i32) (result i32) {loads} i32.add i32.add i32.add)'
    assert source(text).count("V4_0[q4_0 + ") == 3


def test_views_are_looked_at_anew_when_the_memory_grew() -> None:
    """The call that gives the stored value grows the memory after the address was used."""
    text = """(memory 1 3)
      (func $grow (result i32) (drop (memory.grow (i32.const 1))) (i32.const 7))
      (func (export "run") (param i32) (result i32)
        (i32.store offset=0 (local.get 0) (i32.const 1))
        (i32.store offset=4 (local.get 0) (i32.const 2))
        (i32.store offset=8 (local.get 0) (call $grow))
        (i32.store offset=12 (local.get 0) (i32.add (i32.load offset=4 (local.get 0)) (call $grow)))
        (i32.add (i32.load offset=8 (local.get 0)) (i32.load offset=12 (local.get 0))))"""
    assert started(text)(64) == 7 + 2 + 7


def test_views_are_looked_at_anew_in_a_loop_that_may_grow_the_memory() -> None:
    text = """(memory 1 9)
      (func $grow (drop (memory.grow (i32.const 1))))
      (func (export "run") (param i32) (result i32) (local i32)
        (i32.store (local.get 0) (i32.const 0)) (i32.store offset=4 (local.get 0) (i32.const 0))
        (loop
          (i32.store offset=4 (local.get 0) (i32.add (i32.load offset=4 (local.get 0)) (i32.const 1)))
          (call $grow)
          (br_if 0 (i32.lt_u (local.tee 1 (i32.add (local.get 1) (i32.const 1))) (i32.const 5))))
        (i32.load offset=4 (local.get 0)))"""
    assert started(text)(64) == 5


def test_what_one_arm_keeps_the_other_does_not_have() -> None:
    text = """(memory 1) (func (export "run") (param i32 i32) (result i32)
      (if (local.get 1) (then
        (i32.store (local.get 0) (i32.const 1)) (i32.store offset=4 (local.get 0) (i32.const 2))
        (i32.store offset=8 (local.get 0) (i32.const 3))))
      (i32.add (i32.rotl (local.get 0) (i32.const 3)) (i32.load offset=8 (local.get 0))))"""
    run = started(text)
    assert (run(16, 0), run(16, 1)) == (128, 131)


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ("i32.lt_u (local.get 0) (i32.const 10)", {5: 6, 2**32 - 1: 77}),
        ("i32.gt_s (local.get 0) (i32.const -1)", {5: 6, 2**31 - 1: 2**31, 2**32 - 1: 77}),
        ("i32.le_s (local.get 0) (i32.const 3)", {2: 3, 2**32 - 1: 0, 5: 77}),
        ("i32.eqz (i32.eqz (local.get 0))", {0: 77, 1: 2, 2**32 - 1: 0}),
        ("i32.ne (local.get 0) (i32.const -1)", {2**32 - 1: 77, 2**32 - 2: 2**32 - 1}),
    ],
)
def test_a_condition_bounds_what_follows_it(test: str, expected: dict[int, int]) -> None:
    text = f"""(func (export "run") (param i32) (result i32)
      (if ({test}) (then (return (i32.add (local.get 0) (i32.const 1))))) (i32.const 77))"""
    run = started(text)
    assert {word: run(word) for word in expected} == expected


def test_a_narrow_value_of_a_wide_local_is_not_the_local() -> None:
    """The low half is compared, the whole is used afterwards."""
    text = """(func (export "run") (param i64) (result i64)
      (if (i32.lt_u (i32.wrap_i64 (local.get 0)) (i32.const 5))
        (then (return (i64.add (local.get 0) (i64.const -1)))))
      (i64.const 0))"""
    assert started(text)(3 << 32) == (3 << 32) - 1


@pytest.mark.parametrize(
    ("first", "step", "until"), [(0, 4, 40), (-40, 4, 0), (40, -4, 0), (-8, 4, 8), (8, -4, -8)]
)
def test_counting_by_steps(first: int, step: int, until: int) -> None:
    """Up or down, through zero or not: the sum of the counter, and of the counter plus 100."""
    text = f"""(func (export "run") (result i32) (local i32 i32)
      (local.set 0 (i32.const {first}))
      (loop
        (local.set 1 (i32.add (local.get 1) (i32.add (local.get 0) (i32.const 100))))
        (br_if 0 (i32.ne (local.tee 0 (i32.add (local.get 0) (i32.const {step}))) (i32.const {until}))))
      (local.get 1))"""
    assert started(text)() == sum(at + 100 for at in range(first, until, step)) % 2**32
