"""One table that every engine passes: the same calls, the same results, the same traps in the same places."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from guest import Starter

from simwasm.engines.engine import Words
from simwasm.engines.fuel import Fuel
from simwasm.errors import LinkError, Trap, TrapKind

MIN_32, MAX_32, MIN_64, MAX_64 = -(2**31), 2**31 - 1, -(2**63), 2**63 - 1
BUDGET = 5_000_000

IDENTITY = "".join(
    f'(func (export "{kind}") (param {kind}) (result {kind}) (local.get 0))'
    for kind in ("i32", "i64", "f32", "f64")
)
ARITHMETIC = """
    (func (export "nothing"))
    (func (export "sub") (param i32 i32) (result i32) (i32.sub (local.get 0) (local.get 1)))
    (func (export "mixed") (param i32 i64 f32 f64) (result f64)
        (f64.add (f64.add (f64.convert_i32_s (local.get 0)) (f64.convert_i64_s (local.get 1)))
                 (f64.add (f64.promote_f32 (local.get 2)) (local.get 3))))
    (func (export "two") (result i32 i64) (i32.const -1) (i64.const -2))
    (func (export "four") (param i64) (result f32 i32 i64 f64)
        (f32.const 0.5) (i32.const 7) (local.get 0) (f64.const -0.25))
    (func (export "extend8") (param i32) (result i32) (i32.extend8_s (local.get 0)))
    (func (export "saturate") (param f64) (result i32) (i32.trunc_sat_f64_s (local.get 0)))
    (func (export "bits32") (param i32) (result f32) (f32.reinterpret_i32 (local.get 0)))
    (func (export "bits64") (param i64) (result f64) (f64.reinterpret_i64 (local.get 0)))
    (func (export "of32") (param f32) (result i32) (i32.reinterpret_f32 (local.get 0)))
    (func (export "of64") (param f64) (result i64) (i64.reinterpret_f64 (local.get 0)))
    (func (export "rotate") (param i32) (result i32 i32)
        (block $b (result i32 i32) (i32.const 1) (local.get 0) (br $b)))
"""
TABLE = """
    (type $number (func (result i32)))
    (table (export "table") 4 funcref)
    (elem (i32.const 0) $one $two $other)
    (func $one (result i32) (i32.const 1))
    (func $two (result i32) (i32.const 2))
    (func $other (param i32))
    (func (export "pick") (param i32) (result i32) (call_indirect (type $number) (local.get 0)))
    (func (export "swap") (table.copy (i32.const 0) (i32.const 1) (i32.const 1)))
    (func (export "copy") (param i32) (table.copy (local.get 0) (i32.const 0) (i32.const 4)))
"""
CASES = 3000
SWITCH = (
    '(func (export "switch") (param i32) (result i32) '
    + "(block " * CASES
    + f"(br_table {' '.join(map(str, range(CASES)))} (local.get 0))"
    + "".join(f") (return (i32.const {case * 7}))" for case in range(CASES))
    + ")"
)
GLOBALS = """
    (global $count (mut i32) (i32.const 5))
    (global (export "limit") i64 (i64.const -9))
    (func (export "next") (result i32) (global.set $count (i32.add (global.get $count) (i32.const 1)))
        (global.get $count))
