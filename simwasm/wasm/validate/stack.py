"""The two stacks of the specification's validation algorithm: operands, and the blocks they belong to.

Rules that live here: the operands of a block begin above its floor; after an unconditional branch the floor is
`ANY`, from which every operand that is asked for can be popped; nothing here knows instructions.
"""

from __future__ import annotations

from typing import NamedTuple

from simwasm.wasm import limits
from simwasm.wasm.validate.kinds import ANY, FLOOR, UNKNOWN, Invalid, fits, shown


class Block(NamedTuple):
    """What an instruction that opens a block says of it; every time it runs."""

    opener: int
    """Its opcode; 0 for the function itself."""
    params: bytes
    results: bytes
    label: bytes
    """What a branch to it takes along."""


class Stack:
    """The operands and open blocks at one point of some code."""

    __slots__ = ("blocks", "floors", "kinds")

    def __init__(self, results: bytes) -> None:
        self.kinds = bytearray((FLOOR,))
        self.blocks = [Block(0, b"", results, results)]
        self.floors = [0]

    def take(self, wanted: bytes) -> None:
        """Pop operands of these types."""
        kinds = self.kinds
        self.expect(wanted)
        del kinds[max(len(kinds) - len(wanted), self.floors[-1] + 1) :]

    def take_any(self) -> int:
        """Pop one operand of any type, and say which."""
        top = self.kinds[-1]
        if top == ANY:
            return UNKNOWN
        if top == FLOOR:
            raise Invalid("type mismatch: expected an operand, found []")
        return self.kinds.pop()

    def expect(self, wanted: bytes) -> None:
        """Insist that the topmost operands are of these types."""
        kinds = self.kinds
        if kinds.endswith(wanted):
            return
        first = self.floors[-1] + 1
        there = kinds[max(first, len(kinds) - len(wanted)) :]
        missing = len(wanted) - len(there)
        if (missing and kinds[first - 1] == FLOOR) or not fits(there, wanted[missing:]):
            raise Invalid(f"type mismatch: expected {shown(wanted)}, found {shown(there)}")

    def open(self, block: Block) -> None:
        """Enter a block, whose parameters become its first operands."""
        blocks, kinds = self.blocks, self.kinds
        if len(blocks) > limits.NESTING:
            raise Invalid(f"blocks are nested deeper than {limits.NESTING:,}; that is more than is supported")
        blocks.append(block)
        if block.params:
            self.take(block.params)
            self.floors.append(len(kinds))
            kinds.append(FLOOR)
            kinds += block.params
        else:
            self.floors.append(len(kinds))
            kinds.append(FLOOR)

    def close(self) -> Block:
        """Leave the innermost block; its results, all that it may leave, become operands of the one around it."""
        block, floor = self.blocks[-1], self.floors[-1]
        results, kinds = block.results, self.kinds
        above = len(kinds) - floor - 1
        if above == len(results) and (not above or kinds.endswith(results)):
            del kinds[floor]
        else:
            self.expect(results)
            if above > len(results):
                there = shown(kinds[floor + 1 :])
                raise Invalid(f"type mismatch: a block gives {shown(results)}, at its end is {there}")
            kinds[floor:] = results
        self.blocks.pop()
        self.floors.pop()
        return block

    def stop(self) -> None:
        """What follows in this block cannot be reached."""
        floor = self.floors[-1]
        del self.kinds[floor + 1 :]
        self.kinds[floor] = ANY

    def label(self, depth: int) -> bytes:
        """What a branch to the block that far out takes along."""
        if depth >= len(self.blocks):
            raise Invalid(
                f"unknown label {depth}: there {'is' if len(self.blocks) == 1 else 'are'} {len(self.blocks)}"
            )
        return self.blocks[-1 - depth].label
