"""How a run went on: its exchanges in the order of the traffic, cut into so many pieces that a picture can show.

Rules: there are at most `PIECES` of them, whatever the length of the run: when they do not suffice, two become one.
Pieces begin at the same numbers wherever they are counted, so that parts of a run can be merged.
"""

from __future__ import annotations

from typing import NamedTuple

PIECES = 128
CLASSES = ("2xx", "3xx", "4xx", "5xx", "other")
_OTHER = len(CLASSES) - 1
_CLASS = {str(digit): digit - 2 for digit in range(2, 6)}


class Piece(NamedTuple):
    """Some exchanges that followed each other."""

    first: int
    """The number of the first exchange that belongs here."""
    classes: tuple[int, ...]
    """How many clients got a status of each class."""
    changed: int
    """How many of them are not the recorded one."""
    instructions: int
    memory: int
    """The largest size of all VMs' memories together; 0 where nobody looked."""

    @property
    def exchanges(self) -> int:
        """How many exchanges these are."""
        return sum(self.classes)


class Course:
    """The pieces of a run."""

    __slots__ = ("width", "_pieces")

    def __init__(self) -> None:
        self.width = 1
        """How many exchanges a piece is for; a power of two."""
        self._pieces: dict[int, list[int]] = {}
        """By place: classes, the changed ones, instructions and memory. A part of a run has only its own."""

    def add(self, number: int, before: str, after: str, instructions: int) -> None:
        """Count an exchange: its number, its recorded status, and what the client got."""
        piece = self._at(number)
        piece[_CLASS.get(after[:1], _OTHER)] += 1
        piece[_CHANGED] += before not in ("", after)
        piece[_INSTRUCTIONS] += instructions

    def grown(self, number: int, memory: int) -> None:
        """Note how large all memories were at that exchange."""
        piece = self._at(number)
        piece[_MEMORY] = max(piece[_MEMORY], memory)

    def merge(self, other: Course) -> None:
        """Count what another part of the run has counted."""
        for piece in other.pieces():
            own = self._at(piece.first)
            for index, figure in enumerate((*piece.classes, piece.changed, piece.instructions)):
                own[index] += figure
            own[_MEMORY] = max(own[_MEMORY], piece.memory)

    def _at(self, number: int) -> list[int]:
        index = (number - 1) // self.width
        while index >= PIECES:
            self._halve()
            index = (number - 1) // self.width
        found = self._pieces.get(index)
        if found is None:
            found = self._pieces[index] = [0] * _FIGURES
        return found

    def _halve(self) -> None:
        self.width *= 2
        before, self._pieces = self._pieces, {}
        for index, figures in before.items():
            known = self._pieces.get(index // 2)
            self._pieces[index // 2] = figures if known is None else _sum(known, figures)

    def pieces(self) -> list[Piece]:
        """The pieces, in the order of the traffic."""
        return [
            Piece(index * self.width + 1, tuple(figures[: _OTHER + 1]), *figures[_CHANGED:])
            for index, figures in sorted(self._pieces.items())
        ]

    def __getstate__(self) -> tuple[int, dict[int, list[int]]]:
        return self.width, self._pieces

    def __setstate__(self, state: tuple[int, dict[int, list[int]]]) -> None:
        self.width, self._pieces = state


def _sum(left: list[int], right: list[int]) -> list[int]:
    """Two pieces as one."""
    sums = map(sum, zip(left[:_MEMORY], right[:_MEMORY], strict=True))
    return [*sums, max(left[_MEMORY], right[_MEMORY])]


_CHANGED, _INSTRUCTIONS, _MEMORY, _FIGURES = range(_OTHER + 1, _OTHER + 5)
