"""Which operands there are before an instruction of valid code, by their types.

Rules that live here: validation itself tells, by stopping there; code that is never reached has operands that nobody
knows, which are left out.
"""

from __future__ import annotations

from contextlib import suppress

from simwasm.wasm.decode import split
from simwasm.wasm.module import Module, ValType
from simwasm.wasm.reader import VALUE_TYPES
from simwasm.wasm.validate.code import Locals, check
from simwasm.wasm.validate.context import Context
from simwasm.wasm.validate.kinds import Invalid, signature
from simwasm.wasm.validate.prepare import Prepare
from simwasm.wasm.validate.stack import Stack


class Operands:
    """The operands of a module's functions; what was asked for once is kept."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self._known = Prepare(Context(module))
        self._types: dict[int, tuple[ValType, ...]] = {}

    def at(self, own: int, offset: int) -> tuple[ValType, ...]:
        """Those before the instruction at a file offset, the one on top last."""
        if offset not in self._types:
            self._types[offset] = self._found(own, offset)
        return self._types[offset]

    def _found(self, own: int, offset: int) -> tuple[ValType, ...]:
        module, body = self._module, self._module.bodies[own]
        params, results = signature(module.types[module.functions[own]])
        stack = Stack(results)
        with suppress(Invalid):  # that it ends there
            check(split(module.data, body.code, offset), stack, Locals(params, body.locals), self._known)
        return tuple(VALUE_TYPES[code] for code in stack.kinds if code in VALUE_TYPES)
