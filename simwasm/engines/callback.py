"""Python functions that C can call without ever being left without an answer.

ctypes prints an exception that leaves a callback and goes on with whatever is in the register, which wasmtime
then takes for the address of a trap. So a callback catches everything; but there are two moments at which
Python raises before a function's `try` has begun:

* at its very first instruction, from Python 3.11 on, when a signal is waiting (Ctrl-C while the guest
  computes);
* at the call itself, when there is no recursion left.

Rules that live here: a callback is one `try` and `covered` makes it begin at the first instruction; who calls
a guest calls `need_recursion` first, so that the callbacks of that guest can be entered and can report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])

_FIRST, _MORE, _BITS = 0x80, 0x40, 6


def covered(function: F) -> F:
    """The same function, its first `try` covering all that comes before.

    From 3.11 a code object has a table of covered ranges (CPython, Objects/exception_handling_notes.txt):
    start, size, handler and stack depth, each in groups of six bits. In 3.10 no signal is handled right
    before a `try`.
    """
    assert isinstance(function, FunctionType)
    table: bytes = getattr(function.__code__, "co_exceptiontable", b"")
    if table:
        change: dict[str, Any] = {"co_exceptiontable": _from_start(table)}
        function.__code__ = function.__code__.replace(**change)
    return cast(F, function)


def _from_start(table: bytes) -> bytes:
    """The table with its first range beginning at 0."""
    rest = iter(table)
    start, size = _number(rest), _number(rest)
    first = _groups(0)
    return bytes((first[0] | _FIRST, *first[1:], *_groups(start + size), *rest))


def _number(groups: Iterator[int]) -> int:
    value, group = 0, _MORE
    while group & _MORE:
        group = next(groups)
        value = value << _BITS | group & (_MORE - 1)
    return value


def _groups(value: int) -> list[int]:
    groups = [value & (_MORE - 1)]
    while value := value >> _BITS:
        groups.append(value & (_MORE - 1) | _MORE)
    return groups[::-1]


def need_recursion() -> None:
    """Raise RecursionError here rather than where nobody could catch it: four more calls must be possible."""
    _three()


def _three() -> None:
    _two()


def _two() -> None:
    _one()


def _one() -> None:
    pass
