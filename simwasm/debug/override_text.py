"""Overrides as they are typed, and whether one fits the call in whose place it is said.

    NOT_FOUND     OK alice     OK "alice"     OK b"\\x00\\x01", 5     Continue     StopAllIterationAndBuffer     1

Rule: whatever comes from a person or a file goes through here, so that an answer the host could never give is a
sentence, and not a plugin that traps.
"""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from typing import Any

from simwasm.abi.enums import Status
from simwasm.abi.kinds import Form, Param
from simwasm.abi.table import Function, Side
from simwasm.debug.branch import Override
from simwasm.errors import InputError
from simwasm.exchange import to_bytes, to_text

_BITS = {Form.U32: 32, Form.I32: 32, Form.ENUM: 32, Form.U64: 64, Form.I64: 64}
_TEXTS = (Form.TEXT, Form.DATA)
_WORD = re.compile("[A-Za-z][A-Za-z0-9_-]*")
"""Text that needs no quotes."""
_FLAGS = {"true": True, "false": False, "1": True, "0": False}
_LONGEST = 1 << 20


def read_override(function: Function, text: str, call_id: int = 0) -> Override:
    """What was typed: a status and what is written, or what a callback returns.

    `call_id` is written where a call's number is wanted and none was typed.
    """
    word, _, behind = text.strip().partition(" ")
    if function.side is Side.PLUGIN:
        said = behind if behind and word.upper() == Status.OK.name else text
        return Override(result=_result(function, said.strip()), callback=True)
    names = {_plain(member.name): member for member in Status}
    if _plain(word) not in names:
        raise InputError(f"override: `{word}` is no status; there is {', '.join(Status.__members__)}")
    status = names[_plain(word)]
    if status is not Status.OK and behind:
        raise InputError("override: values are written only with OK")
    if status is Status.OK and not behind and [param.name for param in function.outputs] == ["call_id"]:
        return Override(status, (call_id,))
    return fitting(function, Override(status, _values(function, behind.strip())))


def fitting(function: Function, override: Override) -> Override:
    """The override with its values as the host has them; one that does not fit is an `InputError`."""
    if override.callback != (function.side is Side.PLUGIN):
        raise InputError(f"override: it is for another kind of call than {function.name}")
    if override.callback:
        return replace(override, result=_returned(function, override.result))
    if function.errors is not Status:
        raise InputError(f"override: {function.name} is no function of the proxy; its answer stays")
    if override.status is not Status.OK:
        return override
    outputs = function.outputs
    if len(override.values) != len(outputs):
        names = ", ".join(f"{param.name} ({param.form.value})" for param in outputs) or "nothing"
        raise InputError(f"override: {function.name} writes {names}: {len(outputs)} values are needed")
    return replace(override, values=tuple(map(_written, outputs, override.values)))


def _plain(name: str) -> str:
    """StopAllIterationAndBuffer as STOP_ALL_ITERATION_AND_BUFFER."""
    return name.replace("_", "").rpartition(":")[2].lower()


def _result(function: Function, text: str) -> Any:
    returned = function.result
    if returned is None:
        raise InputError(f"override: {function.name} returns nothing; stand at a call that does")
    if returned.enum is None:
        if text.lower() not in _FLAGS:
            raise InputError(f"override: {function.name} returns true or false, not `{text}`")
        return _FLAGS[text.lower()]
    if text.isdecimal() and len(text) < 10:
        return _returned(function, int(text))
    names = {_plain(member.name): member for member in returned.enum}
    if _plain(text) not in names:
        raise InputError(f"override: {text} is none of {', '.join(member.name for member in returned.enum)}")
    return names[_plain(text)]


def _returned(function: Function, value: Any) -> Any:
    """A callback's result: a named number, where it has a name."""
    returned = function.result
    if returned is None:
        raise InputError(f"override: {function.name} returns nothing; stand at a call that does")
    if not isinstance(value, int) or not 0 <= value < 1 << 31:
        raise InputError(f"override: {function.name} does not return {value!r:.60}")
    if returned.enum is None:
        return bool(value)
    return {int(member): member for member in returned.enum}.get(int(value), int(value))


def _values(function: Function, text: str) -> tuple[Any, ...]:
    """What is written, as Python writes it: text in quotes, numbers, maps."""
    if not text:
        return ()
    if len(function.outputs) == 1 and function.outputs[0].form in _TEXTS and _WORD.fullmatch(text):
        return (text,)
    try:
        found: tuple[Any, ...] = ast.literal_eval(f"({text},)")
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        names = ", ".join(f"{param.name} ({param.form.value})" for param in function.outputs) or "nothing"
        raise InputError(f'override: values are as in OK "text", 5; {function.name} writes {names}') from None
    return found


def _written(param: Param, value: Any) -> Any:
    """A value as the host gives it to this parameter."""
    bits = _BITS.get(param.form)
    if bits is not None:
        if not isinstance(value, int) or isinstance(value, bool) or not -1 << (bits - 1) <= value < 1 << bits:
            raise InputError(f"override: {param.name} is a number of {bits} bits, not {value!r:.60}")
        return value
    if param.form is Form.PAIRS:
        pairs = tuple(value.items()) if isinstance(value, dict) else value
        if not isinstance(pairs, tuple) or not all(
            isinstance(pair, tuple) and len(pair) == 2 for pair in pairs
        ):
            raise InputError(
                f'override: {param.name} is a map such as {{"name": "value"}}, not {value!r:.60}'
            )
        return tuple((_text(param, name), _text(param, text)) for name, text in pairs)
    text = _text(param, value)
    return text if param.form is Form.TEXT else to_bytes(text)


def _text(param: Param, value: Any) -> str:
    """Text that stands for bytes."""
    if isinstance(value, bytes) and len(value) <= _LONGEST:
        return to_text(value)
    try:
        if isinstance(value, str) and len(to_bytes(value)) <= _LONGEST:
            return value
    except UnicodeEncodeError:
        pass
    raise InputError(f"override: {param.name} is text or bytes of at most {_LONGEST:,}, not {value!r:.60}")
