"""Where the statements of a function begin, and what is never reached.

A compiler's output is one stream of instructions, but a person thinks in statements: one ends where everything that
was computed has been used, so that the operand stack is empty again.

Rules that live here: a stack is empty when what the innermost block has put on it is gone; the words that only hold
blocks together (`block`, `loop`, `else`, `end`) and `nop` begin no statement; work is linear in the code.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from simwasm.wasm.arity import LEAVING, Arities, Arity
from simwasm.wasm.decode import decode
from simwasm.wasm.module import Module

_NO_STATEMENT = frozenset(("block", "loop", "else", "end", "nop"))
_NOTHING = frozenset(("else", "end"))
_BEGIN, _ELSE, _END, _LEAVE, _NOP = range(5)
_KINDS = {
    "block": _BEGIN, "loop": _BEGIN, "if": _BEGIN, "else": _ELSE, "end": _END, "nop": _NOP,
    **dict.fromkeys(LEAVING, _LEAVE),
}  # fmt: skip
_NOWHERE = -(1 << 40)
"""A height that no stack has: below it code is not reached."""


class _Special(NamedTuple):
    """An instruction that does more than change the height of the stack."""

    kind: int
    takes: int
    begins: bool
    """Whether it can begin a statement."""
    tells: bool
    """Whether it is one of all."""
    block: Arity
    """What a block begins and ends with."""


class _Open(NamedTuple):
    """A block: how high the stack is below it, the empty height around it, what it begins and ends with."""

    below: int
    around: int
    arity: Arity


class Statements:
    """Finds them in a module's functions; what each distinct instruction does is found out once."""

    def __init__(self, module: Module) -> None:
        self._arities = Arities(module)
        self._changes: dict[bytes, int | None] = {}
        self._specials: dict[bytes, _Special] = {}

    def starts(self, pieces: Sequence[bytes]) -> list[int]:
        """Which of a function's instructions begin a statement, by their position."""
        return self._walk(pieces, every=False)

    def reached(self, pieces: Sequence[bytes]) -> list[int]:
        """Which of them can be reached, but for `else` and the `end` of blocks, which only hold them together."""
        return self._walk(pieces, every=True)

    def _walk(self, pieces: Sequence[bytes], every: bool) -> list[int]:
        for piece in set(pieces).difference(self._changes):
            self._learn(piece)
        changes, specials = self._changes, self._specials
        found: list[int] = []
        blocks: list[_Open] = []
        height = empty = 0  # a statement begins where they are equal
        for position, piece in enumerate(pieces):
            change = changes[piece]
            begins = height == empty or (every and empty != _NOWHERE)
            if change is not None:
                if begins:
                    found.append(position)
                height += change
                continue
            kind, takes, can_begin, tells, arity = specials[piece]
            own_end = kind == _END and not blocks
            if begins and (tells or own_end if every else can_begin):
                found.append(position)
            height -= takes
            if kind == _LEAVE:
                empty = _NOWHERE
            elif kind == _BEGIN:
                below = height - arity.takes
                blocks.append(_Open(below, empty, arity))
                empty = _NOWHERE if empty == _NOWHERE else below
            elif kind == _ELSE and blocks:
                opened = blocks[-1]
                height = opened.below + opened.arity.takes
                empty = _NOWHERE if opened.around == _NOWHERE else opened.below
            elif kind == _END and blocks:
                opened = blocks.pop()
                height, empty = opened.below + opened.arity.gives, opened.around
        return found

    def _learn(self, piece: bytes) -> None:
        opcode, immediates = decode(piece)
        takes, gives = self._arities.of(opcode, immediates)
        kind = _KINDS.get(opcode.name)
        self._changes[piece] = gives - takes if kind is None else None
        if kind is not None:
            block = self._arities.block(immediates[0]) if kind == _BEGIN else Arity(0, 0)
            name = opcode.name
            self._specials[piece] = _Special(
                kind, takes, name not in _NO_STATEMENT, name not in _NOTHING, block
            )
