"""The functions and operators of CEL, as the library in Envoy has them.

Most are those of `cel-python`; what is here is different there.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

import re2
from celpy import celtypes
from celpy.evaluation import CELEvalError, base_functions

from simwasm.protobuf import Message

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
    return celtypes.StringType(_one_of(value, str, bytes, *_NUMBERS, *_TIMES))


def _one_of(value: Any, *kinds: type) -> Any:
    """A value, if it is of one of these types."""
    if not isinstance(value, kinds):
        raise TypeError(f"no such overload: {_named(value)} is not taken")
    return value


def _size(value: Any) -> Any:
    if isinstance(getattr(value, "source", None), Message):
        raise TypeError("no such overload: only texts, bytes, lists and maps have a size")
    return base_functions["size"](_one_of(value, str, bytes, list, Mapping))


def _contains(text: Any, found: Any) -> Any:
    return celtypes.BoolType(_one_of(found, str) in _one_of(text, str))


def _in(value: Any, many: Any) -> Any:
    if isinstance(many, list):
        return celtypes.BoolType(any(equal(value, each) for each in many))
    return celtypes.BoolType(any(equal(value, key) for key in _one_of(many, Mapping)) or value in many)


def _at(many: Any, index: Any) -> Any:
    """An element; numbers of all types are alike as an index and a key."""
    if isinstance(many, list):
        number = _number(_one_of(index, *_NUMBERS))
        if number < 0 or number >= len(many) or number != int(number):
            raise IndexError(f"there is no element {index}")
        return many[int(number)]
    if isinstance(_one_of(many, Mapping), dict) and _is_number(index):
        return next(many[key] for key in many if equal(key, index))
    return many[index]


def _timestamp(value: Any) -> Any:
    if isinstance(value, celtypes.IntType):
        return celtypes.TimestampType(_EPOCH + timedelta(seconds=int(value)))
    return celtypes.TimestampType(_one_of(value, str, celtypes.TimestampType))


def _duration(value: Any) -> Any:
    return celtypes.DurationType(_one_of(value, str, celtypes.DurationType))


def _bool(value: Any) -> Any:
    return celtypes.BoolType(_one_of(value, str, celtypes.BoolType))


_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def _judged(judge: Function) -> Function:
    """`&&` and `||`, which take nothing but truth."""

    def function(left: Any, right: Any) -> Any:
        found = judge(left, right)
        if isinstance(found, (celtypes.BoolType, CELEvalError)):
            return found
        raise TypeError("no such overload: `&&` and `||` take bool")

    return function


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


_MADE: dict[str, Function] = {
    "string": _strict(_string),
    "bool": _strict(_bool),
    "duration": _strict(_duration),
    "timestamp": _strict(_timestamp),
}
_TYPES: dict[Any, type] = {
    _MADE["string"]: celtypes.StringType,
    _MADE["bool"]: celtypes.BoolType,
    _MADE["duration"]: celtypes.DurationType,
    _MADE["timestamp"]: celtypes.TimestampType,
}
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
    "_&&_": _judged(base_functions["_&&_"]),
    "_||_": _judged(base_functions["_||_"]),
    "_in_": _strict(_in),
    "_[_]": _strict(_at),
    "size": _strict(_size),
    "contains": _strict(_contains),
    **_MADE,
    "matches": _strict(_matches),
}

_ONE = frozenset((1,))
GLOBAL = {
    **dict.fromkeys("size int uint double string bytes bool duration timestamp type dyn".split(), _ONE),
    **{name: frozenset((2,)) for name in "matches contains startsWith endsWith".split()},
}
"""How many arguments each function takes."""
METHODS = {
    "size": frozenset((0,)),
    **dict.fromkeys("matches contains startsWith endsWith".split(), _ONE),
    **{name: frozenset((0, 1)) for name in FUNCTIONS if name.startswith("get")},
    **{name: frozenset((2,)) for name in "all exists exists_one filter".split()},
    "map": frozenset((2, 3)),
}
"""How many arguments each function takes that is called on a value, macros too."""
