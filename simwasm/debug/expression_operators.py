"""The operators of expressions. Each checks what it would make before it makes it."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from enum import IntEnum
from typing import Any

from simwasm.debug.expression_scope import LARGEST, HeaderParts, MemoryParts, Parts
from simwasm.errors import ExpressionError
from simwasm.exchange import to_bytes

MOST_BITS = 1_024
"""How large a number may become."""


def alike(left: Any, right: Any) -> tuple[Any, Any]:
    """Two values of one kind, where one is text for the other: of bytes, or the name of a number."""
    if isinstance(left, str) != isinstance(right, str):
        text, other = (left, right) if isinstance(left, str) else (right, left)
        made: Any = text
        if isinstance(other, bytes):
            made = to_bytes(text)
        elif isinstance(other, IntEnum):
            made = type(other).__members__.get(text.upper(), text)
        return (made, other) if text is left else (other, made)
    return left, right


def _times(left: Any, right: Any) -> Any:
    for one, other in ((left, right), (right, left)):
        if isinstance(one, (str, bytes, tuple)) and isinstance(other, int) and len(one) * other > LARGEST:
            raise ExpressionError(f"the value would be too large: more than {LARGEST:,}")
    return left * right


def _numbers_only(operate: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def checked(left: Any, right: Any) -> Any:
        if not isinstance(left, (int, float)) or not isinstance(right, (int, float)):
            raise ExpressionError("this operator is for numbers")
        return operate(left, right)

    return checked


def _power(left: Any, right: Any) -> Any:
    if isinstance(left, int) and isinstance(right, int) and left.bit_length() * max(0, right) > MOST_BITS:
        raise ExpressionError(f"the number would be too large: more than {MOST_BITS:,} bits")
    return left**right


def _shifted(left: Any, right: Any) -> Any:
    if right > MOST_BITS:
        raise ExpressionError(f"the number would be too large: more than {MOST_BITS:,} bits")
    return left << right


def _within(left: Any, right: Any) -> bool:
    if isinstance(right, Parts):
        return (
            left.lower() if isinstance(left, str) and isinstance(right, HeaderParts) else left
        ) in right.parts
    if isinstance(right, MemoryParts):
        return right.find(to_bytes(left) if isinstance(left, str) else left) is not None
    return left in right


OPERATORS: dict[type, Callable[..., Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: _times, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: _numbers_only(operator.mod), ast.Pow: _numbers_only(_power),
    ast.LShift: _numbers_only(_shifted), ast.RShift: _numbers_only(operator.rshift), ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_, ast.BitXor: operator.xor, ast.USub: operator.neg, ast.UAdd: operator.pos,
    ast.Invert: operator.invert, ast.Not: operator.not_, ast.Eq: operator.eq, ast.NotEq: operator.ne,
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge, ast.In: _within,
    ast.NotIn: lambda left, right: not _within(left, right), ast.Is: operator.eq, ast.IsNot: operator.ne,
}  # fmt: skip
"""What each operator does."""
