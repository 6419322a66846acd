"""Log lines that a test looks through."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, overload

from simwasm.abi.enums import LogLevel
from simwasm.errors import InputError
from simwasm.host.outcome import LogLine as Written
from simwasm.trace.text import printable

_PREFIX = re.compile(r"wasm log[^:]*: ")


class LogLine(NamedTuple):
    """One line of the proxy's log: its level, and what the plugin wrote.

    Example:
        >>> line = load_plugin("samples/allow_header/plugin.wasm").send("GET", "/").logs[0]
        >>> line.level, line.text
        ('info', '#2 wasm-rust: on_http_request_headers')
    """

    level: str
    """trace, debug, info, warn, error or critical."""
    text: str
    at: float
    """When, in seconds of virtual time since the plugin was loaded."""
    whole: str
    """The line as Envoy writes it, with the plugin's name in front."""

    def __str__(self) -> str:
        return f"[{self.level}] {printable(self.text)}"


class Logs(Sequence[LogLine]):
    """Log lines, in their order.

    Example:
        >>> logs = load_plugin("samples/allow_header/plugin.wasm").send("GET", "/").logs
        >>> logs.contains("deny by default"), logs.contains("deny", level="error")
        (True, False)
        >>> len(logs), len(logs.matching(r"allow \\w+ not found")), len(logs.at_least("warn"))
        (2, 1, 0)
    """

    def __init__(self, lines: Iterable[LogLine] = ()) -> None:
        self._lines = tuple(lines)

    @overload
    def __getitem__(self, index: int) -> LogLine: ...
    @overload
    def __getitem__(self, index: slice) -> Logs: ...
    def __getitem__(self, index: int | slice) -> LogLine | Logs:
        return Logs(self._lines[index]) if isinstance(index, slice) else self._lines[index]

    def __len__(self) -> int:
        return len(self._lines)

    def __iter__(self) -> Iterator[LogLine]:
        return iter(self._lines)

    def __repr__(self) -> str:
        return f"<{len(self)} log lines{''.join(f'{chr(10)}  {line}' for line in self)}>"

    def contains(self, text: str, *, level: str | None = None) -> bool:
        """Whether a line has this text in it, and that level if one is given."""
        if not text:
            raise InputError("contains: every line has an empty text in it; say which text is meant")
        wanted = None if level is None else _level(level)
        return any(
            (text in line.text or text in line.whole) and wanted in (None, LogLevel[line.level.upper()])
            for line in self
        )

    def matching(self, pattern: str | re.Pattern[str]) -> Logs:
        """The lines in which a regular expression finds something."""
        try:
            found = re.compile(pattern)
        except re.error as error:
            raise InputError(f"`{pattern!r}` is no regular expression: {error}") from None
        return Logs(line for line in self if found.search(line.text) or found.search(line.whole))

    def at_least(self, level: str) -> Logs:
        """The lines of this level, and of worse ones."""
        least = _level(level)
        return Logs(line for line in self if LogLevel[line.level.upper()] >= least)


def _level(name: str) -> LogLevel:
    try:
        return LogLevel[name.upper()]
    except (KeyError, AttributeError):
        known = ", ".join(level.name.lower() for level in LogLevel)
        raise InputError(f"level: {name!r} is none of {known}") from None


def line(written: Written, started_ns: int) -> LogLine:
    """A line of the host's."""
    text = written.text
    prefix = _PREFIX.match(text)
    return LogLine(
        written.level.name.lower(),
        text[prefix.end() :] if prefix else text,
        (written.at - started_ns) / 1e9,
        text,
    )
