"""Traces as files: JSON Lines, made to be reviewed.

    {"format": 1, "plugins": [{"name": "allow_header", "sha256": "…", "abi": "0.2.1"}], "profile": "envoy 1.40", …}
    {"at": 0, "context": 2, "call": "proxy_on_request_headers", "args": {"context_id": 2, …}}
    {"context": 2, "call": "proxy_log", "args": {"level": "INFO", "message": "…"}, "result": "OK"}
    {"result": "PAUSE"}
    {"outcome": {"exchange": "1", "status": 403, …}}

Rules: lines carry no numbers that shift when a call is added elsewhere; a call that nothing happened inside is one
line with its result; a line with only a result (or trap) closes the innermost call still open; `at` counts
nanoseconds of virtual time from the start of the trace; bytes that are not UTF-8 are {"base64": "…"}.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable
from enum import IntEnum
from json.encoder import encode_basestring as quoted
from typing import Any

from simwasm.abi.kinds import Param
from simwasm.abi.table import Function, Side
from simwasm.errors import Trap
from simwasm.plugin import Plugin
from simwasm.trace.event import Entered, Event, Left, Trapped, shown

FORMAT = 1


def to_json(value: Any) -> Any:
    """A value as JSON has it."""
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


def header(
    plugins: Iterable[Plugin], *, profile: str, seed: int, started_ns: int, engine: str = ""
) -> dict[str, Any]:
    """The first line; without an engine the file is the same whichever ran."""
    found = {
        "format": FORMAT,
        "plugins": [
            {"name": plugin.name, "sha256": plugin.sha256, "abi": plugin.abi.value} for plugin in plugins
        ],
        "profile": profile,
        "seed": seed,
        "started_ns": started_ns,
    }
    return found | {"engine": engine} if engine else found


class _Texts(dict[type, Callable[[Any], str]]):
    """How the values of a type are written, found once for each type."""

    def __missing__(self, kind: type) -> Callable[[Any], str]:
        if issubclass(kind, IntEnum):
            self[kind] = {member: quoted(member.name) for member in kind}.__getitem__
        else:
            self[kind] = _any_text
        return self[kind]


_dumps = json.JSONEncoder(ensure_ascii=False).encode


def _any_text(value: Any) -> str:
    return _dumps(to_json(value))


def _str_text(value: str) -> str:
    return quoted(value) if value.isascii() else _any_text(value)


_texts = _Texts({int: str, str: _str_text, bool: {False: "false", True: "true"}.__getitem__})


class Recorder:
    """An observer that writes a trace file, line by line.

    A line is put together as text: the parts that a function's lines have in common are made once, since two values
    in a dictionary for `json.dumps` cost ten times what is written here.
    """

    def __init__(self, write: Callable[[str], object], head: dict[str, Any]) -> None:
        self._write = write
        self._started: int = head["started_ns"]
        self._chain = len(head["plugins"]) > 1
        self._pending = ""
        """The newest call's line without its end, until it is known whether anything happens inside."""
        self._open: list[Function] = []
        self._calls: dict[Function, str] = {}
        self._gives: dict[Function, str] = {}
        self._line(head)

    def _line(self, content: dict[str, Any]) -> None:
        self._write(_dumps(content) + "\n")

    def __call__(self, event: Event) -> None:
        if isinstance(event, Entered):
            if self._pending:
                self._write(self._pending + "}\n")
            _, at, vm, context, function, args, _ = event
            shape = self._calls.get(function) or self._call_shape(function)
            texts = [_texts[arg.__class__](arg) for arg in args]
            self._pending = shape % (at - self._started, quoted(vm), context, *texts)
            self._open.append(function)
            return
        function = self._open.pop()
        closing = self._left(event, function) if isinstance(event, Left) else _trapped(event)
        self._write(f"{self._pending}, {closing}}}\n" if self._pending else f"{{{closing}}}\n")
        self._pending = ""

    def _call_shape(self, function: Function) -> str:
        """A call's line, with a gap for each value; those that its lines do not have fall into a gap of no width."""
        at = '"at": %s, ' if function.side is Side.PLUGIN else "%.0s"
        plugin = '"plugin": %s, ' if self._chain else "%.0s"
        args = f', "args": {_gaps(function.inputs)}' if function.inputs else ""
        self._calls[function] = f'{{{at}{plugin}"context": %s, "call": {quoted(function.name)}{args}'
        return self._calls[function]

    def _left(self, event: Left, function: Function) -> str:
        _, _, result, values, reason = event
        text = f'"result": {_texts[result.__class__](result)}'
        if values:
            shape = self._gives.get(function) or self._gives_shape(function)
            text += shape % tuple([_texts[value.__class__](value) for value in values])
        return f'{text}, "reason": {_texts[str](reason)}' if reason else text

    def _gives_shape(self, function: Function) -> str:
        self._gives[function] = f', "gives": {_gaps(function.outputs)}'
        return self._gives[function]

    def _flush(self) -> None:
        if self._pending:
            self._write(self._pending + "}\n")
            self._pending = ""

    def outcome(self, content: dict[str, Any]) -> None:
        """Note what became of an exchange."""
        self._flush()
        self._line({"outcome": content})


def _gaps(params: tuple[Param, ...]) -> str:
    return "{" + ", ".join(f"{quoted(param.name)}: %s" for param in params) + "}"


def _trapped(event: Trapped) -> str:
    return f'"trap": {_dumps(trap_to_json(event.trap))}'


def trap_to_json(trap: Trap) -> dict[str, Any]:
    frames = [
        {"function": frame.function, "name": frame.name, "offset": frame.offset} for frame in trap.frames
    ]
    return {"kind": trap.kind.value, "detail": trap.detail, "frames": frames}
