"""What is in scope at an instruction: the function, what was inlined into it there, and their variables.

Rules that live here: blocks and inlined functions count where they have the address; the innermost comes first; an
entry without code of its own is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from simwasm.wasm.dwarf.entries import children, entry, functions, resolved, value_of
from simwasm.wasm.dwarf.rows import Place, rows, text_of
from simwasm.wasm.dwarf.units import Unit, ranges_of

if TYPE_CHECKING:
    from elftools.dwarf.die import DIE

_DEEPEST = 100
_BLOCKS = frozenset(
    {"DW_TAG_lexical_block", "DW_TAG_inlined_subroutine", "DW_TAG_try_block", "DW_TAG_catch_block"}
)
_INLINED = "DW_TAG_inlined_subroutine"


class Level(NamedTuple):
    """A function at an instruction, of its own or inlined, and where it was called from if it was."""

    die: DIE
    blocks: tuple[DIE, ...]
    """The blocks of it that one is in, the innermost first, and at last the function."""
    name: str
    called: Place | None


def levels(unit: Unit, address: int) -> tuple[Level, ...]:
    """The functions at an address, the innermost first; none where no function is known."""
    found = functions(unit).at(address)
    if found is None:
        return ()
    function = entry(unit, found)
    path = [function, *_path(unit, function, address)]
    cuts = [index for index, die in enumerate(path) if index == 0 or die.tag == _INLINED]
    result = []
    for first, last in zip(cuts, [*cuts[1:], len(path)], strict=True):
        die = path[first]
        result.append(Level(die, tuple(reversed(path[first:last])), title(unit, die), called(unit, die)))
    return tuple(reversed(result))


def _path(unit: Unit, die: DIE, address: int) -> Iterator[DIE]:
    """The blocks and inlined functions with an address, the outermost first."""
    for _ in range(_DEEPEST):
        inner = next((child for child in children(unit, die) if _has(unit, child, address)), None)
        if inner is None:
            return
        yield inner
        die = inner


def _has(unit: Unit, die: DIE, address: int) -> bool:
    if die.tag not in _BLOCKS:
        return False
    return any(begin <= address < end for begin, end in ranges_of(unit, die.attributes))


def title(unit: Unit, die: DIE) -> str:
    """A function's name: that of the linker where there is one, since it says of which class or crate."""
    found = resolved(unit, die)
    for name in ("DW_AT_linkage_name", "DW_AT_MIPS_linkage_name", "DW_AT_name"):
        text = text_of(value_of(found, name))
        if text:
            return text
    return "?"


def called(unit: Unit, die: DIE) -> Place | None:
    """Where an inlined function is called."""
    if die.tag != _INLINED:
        return None
    numbers = [die.attributes.get(f"DW_AT_call_{name}") for name in ("file", "line", "column")]
    file, line, column = (each.value if each is not None else 0 for each in numbers)
    return rows(unit).place(file, line, column)
