"""Tables as `call_indirect` sees them: lists that change in place, and what stands in for them when they are large."""

from __future__ import annotations

import pytest
from guest import Starter

from simwasm.engines.engine import Instance
from simwasm.engines.find import engine
from simwasm.engines.transpiler import tables
from simwasm.errors import Trap, TrapKind

GUEST = """(module
    (type $number (func (result i32)))
    (table $t 4 {maximum} funcref)
    (elem (i32.const 0) $one $two $other)
    (elem declare func $one)
    (func $one (result i32) (i32.const 1))
    (func $two (result i32) (i32.const 2))
    (func $other (param i32))
    (func (export "pick") (param i32) (result i32) (call_indirect (type $number) (local.get 0)))
    (func (export "put") (param i32) (table.set (local.get 0) (ref.func $one)))
    (func (export "clear") (param i32) (table.set (local.get 0) (ref.null func)))
    (func (export "move") (param i32 i32) (table.set (local.get 0) (table.get (local.get 1))))
    (func (export "grow") (param i32) (result i32) (table.grow (ref.func $two) (local.get 0)))
    (func (export "fill") (param i32 i32) (table.fill (local.get 0) (ref.func $two) (local.get 1)))
    (func (export "size") (result i32) (table.size)))"""


@pytest.fixture(params=[65_536, 6, 1], ids=["lists", "lists, then large", "large"])
def guest(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Instance:
    """The same table, with and without lists."""
    monkeypatch.setattr(tables, "MOST", request.param)
    return Starter(engine("python"))(GUEST.format(maximum=""))


def why(guest: Instance, at: int) -> TrapKind:
    with pytest.raises(Trap) as caught:
        guest.exports["pick"](at)
    return caught.value.kind


def test_functions_are_called_by_their_place(guest: Instance) -> None:
    for _ in range(2):
        assert [guest.exports["pick"](at) for at in (0, 1, 0)] == [1, 2, 1]
    assert why(guest, 2) is TrapKind.INDIRECT_TYPE
    assert why(guest, 3) is TrapKind.UNINITIALIZED_ELEMENT
    assert why(guest, 4) is TrapKind.TABLE_BOUNDS
    assert why(guest, -1) is TrapKind.TABLE_BOUNDS


def test_a_changed_element_is_called_the_next_time(guest: Instance) -> None:
    assert why(guest, 3) is TrapKind.UNINITIALIZED_ELEMENT
    guest.exports["put"](3)
    assert guest.exports["pick"](3) == 1
    guest.exports["move"](3, 1)
    assert guest.exports["pick"](3) == 2
    guest.exports["clear"](3)
    assert why(guest, 3) is TrapKind.UNINITIALIZED_ELEMENT


def test_an_element_that_moves_before_its_first_call_is_not_called_from_where_it_was(guest: Instance) -> None:
    guest.exports["move"](3, 1)
    guest.exports["clear"](1)
    assert guest.exports["pick"](3) == 2
    assert why(guest, 1) is TrapKind.UNINITIALIZED_ELEMENT


def test_a_table_that_grew_is_larger_for_everyone(guest: Instance) -> None:
    guest.exports["pick"](0)
    assert guest.exports["grow"](4) == 4
    assert guest.exports["size"]() == 8
    assert [guest.exports["pick"](at) for at in (0, 7)] == [1, 2]
    assert why(guest, 8) is TrapKind.TABLE_BOUNDS
    assert guest.exports["grow"](10_000_000) == -1
    assert guest.exports["size"]() == 8


def test_a_filled_range_is_called(guest: Instance) -> None:
    guest.exports["fill"](2, 2)
    assert [guest.exports["pick"](at) for at in range(4)] == [1, 2, 2, 2]
    with pytest.raises(Trap) as caught:
        guest.exports["fill"](3, 2)
    assert caught.value.kind is TrapKind.TABLE_BOUNDS


def test_a_table_grows_to_its_maximum() -> None:
    guest = Starter(engine("python"))(GUEST.format(maximum="5"))
    assert guest.exports["grow"](2) == -1
    assert guest.exports["grow"](1) == 4


def test_the_largest_table_is_given_and_filled() -> None:
    guest = Starter(engine("python"))(GUEST.format(maximum=""))
    assert guest.exports["grow"](10_000_000 - 4) == 4
    assert guest.exports["pick"](9_999_999) == 2
    assert guest.exports["grow"](1) == -1
