"""The blocks of a function: which are entered, which are left by branches, and which need a loop of Python's.

Rules that live here: code that cannot be reached is not part of the plan; work is linear in the code, or in the code
times the depth of blocks where that is limited; nothing recurses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from simwasm.engines.transpiler.chains import MOST_BEYOND, Chain, find_chains
from simwasm.engines.transpiler.facts import NOTHING, Saved, Test
from simwasm.engines.transpiler.signatures import Signatures
from simwasm.wasm.decode import decode
from simwasm.wasm.module import FuncType, ValType

_CONTROL = re.compile(rb"[\x00\x02-\x05\x0b-\x0f\x12\x13]")

UNREACHABLE, BLOCK, LOOP, IF, ELSE, END = 0x00, 0x02, 0x03, 0x04, 0x05, 0x0B
BR, BR_IF, BR_TABLE, RETURN, RETURN_CALL, RETURN_CALL_INDIRECT = 0x0C, 0x0D, 0x0E, 0x0F, 0x12, 0x13
_FUNCTION = 0x10

MOST_LOOPS = 17
"""How many loops of Python's may be in each other: CPython allows 20."""
DEEPEST = 150
"""How many blocks, a chain counting as one, may be in each other before that is not even tried."""
MOST_INDENTS = 80
"""How many indents there may be: CPython allows 100."""


class Block:
    """A block, loop, `if`, or the function itself."""

    __slots__ = (
        "after", "another", "back", "end", "escapes", "facts", "head", "height", "kind", "live_end", "number",
        "parent", "start", "targeted", "test", "type", "whiled", "chain", "place", "has_table", "floor",
    )  # fmt: skip

    def __init__(self, kind: int, number: int, start: int, parent: Block | None, type: FuncType) -> None:
        self.kind = kind
        self.number = number
        """Counted from 0, which is the function."""
        self.start = start
        self.end = -1
        self.another = -1
        """Where its `else` is."""
        self.parent = parent
        self.type = type
        self.after: Block = self
        """The outermost block that ends where this one does: to leave either comes to the same."""
        self.targeted = False
        """Whether a branch goes to its label."""
        self.live_end = False
        """Whether what comes after it is reached."""
        self.whiled = False
        """Whether it is a loop of Python's."""
        self.escapes: set[int] = set()
        """Where it is left for by a `break` that goes further: a loop's number, doubled, odd to begin that again."""
        self.height = 0
        """How many operands wait below its own."""
        self.facts: Saved = NOTHING
        """What was known of locals where it begins."""
        self.test: Test | None = None
        """What the condition of an `if` says."""
        self.back: int | None = None
        """Where the branch to it is, if there is only one and it depends on a condition."""
        self.floor = 0
        """How many operands were known to be in variables before it."""
        self.chain: Chain | None = None
        """The chain that it belongs to."""
        self.place = -1
        """Its place in the chain, from the outermost."""
        self.has_table = False
        """Whether it has a `br_table` of its own."""
        self.head = -1
        """The number of the segment that a branch to it goes to, if the function is made of segments."""

    @property
    def label_types(self) -> tuple[ValType, ...]:
        """What a branch to it takes along."""
        return self.type.params if self.kind == LOOP else self.type.results


Step = tuple[int, int, Any, bool]
"""Position, opcode, the block or the blocks it is about, and whether the code before it gets there."""


@dataclass(slots=True)
class Plan:
    """The instructions of control that are reached, and the blocks."""

    steps: list[Step]
    blocks: list[Block]
    structured: bool
    """Whether Python's own loops can express it."""


