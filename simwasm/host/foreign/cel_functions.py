"""The functions and operators of CEL, as the library in Envoy has them.

Most are those of `cel-python`; what is here is different there.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

import re2
from celpy import celtypes
from celpy.evaluation import CELEvalError, base_functions

Function = Callable[..., Any]

_NUMBERS = (celtypes.IntType, celtypes.UintType, celtypes.DoubleType, float)
_SORTS: tuple[Any, ...] = (
    celtypes.BoolType,
    celtypes.IntType,
    celtypes.UintType,
    (celtypes.DoubleType, float),
    str,
    bytes,
    celtypes.TimestampType,
    celtypes.DurationType,
    list,
)


def _sort(value: Any) -> int:
    """The number of a value's type; -1 for another."""
    return next((number for number, sort in enumerate(_SORTS) if isinstance(value, sort)), -1)


def _is_number(value: Any) -> bool:
    return isinstance(value, _NUMBERS) and not isinstance(value, celtypes.BoolType)


def _number(value: Any) -> Any:
    return float(value) if isinstance(value, float) else int(value)


def _as_type(value: Any) -> Any:
    return _TYPES.get(value, value) if callable(value) else value


def equal(left: Any, right: Any) -> bool:
    """Whether two values are equal; those of different types are not."""
    if _is_number(left) and _is_number(right):
        return bool(_number(left) == _number(right))
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return len(left) == len(right) and all(key in right and equal(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(equal, left, right))
    if left is None or right is None:
        return left is right
    left, right = _as_type(left), _as_type(right)
    if isinstance(left, type) or isinstance(right, type):
        return left is right
    return _sort(left) == _sort(right) and bool(left == right)


def _compared(compare: Callable[[Any, Any], bool]) -> Function:
    def function(left: Any, right: Any) -> Any:
        if _is_number(left) and _is_number(right):
            return celtypes.BoolType(compare(_number(left), _number(right)))
        if _sort(left) != _sort(right) or isinstance(left, list):
            raise TypeError(f"no such overload: {_named(left)} and {_named(right)} cannot be compared")
        return celtypes.BoolType(compare(left, right))

    return function


_TIMES = (celtypes.TimestampType, celtypes.DurationType)


def _calculated(calculate: Function) -> Function:
    def function(left: Any, right: Any) -> Any:
        mixed = isinstance(left, _TIMES) and isinstance(right, _TIMES)
        if not mixed and _sort(left) != _sort(right):
            raise TypeError(f"no such overload: {_named(left)} and {_named(right)} do not go together")
        return calculate(left, right)

    return function


def _named(value: Any) -> str:
    return type(value).__name__.removesuffix("Type").lower()


def _string(value: Any) -> Any:
    if isinstance(value, celtypes.BoolType):
        return celtypes.StringType("true" if value else "false")
    return celtypes.StringType(value)


_QUIET = re2.Options()
_QUIET.log_errors = False


def _decoded(error: Exception) -> str:
    """The library's own words, which it gives as bytes."""
    said = error.args[0] if error.args else ""
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)


def _matches(text: Any, pattern: Any) -> Any:
    try:
        return celtypes.BoolType(re2.search(str(pattern), str(text), _QUIET) is not None)
    except re2.error as error:
        raise ValueError(f"`{pattern}` is no regular expression: {_decoded(error)}") from None


def _strict(function: Function) -> Function:
    """A function that hands on the error that one of its arguments is."""

    def strict(*arguments: Any) -> Any:
        return next((each for each in arguments if isinstance(each, CELEvalError)), None) or function(
            *arguments
        )

    return strict


_TO_STRING = _strict(_string)
_TYPES: dict[Any, type] = {_TO_STRING: celtypes.StringType}
"""What stands for a type where its name is that of a function of ours."""

FUNCTIONS: dict[str, Function] = {
    **base_functions,
    "dyn": lambda value: value,
    "_==_": _strict(lambda left, right: celtypes.BoolType(equal(left, right))),
    "_!=_": _strict(lambda left, right: celtypes.BoolType(not equal(left, right))),
    "_<_": _strict(_compared(operator.lt)),
    "_<=_": _strict(_compared(operator.le)),
    "_>_": _strict(_compared(operator.gt)),
    "_>=_": _strict(_compared(operator.ge)),
    **{name: _strict(_calculated(base_functions[name])) for name in ("_+_", "_-_", "_*_", "_/_", "_%_")},
    "string": _TO_STRING,
    "matches": _strict(_matches),
}
