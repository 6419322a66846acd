"""The parts of a trace's lines that a function has: assembled once for each row, as the fastest way to make a text.

`{"context": 2, "call": "proxy_log", "args": {"level": "INFO", "message": "…"}` is one f-string with a gap for each
value, written from the row. A value whose class is the usual one for its form is written on the spot; any other goes
to `texts`, which knows every class.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from enum import IntEnum
from functools import cache
from json.encoder import encode_basestring as quoted
from typing import Any

from simwasm.abi.kinds import Form, Param
from simwasm.abi.table import Function, Side
from simwasm.trace.event import shown


def to_json(value: Any) -> Any:
    """A value as JSON has it."""
    if value.__class__ is str and value.isascii():
        return value
    value = shown(value)
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return {"base64": base64.b64encode(value).decode()}
    if isinstance(value, str):
        return (
            value if value.isascii() or _is_utf8(value) else to_json(value.encode("utf-8", "surrogateescape"))
        )
    if isinstance(value, (tuple, list)):
        return [to_json(item) for item in value]
    return value


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class _Texts(dict[type, Callable[[Any], str]]):
    """How the values of a type are written, found once for each type."""

    def __missing__(self, kind: type) -> Callable[[Any], str]:
        if issubclass(kind, IntEnum):
            self[kind] = {member: quoted(member.name) for member in kind}.__getitem__
        else:
            self[kind] = _any_text
        return self[kind]


dumps = json.JSONEncoder(ensure_ascii=False).encode


def _any_text(value: Any) -> str:
    return dumps(to_json(value))


def _str_text(value: str) -> str:
    return quoted(value) if value.isascii() else _any_text(value)


texts = _Texts({int: str, str: _str_text, bool: {False: "false", True: "true"}.__getitem__})

_ANY = "texts[{v}.__class__]({v})"
_NUMBER = "{v} if {v}.__class__ is int else " + _ANY
_USUAL = {
    Form.U32: _NUMBER,
    Form.I32: _NUMBER,
    Form.U64: _NUMBER,
    Form.I64: _NUMBER,
    Form.SPAN: _NUMBER,
    Form.TEXT: "quoted({v}) if {v}.__class__ is str and {v}.isascii() else " + _ANY,
}

Call = Callable[[int, str, int, tuple[Any, ...]], str]
End = Callable[[Any, tuple[Any, ...], str], str]


@cache
def call(function: Function, *, named: bool) -> Call:
    """A call's line without its end, made of the time, the plugin (named or not), the context and the arguments."""
    at = '"at": {at}, ' if function.side is Side.PLUGIN else ""
    plugin = '"plugin": {quoted(plugin)}, ' if named else ""
    args = f', "args": {_values(function.inputs)}' if function.inputs else ""
    text = f'{{{{{at}{plugin}"context": {{context}}, "call": "{function.name}"{args}'
    return _assembled("at, plugin, context, values", _taken(function.inputs), text)


@cache
def end(function: Function) -> End:
    """The part of a line that ends a call, made of the result, the values that came out and the reason."""
    result = f'"result": {{{_ANY.format(v="result")}}}{{reason and why(reason)}}'
    if not function.outputs:
        return _assembled("result, values, reason", "", result)
    given = f', "gives": {_values(function.outputs)}'
    text = result.replace("{reason", given + "{reason")
    refused = f"    if not values:\n        return f'{result}'\n"
    return _assembled("result, values, reason", refused + _taken(function.outputs), text)


def _why(reason: str) -> str:
    return f', "reason": {_str_text(reason)}'


def _values(params: tuple[Param, ...]) -> str:
    gaps = [_USUAL.get(param.form, _ANY).format(v=f"v{index}") for index, param in enumerate(params)]
    named = [f'"{param.name}": {{{gap}}}' for param, gap in zip(params, gaps, strict=True)]
    return "{{" + ", ".join(named) + "}}"


def _taken(params: tuple[Param, ...]) -> str:
    return f"    {''.join(f'v{index}, ' for index in range(len(params)))}= values\n" if params else ""


def _assembled(parameters: str, before: str, text: str) -> Callable[..., str]:
    names: dict[str, Any] = {"quoted": quoted, "texts": texts, "why": _why}
    exec(f"def line({parameters}):\n{before}    return f'{text}'\n", names)
    line: Callable[..., str] = names["line"]
    return line
