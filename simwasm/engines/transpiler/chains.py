"""Blocks that begin in one place: what compilers make of a `switch`.

    block block block … br_table … end A end B end C

In Python, a number says where to go on, and a tree of comparisons in one loop finds it:

    … pc = (1, 2, 3)[s0] …
    while True:
        if pc < 2: A
        else: …

Rules that live here: a chain is made of blocks without operands, each the first instruction of the one around it; the
code before the first `end` is the chain's head, what follows each `end` but the last is a segment, numbered from 1;
one more segment leaves, and more of them go where a `br_table` of the head goes beyond the chain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simwasm.engines.transpiler.control import Block

LEAST, LEAST_WITHOUT_TABLE = 3, 8
"""How many blocks make a chain worth its while."""
MOST_BEYOND = 16
"""For how many targets beyond the chain there is a segment."""


class Chain:
    """The blocks of a chain, the outermost first."""

    __slots__ = ("beyond", "blocks", "headed", "in_head", "indent", "tree")

    def __init__(self, blocks: list[Block]) -> None:
        self.blocks = blocks
        self.headed = False
        """Whether the head is left by other ways than its last instruction, so it is a loop of Python's."""
        self.in_head = True
        """Whether that is what is being written."""
        self.indent = ""
        """That of the tree."""
        self.beyond: list[Block] = []
        """Where segments after the one that leaves go."""
        self.tree: dict[int, tuple[list[tuple[int, str]], int]] = {}
        """For each segment the lines before it, with their depths, and its own depth."""

    @property
    def outer(self) -> Block:
        """The outermost block, whose loop of Python's finds the segment."""
        return self.blocks[0]

    @property
    def inner(self) -> Block:
        """The innermost block, which holds the head."""
        return self.blocks[-1]

    @property
    def name(self) -> str:
        """The variable that says where to go on."""
        return f"pc{self.outer.number}"

    @property
    def last(self) -> int:
        """The segment that leaves."""
        return len(self.blocks)

    def number(self, block: Block) -> int:
        """The segment that a branch to a block goes to."""
        return len(self.blocks) - block.place

    def plant(self) -> None:
        """Make the tree."""
        pending: list[tuple[int, str]] = []
        name = self.name

        def grow(low: int, high: int, depth: int) -> None:
            if high - low == 1:
                self.tree[low] = pending.copy(), depth
                pending.clear()
                return
            middle = (low + high) // 2
            pending.append((depth, f"if {name} < {middle}:"))
            grow(low, middle, depth + 1)
            pending.append((depth, "else:"))
            grow(middle, high, depth + 1)

        grow(1, self.last + 1 + len(self.beyond), 0)


def find_chains(blocks: list[Block], plain: int) -> list[Chain]:
    """The chains among the blocks of a function; `plain` is the kind of block that they are made of."""
    chains, at = [], 1
    while at < len(blocks):
        first = at
        at += 1
        if not _fits(blocks[first], plain):
            continue
        while (
            at < len(blocks)
            and blocks[at].parent is blocks[at - 1]
            and blocks[at].start == blocks[at - 1].start + 1
            and _fits(blocks[at], plain)
        ):
            at += 1
        used = [block for block in blocks[first:at] if block.targeted]
        if len(used) >= (LEAST if blocks[at - 1].has_table else LEAST_WITHOUT_TABLE):
            chain = Chain(used)
            for place, block in enumerate(chain.blocks):
                block.chain, block.place = chain, place
            chains.append(chain)
    return chains


def _fits(block: Block, plain: int) -> bool:
    return block.kind == plain and not block.type.params and not block.type.results
