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
}


@pytest.mark.parametrize(("code", "results"), CASES.values(), ids=CASES.keys())
@pytest.mark.parametrize("name", ["wasmtime", "python"])
def test_what_waits_is_what_it_was(name: str, code: str, results: dict[int, int]) -> None:
    call = Starter(find.engine(name))(f"(module {code})").exports["f"]
    assert {given: call(given) for given in results} == results