"""
MEMORY = """
    (memory (export "memory") 1 3)
    (data (i32.const 8) "simwasm")
    (data $passive "passive")
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
    (func (export "size") (result i32) (memory.size))
    (func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
    (func (export "far") (param i32) (result i32) (i32.load offset=0xfffffff0 (local.get 0)))
    (func (export "store") (param i32 i64) (i64.store (local.get 0) (local.get 1)))
    (func (export "fill") (param i32 i32) (memory.fill (local.get 0) (i32.const 7) (local.get 1)))
    (func (export "copy") (param i32 i32) (memory.copy (local.get 0) (i32.const 8) (local.get 1)))
    (func (export "init") (param i32 i32) (memory.init $passive (local.get 0) (i32.const 0) (local.get 1)))
"""
FAILING = """
    (func $stop unreachable)
    (func $middle (param i32) (if (local.get 0) (then (call $stop))))
    (func (export "stop") (call $middle (i32.const 1)) (call $middle (i32.const 0)))
    (func (export "branch") (param i32) (if (local.get 0) (then unreachable)))
    (func (export "divide") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
    (func (export "remainder") (param i64 i64) (result i64) (i64.rem_u (local.get 0) (local.get 1)))
    (func (export "truncate") (param f64) (result i32) (i32.trunc_f64_s (local.get 0)))
    (func $down (export "down") (param i32) (result i32)
        (if (i32.eqz (local.get 0)) (then unreachable))
        (i32.add (call $down (i32.sub (local.get 0) (i32.const 1))) (i32.const 1)))
    (func $deeper (export "deeper") (param i32) (result i32)
        (i32.add (call $deeper (i32.add (local.get 0) (i32.const 1))) (i32.const 1)))
    (func $spin (loop (br 0)))
    (func (export "spin") (call $spin))
"""


@dataclass(frozen=True, slots=True)
class Row:
    """A call of an export and its result; or the trap, with the names of the frames."""

    module: str
    export: str
    words: Sequence[int | float]
    result: Words | TrapKind
    frames: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.export}{tuple(self.words)}"


def values(module: str, *rows: tuple[str, Sequence[int | float], Words]) -> list[Row]:
    return [Row(module, export, words, result) for export, words, result in rows]


def traps(module: str, *rows: tuple[str, Sequence[int | float], TrapKind, str]) -> list[Row]:
    return [Row(module, export, words, kind, tuple(names.split())) for export, words, kind, names in rows]


ROWS = [
    *values(IDENTITY, *[("i32", [word], word) for word in (0, -1, MIN_32, MAX_32)]),
    *values(IDENTITY, ("i32", [2**32 - 1], -1), ("i32", [2**31], MIN_32)),
    *values(IDENTITY, *[("i64", [word], word) for word in (0, -1, MIN_64, MAX_64, 2**32, -(2**32) - 1)]),
    *values(IDENTITY, ("i64", [2**64 - 1], -1), ("i64", [2**63], MIN_64)),
    *values(IDENTITY, *[("f32", [word], word) for word in (0.0, -1.5, math.inf, -math.inf, 2.0**-149)]),
    *values(IDENTITY, *[("f64", [word], word) for word in (0.1, -1e308, math.inf, 5e-324)]),
    *values(
        ARITHMETIC,
        ("nothing", [], None),
        ("sub", [1, 2], -1),
        ("sub", [MIN_32, 1], MAX_32),
        ("mixed", [-1, 2**40, 0.5, 0.25], 2.0**40 - 0.25),
        ("two", [], (-1, -2)),
        ("four", [2**64 - 3], (0.5, 7, -3, -0.25)),
        ("rotate", [9], (1, 9)),
        ("extend8", [0x80], -128),
        ("saturate", [1e300], MAX_32),
        ("of32", [-0.0], MIN_32),
        ("of64", [-0.0], MIN_64),
    ),
    *values(TABLE, ("pick", [0], 1), ("pick", [1], 2)),
    *traps(
        TABLE,
        ("pick", [3], TrapKind.UNINITIALIZED_ELEMENT, "pick"),
        ("pick", [2], TrapKind.INDIRECT_TYPE, "pick"),
        ("pick", [4], TrapKind.TABLE_BOUNDS, "pick"),
        ("pick", [-1], TrapKind.TABLE_BOUNDS, "pick"),
        ("copy", [1], TrapKind.TABLE_BOUNDS, "copy"),
    ),
    *values(SWITCH, *[("switch", [case], case * 7) for case in (0, 1, CASES - 2, CASES - 1)]),
    *values(SWITCH, ("switch", [CASES + 5], (CASES - 1) * 7), ("switch", [-1], (CASES - 1) * 7)),
    *values(GLOBALS, ("next", [], 6)),
    *values(
        MEMORY,
        ("load", [8], int.from_bytes(b"simw", "little")),
        ("size", [], 1),
        ("grow", [0], 1),
        ("grow", [2], 1),
        ("grow", [3], -1),
        ("grow", [-1], -1),
        ("fill", [65535, 1], None),
        ("copy", [65529, 7], None),
        ("init", [0, 7], None),
    ),
    *traps(
        MEMORY,
        ("load", [65533], TrapKind.MEMORY_BOUNDS, "load"),
        ("load", [-1], TrapKind.MEMORY_BOUNDS, "load"),
        ("far", [-1], TrapKind.MEMORY_BOUNDS, "far"),
        ("store", [65529, 1], TrapKind.MEMORY_BOUNDS, "store"),
        ("fill", [65535, 2], TrapKind.MEMORY_BOUNDS, "fill"),
        ("copy", [65530, 7], TrapKind.MEMORY_BOUNDS, "copy"),
        ("init", [0, 8], TrapKind.MEMORY_BOUNDS, "init"),
    ),
    *values(FAILING, ("divide", [7, -2], -3), ("branch", [0], None)),
    *traps(
        FAILING,
        ("stop", [], TrapKind.UNREACHABLE, "stop middle stop"),
        ("branch", [1], TrapKind.UNREACHABLE, "branch"),
        ("divide", [1, 0], TrapKind.DIVIDE_BY_ZERO, "divide"),
        ("divide", [MIN_32, -1], TrapKind.INTEGER_OVERFLOW, "divide"),
        ("remainder", [1, 0], TrapKind.DIVIDE_BY_ZERO, "remainder"),
        ("truncate", [math.nan], TrapKind.BAD_CONVERSION, "truncate"),
        ("truncate", [1e300], TrapKind.INTEGER_OVERFLOW, "truncate"),
        ("down", [3], TrapKind.UNREACHABLE, "down down down down"),
        ("down", [30], TrapKind.UNREACHABLE, " ".join(["down"] * 20)),
        ("deeper", [0], TrapKind.STACK_EXHAUSTED, ""),
        ("spin", [], TrapKind.OUT_OF_FUEL, "spin spin"),
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_call_gives(start: Starter, row: Row) -> None:
    call = start(f"(module {row.module})", fuel=Fuel(BUDGET)).exports[row.export]
    if not isinstance(row.result, TrapKind):
        assert call(*row.words) == row.result
        return
    with pytest.raises(Trap) as caught:
        call(*row.words)
    assert caught.value.kind is row.result
    assert tuple(frame.name for frame in caught.value.frames) == row.frames


@pytest.mark.parametrize("row", [row for row in ROWS if isinstance(row.result, TrapKind)], ids=str)
def test_a_trap_is_the_same_everywhere(starters: dict[str, Starter], row: Row) -> None:
    def stop(start: Starter) -> str:
        with pytest.raises(Trap) as caught:
            start(f"(module {row.module})", fuel=Fuel(BUDGET)).exports[row.export](*row.words)
        return f"{caught.value} {caught.value.detail} {caught.value.frames}"

    assert len({stop(start) for start in starters.values()}) == 1


@pytest.mark.parametrize("bits", [0x7FC00000, 0x7FC01234, -0x400000])
def test_a_quiet_nan_keeps_its_bits_in_f32(start: Starter, bits: int) -> None:
    exports = start(f"(module {ARITHMETIC})").exports
    value = exports["bits32"](bits)
    assert isinstance(value, float)
    assert math.isnan(value)
    assert exports["of32"](value) == bits


@pytest.mark.parametrize("bits", [0x7FF8000000000000, 0x7FF8000000001234, 0x7FF0000000000001, -1])
def test_any_nan_keeps_its_bits_in_f64(start: Starter, bits: int) -> None:
    exports = start(f"(module {ARITHMETIC})").exports
    value = exports["bits64"](bits)
    assert isinstance(value, float)
    assert struct.unpack("<q", struct.pack("<d", value)) == (bits,)
    assert exports["of64"](value) == bits


@pytest.mark.parametrize("words", [(), (1,), ("x", 1), (1.5, 1)])
def test_words_that_do_not_fit_are_an_error_and_no_trap(start: Starter, words: tuple[int, ...]) -> None:
    sub = start(f"(module {ARITHMETIC})").exports["sub"]
    with pytest.raises(Exception) as caught:  # each engine has its own
        sub(*words)
    assert not isinstance(caught.value, Trap)
    assert sub(3, 1) == 2


def test_a_table_changes_for_the_next_call(start: Starter) -> None:
    exports = start(f"(module {TABLE})").exports
    assert exports["pick"](0) == 1
    exports["swap"]()
    assert exports["pick"](0) == 2


def test_globals_are_read_and_written_signed(start: Starter) -> None:
    instance = start(f'(module {GLOBALS} (export "count" (global $count)))')
    assert instance.get_global("count") == 5
    assert instance.get_global("limit") == -9
    instance.set_global("count", 2**32 - 2)
    assert instance.get_global("count") == -2
    assert instance.exports["next"]() == -1
    assert instance.get_global("count") == -1


def test_a_hidden_global_is_there_under_the_name_that_rewriting_gave_it(start: Starter) -> None:
    instance = start(f"(module {GLOBALS})")
    instance.exports["next"]()
    assert instance.get_global("simwasm:global:0") == 6


@pytest.mark.parametrize("name", ["__class__", "__len__", "__getattr__", "", "ä \U0001f600", "a.b"])
def test_an_export_may_have_any_name(start: Starter, name: str) -> None:
    instance = start(f'(module (func (export "{name}") (result i32) (i32.const 4)))')
    assert list(instance.exports) == [name]
    assert instance.exports[name]() == 4


def test_an_unknown_global_is_a_key_error(start: Starter) -> None:
    instance = start("(module)")
    with pytest.raises(KeyError):
        instance.get_global("nothing")
    with pytest.raises(KeyError):
        instance.set_global("nothing", 1)


def test_instances_of_a_program_share_nothing(start: Starter) -> None:
    one, two = start(f"(module {GLOBALS} {MEMORY})"), start(f"(module {GLOBALS} {MEMORY})")
    one.exports["next"]()
    one.memory.write(8, b"changed")
    assert two.exports["next"]() == 6
    assert two.memory.read(8, 7) == b"simwasm"


def test_functions_of_references_and_vectors_are_not_offered(start: Starter) -> None:
    instance = start(
        '(module (func (export "f")) (func (export "r") (param externref)) (func (export "g") (param funcref))'
        '(func (export "v") (result v128) (v128.const i64x2 1 2)))'
    )
    assert set(instance.exports) == {"f"}


@pytest.mark.parametrize(
    ("field", "complaint"),
    [
        ('(import "env" "gone" (func (param i32) (result i64)))', "missing import: env.gone (i32 -> i64)"),
        ('(import "env" "host" (func (param i64)))', "want: i64 -> void, but host exports: i32 -> i32"),
        ('(import "env" "host" (global i32))', "missing import: env.host is no function"),
        ('(import "env" "host" (func (param externref)))', "missing import: env.host takes or gives what is no number"),
    ],
)  # fmt: skip
def test_an_import_that_does_not_fit_is_a_link_error(start: Starter, field: str, complaint: str) -> None:
    with pytest.raises(LinkError) as caught:
        start(f"(module {field})", {"host": ("i32 -> i32", lambda word: word)})
    assert complaint in str(caught.value)


def test_a_closed_instance_refuses_calls_and_has_no_memory(start: Starter) -> None:
    instance = start(f"(module {MEMORY})")
    load = instance.exports["load"]
    view = instance.memory.view()
    instance.close()
    with pytest.raises(RuntimeError, match="closed"):
        load(8)
    with pytest.raises(IndexError):
        instance.memory.read(8, 1)
    assert bytes(view[8:15]) == b"simwasm"
