"""Where a variable is at an address: its expression, out of the list of those it has.

Rules that live here: a list is read by pyelftools, a plain expression is taken as it is; an address that no entry of
a list covers has no value there, which is what compilers do to variables.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from simwasm.wasm.dwarf.expression import Context, Held, Location, Memory, evaluate
from simwasm.wasm.dwarf.sections import Broken
from simwasm.wasm.dwarf.state import State, Unknown
from simwasm.wasm.dwarf.units import Unit, base_of

if TYPE_CHECKING:
    from elftools.dwarf.die import DIE

_EXPRESSIONS = frozenset(
    {"DW_FORM_exprloc", "DW_FORM_block1", "DW_FORM_block2", "DW_FORM_block4", "DW_FORM_block"}
)
_GONE = "optimised out"
_NOT_HERE = "optimised out at this instruction; it has a value elsewhere in the function"


def locate(unit: Unit, die: DIE, function: DIE | None, address: int, state: State) -> Location:
    """Where a variable is, or its value; `Unknown` if neither can be told."""
    constant = die.attributes.get("DW_AT_const_value")
    if constant is not None:
        return Held(_constant(constant))
    place = die.attributes.get("DW_AT_location")
    if place is None:
        raise Unknown(_GONE)
    base = (lambda: _frame_base(unit, function, address, state)) if function is not None else None
    return evaluate(_expression(unit, die, place, address), _context(unit, state, base))


def _context(unit: Unit, state: State, base: Callable[[], int] | None) -> Context:
    return Context(state, base, lambda index: int(unit.dwarf.info.get_addr(unit.cu, index)))


def _frame_base(unit: Unit, function: DIE, address: int, state: State) -> int:
    """The address that a function's variables in memory are counted from."""
    place = function.attributes.get("DW_AT_frame_base")
    if place is None:
        raise Unknown("in a frame that the debug information does not tell of")
    try:
        found = evaluate(_expression(unit, function, place, address), _context(unit, state, None))
    except Unknown:
        if state.pointer is None:
            raise
        return state.pointer
    value = found.address if isinstance(found, Memory) else found.value if isinstance(found, Held) else None
    if not isinstance(value, int):
        raise Unknown("in a frame that is in no place")
    return value


def _expression(unit: Unit, die: DIE, attribute: Any, address: int) -> bytes:
    """The expression that counts at an address."""
    if attribute.form in _EXPRESSIONS:
        return bytes(attribute.value)
    lists: Any = unit.dwarf.info.location_lists()
    if lists is None:
        raise Broken("a list of places without its section")
    base, fallback = base_of(unit), None
    for entry in lists.get_location_list_at_offset(attribute.value, die):
        if hasattr(entry, "base_address"):
            base = entry.base_address
            continue
        if entry.begin_offset == -1:
            fallback = entry
            continue
        shift = 0 if entry.is_absolute else base
        if entry.begin_offset + shift <= address < entry.end_offset + shift:
            return bytes(entry.loc_expr)
    if fallback is None:
        raise Unknown(_NOT_HERE)
    return bytes(fallback.loc_expr)


def _constant(attribute: Any) -> int | bytes:
    value = attribute.value
    if isinstance(value, int):
        return value
    return value if isinstance(value, bytes) else bytes(value)
