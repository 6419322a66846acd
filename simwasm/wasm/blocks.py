"""A function's code in blocks: instructions of which one runs, at least once, whenever another one does.

Rules that live here:

* a block goes on behind what is certain to come to its end: an `if` or a `block` that nothing leaves for further out;
* a block goes on inside of a loop, which is run at least once when it is come to; behind it is what falls out of it;
* a call may not return, so behind it there is a new block;
* `else` and the `end` of a block are only places, in none; a function's own `end` begins one if it is all there is;
* what is never reached is in none; work is linear in the code, whatever its nesting.

An instruction that traps on its own (a load out of bounds, a division by zero) is not told from what stands behind it
in its block.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from simwasm.wasm.decode import decode

_UNREACHABLE, _BLOCK, _LOOP, _IF, _ELSE, _END = 0x00, 0x02, 0x03, 0x04, 0x05, 0x0B
_BR, _BR_IF, _BR_TABLE, _RETURN = 0x0C, 0x0D, 0x0E, 0x0F
_CALLS = (0x10, 0x11)
_SPECIAL = frozenset(
    (_UNREACHABLE, _BLOCK, _LOOP, _IF, _ELSE, _END, _BR, _BR_IF, _BR_TABLE, _RETURN, *_CALLS, 0x12, 0x13)
)
NONE = -1
"""In no block."""


class Blocks(NamedTuple):
    """The blocks of a function, from 0."""

    of: list[int]
    """By an instruction's position, its block, or `NONE`."""
    begins: list[int]
    """By block, the position of its first instruction; later ones begin later."""


def blocks(pieces: Sequence[bytes]) -> Blocks:
    """Divide a function that was cut into instructions."""
    return _Walk(pieces).walk()


@dataclass(slots=True)
class _Open:
    """A construct that is not at its end yet."""

    opcode: int
    around: int
    """The block that it stands in; `NONE` if it is never reached."""
    joined: bool = False
    """Whether its end is branched to."""
    outermost: int = 0
    """How far out, by the number of the construct, what is within it may go without coming to its end."""


@dataclass(slots=True)
class _Walk:
    """A walk over a function's instructions."""

    pieces: Sequence[bytes]
    of: list[int] = field(default_factory=list)
    first: dict[int, int] = field(default_factory=dict)
    """By block, where it begins; blocks in which nothing happens are not among them."""
    open: list[_Open] = field(default_factory=list)
    current: int = 0
    made: int = 1

    def walk(self) -> Blocks:
        """All of it."""
        for position, piece in enumerate(self.pieces):
            opcode = piece[0]
            if opcode not in _SPECIAL:
                self._happens(position)
            elif opcode == _END:
                self._end(position)
            elif opcode == _ELSE:
                self._else()
            elif opcode in (_BLOCK, _LOOP, _IF):
                self._begin(position, opcode)
            else:
                self._happens(position)
                self._go(opcode, piece)
        numbers = {block: number for number, block in enumerate(self.first)}
        return Blocks([numbers.get(block, NONE) for block in self.of], list(self.first.values()))

    def _happens(self, position: int) -> None:
        """An instruction of the current block."""
        if self.current != NONE:
            self.first.setdefault(self.current, position)
        self.of.append(self.current)

    def _new(self) -> int:
        self.made += 1
        return self.made - 1

    def _begin(self, position: int, opcode: int) -> None:
        """`block`, `loop` or `if`."""
        self._happens(position)
        self.open.append(_Open(opcode, self.current, outermost=len(self.open)))
        if opcode == _IF and self.current != NONE:
            self.current = self._new()

    def _else(self) -> None:
        self.of.append(NONE)
        if self.open:
            opened = self.open[-1]
            opened.opcode = _ELSE
            opened.joined |= self.current != NONE
            self.current = NONE if opened.around == NONE else self._new()

    def _end(self, position: int) -> None:
        if not self.open:
            if not position:
                self._happens(position)
            else:
                self.of.append(self.current if self.current in self.first else NONE)
            return
        self.of.append(NONE)
        closed = self.open.pop()
        own = len(self.open)
        if self.open:
            leaves = -1 if closed.opcode == _LOOP else closed.outermost
            self.open[-1].outermost = min(self.open[-1].outermost, leaves)
        if closed.around == NONE or closed.opcode == _LOOP:
            return  # a loop is left at its end only by what falls out of it
        if closed.outermost >= own:
            self.current = closed.around
        elif closed.joined or closed.opcode == _IF:
            self.current = self._new()

    def _go(self, opcode: int, piece: bytes) -> None:
        """What may go elsewhere."""
        if opcode in _CALLS:
            self._leave(-1)
        elif opcode in (_BR, _BR_IF, _BR_TABLE):
            for label in decode(piece)[1]:
                self._branch(label)
        else:
            self._leave(-1)
        if self.current != NONE:
            self.current = self._new() if opcode in (*_CALLS, _BR_IF) else NONE

    def _branch(self, label: int) -> None:
        if self.current == NONE:
            return
        target = len(self.open) - 1 - label
        self._leave(target)
        if target >= 0 and self.open[target].opcode != _LOOP:
            self.open[target].joined = True

    def _leave(self, target: int) -> None:
        """From where it stands, something goes to the end of the construct of that number, or out of the function."""
        if self.open and self.current != NONE:
            self.open[-1].outermost = min(self.open[-1].outermost, target)
