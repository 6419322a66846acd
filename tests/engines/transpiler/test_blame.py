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
