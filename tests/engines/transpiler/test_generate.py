"""What is made of functions: source that says what it does, lines that lead back, limits that hold."""

from __future__ import annotations

from collections.abc import Callable
from types import CodeType

import pytest
import wasmtime

from simwasm.engines.transpiler.generate import LONGEST, Generated, Generator
from simwasm.engines.transpiler.instance import instantiate
from simwasm.engines.transpiler.references import FunctionExtern
from simwasm.errors import BadModule, Trap
from simwasm.wasm.decode import instructions
from simwasm.wasm.module import Module
from simwasm.wasm.reader import read_module

VARIANTS = pytest.mark.parametrize("steppable", [False, True])


def module(text: str) -> Module:
    return read_module(bytes(wasmtime.wat2wasm(f"(module {text})")))


def generated(text: str, *, steppable: bool = False) -> Generated:
    """The first function of a module."""
    return Generator(module(text)).generate(0, steppable=steppable)


def started(text: str, *, steppable: bool = False) -> Callable[..., object]:
    """What a module exports as `run`."""
    linked = instantiate(module(text), {})
    linked.functions.steppable = steppable  # before any is made
    run = linked.exports["run"]
    assert isinstance(run, FunctionExtern)
    return lambda *words: run.call(*words)


def test_the_source_is_one_function_with_its_name() -> None:
    made = generated(
        '(func (export "clamp\\0a") (param i32) (result i32) (i32.and (local.get 0) (i32.const 7)))'
    )
    assert made.source.startswith("def f0(l0):  # clamp\\n\n")
    assert "return l0 & 7" in made.source


def test_what_the_code_refers_to_is_free() -> None:
    made = generated(
        "(memory 1) (global (mut i32) (i32.const 0)) (func (i32.store (i32.const 0) (global.get 0)))"
    )
    assert set(made.code.co_freevars) == {"V4", "g0", "fuel", "refill"}
    assert isinstance(made.code, CodeType)


@VARIANTS
@pytest.mark.parametrize(
    ("word", "name"), [(65536, "i32.load"), (65530, "i32.load"), (0, "i32.rem_u"), (8, "i32.div_u")]
)
def test_a_trap_is_on_a_line_of_its_instruction(steppable: bool, word: int, name: str) -> None:
    """Two loads and two divisions in one expression: the line that raised leads to the one that did."""
    text = """(memory 1) (func (export "run") (param i32) (result i32)
      (i32.div_u (i32.load (local.get 0)) (i32.rem_u (i32.load offset=4 (local.get 0)) (local.get 0))))"""
    parsed = module(text)
    body = parsed.bodies[0]
    made = Generator(parsed).generate(0, steppable=steppable)
    with pytest.raises((IndexError, ZeroDivisionError)) as raised:
        started(text, steppable=steppable)(word)
    offset = made.offsets[raised.traceback[-1].lineno + 1]
    found = {one.offset: one for one in instructions(parsed.data, body.code, body.end)}[offset]
    assert found.opcode.name == name
    assert found.immediates[1:] == ((4,) if word == 65530 else (0,) if word == 65536 else ())


@VARIANTS
def test_before_every_instruction_there_is_a_hook_only_where_one_can_step(steppable: bool) -> None:
    made = generated("(func (drop (i32.add (i32.const 1) (i32.const 2))))", steppable=steppable)
    assert made.source.count(" h(") == (5 if steppable else 0)  # `end` too


@VARIANTS
def test_a_thousand_ways_of_a_switch(steppable: bool) -> None:
    count = 1000
    blocks = "(block " * count
    labels = " ".join(str(at) for at in range(count))
    arms = "".join(f") (return (i32.const {at * 3}))" for at in range(count - 1))
    text = f"""(func (export "run") (param i32) (result i32)
        {blocks} (br_table {labels} (local.get 0)) {arms} ) (i32.const 7))"""
    run = started(text, steppable=steppable)
    assert [run(at) for at in (0, 1, 500, 998, 999, 1000, 2**32 - 1)] == [0, 3, 1500, 2994, 7, 7, 7]


