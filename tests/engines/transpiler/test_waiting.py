"""Operands that wait while something else happens are what they were."""

from __future__ import annotations

import pytest
from guest import Starter

from simwasm.engines import find

CASES = {
    "a constant, below a block where a branch may write it down": (
        """(func (export "f") (param i32) (result i32)
            i32.const 6
            local.get 0
            if (result i32) i32.const 3 else i32.const 4 local.get 0 i32.eqz br_if 1 end
            i32.add)""",
        {0: 4, 1: 9},
    ),
    "an address, from a call that lets the memory grow": (
        """(memory 1)
        (func $more (result i32) (drop (memory.grow (i32.const 1))) i32.const 8)
        (func (export "f") (param i32) (result i32)
            (i32.store (call $more) (local.get 0))
            (i32.load (i32.const 8)))""",
        {7: 7, 8: 8},
    ),
    "an address of a float, from the growth itself": (
        """(memory 1)
        (func (export "f") (param i32) (result i32)
            (f32.store (memory.grow (i32.const 1)) (f32.convert_i32_s (local.get 0)))
            (i32.load (i32.const 1)))""",
        {2: 0x40000000},
    ),
    "a vector, from a call that lets the memory grow": (
        """(memory 1)
        (func $more (result v128) (drop (memory.grow (i32.const 1))) (v128.const i32x4 1 2 3 4))
        (func (export "f") (param i32) (result i32)
            (v128.store (local.get 0) (call $more))
            (i32.load (i32.add (local.get 0) (i32.const 8))))""",
        {7: 3, 8: 3},
    ),
}


@pytest.mark.parametrize(("code", "results"), CASES.values(), ids=CASES.keys())
@pytest.mark.parametrize("name", ["wasmtime", "python"])
def test_what_waits_is_what_it_was(name: str, code: str, results: dict[int, int]) -> None:
    call = Starter(find.engine(name))(f"(module {code})").exports["f"]
    assert {given: call(given) for given in results} == results
