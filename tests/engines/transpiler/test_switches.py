"""Where a `br_table` goes: to blocks that begin together, and to blocks around them."""

from __future__ import annotations

import pytest
from guest import Starter

from simwasm.engines import find


def _switch(around: int, together: int) -> str:
    """A function that goes to each of the blocks, and gives what it passed on the way out, as bits."""
    tell = [f" end local.get 1 i32.const {1 << at} i32.or local.set 1 " for at in range(around + together)]
    table = " ".join(map(str, range(around + together)))
    code = "block nop " * around + "block " * together + f"local.get 0 br_table {table}" + "".join(tell)
    return f'(func (export "f") (param i32) (result i32) (local i32) {code} local.get 1)'


@pytest.mark.parametrize(("around", "together"), [(0, 3), (1, 3), (6, 3), (12, 5), (20, 4), (2, 25)])
@pytest.mark.parametrize("name", ["wasmtime", "python"])
def test_a_table_leads_to_every_block(name: str, around: int, together: int) -> None:
    call = Starter(find.engine(name))(f"(module {_switch(around, together)})").exports["f"]
    count = around + together
    everything = (1 << count) - 1
    passed = [everything >> at << at for at in [*range(count), count - 1]]
    assert [call(at) for at in [*range(count), -1]] == passed


LEFT_EARLY = """(module (func (export "f") (param i32) (result i32) (local i32)
    local.get 0 i32.const 100 i32.lt_u
    if
        nop
        block block block
            local.get 0 i32.const 5 i32.eq br_if 3
            local.get 0 br_table 0 1 2
        end i32.const 1 local.set 1 local.get 0 i32.const 9 i32.eq br_if 2
        end local.get 1 i32.const 2 i32.or local.set 1 local.get 0 br_if 1
        end
    else
        i32.const 16 local.set 1
    end
    local.get 1 i32.const 8 i32.or))"""


@pytest.mark.parametrize("name", ["wasmtime", "python"])
def test_a_block_that_ends_with_a_switch_can_be_left_out_of_it(name: str) -> None:
    call = Starter(find.engine(name))(LEFT_EARLY).exports["f"]
    assert [call(at) for at in (0, 1, 2, 5, 9, 100)] == [11, 10, 8, 8, 8, 24]
