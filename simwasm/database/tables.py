"""The tables and their columns, described once: `--tables`, the manual and the views derive from these rows.

Rule: a column is called the same wherever it means the same; numbers of rows are those of the debugger, from 1.
"""

from __future__ import annotations

from typing import NamedTuple


class Column(NamedTuple):
    """One column."""

    name: str
    type: str
    doc: str


class Table(NamedTuple):
    """One table."""

    name: str
    doc: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Its columns' names."""
        return tuple(column.name for column in self.columns)


_FILE = Column("file", "VARCHAR", "The trace file.")
_EXCHANGE = Column("exchange", "BIGINT", "The exchange, counted from 1 in each file; null for none.")
_ROW = Column("row", "BIGINT", "The row where it begins, as the debugger counts them.")
_POSITION = Column("position", "BIGINT", "The number of the event that begins it.")
_TIME = Column("time", "BIGINT", "Virtual time in nanoseconds since the run's start.")
_PLUGIN = Column("plugin", "VARCHAR", "The name of the plugin, or of its VM where there are several.")
_CONTEXT = Column("context", "BIGINT", "The number of the plugin's context.")
_DEPTH = Column("depth", "INTEGER", "How many calls are open around it.")
_CALLBACK = Column("callback", "VARCHAR", "The host's callback that it happened in.")
_ARGS = Column("args", "JSON", "The arguments by name: args->>'key' is one of them.")
_TRAP = Column("trap", "VARCHAR", "Why the plugin stopped in it; null if it did not.")
_DURATION = Column("duration", "BIGINT", "What it really took in nanoseconds, where written with --timing.")
_INSTRUCTIONS = Column("instructions", "BIGINT", "What the plugin ran in it, where written with --timing.")

EXCHANGES = Table("exchanges", "What became of each request or connection.", (
    _FILE, _EXCHANGE,
    Column("id", "VARCHAR", "What the recorded traffic calls it."),
    Column("name", "VARCHAR", "What it is called for people, often its method and path."),
    Column("row", "BIGINT", "Its first row."),
    Column("last_row", "BIGINT", "The last row before its end."),
    Column("time", "BIGINT", "When it began: virtual time in nanoseconds since the run's start."),
    Column("took", "BIGINT", "How long it took, in virtual nanoseconds."),
    Column("method", "VARCHAR", "The method of its request."),
    Column("path", "VARCHAR", "The path of its request."),
    Column("authority", "VARCHAR", "The host that the request names, where it reached the upstream."),
    Column("status", "INTEGER", "The status that the client received."),
    Column("local_reply", "BOOLEAN", "Whether proxy or plugin answered in the upstream's place."),
    Column("details", "VARCHAR", "Envoy's response code details."),
    Column("reset", "VARCHAR", "Why it was cut off; null if it was not."),
    Column("waiting", "VARCHAR", "Why it hung until its timeout; null if it did not."),
    Column("upstream", "BOOLEAN", "Whether the upstream was asked."),
    Column("body", "VARCHAR", "The body that the client received; other than UTF-8 as base64."),
    _INSTRUCTIONS,
))  # fmt: skip

CALLBACKS = Table("callbacks", "Each call of a function of the plugin, its allocator's (depth 2) among them.", (
    _FILE, _EXCHANGE, _ROW, _POSITION, _TIME, _PLUGIN, _CONTEXT, _DEPTH, _CALLBACK,
    Column("function", "VARCHAR", "The function that was called."),
    _ARGS,
    Column("result", "VARCHAR", "What it returned, such as PAUSE; null for nothing."),
    _TRAP, _DURATION, _INSTRUCTIONS,
))  # fmt: skip

CALLS = Table("calls", "Each call of a host function by the plugin.", (
    _FILE, _EXCHANGE, _ROW, _POSITION, _TIME, _PLUGIN, _CONTEXT, _DEPTH, _CALLBACK,
    Column("function", "VARCHAR", "The host function that was called."),
    _ARGS,
    Column("status", "VARCHAR", "What the host answered, such as OK or NOT_FOUND."),
    Column("result", "JSON", "What it gave back, by name: result->>'value' is one of them."),
    Column("reason", "VARCHAR", "Why the status is not OK, in words."),
    _TRAP, _DURATION, _INSTRUCTIONS,
))  # fmt: skip

HEADERS = Table("headers", "Each header and trailer of messages that a trace has whole.", (
    _FILE, _EXCHANGE,
    Column("message", "VARCHAR", "upstream_request and response as they arrived, callout and local_reply as sent."),
    Column("place", "VARCHAR", "headers, trailers or metadata."),
    Column("nth", "BIGINT", "Which one of them it is, from 1."),
    Column("name", "VARCHAR", "Its name."),
    Column("value", "VARCHAR", "Its value."),
))  # fmt: skip

LOGS = Table("logs", "Each line that a plugin logged.", (
    _FILE, _EXCHANGE, _ROW, _POSITION, _TIME, _PLUGIN, _CONTEXT, _CALLBACK,
    Column("level", "VARCHAR", "TRACE, DEBUG, INFO, WARN, ERROR or CRITICAL."),
    Column("message", "VARCHAR", "The text."),
))  # fmt: skip

PROBLEMS = Table("problems", "What should not be, as `simwasm run` and the debugger tell it; notes are here, too.", (
    _FILE, _EXCHANGE,
    Column("row", "BIGINT", "The row that it is about."),
    _POSITION,
    Column("lint", "VARCHAR", "The kind, as docs/problems.md has it."),
    Column("severity", "VARCHAR", "note, warning or error."),
    Column("title", "VARCHAR", "What is wrong, in a line."),
    Column("happened", "VARCHAR", "What happened."),
    Column("why", "VARCHAR", "Why that is bad, or what brings it about."),
    Column("fix", "VARCHAR", "What to do."),
))  # fmt: skip

FUNCTIONS = Table("functions", "Calls of both kinds, added up by file and function.", (
    _FILE,
    Column("function", "VARCHAR", "The function."),
    Column("side", "VARCHAR", "Who has it: plugin or host."),
    Column("calls", "BIGINT", "How often it was called."),
    Column("failed", "BIGINT", "How often the host did not answer OK, or the plugin trapped."),
    Column("duration", "HUGEINT", "What all of them took in nanoseconds, where written with --timing."),
    Column("instructions", "HUGEINT", "What the plugin ran in all of them, where written with --timing."),
))  # fmt: skip

TRACES = Table("traces", "Each file's first line: what decided the run.", (
    _FILE,
    Column("plugins", "VARCHAR[]", "The plugins by name."),
    Column("engine", "VARCHAR", "The engine, where the file tells it."),
    Column("profile", "VARCHAR", "The proxy whose rules the host followed."),
    Column("seed", "BIGINT", "Where random numbers began."),
    Column("started", "BIGINT", "When the run began: virtual nanoseconds since 1970."),
    Column("note", "VARCHAR", "What is wrong with the file's end; null if nothing is."),
))  # fmt: skip

TABLES = (EXCHANGES, CALLBACKS, CALLS, HEADERS, LOGS, PROBLEMS, FUNCTIONS, TRACES)
