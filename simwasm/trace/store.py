"""Traces as files: JSON Lines, made to be reviewed.

    {"format": 2, "plugins": [{"name": "allow_header", "sha256": "…", "abi": "0.2.1"}], "profile": "envoy 1.40", …}
    {"at": 0, "context": 2, "call": "proxy_on_request_headers", "args": {"context_id": 2, …}}
    {"context": 2, "call": "proxy_log", "args": {"level": "INFO", "message": "…"}, "result": "OK"}
    {"result": "PAUSE"}
    {"outcome": {"exchange": "1", "status": 403, …}}

Rules: lines carry no numbers that shift when a call is added elsewhere; a call that nothing happened inside is one
line with its result; a line with only a result (or trap) closes the innermost call still open; `at` counts
nanoseconds of virtual time from the start of the trace; bytes that are not UTF-8 are {"base64": "…"}; what was
measured (`timing.py`) stands last. Older formats are in `formats.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from simwasm.abi.table import Function
from simwasm.errors import Trap
from simwasm.plugin import Plugin
from simwasm.trace import lines
from simwasm.trace.event import Entered, Event, Left
from simwasm.trace.formats import FORMAT
from simwasm.trace.lines import to_json
from simwasm.trace.timing import Timing

__all__ = ["FORMAT", "Recorder", "header", "to_json", "trap_to_json"]


def header(
    plugins: Iterable[Plugin], *, profile: str, seed: int, started_ns: int, engine: str = ""
) -> dict[str, Any]:
    """The first line; without an engine the file is the same whichever ran."""
    made = [{"name": plugin.name, "sha256": plugin.sha256, "abi": plugin.abi.value} for plugin in plugins]
    return first_line(made, profile, seed, started_ns, {"engine": engine})


def first_line(
    plugins: list[dict[str, str]], profile: str, seed: int, started_ns: int, more: Mapping[str, Any]
) -> dict[str, Any]:
    """The first line of its parts, in their order; what is empty is left out."""
    found = {
        "format": FORMAT,
        "plugins": [{key: value for key, value in each.items() if value} for each in plugins],
        "profile": profile,
        "seed": seed,
        "started_ns": started_ns,
    }
    return found | {key: value for key, value in more.items() if value}


class Recorder:
    """An observer that writes a trace file, line by line.

    A line is put together as text (`lines.py`): two values in a dictionary for `json.dumps` cost ten times as much.
    """

    def __init__(
        self, write: Callable[[str], object], head: dict[str, Any], timing: Timing | None = None
    ) -> None:
        self._write = write
        self._timing = timing
        self._started: int = head["started_ns"]
        self._chain = len(head["plugins"]) > 1
        self._pending = ""
        """The newest call's line without its end, until it is known whether anything happens inside."""
        self._open: list[lines.End] = []
        self._known: dict[Function, tuple[lines.Call, lines.End]] = {}
        self._line(head)

    def _line(self, content: dict[str, Any]) -> None:
        self._write(lines.dumps(content) + "\n")

    def __call__(self, event: Event) -> None:
        if isinstance(event, Entered):
            self.enter(event.at, event.vm, event.context, event.function, event.args)
        elif isinstance(event, Left):
            self.leave(event.opened, event.result, event.values, event.reason)
        else:
            self._open.pop()
            measured = self._timing.end() if self._timing else ""
            self._end(f'"trap": {lines.dumps(trap_to_json(event.trap))}{measured}')

    def enter(self, at: int, vm: str, context: int, function: Function, args: tuple[Any, ...]) -> None:
        """Note that a crossing begins."""
        if self._pending:
            self._write(self._pending + "}\n")
        call, end = self._known.get(function) or self._know(function)
        self._pending = call(at - self._started, vm, context, args)
        self._open.append(end)

    def leave(self, opened: int, result: Any, values: tuple[Any, ...] = (), reason: str = "") -> None:
        """Note that the innermost crossing ended."""
        self._end(self._open.pop()(result, values, reason))

    def _end(self, end: str) -> None:
        pending = self._pending
        self._pending = ""
        self._write(f"{pending}, {end}}}\n" if pending else f"{{{end}}}\n")

    def _know(self, function: Function) -> tuple[lines.Call, lines.End]:
        made = lines.call(function, named=self._chain), lines.end(function)
        if self._timing:
            made = self._timing.measured(function, *made)
        self._known[function] = made
        return made

    def flush(self) -> None:
        """Write the newest call even if it has not ended: nothing will follow."""
        if self._pending:
            self._write(self._pending + "}\n")
            self._pending = ""

    def outcome(self, content: dict[str, Any]) -> None:
        """Note what became of an exchange."""
        self.flush()
        self._line({"outcome": content})


def trap_to_json(trap: Trap) -> dict[str, Any]:
    frames = [
        {"function": frame.function, "name": frame.name, "offset": frame.offset} for frame in trap.frames
    ]
    return {"kind": trap.kind.value, "detail": trap.detail, "frames": frames}
