"""Where statements begin, and what is never reached."""

from __future__ import annotations

import pytest
import wasmtime

from simwasm.errors import BadModule
from simwasm.wasm.decode import instructions, split
from simwasm.wasm.module import Module
from simwasm.wasm.reader import read_module
from simwasm.wasm.statements import Statements
from simwasm.wasm.wat import text


def module_of(function: str) -> Module:
    return read_module(bytes(wasmtime.wat2wasm(f"(module {function} (func $void) (memory 1))")))


def starts(function: str, every: bool = False) -> list[str]:
    """The instructions of the first function that begin a statement, or all that are reached."""
    module = module_of(function)
    body = module.bodies[0]
    found = Statements(module)
    pieces = split(module.data, body.code, body.end)
    words = [text(each) for each in instructions(module.data, body.code, body.end)]
    return [words[at] for at in (found.reached if every else found.starts)(pieces)]


def test_a_statement_begins_where_the_operand_stack_is_empty() -> None:
    assert starts("""(func (param i32) (local.set 0 (i32.add (local.get 0) (i32.const 1)))
        (i32.store (i32.const 8) (local.get 0)))""") == ["local.get 0", "i32.const 8"]


def test_a_call_without_arguments_is_a_statement() -> None:
    assert starts("(func call 1 call 1)") == ["call 1", "call 1"]


def test_a_block_has_a_stack_of_its_own() -> None:
    """What waits below it does not keep its statements from being some."""
    code = "(func (result i32) i32.const 5 (block (result i32) call 1 i32.const 6) i32.add)"
    assert starts(code) == ["i32.const 5", "call 1", "i32.const 6"]


def test_words_that_hold_blocks_together_begin_none() -> None:
    code = "(func (param i32) block loop nop local.get 0 if call 1 else call 1 end end end)"
    assert starts(code) == ["local.get 0", "call 1", "call 1"]


@pytest.mark.parametrize("leave", ["br 0", "return", "unreachable", "(br_table 0 0 (i32.const 1))"])
def test_behind_what_leaves_a_block_nothing_is_reached(leave: str) -> None:
    found = starts(f"(func (block {leave} call 1 (block call 1)) i32.const 9 drop)", every=True)
    assert [word for word in found if word.startswith(("call", "i32.const 9"))] == ["i32.const 9"]


def test_the_other_arm_of_an_if_is_reached_though_the_first_leaves() -> None:
    found = starts("(func (if (i32.const 1) (then return) (else call 1)))")
    assert found == ["i32.const 1", "return", "call 1"]


def test_everything_that_is_reached_but_else_and_the_end_of_blocks() -> None:
    found = starts("(func (block (loop (if (i32.const 1) (then nop) (else call 1)))))", every=True)
    assert found == ["block", "loop", "i32.const 1", "if", "nop", "call 1", "end"]


def test_a_type_that_is_not_there_is_refused() -> None:
    wasm = bytearray(module_of("(func (param i32) (call_indirect (local.get 0))) (table 1 funcref)").data)
    at = wasm.index(b"\x11\x01\x00") if b"\x11\x01\x00" in wasm else wasm.index(b"\x11")
    wasm[at + 1] = 99
    module = read_module(bytes(wasm))
    body = module.bodies[0]
    with pytest.raises(BadModule, match="type 99 of 2"):
        Statements(module).starts(split(module.data, body.code, body.end))
