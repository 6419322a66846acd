"""Who is told to have been active when a guest stopped."""

from __future__ import annotations

import pytest
from guest import Starter

from simwasm.engines import find
from simwasm.errors import Trap

TAILS = """(module
    (func $inner unreachable)
    (func $middle (return_call $inner))
    (func (export "outer") (call $middle)))"""


@pytest.mark.parametrize("name", ["wasmtime", "python"])
def test_who_ended_with_a_tail_call_is_not_active_any_more(name: str) -> None:
    with pytest.raises(Trap) as stopped:
        Starter(find.engine(name))(TAILS).exports["outer"]()
    assert [frame.function for frame in stopped.value.frames] == [0, 2]


INDIRECT = """(module
    (table 1 funcref)
    (func $inner (return_call_indirect (i32.const 0)))
    (func (export "outer") (return_call $inner)))"""


@pytest.mark.parametrize("name", ["wasmtime", "python"])
def test_a_tail_call_of_no_function_traps_where_it_is_made(name: str) -> None:
    with pytest.raises(Trap, match="uninitialized element") as stopped:
        Starter(find.engine(name))(INDIRECT).exports["outer"]()
    assert [frame.function for frame in stopped.value.frames] == [0]
