"""One pass over code: every instruction finds on the operand stack what it needs.

The loop is where the time goes, so it holds the common shapes itself, and a type is compared as a byte.

Rules that live here: locals have their types from the function's parameters and runs of locals; code ends with the
`end` that belongs to it and not before; what is broken is told with the instruction, the function and the offset.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable
from itertools import accumulate
from operator import length_hint

from simwasm.wasm.decode import decode
from simwasm.wasm.module import ValType
from simwasm.wasm.validate.control import Ended, apply
from simwasm.wasm.validate.kinds import CODES, Invalid
from simwasm.wasm.validate.prepare import Prepare, Prepared, Shape
from simwasm.wasm.validate.stack import Stack

_GET, _PUSH, _SET, _UNARY, _BINARY, _TEE, _STORE, _POP, _STEP = (shape.value for shape in Shape)


class Locals(dict[int, int]):
    """The types of a function's locals, found as they are asked for: declaring many costs nothing."""

    def __init__(self, params: bytes, runs: tuple[tuple[int, ValType], ...]) -> None:
        super().__init__()
        self._params = params
        self._runs = runs
        self._ends: list[int] = []

    def __missing__(self, index: int) -> int:
        if index < len(self._params):
            kind = self._params[index]
        else:
            self._ends = self._ends or self._sums()
            if index >= self._ends[-1]:
                raise Invalid(f"unknown local {index}: there are {self._ends[-1]}")
            kind = CODES[self._runs[bisect(self._ends, index) - 1][1]]
        self[index] = kind
        return kind

    def _sums(self) -> list[int]:
        """How many locals there are before the first run, before the second one, …, and in all."""
        return list(accumulate([len(self._params), *(count for count, _ in self._runs)]))


def _run(prepared: Iterable[Prepared], stack: Stack, variables: Locals) -> None:
    kinds = stack.kinds
    push, pop, ends_with = kinds.append, kinds.pop, kinds.endswith
    for shape, wanted, given in prepared:
        if shape == _GET:
            push(variables[wanted])
        elif shape == _PUSH:
            push(given)
        elif shape == _STEP:
            wanted(stack, given)
        elif shape == _UNARY:
            if kinds[-1] == wanted:
                kinds[-1] = given
            else:
                apply(stack, (bytes((wanted,)), bytes((given,))))
        elif shape == _BINARY:
            if ends_with(wanted):
                pop()
                kinds[-1] = given
            else:
                apply(stack, (wanted, bytes((given,))))
        elif shape == _SET:
            if kinds[-1] == variables[wanted]:
                pop()
            else:
                stack.take(bytes((variables[wanted],)))
        elif shape == _TEE:
            if kinds[-1] != variables[wanted]:
                kind = bytes((variables[wanted],))
                apply(stack, (kind, kind))
        elif shape == _STORE:
            if ends_with(wanted):
                del kinds[-2:]
            else:
                stack.take(wanted)
        elif kinds[-1] == wanted:
            pop()
        else:
            stack.take(bytes((wanted,)))


def check(pieces: list[bytes], stack: Stack, variables: Locals, known: Prepare) -> None:
    """Validate code, the last `end` included; `Invalid` has the number of the piece as its second argument."""
    left = iter(pieces)
    try:
        _run(map(known.__getitem__, left), stack, variables)
    except Ended:
        if not length_hint(left):
            return
        raise Invalid("instructions after the last `end`", len(pieces) - length_hint(left)) from None
    except Invalid as error:
        at = len(pieces) - length_hint(left) - 1
        raise Invalid(f"{error.args[0]}, at {decode(pieces[at])[0].name}", at) from None
    raise Invalid("END opcode expected", len(pieces))
