"""Calls between Python and generated code: words are signed on one side and unsigned on the other.

One function is written for each type, because a call is so short that a loop over its words is what it would cost.

Rules that live here: a guest call is the only place where what a guest was stopped by becomes a `Trap`, or is let
through because a host function raised it; a host function has the stack that it needs.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from sys import setrecursionlimit
from threading import get_ident
from types import CellType, CodeType
from typing import Any

from simwasm.engines.link import closed
from simwasm.engines.transpiler.floats import f32_reinterpret_i32, i32_reinterpret_f32, single
from simwasm.engines.transpiler.recursion import DEEPEST, guests, make_room
from simwasm.errors import SimwasmError
from simwasm.wasm.module import FuncType, ValType

HOST = "<simwasm host function>"
"""The file of the functions that generated code calls the host by."""

GUEST_CALL = "<simwasm guest function>"
"""The file of the functions that Python calls a guest by."""

CALLING = 4
"""The line on which they do."""

_EXPORT = """\
def call({words}):
    if get_ident() != owner:
        raise foreign()
    {taken}
    enter()
    try:
        {result}cell.cell_contents({words})
        return {given}
    except BaseException as error:
        reason = stopped(error)
        if reason is None:
            raise
    finally:
        leave()
    raise reason
"""
_HOST = """\
def host({words}):
    make_room()
    try:
        {result}call({given})
    finally:
        setrecursionlimit(DEEPEST)
    return {taken}
"""

_TAKEN = {
    ValType.I32: "{0} & 0xFFFFFFFF",
    ValType.I64: "{0} & 0xFFFFFFFFFFFFFFFF",
    ValType.F32: "rounded({0})",
    ValType.F64: "float({0})",
}
"""How a word comes from Python."""

_GIVEN = {
    ValType.I32: "({0} ^ 0x80000000) - 0x80000000",
    ValType.I64: "({0} ^ 0x8000000000000000) - 0x8000000000000000",
    ValType.F32: "{0}",
    ValType.F64: "{0}",
}
"""How a word goes to Python."""

Stopped = Callable[[BaseException], BaseException | None]
"""Says what a guest call ends with that was left by an error; None if by that error itself."""


@cache
def taken(kind: ValType) -> Callable[[Any], Any]:
    """What makes a word of generated code of one of Python's."""
    return _one(_TAKEN[kind])


@cache
def given(kind: ValType) -> Callable[[Any], Any]:
    """What makes a word of Python's of one of generated code."""
    return _one(_GIVEN[kind])


class Exports:
    """The functions of an instance that Python can call, until it is closed."""

    def __init__(self, stopped: Stopped) -> None:
        self._names: dict[str, Any] = {
            "enter": guests.enter,
            "foreign": _foreign,
            "get_ident": get_ident,
            "leave": guests.leave,
            "owner": get_ident(),
            "rounded": _rounded,
            "stopped": stopped,
        }
        self._made: list[dict[str, Any]] = []

    def function(self, kind: FuncType, cell: CellType) -> Callable[..., Any]:
        """A function that calls what is in a cell."""
        names = {**self._names, "cell": cell}
        exec(_export(kind), names)
        self._made.append(names)
        call: Callable[..., Any] = names.pop("call")
        return call

    def close(self) -> None:
        """Make all of them refuse."""
        for names in self._made:
            names["cell"] = CellType(closed)
        self._made.clear()
        self._names.clear()


def host_function(kind: FuncType, call: Callable[..., Any]) -> Callable[..., Any]:
    """A function of Python's as generated code calls it."""
    names: dict[str, Any] = {
        "DEEPEST": DEEPEST,
        "call": call,
        "make_room": make_room,
        "rounded": _rounded,
        "setrecursionlimit": setrecursionlimit,
    }
    exec(_host(kind), names)
    made: Callable[..., Any] = names["host"]
    return made


@cache
def _export(kind: FuncType) -> CodeType:
    words = _words("a", kind.params)
    taken = "; ".join(
        f"{word} = {_TAKEN[p].format(word)}" for word, p in zip(words, kind.params, strict=True)
    )
    results, gaps = _results(kind, _GIVEN)
    text = _EXPORT.format(words=", ".join(words), taken=taken or "pass", result=results, given=gaps)
    return compile(text, GUEST_CALL, "exec")


@cache
def _host(kind: FuncType) -> CodeType:
    words = _words("a", kind.params)
    given = ", ".join(_GIVEN[p].format(word) for word, p in zip(words, kind.params, strict=True))
    results, gaps = _results(kind, _TAKEN)
    return compile(
        _HOST.format(words=", ".join(words), given=given, result=results, taken=gaps), HOST, "exec"
    )


def _results(kind: FuncType, how: dict[ValType, str]) -> tuple[str, str]:
    """The target of a call's result, and the expression that makes other words of it."""
    results = _words("r", kind.results)
    if not results:
        return "", "None"
    gaps = [how[r].format(word) for word, r in zip(results, kind.results, strict=True)]
    return f"{', '.join(results)} = ", gaps[0] if len(gaps) == 1 else f"({', '.join(gaps)})"


def _words(letter: str, kinds: tuple[ValType, ...]) -> list[str]:
    return [f"{letter}{index}" for index in range(len(kinds))]


def _one(how: str) -> Callable[[Any], Any]:
    made: Callable[[Any], Any] = eval(f"lambda word: {how.format('word')}", {"rounded": _rounded})
    return made


def _foreign() -> SimwasmError:
    return SimwasmError("an instance belongs to the thread that started it")


def _rounded(word: Any) -> float:
    """A float as an f32; a NaN keeps as many of its bits as there is room for."""
    value = float(word)
    return single(value) if value == value else f32_reinterpret_i32(i32_reinterpret_f32(value))
