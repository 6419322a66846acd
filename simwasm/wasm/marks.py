"""Marks: inserted code that notes which blocks of a function were run, at next to no cost.

    marks = Marks.of(module)
    rewritten = rewrite(module, limits, marks=marks)        # exports globals: marked(0), marked(1), …

Every block (`blocks.py`) has a bit, which is set where its first instruction stands. The bits are in mutable i64
globals of their own.

Rules that live here: fuel is paid as without marks, before anything is marked; own functions are where they are
without marks, too; places lead back to the original as ever.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from itertools import accumulate

from simwasm.wasm.blocks import blocks
from simwasm.wasm.decode import split
from simwasm.wasm.encode import s32, u32
from simwasm.wasm.fuel import Code, Instrument, instrument
from simwasm.wasm.module import Kind, Module

BITS = 64
"""The blocks of a global."""


MARKED = "simwasm:marked:"
"""What the exports of globals with marks begin with."""


def marked(number: int) -> str:
    """The export of a global with marks, by its number."""
    return f"{MARKED}{number}"


@dataclass(frozen=True, slots=True)
class Marks:
    """Which blocks there are: numbered in the order of the file."""

    first: array[int]
    """By own function, the number of its first block; at the end, how many there are."""
    starts: array[int]
    """By block, the file offset of its first instruction."""

    @classmethod
    def of(cls, module: Module) -> Marks:
        """Those of a module as it was loaded."""
        first, starts = array("I", [0]), array("I")
        for body in module.bodies:
            pieces = split(module.data, body.code, body.end)
            offsets = list(accumulate(map(len, pieces), initial=body.code))
            starts.extend(offsets[position] for position in blocks(pieces).begins)
            first.append(len(starts))
        return cls(first, starts)

    @property
    def globals(self) -> int:
        """How many globals they take."""
        return -(-len(self.starts) // BITS)


@dataclass(frozen=True)
class Marking(Instrument):
    """What inserted code refers to when there are marks."""

    marks: Marks

    @classmethod
    def of(cls, module: Module, marks: Marks) -> Marking:
        """For a module as it was loaded."""
        imported = len(module.imported(Kind.FUNCTION))
        total = imported + len(module.functions)
        fuel = len(module.imported(Kind.GLOBAL)) + len(module.globals)
        return cls(fuel, total + 1, imported, total, marks)

    def mark(self, block: int) -> bytes:
        """Note that a block runs."""
        where = u32(self.fuel + 1 + block // BITS)
        bit = 1 << block % BITS
        return b"\x23" + where + b"\x42" + s32(bit - (bit >> 63 << 64)) + b"\x84\x24" + where

    def code(self, module: Module, own: int, name: str) -> Code:
        """A function that pays for itself and marks its blocks."""
        paid = instrument(module, own, self, name)
        head, after = paid.head, paid.after.copy()
        for block, position in enumerate(blocks(paid.before).begins, self.marks.first[own]):
            if position:
                after[position - 1] += self.mark(block)
            else:
                head += self.mark(block)
        return Code(head, paid.before, after)