def plan(pieces: list[bytes], opcodes: bytes, type: FuncType, signatures: Signatures) -> Plan:
    """Find the blocks of a function and decide how each is written."""
    function = Block(_FUNCTION, 0, -1, None, FuncType((), type.results))
    blocks, open_blocks = [function], [function]
    steps: list[Step] = []
    branches: list[tuple[Block, Block, int]] = []
    conditional: set[int] = set()
    dead = 0  # 0: reached; otherwise how many blocks were opened since it is not, plus 1
    for match in _CONTROL.finditer(opcodes):
        at = match.start()
        opcode = opcodes[at]
        if dead:
            if opcode == END:
                dead -= 1
                if dead:
                    continue
            elif opcode == ELSE:
                if dead > 1:
                    continue
                dead = 0
            else:
                if opcode in (BLOCK, LOOP, IF):
                    dead += 1
                continue
            fell = False
        else:
            fell = True
        inner = open_blocks[-1]
        if opcode in (BLOCK, LOOP, IF):
            block = Block(opcode, len(blocks), at, inner, signatures.block(pieces[at]))
            blocks.append(block)
            open_blocks.append(block)
            steps.append((at, opcode, block, True))
        elif opcode == END:
            inner.end = at
            open_blocks.pop()
            live = fell or (inner.targeted and inner.kind != LOOP)
            live = live or (inner.kind == IF and (inner.another < 0 or inner.live_end))
            inner.live_end = live
            steps.append((at, END, inner, fell))
            if not live:
                dead = 1
        elif opcode == ELSE:
            inner.another = at
            inner.live_end = fell
            steps.append((at, ELSE, inner, fell))
        elif opcode in (BR, BR_IF, BR_TABLE):
            depths = decode(pieces[at])[1]
            targets = [open_blocks[-1 - depth] for depth in depths]
            for target in dict.fromkeys(targets) if len(targets) > 1 else targets:
                target.back = at if opcode == BR_IF and not target.targeted else None
                target.targeted = True
                branches.append((inner, target, at))
            steps.append((at, opcode, targets, True))
            if opcode == BR_IF:
                conditional.add(at)
            if opcode == BR_TABLE and len(targets) > 2:
                inner.has_table = True
            if opcode != BR_IF:
                dead = 1
        else:
            steps.append((at, opcode, None, True))
            dead = 1
        if not open_blocks:
            break
    return Plan(steps, blocks, _structure(blocks, branches, conditional))


def _structure(blocks: list[Block], branches: list[tuple[Block, Block, int]], conditional: set[int]) -> bool:
    """Decide which blocks are loops of Python's; False if there are too many in each other."""
    find_chains(blocks, BLOCK)
    depths = [0] * len(blocks)
    for block in blocks[1:]:
        assert block.parent is not None
        depths[block.number] = depths[block.parent.number] + (block.place < 1)
    if max(depths) > DEEPEST:
        return False
    for block in blocks[1:]:
        parent = block.parent
        assert parent is not None
        if block.end + 1 in (parent.end, parent.another) and block.type.results == parent.type.results:
            block.after = parent.after
        block.whiled = block.kind == LOOP and block.targeted
    for source, target, at_branch in branches:
        chain = target.chain
        if chain is not None and (at_branch < chain.inner.end - 1 or at_branch in conditional):
            chain.headed = True
        if target.kind == LOOP or target.after is blocks[0] or target.chain is not None:
            continue
        at: Block | None = source
        found = None
        while at is not None:
            if at.after is target.after and at.kind != _FUNCTION and at.chain is None:
                if at.whiled:
                    break
                found = found or at
            if at is target:
                assert found is not None
                found.whiled = True
                break
            at = at.parent
    loops, indents = [0] * len(blocks), [0] * len(blocks)
    for block in blocks[1:]:
        assert block.parent is not None
        chain = block.chain
        if chain is None:
            loops[block.number] = loops[block.parent.number] + block.whiled
            indents[block.number] = indents[block.parent.number] + block.whiled + (block.kind == IF)
        elif block.place == 0:
            loops[block.number] = loops[block.parent.number] + 1
            indents[block.number] = (
                indents[block.parent.number] + 2 + (len(chain.blocks) + MOST_BEYOND).bit_length()
            )
        else:
            loops[block.number], indents[block.number] = (
                loops[block.parent.number],
                indents[block.parent.number],
            )
        if loops[block.number] > MOST_LOOPS or indents[block.number] > MOST_INDENTS:
            return False
    return True
