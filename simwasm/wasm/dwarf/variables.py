"""The variables at an instruction, as the source calls them.

    found = Variables(module).at(0x177cf)
    for variable in found.variables:
        print(variable.name, variable.type, variable.value(State(locals=…, memory=…)).text)

Rules that live here: nothing is read before it is asked for; an inner variable comes before an outer one of the same
name; one that has no value says why; broken debug information has no variables, which is no error.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from simwasm.wasm.dwarf.cells import Cell
from simwasm.wasm.dwarf.datatypes import size_of, type_name, type_of
from simwasm.wasm.dwarf.entries import children, has_any, resolved, value_of
from simwasm.wasm.dwarf.expression import Memory
from simwasm.wasm.dwarf.locations import locate
from simwasm.wasm.dwarf.rows import Place, rows, text_of
from simwasm.wasm.dwarf.scopes import Level, levels
from simwasm.wasm.dwarf.sections import PROBLEMS, READS_OF_A_VALUE
from simwasm.wasm.dwarf.state import NOWHERE, State, Unknown
from simwasm.wasm.dwarf.units import Unit, Units
from simwasm.wasm.dwarf.values import Reader
from simwasm.wasm.module import Module
from simwasm.wasm.names import readable
from simwasm.wasm.toolchain import how_to_debug

if TYPE_CHECKING:
    from elftools.dwarf.die import DIE

__all__ = ["NOWHERE", "Found", "Kind", "State", "Value", "Variable", "Variables"]

_MOST = 400
_UNREADABLE = "the debug information cannot be read here"
_NONE = "the function has no variables"
_ONLY_LINES = "built with lines of source only, without variables (Rust: debug = true, not 1; C: -g, not -g1)"


class Kind(Enum):
    """What a variable is to its function."""

    PARAMETER = "parameter"
    LOCAL = "local"


class Value(NamedTuple):
    """What a variable is now, or the reason why that cannot be told."""

    text: str = ""
    reason: str = ""
    address: int | None = None
    """Where it is in memory, if it is there, …"""
    size: int | None = None
    """… and how many bytes it takes."""


@dataclass(frozen=True, eq=False, slots=True)
class Variable:
    """A parameter or a local."""

    name: str
    type: str
    kind: Kind
    declared: Place | None
    inlined: str
    """The function that was inlined here and has it; nothing if it is the function's own."""
    _unit: Unit = field(repr=False)
    _die: DIE = field(repr=False)
    _function: DIE = field(repr=False)
    _address: int = field(repr=False)

    def value(self, state: State = NOWHERE) -> Value:
        """What it is where the guest stands."""
        self._unit.dwarf.purse.fill(READS_OF_A_VALUE)
        try:
            return self._read(state)
        except Unknown as reason:
            return Value(reason=str(reason))
        except PROBLEMS:
            return Value(reason=_UNREADABLE)

    def _read(self, state: State) -> Value:
        place = locate(self._unit, self._die, self._function, self._address, state)
        kind = type_of(self._unit, self._die)
        text = Reader().text(kind, Cell(place, state))
        if isinstance(place, Memory):
            return Value(text, address=place.address, size=size_of(kind))
        return Value(text)


class Inlined(NamedTuple):
    """A function that is inlined here, and where it is called."""

    name: str
    called: Place | None


class Found(NamedTuple):
    """What is known of an instruction."""

    function: str = ""
    """The function in whose body it is."""
    variables: tuple[Variable, ...] = ()
    """Those in scope, the innermost first."""
    inlined: tuple[Inlined, ...] = ()
    """What is inlined here, the innermost first."""
    reason: str = ""
    """Why there are no variables."""


class Variables:
    """The variables of a module."""

    def __init__(self, module: Module, units: Units | None = None) -> None:
        self._module = module
        self._units = units if units is not None else Units(module)

    def at(self, offset: int, function: int | None = None) -> Found:
        """What is in scope at the instruction at an offset in the file."""
        if not self._units.there:
            return Found(reason=how_to_debug(self._module))
        try:
            return self._find(offset)
        except PROBLEMS:
            return Found(reason=_UNREADABLE)

    def _find(self, offset: int) -> Found:
        unit = self._units.at(offset)
        address = offset - self._units.code
        found = levels(unit, address) if unit is not None else ()
        if unit is None or not found:
            return Found(reason="this function was built without debug information: a library's, most likely")
        variables: list[Variable] = []
        for level in found:
            for variable in _of_level(unit, level, found[-1].die, address):
                if len(variables) < _MOST:
                    variables.append(variable)
        inlined = tuple(Inlined(readable(level.name), level.called) for level in found[:-1])
        reason = "" if variables else _NONE if has_any(unit, *_KINDS) else _ONLY_LINES
        return Found(readable(found[-1].name), tuple(variables), inlined, reason)


_KINDS = {"DW_TAG_formal_parameter": Kind.PARAMETER, "DW_TAG_variable": Kind.LOCAL}


def _of_level(unit: Unit, level: Level, function: DIE, address: int) -> Iterator[Variable]:
    """The variables of a function, in the order they are declared in, those of inner blocks first."""
    inlined = readable(level.name) if level.die is not function else ""
    for block in level.blocks:
        for die in children(unit, block):
            kind = _KINDS.get(str(die.tag))
            if kind is not None and (variable := _variable(unit, die, kind, inlined, function, address)):
                yield variable


def _variable(unit: Unit, die: DIE, kind: Kind, inlined: str, function: DIE, address: int) -> Variable | None:
    known = resolved(unit, die)
    name = text_of(value_of(known, "DW_AT_name"))
    if not name or "DW_AT_declaration" in known:
        return None
    file, line = (value_of(known, f"DW_AT_decl_{what}") or 0 for what in ("file", "line"))
    declared = rows(known["DW_AT_decl_line"][0]).place(file, line) if line else None
    type_text = type_name(type_of(unit, die))
    return Variable(name, type_text, kind, declared, inlined, unit, die, function, address)
