"""Blocks: instructions of which one runs whenever another one does."""

from __future__ import annotations

from itertools import accumulate

import pytest
from guest import assemble

from simwasm.wasm.blocks import NONE, blocks
from simwasm.wasm.decode import decode, split
from simwasm.wasm.marks import Marks
from simwasm.wasm.reader import read_module


def blocks_of(code: str) -> list[tuple[str, int]]:
    """The instructions of a function with the number of their block."""
    module = read_module(assemble(f"(module (func $f) (func (param i32) {code}))"))
    body = module.bodies[1]
    pieces = split(module.data, body.code, body.end)
    return [(decode(piece)[0].name, block) for piece, block in zip(pieces, blocks(pieces).of, strict=True)]


def numbers(code: str) -> str:
    """The same, the numbers alone; `.` is no block."""
    return "".join("." if block == NONE else str(block) for _, block in blocks_of(code))


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("nop nop", "000"),
        ("", "0"),
        ("(if (local.get 0) (then nop)) nop", "001.00"),
        ("(if (local.get 0) (then nop) (else nop)) nop", "001.2.00"),
        ("(if (local.get 0) (then return)) nop", "001.22"),
        ("(if (local.get 0) (then return) (else nop)) nop", "001.2.22"),
        ("call $f nop", "011"),
        ("call $f", "0."),
        ("block (br_if 0 (local.get 0)) nop end nop", "0001.00"),
        ("block block (br_if 1 (local.get 0)) nop end nop end nop", "00001.1.00"),
        ("loop (br_if 0 (local.get 0)) nop end nop", "0001.11"),
        ("block (loop (br 1)) end nop", "000..11"),
        ("block (br 0) nop end nop", "00..00"),
        ("unreachable nop", "0.."),
        ("block unreachable end nop", "00...."[:5]),
        ("block block (br_table 0 1 (local.get 0)) end nop end nop", "0000.1.00"),
    ],
)
def test_what_belongs_together(code: str, expected: str) -> None:
    assert numbers(code) == expected


def test_a_block_begins_with_its_first_instruction() -> None:
    module = read_module(assemble("(module (func (param i32) (if (local.get 0) (then nop)) nop) (func))"))
    marks = Marks.of(module)
    first, second = module.bodies
    pieces = split(module.data, first.code, first.end)
    offsets = list(accumulate(map(len, pieces), initial=first.code))
    assert list(marks.starts) == [offsets[0], offsets[2], second.code]
    assert list(marks.first) == [0, 2, 3]
