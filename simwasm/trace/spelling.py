"""What a trace's line tells, taken out of its text as it stands there; no line is parsed that need not be.

    "call": "proxy_log", "args": {"level": "INFO", "message": "hi"}, "result": "OK"}
    Told("proxy_log", (b'"INFO"', b'"hi"'), …, (b'"OK"',))

Two lines tell the same if and only if these texts are equal. That holds for values in the writer's own spelling
(`lines.py`), so only these fit the patterns, which are made from the table of the ABI. What somebody has spelled
otherwise is told by its row, whose values are written again.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any, NamedTuple

from simwasm.abi.kinds import Form, Param
from simwasm.abi.table import ALLOCATORS, Function, named
from simwasm.trace.alike import compared, names_of
from simwasm.trace.event import Left, Trapped
from simwasm.trace.lines import dumps, texts
from simwasm.trace.rows import Row
from simwasm.trace.store import trap_to_json

Texts = tuple[bytes, ...]
_STRING = r'"[^"\\\x00-\x1f]*(?:\\(?:["\\bfnrt]|u00[01][0-9a-f])[^"\\\x00-\x1f]*)*"'
_NUMBER = r"-?(?:0|[1-9]\d*)"
_STRINGS = rf"\[(?:{_STRING}(?:, {_STRING})*)?\]"
_PAIR = rf"\[{_STRING}, {_STRING}\]"
_NAME = r'"[A-Z][A-Z0-9_]*"'
_SPELLED = {
    Form.FLAG: "true|false",
    Form.ENUM: _NAME,
    Form.TEXT: _STRING,
    Form.DATA: _STRING,
    Form.IOVECS: _STRING,
    Form.BLOB: _STRING,
    Form.SPAN: f"{_NUMBER}|{_STRING}",
    Form.PATH: _STRINGS,
    Form.STRINGS: _STRINGS,
    Form.PAIRS: rf"\[(?:{_PAIR}(?:, {_PAIR})*)?\]",
}
"""How a value of a form is written; numbers are the others."""
OPEN: Texts = (b"open",)
"""How a call ended that has not."""


class Told(NamedTuple):
    """What a line tells of a call."""

    name: bytes
    args: Texts
    about: Texts
    """Those arguments that say what the call is about."""
    answer: Texts
    """How it ended: its result and what came out. `OPEN` if another line tells that."""


class _Spelling(NamedTuple):
    """How lines of a function are written."""

    call: re.Pattern[bytes]
    end: re.Pattern[bytes]
    compared: tuple[int, ...]
    about: tuple[int, ...]
    given: tuple[int, ...]
    """Which of the values that come out make a difference, counted from the end's first group."""


def told(line: bytes, name: bytes) -> Told | None:
    """What a normal line with a call tells; None if it is spelled otherwise."""
    for spelling in _spellings(name):
        match = spelling.call.fullmatch(line)
        if match is not None:
            values = match.groups()
            args = tuple([values[index] for index in spelling.compared])
            about = tuple([values[index] for index in spelling.about])
            answer = OPEN if match["end"] is None else ending(match["end"], name)
            return None if answer is None else Told(name, args, about, answer)
    return None


def ending(text: bytes, name: bytes) -> Texts | None:
    """How a call ended, from the part of a normal line that says so; None if it is spelled otherwise."""
    if text.startswith(b'"trap": '):
        return _trap(text)
    for spelling in _spellings(name):
        match = spelling.end.fullmatch(text)
        if match is not None:
            result, *values = match.groups()
            if name.decode() in ALLOCATORS:
                return (b"0" if result == b"0" else b"1",)
            return (result, *(values[index] for index in spelling.given if values[index] is not None))
    return None


def told_by(row: Row) -> Told:
    """The same of a row that was read."""
    function, ended = row.entered.function, row.ended
    args = [_text(value) for value in row.entered.args]
    about = tuple(args[index] for index in names_of(function) if index < len(args))
    chosen = tuple(args[index] for index in compared(function.inputs) if index < len(args))
    return Told(function.name.encode(), chosen, about, _answer(function, ended))


def _answer(function: Function, ended: Left | Trapped | None) -> Texts:
    if ended is None:
        return OPEN
    if isinstance(ended, Trapped):
        return _trapped(trap_to_json(ended.trap))
    if function.name in ALLOCATORS:
        return (b"1" if ended.result else b"0",)
    given = (index for index in compared(function.outputs) if index < len(ended.values))
    return (_text(ended.result), *(_text(ended.values[index]) for index in given))


def _text(value: Any) -> bytes:
    return texts[value.__class__](value).encode()


def _trap(text: bytes) -> Texts | None:
    try:
        return _trapped(json.loads(b"{" + text + b"}")["trap"])
    except (ValueError, KeyError, TypeError):
        return None


def _trapped(trap: dict[str, Any]) -> Texts:
    return b"trap", dumps(trap["kind"]).encode(), dumps(trap["detail"]).encode()


@cache
def _spellings(name: bytes) -> tuple[_Spelling, ...]:
    """The spellings of all functions that have a name, in whatever version of the ABI."""
    different = {(row.inputs, row.outputs): row for row in named(name.decode(errors="replace"))}
    return tuple(map(_spelling, different.values()))


def _spelling(function: Function) -> _Spelling:
    args = rf', "args": \{{{_values(function.inputs)}\}}' if function.inputs else ""
    call = rf'"call": "{function.name}"{args}(?:, (?P<end>"(?:result|trap)": .*))?\}}'
    gives = rf'(?:, "gives": \{{{_values(function.outputs)}\}})?' if function.outputs else ""
    return _Spelling(
        re.compile(call.encode(), re.DOTALL),
        re.compile(rf'"result": (null|{_result(function)}){gives}'.encode()),
        compared(function.inputs),
        names_of(function),
        compared(function.outputs),
    )


def _result(function: Function) -> str:
    if function.errors is not None:
        return _NAME
    return "null" if function.result is None else _SPELLED.get(function.result.form, _NUMBER)


def _values(params: tuple[Param, ...]) -> str:
    return ", ".join(_value(param) for param in params)


def _value(param: Param) -> str:
    return f'"{param.name}": (null|{_SPELLED.get(param.form, _NUMBER)})'
