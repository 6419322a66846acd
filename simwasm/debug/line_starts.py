"""Where lines of source begin among the instructions that a callback ran.

A line begins with the first instruction of it that a function runs, and again when the function comes back to it from
another line. Back from a call, a line goes on, also from one that was inlined. Rule: instructions that come from no
line belong to the line before.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from simwasm.debug.code import Code
from simwasm.debug.inlines import inlines


def line_starts(code: Code, offsets: Sequence[int], depths: array[int]) -> bytearray:
    """One byte an instruction: 1 where a line begins."""
    found = bytearray(len(offsets))
    if not code.lines.there:
        return found
    lines = _LineNumbers(code)
    levels = inlines(code)
    current: list[list[int]] = []
    """For each active function, and each function inlined in it there, the line it is in."""
    before = 0
    for index, depth in enumerate(depths):
        offset = offsets[index]
        if depth != before:
            del current[min(depth, before) + 1 :]
            current += [[] for _ in range(depth + 1 - len(current))]
            before = depth
        line = lines[offset]
        if line:
            level, inside = levels[offset], current[depth]
            del inside[level + 1 :]
            inside += [0] * (level + 1 - len(inside))
            if line != inside[level]:
                inside[level] = line
                found[index] = 1
    return found


class _LineNumbers(dict[int, int]):
    """By offset, a number for the line it comes from; 0 for none."""

    def __init__(self, code: Code) -> None:
        super().__init__()
        self._code = code
        self._numbers: dict[tuple[str, int], int] = {}

    def __missing__(self, offset: int) -> int:
        place = self._code.place(offset)
        number = 0
        if place is not None:
            number = self._numbers.setdefault((place.file, place.line), len(self._numbers) + 1)
        self[offset] = number
        return number
