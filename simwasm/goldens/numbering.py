"""The ids of callouts, counted anew: `2001` is the first that context 2 has made.

The host counts them all in one row, so that one callout more would change every line about a callout behind it. Rule:
an id that no call has given is told as it is.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from simwasm.abi.kinds import Param
from simwasm.abi.table import Function

_COUNTED = ("call_id", "token")
_OF_A_CONTEXT = 1000


class Numbering:
    """The ids of one run."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, int], int] = {}
        self._counts: dict[tuple[str, int], int] = {}

    def args(self, vm: str, function: Function, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """What a call was given."""
        place = _place(function.inputs)
        if place is None or not args:
            return args
        known = self._known.get((vm, function.inputs[place].name, args[place]), args[place])
        return (*args[:place], known, *args[place + 1 :])

    def values(self, vm: str, context: int, function: Function, values: tuple[Any, ...]) -> tuple[Any, ...]:
        """What a call of a context gave."""
        place = _place(function.outputs)
        if place is None or not values or not values[place]:
            return values
        count = self._counts[vm, context] = self._counts.get((vm, context), 0) + 1
        number = context * _OF_A_CONTEXT + count
        self._known[vm, function.outputs[place].name, values[place]] = number
        return (*values[:place], number, *values[place + 1 :])


@cache
def _place(params: tuple[Param, ...]) -> int | None:
    return next((at for at, param in enumerate(params) if param.name in _COUNTED), None)