@VARIANTS
def test_blocks_that_are_nested_deeper_than_python_may(steppable: bool) -> None:
    """450 loops in each other, each left and begun again by a branch: a machine of segments."""
    depth = 450
    opened = "(loop $l%d (block $b%d " * depth % tuple(at // 2 for at in range(2 * depth))
    inner = "(local.set 1 (i32.add (local.get 1) (i32.const 1)))"
    closed = "".join(
        f"(br_if $b{at} (i32.eqz (local.get 0))) (local.set 0 (i32.sub (local.get 0) (i32.const 1))) (br $l{at})))"
        for at in reversed(range(depth))
    )
    text = f"""(func (export "run") (param i32) (result i32) (local i32) {opened} {inner} {closed} (local.get 1))"""
    assert started(text, steppable=steppable)(5) == 6


@VARIANTS
def test_a_branch_out_of_many_loops(steppable: bool) -> None:
    text = """(func (export "run") (param i32) (result i32) (local i32)
      (block $out (loop $a (loop $b (loop $c
        (local.set 1 (i32.add (local.get 1) (i32.const 1)))
        (br_if $out (i32.gt_u (local.get 1) (local.get 0)))
        (br_if $a (i32.eq (i32.and (local.get 1) (i32.const 3)) (i32.const 1)))
        (br_if $b (i32.eq (i32.and (local.get 1) (i32.const 3)) (i32.const 2)))
        (br $c)))))
      (local.get 1))"""
    assert started(text, steppable=steppable)(41) == 42


@pytest.mark.parametrize("steppable", [False, True])
def test_a_counter_that_goes_around(steppable: bool) -> None:
    """From below zero up to a bound: what is known of it at the loop's head must include what is after zero."""
    text = """(func (export "run") (result i32) (local i32 i32)
      (local.set 0 (i32.const -32))
      (loop
        (local.set 1 (i32.add (local.get 1) (i32.add (local.get 0) (i32.const 100))))
        (br_if 0 (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 32))) (i32.const 96))))
      (local.get 1))"""
    assert started(text, steppable=steppable)() == 68 + 100 + 132 + 164


def test_order_of_operands_survives_folding() -> None:
    """A local, a global and the memory change after they were read."""
    text = """(memory 1) (global $g (mut i32) (i32.const 5))
      (func $f (result i32) (global.set $g (i32.const 50)) (i32.store (i32.const 0) (i32.const 60)) (i32.const 1))
      (func (export "run") (param i32) (result i32)
        (i32.store (i32.const 0) (i32.const 6))
        (local.get 0) (global.get $g) (i32.load (i32.const 0)) (call $f)
        (local.set 0 (i32.const 100))
        i32.add i32.add i32.add)"""
    assert started(text)(1000) == 1000 + 5 + 6 + 1


@VARIANTS
def test_what_is_dropped_still_traps(steppable: bool) -> None:
    run = started('(memory 1) (func (export "run") (drop (i32.load (i32.const 65536))))', steppable=steppable)
    with pytest.raises((IndexError, Trap)):
        run()


def test_many_locals_and_operands_compile() -> None:
    """50,000 locals, 20,000 operands that wait, and 5,000 blocks in each other."""
    sets = "".join(f"(local.set {at + 1} (local.get {at}))" for at in range(4_000))
    assert generated(f"(func (local {'i32 ' * 50_000}) {sets})").source.count("\n") > 4_000
    assert generated(f"(func (result i32) {'i32.const 1 ' * 3_000} {'i32.add ' * 2_999})").code
    assert generated(f"(func {'(block ' * 5_000} {'(br_if 3 (i32.const 1))' * 5} {')' * 5_000})").code


def test_a_function_that_is_too_long_is_refused() -> None:
    with pytest.raises(
        BadModule, match="instructions: the engine python takes 100,000, the others take any number"
    ):
        generated(f"(func {'nop ' * (LONGEST + 1)})")


@VARIANTS
def test_operands_that_wait_are_as_many_as_a_module_wants(steppable: bool) -> None:
    """3,000 values of a local that changes, loads and calls among them; then their sum."""
    waiting = "(local.get 0) (i32.load (i32.const 8)) (call $f (local.get 0)) (local.set 0 (i32.const 2))"
    text = f"""(memory 1) (func $f (param i32) (result i32) (i32.store (i32.const 8) (i32.const 7)) (local.get 0))
      (func (export "run") (param i32) (result i32) {waiting * 1_000} {"i32.add " * 2_999})"""
    assert started(text, steppable=steppable)(5) == 5 + 2 * 999 + 7 * 999 + 5 + 2 * 999


@VARIANTS
def test_calls_of_calls_are_taken_apart(steppable: bool) -> None:
    text = f"""(func $f (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
      (func (export "run") (param i32) (result i32) (local.get 0) {"(call $f) " * 500})"""
    assert started(text, steppable=steppable)(1) == 501


@VARIANTS
@pytest.mark.parametrize("many", ["(call 0) " * 300, "(loop (type 0) " * 300 + ")" * 300])
def test_a_function_that_moves_thousands_of_operands_again_and_again_is_refused(
    steppable: bool, many: str
) -> None:
    types = "(param " + "i32 " * 1_000 + ") (result " + "i32 " * 1_000 + ")"
    gets = "".join(f"(local.get {at})" for at in range(1_000))
    with pytest.raises(BadModule, match="moves more than 200,000 operands"):
        generated(f"(type (func {types})) (func (type 0) {gets} {many})", steppable=steppable)
