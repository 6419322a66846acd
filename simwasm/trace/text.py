"""The arrow log: a trace for reading.

    → proxy_on_request_headers(context_id: 2, num_headers: 8, end_of_stream: true)
        proxy_get_header_map_value(map_type: HTTP_REQUEST_HEADERS, key: "x") = NOT_FOUND · there is no header `x`
    ← PAUSE
    → proxy_on_response_headers(context_id: 2, num_headers: 3, end_of_stream: false) ← CONTINUE

Callbacks stand between arrows, host calls inside them, one line each; where there are several plugins, a callback's
VM stands before it, as in `→ [auth] proxy_on_log(context_id: 2)`. The guest's allocator is left out unless asked
for: it is called for every value the host returns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from simwasm.abi.table import ALLOCATORS, Function, Side
from simwasm.errors import Frame
from simwasm.trace.event import Entered, Event, Left, Trapped, shown

_STYLES = {
    "callback": "1",
    "call": "",
    "ok": "2",
    "bad": "31",
    "reason": "33",
    "trap": "1;31",
    "action": "1;36",
}
_LONG = 120


def paint(style: str, text: str) -> str:
    """Text with the terminal's colour of a style."""
    code = _STYLES[style]
    return f"\x1b[{code}m{text}\x1b[0m" if code else text


def plain(style: str, text: str) -> str:
    """Text as it is."""
    return text


def printable(text: str) -> str:
    """Text that cannot move the cursor or break out of its place, whoever made it."""
    return "".join(c if c.isprintable() or c in "\n\t" else _number(c) for c in text)


def value_text(value: Any, limit: int = _LONG) -> str:
    """One value on one line."""
    if value is None:
        return "?"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return _quoted(value.decode("utf-8", "backslashreplace"), limit)
    if isinstance(value, str):
        return _quoted(value, limit)
    if isinstance(value, tuple):
        return _sequence(value, limit)
    return str(shown(value))


def _sequence(value: tuple[Any, ...], limit: int) -> str:
    if all(isinstance(item, tuple) for item in value):
        inner = ", ".join(f"{name}: {_bare(text)}" for name, text in value)
        return "{" + (inner if len(inner) <= limit else f"{inner[:limit]}… {len(value)} in all") + "}"
    return _quoted(".".join(map(str, value)), limit)


def _bare(text: str) -> str:
    return _quoted(text, _LONG)[1:-1]


def _quoted(text: str, limit: int) -> str:
    cut = text if len(text) <= limit else text[:limit]
    escaped = "".join(c if c.isprintable() else _escape(c) for c in cut).replace('"', '\\"')
    return f'"{escaped}"' if cut is text else f'"{escaped}…" ({len(text):,} long)'


def _escape(char: str) -> str:
    return {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0"}.get(char) or _number(char)


def _number(char: str) -> str:
    """A character by its number; a lone surrogate stands for a byte that is no UTF-8."""
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def call_text(function: Function, args: tuple[Any, ...]) -> str:
    """A call with its arguments named."""
    inside = ", ".join(
        f"{param.name}: {value_text(value)}" for param, value in zip(function.inputs, args, strict=True)
    )
    return f"{function.name}({inside})"


def result_text(function: Function, event: Left, ink: Callable[[str, str], str] = plain) -> str:
    """What a host call answered: its status, what it gave, and why not."""
    if function.errors is None:
        return ink("ok", "" if event.result is None else str(event.result))
    text = ink("bad" if event.result else "ok", value_text(event.result))
    if event.values:
        text += " " + ", ".join(
            f"{param.name}: {value_text(value)}"
            for param, value in zip(function.outputs, event.values, strict=True)
        )
    return text + (" · " + ink("reason", printable(event.reason)) if event.reason else "")


Frames = Callable[[str, tuple[Frame, ...]], Iterable[str]]
"""What is told of the frames of a trap in a VM of that name."""


def plain_frames(vm: str, frames: tuple[Frame, ...]) -> Iterable[str]:
    """Frames as they are, without their lines of source."""
    return map(str, frames)


class ArrowLog:
    """An observer that turns events into text. A callback is written when it begins: one that hangs can be seen."""

    def __init__(
        self,
        write: Callable[[str], object],
        *,
        ink: Callable[[str, str], str] = plain,
        allocator: bool = False,
        frames: Frames = plain_frames,
        whose: bool = False,
    ) -> None:
        self._write = write
        self._whose = whose
        """Whether a callback is told with its VM."""
        self._ink = ink
        self._frames = frames
        self._allocator = allocator
        self._open: list[Entered] = []
        self._begun = False
        """The last line is a callback in which nothing has happened yet: its result goes behind it."""

    def __call__(self, event: Event) -> None:
        if isinstance(event, Entered):
            if self._is_shown(event.function):
                self._end_line()
                if event.function.side is Side.PLUGIN:
                    self._begin(event)
            self._open.append(event)
            return
        entered = self._open.pop()
        if self._is_shown(entered.function):
            self._close(event, entered)

    def _begin(self, event: Entered) -> None:
        text = call_text(event.function, event.args)
        whose = printable(f"[{event.vm}] ") if self._whose else ""
        self._write(f"{self._indent()}{self._ink('callback', f'→ {whose}{text}')}")
        self._begun = True

    def _end_line(self) -> None:
        if self._begun:
            self._write("\n")
        self._begun = False

    def _close(self, event: Left | Trapped, entered: Entered) -> None:
        function, indent = entered.function, self._indent()
        if isinstance(event, Trapped):
            self._end_line()
            for line in self._trapped(event, entered, indent):
                self._write(line + "\n")
        elif function.side is Side.HOST:
            told = result_text(function, event, self._ink)
            self._write(f"{indent}{self._ink('call', call_text(function, entered.args))} = {told}\n")
        else:
            result = self._ink("action", f"← {value_text(event.result)}") if function.result else "←"
            self._write(
                f"{' ' if self._begun else indent}{result}\n" if function.result or not self._begun else "\n"
            )
            self._begun = False

    def _trapped(self, event: Trapped, entered: Entered, indent: str) -> Iterator[str]:
        trap = self._ink("trap", printable(f"✗ {event.trap}"))
        if entered.function.side is Side.HOST:
            yield f"{indent}{call_text(entered.function, entered.args)} {trap}"
            return
        yield f"{indent}{trap}"
        for frame in self._frames(entered.vm, event.trap.frames):
            yield printable(f"{indent}    at {frame}")

    def _is_shown(self, function: Function) -> bool:
        return self._allocator or function.name not in ALLOCATORS

    def _indent(self) -> str:
        return "    " * sum(self._is_shown(entered.function) for entered in self._open)
