"""Which values of a call make a difference, and which say what it is about; by the table of the ABI."""

from __future__ import annotations

from functools import cache

from simwasm.abi.kinds import Form, Param
from simwasm.abi.table import Function

_NUMBERED = frozenset(("context_id", "parent_context_id", "call_id", "token"))
"""What the host counts: it shifts when something is added elsewhere."""
_NAMES = frozenset(("key", "name", "upstream", "service", "method", "function", "vm_id"))


@cache
def compared(params: tuple[Param, ...]) -> tuple[int, ...]:
    """Which values of these parameters make a difference."""
    return tuple(index for index, param in enumerate(params) if param.name not in _NUMBERED)


@cache
def names_of(function: Function) -> tuple[int, ...]:
    """Which arguments say what a call is about."""
    return tuple(
        index
        for index, param in enumerate(function.inputs)
        if param.form in (Form.ENUM, Form.PATH) or param.name in _NAMES
    )
