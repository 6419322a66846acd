"""How deep instructions are in functions of the source that were inlined: for steps by line, those are calls too.

Rule: what debug information does not tell, or tells wrongly, is not inlined.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING

from simwasm.debug.code import Code

if TYPE_CHECKING:
    from elftools.dwarf.die import DIE

    from simwasm.wasm.dwarf.units import Unit

_INLINED = "DW_TAG_inlined_subroutine"
_BLOCKS = frozenset({_INLINED, "DW_TAG_lexical_block", "DW_TAG_try_block", "DW_TAG_catch_block"})
_DEEPEST = 60
_MOST = 20_000

Levels = tuple[list[int], list[int]]
"""Offsets, and from each on how many inlined functions are around."""


class Inlines(dict[int, int]):
    """By offset, how many inlined functions are around an instruction."""

    def __init__(self, code: Code) -> None:
        super().__init__()
        self._code = code
        self._functions: dict[int, Levels] = {}

    def __missing__(self, offset: int) -> int:
        function = self._code.function_at(offset)
        if function not in self._functions:
            self._functions[function] = _levels(self._code, offset)
        offsets, levels = self._functions[function]
        index = bisect_right(offsets, offset) - 1
        found = self[offset] = levels[index] if index >= 0 else 0
        return found


@lru_cache(maxsize=16)
def inlines(code: Code) -> Inlines:
    """The same for every question about a plugin."""
    return Inlines(code)


def _levels(code: Code, offset: int) -> Levels:
    """Those of the function that has an instruction."""
    if not code.lines.units.there:
        return [], []
    from simwasm.wasm.dwarf.entries import entry, functions
    from simwasm.wasm.dwarf.sections import PROBLEMS

    units = code.lines.units
    changes: dict[int, int] = {}
    try:
        unit = units.at(offset)
        found = None if unit is None else functions(unit).at(offset - units.code)
        if unit is not None and found is not None:
            for begin, end in _ranges(unit, entry(unit, found), 0):
                changes[begin + units.code] = changes.get(begin + units.code, 0) + 1
                changes[end + units.code] = changes.get(end + units.code, 0) - 1
                if len(changes) > _MOST:
                    break
    except PROBLEMS:
        return [], []
    offsets = sorted(changes)
    return offsets, list(accumulate(changes[each] for each in offsets))


def _ranges(unit: Unit, die: DIE, depth: int) -> Iterator[tuple[int, int]]:
    """The code of every inlined function, also of those inlined into others."""
    from simwasm.wasm.dwarf.entries import children
    from simwasm.wasm.dwarf.units import ranges_of

    for child in children(unit, die):
        if child.tag in _BLOCKS and depth < _DEEPEST:
            if child.tag == _INLINED:
                yield from ranges_of(unit, child.attributes)
            yield from _ranges(unit, child, depth + 1)
