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
from typing import Any

from simwasm.abi.kinds import Param
from simwasm.abi.table import Side
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


class Recorder:
    """An observer that writes a trace file, line by line."""

    def __init__(self, write: Callable[[str], object], head: dict[str, Any]) -> None:
        self._write = write
        self._started: int = head["started_ns"]
        self._chain = len(head["plugins"]) > 1
        self._pending: dict[str, Any] | None = None
        self._open: list[Entered] = []
        self._line(head)

    def _line(self, content: dict[str, Any]) -> None:
        self._write(json.dumps(content, ensure_ascii=False) + "\n")

    def __call__(self, event: Event) -> None:
        if isinstance(event, Entered):
            self._flush()
            self._pending = self._entered(event)
            self._open.append(event)
            return
        entered = self._open.pop()
        closing = _left(event, entered) if isinstance(event, Left) else _trapped(event)
        if self._pending is not None:
            closing = self._pending | closing
            self._pending = None
        self._line(closing)

    def _entered(self, event: Entered) -> dict[str, Any]:
        function = event.function
        content: dict[str, Any] = {}
        if function.side is Side.PLUGIN:
            content["at"] = event.at - self._started
        if self._chain:
            content["plugin"] = event.vm
        content |= {"context": event.context, "call": function.name}
        if function.inputs:
            content["args"] = _named(function.inputs, event.args)
        return content

    def _flush(self) -> None:
        if self._pending is not None:
            self._line(self._pending)
            self._pending = None

    def outcome(self, content: dict[str, Any]) -> None:
        """Note what became of an exchange."""
        self._flush()
        self._line({"outcome": content})


def _named(params: tuple[Param, ...], values: tuple[Any, ...]) -> dict[str, Any]:
    return {param.name: to_json(value) for param, value in zip(params, values, strict=True)}


def _left(event: Left, entered: Entered) -> dict[str, Any]:
    content: dict[str, Any] = {"result": to_json(event.result)}
    if event.values:
        content["gives"] = _named(entered.function.outputs, event.values)
    if event.reason:
        content["reason"] = event.reason
    return content


def _trapped(event: Trapped) -> dict[str, Any]:
    return {"trap": trap_to_json(event.trap)}


def trap_to_json(trap: Trap) -> dict[str, Any]:
    frames = [
        {"function": frame.function, "name": frame.name, "offset": frame.offset} for frame in trap.frames
    ]
    return {"kind": trap.kind.value, "detail": trap.detail, "frames": frames}
