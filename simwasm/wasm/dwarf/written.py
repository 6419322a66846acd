"""Functions as the source has them: one of the module, and all that were inlined into it.

Rules that live here: what is broken is left out; so is what is nested too deep, and what is too much.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from simwasm.wasm.dwarf.entries import children, entry, functions, resolved, value_of
from simwasm.wasm.dwarf.rows import Place, rows
from simwasm.wasm.dwarf.scopes import called, title
from simwasm.wasm.dwarf.sections import PROBLEMS
from simwasm.wasm.dwarf.units import Unit, Units, ranges_of
from simwasm.wasm.names import readable

if TYPE_CHECKING:
    from elftools.dwarf.die import DIE

_INLINED = "DW_TAG_inlined_subroutine"
_BLOCKS = frozenset({_INLINED, "DW_TAG_lexical_block", "DW_TAG_try_block", "DW_TAG_catch_block"})
_DEEPEST = 60
_MOST = 20_000


class Written(NamedTuple):
    """A function of the source."""

    name: str
    declared: Place | None
    called: Place | None
    """Where it is called, if it is inlined there."""
    ranges: tuple[tuple[int, int], ...]
    """Where its code is, as offsets in the file."""


def written(units: Units, offset: int) -> tuple[Written, ...]:
    """The function that has the instruction at an offset, and what was inlined into it."""
    found: list[Written] = []
    try:
        unit = units.at(offset)
        at = None if unit is None else functions(unit).at(offset - units.code)
        if unit is None or at is None:
            return ()
        top = entry(unit, at)
        found.append(_written(unit, top, units.code))
        for die in _inlined(unit, top, 0):
            found.append(_written(unit, die, units.code))
            if len(found) >= _MOST:
                break
    except PROBLEMS:  # what came before can still be of use
        pass
    return tuple(found)


def _inlined(unit: Unit, die: DIE, depth: int) -> Iterator[DIE]:
    """The entries of what is inlined below one, also into others."""
    for child in children(unit, die):
        if child.tag in _BLOCKS and depth < _DEEPEST:
            if child.tag == _INLINED:
                yield child
            yield from _inlined(unit, child, depth + 1)


def _written(unit: Unit, die: DIE, code: int) -> Written:
    known = resolved(unit, die)
    file, line = (value_of(known, f"DW_AT_decl_{what}") or 0 for what in ("file", "line"))
    declared = rows(known["DW_AT_decl_line"][0]).place(file, line) if line else None
    ranges = tuple((begin + code, end + code) for begin, end in ranges_of(unit, die.attributes))
    return Written(readable(title(unit, die)), declared, called(unit, die), ranges)
