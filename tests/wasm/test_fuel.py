"""What is paid where."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from simwasm.wasm.decode import decode
from simwasm.wasm.fuel import DEAREST, Instrument, instrument
from simwasm.wasm.reader import read_module

Assemble = Callable[..., bytes]
BY = Instrument(fuel=7, refill=9, first_own=0, functions=1)


def costs(wasm: bytes) -> list[int]:
    """What the entry takes, then what each loop head takes, in the order of the code."""
    code = instrument(read_module(wasm), 0, BY, "f")
    inserted = [code.head, *(after[len(b) :] for b, after in zip(code.before, code.after, strict=True))]
    taken = [piece.partition(b"\x23\x07\x22")[2] for piece in inserted if b"\x23\x07\x22" in piece]
    return [decode(piece[1:].partition(b"\x6b\x24\x07")[0])[1][0] for piece in taken]


@pytest.mark.parametrize(
    ("code", "paid"),
    [
        ("", [1]),
        ("nop nop", [3]),
        ("(block (if (i32.const 1) (then nop) (else nop)))", [9]),
        ("(loop nop)", [1, 3]),
        ("nop (loop nop (loop nop nop)) nop", [3, 3, 4]),
        ("(loop (loop (loop)))", [1, 2, 2, 2]),
        ("(loop) nop (loop)", [2, 2, 2]),
        ("(block (loop (block nop)))", [3, 5]),
        ("nop " * 3000, [DEAREST]),
        ("(loop " + "nop " * 3000 + ")", [1, DEAREST]),
    ],
)
def test_an_instruction_is_paid_by_the_innermost_loop_or_the_entry(
    assemble: Assemble, code: str, paid: list[int]
) -> None:
    assert costs(assemble(f"(module (func {code}))")) == paid


def test_the_local_used_is_one_more_than_there_were(assemble: Assemble) -> None:
    """Parameters and declared locals keep their index."""
    code = instrument(read_module(assemble("(module (func (param i32 i64) (local f32 f32)))")), 0, BY, "f")
    assert code.head.startswith(b"\x02\x02\x7d\x01\x7f\x23\x07\x22\x04")
