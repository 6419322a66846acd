"""Functions of a guest that are active, seen and changed through Python's frames.

A generated function is a Python frame: its locals are `l0`, `l1`, … and, in the variant that can be stepped through,
its operands `s0`, `s1`, … from the bottom of the stack.

Rules that live here: frames are known by their globals, so host functions and what they call in between do not count;
of a function in the fast variant only its place is told, because its variables are not where the instructions are.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cached_property
from types import FrameType

from simwasm.engines.engine import Activation, Slot, Word
from simwasm.engines.transpiler.boundary import given, taken
from simwasm.engines.transpiler.functions import GUEST, Functions
from simwasm.errors import InputError
from simwasm.wasm.module import FuncType, Module, ValType
from simwasm.wasm.validate.operands import Operands

_NUMBERS = frozenset({ValType.I32, ValType.I64, ValType.F32, ValType.F64})


class Stepping:
    """The active functions of one instance."""

    def __init__(self, functions: Functions) -> None:
        self._functions = functions

    def depth(self) -> int:
        """How many there are."""
        return sum(1 for _ in self._frames())

    def activations(self) -> tuple[Activation, ...]:
        """All of them, innermost first."""
        return tuple(map(self._activation, self._frames()))

    def assign(self, level: int, slot: str, value: Word | bytes) -> None:
        """Change a local or an operand."""
        frame = next((frame for at, frame in enumerate(self._frames()) if at == level), None)
        kind = None if frame is None else self._kinds(frame).get(slot)
        if frame is None or kind is None:
            raise InputError(f"there is no {slot} in function {level} from the innermost to be changed")
        if kind in _NUMBERS and not isinstance(value, bytes):
            word = taken(kind)(value)
        elif kind is ValType.V128 and isinstance(value, bytes) and len(value) == 16:
            word = value
        else:
            raise InputError(f"{slot} is of type {kind.value}, which {value!r} is not")
        _write(frame, slot, word)

    def _frames(self) -> Iterator[FrameType]:
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            if frame.f_globals.get(GUEST) is self._functions:
                yield frame
            frame = frame.f_back

    def _activation(self, frame: FrameType) -> Activation:
        made = self._functions.known(frame.f_code)
        offset = made.offsets[frame.f_lineno]
        if not made.steppable:
            return Activation(made.function, offset)
        values = frame.f_locals
        slots = {slot: _told(kind, values.get(slot, 0)) for slot, kind in self._kinds(frame).items()}
        locals = tuple(value for slot, value in slots.items() if slot[0] == "l")
        return Activation(made.function, offset, locals, tuple(list(slots.values())[len(locals) :]))

    def _kinds(self, frame: FrameType) -> dict[str, ValType]:
        """The types of a function's locals and of its operands right now, by their names."""
        made = self._functions.known(frame.f_code)
        if not made.steppable:
            return {}
        own = made.function - self._functions.codes.first
        operands = self._operands.at(own, made.offsets[frame.f_lineno])
        kinds = {f"l{index}": kind for index, kind in enumerate(_locals(self._module, own))}
        return kinds | {f"s{index}": kind for index, kind in enumerate(operands)}

    @property
    def _module(self) -> Module:
        return self._functions.codes.module

    @cached_property
    def _operands(self) -> Operands:
        return Operands(self._module)


def _locals(module: Module, own: int) -> list[ValType]:
    type: FuncType = module.types[module.functions[own]]
    return [*type.params, *(kind for count, kind in module.bodies[own].locals for _ in range(count))]


def _told(kind: ValType, value: object) -> Slot:
    """A value as the engine's users know it."""
    if kind in _NUMBERS:
        word: Word = given(kind)(value)
        return word
    if kind is ValType.V128:
        return value if isinstance(value, bytes) else bytes(16)
    return None


def _write(frame: FrameType, name: str, value: object) -> None:
    """Change a variable of a function that is running."""
    frame.f_locals[name] = value
    if sys.implementation.name == "pypy":
        from __pypy__ import locals_to_fast  # type: ignore[import-not-found,unused-ignore]

        locals_to_fast(frame)
    elif sys.version_info < (3, 13):  # from there on `f_locals` is the variables themselves
        import ctypes

        ctypes.pythonapi.PyFrame_LocalsToFast(ctypes.py_object(frame), ctypes.c_int(0))
