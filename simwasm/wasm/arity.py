"""How many values an instruction takes from the operand stack, and how many it puts there.

Rules that live here: only numbers are counted, types are the validator's; what an index stands for is looked up in
the module, and one that stands for nothing is a `BadModule`; a branch takes what its label wants, which only those
know who keep the open blocks, so here it takes its condition alone.
"""

from __future__ import annotations

from typing import NamedTuple

from simwasm.errors import BadModule
from simwasm.wasm.decode import Immediates
from simwasm.wasm.module import FuncType, Kind, Module
from simwasm.wasm.opcodes import Immediate, Opcode


class Arity(NamedTuple):
    """What an instruction takes and gives."""

    takes: int
    gives: int


_FIXED: dict[str, Arity] = {
    name: Arity(takes, gives)
    for takes, gives, names in (
        (0, 0, "unreachable block loop else end br return"),
        (1, 0, "if br_if br_table drop local.set global.set"),
        (0, 1, "local.get global.get ref.null ref.func"),
        (1, 1, "local.tee table.get ref.is_null"),
        (3, 1, "select"),
        (2, 0, "table.set"),
        (2, 1, "table.grow"),
        (3, 0, "table.fill"),
    )
    for name in names.split()
}

LEAVING = frozenset(("unreachable", "br", "br_table", "return", "return_call", "return_call_indirect"))
"""What is behind them, up to the end of the block, is never reached."""


class Arities:
    """Those of a module's instructions."""

    def __init__(self, module: Module) -> None:
        self._types = module.types
        imported = (item.type for item in module.imported(Kind.FUNCTION))
        self._functions = [kind for kind in imported if isinstance(kind, FuncType)]
        self._functions += [self._type(index) for index in module.functions]

    def of(self, opcode: Opcode, immediates: Immediates) -> Arity:
        """What an instruction takes and gives. A block gives what it ends with, at its end."""
        if opcode.type is not None:
            return _arity(opcode.type)
        if opcode.immediate is Immediate.FUNCTION and opcode.name != "ref.func":
            return _arity(self._function(immediates[0]))
        if opcode.immediate is Immediate.INDIRECT:
            takes, gives = _arity(self._type(immediates[0]))
            return Arity(takes + 1, gives)
        return _FIXED[opcode.name]

    def block(self, kind: int) -> Arity:
        """What a block of that type begins and ends with."""
        if kind >= 0:
            return _arity(self._type(kind))
        return Arity(0, 0 if kind == -64 else 1)

    def function(self, index: int) -> Arity:
        """The parameters and results of a function."""
        return _arity(self._function(index))

    def _function(self, index: int) -> FuncType:
        if index >= len(self._functions):
            raise BadModule(f"function {index} of {len(self._functions)}", section="code")
        return self._functions[index]

    def _type(self, index: int) -> FuncType:
        if index >= len(self._types):
            raise BadModule(f"type {index} of {len(self._types)}", section="code")
        return self._types[index]


def _arity(kind: FuncType) -> Arity:
    return Arity(len(kind.params), len(kind.results))
