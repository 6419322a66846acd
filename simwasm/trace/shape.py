"""What a line of a trace does, found out without reading it: it begins a call, ends one, or both.

A million lines have to be looked at before a long trace can be walked, and parsing them all takes ten times as long.
The shapes that `lines.py` writes are told apart by their beginning and by a few words in them. That is safe whatever a
plugin wrote, since a quotation mark inside of JSON's text always has a backslash before it: `"result"`, with both of
its marks, can only be a whole text. Rule: a line of any other shape is parsed, so whoever edited or reformatted
the file gets the same answer, later.
"""

from __future__ import annotations

from typing import NamedTuple

from simwasm.abi.table import Side
from simwasm.trace.parse import Wrong, content_of, side_of
from simwasm.trace.text import printable


class Shape(NamedTuple):
    """A line, as far as its place among the others is concerned."""

    begins: bool = False
    """It has a call."""
    ends: bool = False
    """It has a result or a trap."""
    trapped: bool = False
    called_back: bool = False
    """Its call is one of the plugin's callbacks."""
    name: str = ""
    """The function of its call."""
    ending: bool = False
    """It tells what became of an exchange."""


_NOTHING, _ENDING = Shape(), Shape(ending=True)
_RETURNS, _TRAPS = Shape(ends=True), Shape(ends=True, trapped=True)
_BEGINNINGS = frozenset((b'{"at": ', b'{"conte', b'{"plugi'))
_RESULT_SOMEHOW, _TRAP_SOMEHOW = b'"result"', b'"trap"'
_CALL, _RESULT, _TRAP = b'"call": "', b', "result": ', b', "trap": '


class _Calls(dict[bytes, tuple[Shape, Shape, Shape]]):
    """The shapes of the lines that have a function's call: without an end, with a result, with a trap."""

    def __missing__(self, name: bytes) -> tuple[Shape, Shape, Shape]:
        text = name.decode("utf-8", "backslashreplace")
        self[name] = made = _call(text), _call(text, True), _call(text, True, True)
        return made


def _call(name: str, ends: bool = False, trapped: bool = False) -> Shape:
    side = side_of(name)
    if side is None:
        raise Wrong(
            f"calls `{printable(name[:60])}`, which no version of the ABI has: is the trace of a newer simwasm?"
        )
    return Shape(True, ends, trapped, side is Side.PLUGIN, name)


_calls = _Calls()


def shape(line: bytes) -> Shape:
    """What a line does; `Wrong` if it is no line of a trace."""
    if line[-2:] != b"}\n":
        return parsed(line)
    begins = line[:7]
    if begins in _BEGINNINGS:
        at = line.find(_CALL) + 9
        if at > 8:
            call = _calls[line[at : line.find(b'"', at)]]
            if _RESULT in line:
                return call[1]
            if _RESULT_SOMEHOW not in line:
                if _TRAP in line:
                    return call[2]
                if _TRAP_SOMEHOW not in line:
                    return call[0]
    elif b'"call"' not in line and b'"outcome"' not in line:
        if begins == b'{"resul':
            return _RETURNS
        if begins == b'{"trap"':
            return _TRAPS
    return parsed(line)


def parsed(line: bytes) -> Shape:
    """The same of a line in any spelling."""
    if not line.strip():
        return _NOTHING
    content = content_of(line)
    if "outcome" in content:
        return _ENDING
    trapped = "trap" in content
    ends = trapped or "result" in content
    if "call" in content:
        if not isinstance(content["call"], str):
            raise Wrong("has a `call` that is no text")
        return _call(content["call"], ends, trapped)
    if not ends:
        raise Wrong("has neither a call nor a result, a trap or an outcome")
    return _TRAPS if trapped else _RETURNS
