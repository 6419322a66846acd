"""A test file as values: the environment, the trials (its tests), what they put in and what they expect.

Rule: what can be known to be wrong before a plugin runs is an error here, with its place.
"""

from __future__ import annotations

from typing import NamedTuple

from simwasm.abi.enums import LogLevel
from simwasm.config.tree import Place
from simwasm.exchange import Header, Headers
from simwasm.suites.google.record import Record
from simwasm.suites.shape import wrong

_MATCHERS = ("exact", "regex", "file")


class Named(NamedTuple):
    """A file that is named: its path, as it is written."""

    path: str
    place: Place


class Env(NamedTuple):
    """What all tests of a file share."""

    wasm: Named | None = None
    config: Named | None = None
    log_level: LogLevel = LogLevel.INFO
    now_ns: int = 1_000_000
    """The time, which stands still: a millisecond after the epoch unless the file has another."""


class Matcher(NamedTuple):
    """What one of several texts is to be, or none if `invert`."""

    kind: str
    """exact, regex or file; nothing where none was said."""
    text: str
    invert: bool
    place: Place


class Wanted(NamedTuple):
    """A header that is to be there, or not."""

    key: str
    value: str
    place: Place


class Immediate(NamedTuple):
    """The answer of a plugin in the upstream's place; None is not looked at."""

    http_status: int | None
    grpc_status: int | None
    details: str | None
    place: Place


class Expectation(NamedTuple):
    """What is to come of a phase."""

    place: Place
    has_header: tuple[Wanted, ...] = ()
    no_header: tuple[Wanted, ...] = ()
    headers: tuple[Matcher, ...] = ()
    body: tuple[Matcher, ...] = ()
    immediate: Immediate | None = None
    log: tuple[Matcher, ...] = ()


class Input(NamedTuple):
    """What a phase is given: a file's contents, else `content`, else headers."""

    place: Place
    headers: Headers = ()
    content: str = ""
    file: str = ""


class Invocation(NamedTuple):
    """A phase."""

    input: Input
    result: Expectation
    place: Place


class Chunking(NamedTuple):
    """How bodies are cut: into so many chunks, or into chunks of a size."""

    unit: str
    """num_chunks or chunk_size."""
    number: int
    place: Place


class Trial(NamedTuple):
    """A request and its response, phase by phase."""

    name: str
    place: Place
    chunking: Chunking | None
    properties: Headers
    """Paths, with points between their parts, and values."""
    request_headers: Invocation | None
    request_body: tuple[Invocation, ...]
    response_headers: Invocation | None
    response_body: tuple[Invocation, ...]
    plugin_init: Expectation
    stream_init: Expectation
    stream_destroy: Expectation

    @property
    def expectations(self) -> tuple[Expectation, ...]:
        """All that is expected."""
        headers = (each for each in (self.request_headers, self.response_headers) if each is not None)
        phases = (*headers, *self.request_body, *self.response_body)
        return (self.plugin_init, self.stream_init, *(each.result for each in phases), self.stream_destroy)


class Suite(NamedTuple):
    """A whole file."""

    file: str
    env: Env
    trials: tuple[Trial, ...]


def suite_of(record: Record) -> Suite:
    """The suite that a file's record means."""
    env = record.record("env")
    trials = tuple(map(_trial, record.records("test"), range(1, 1 << 30)))
    return Suite(record.place.file, _env(env) if env is not None else Env(), trials)


def _env(record: Record) -> Env:
    level, seconds = record.number("log_level") or 0, record.number("time_secs") or 0
    return Env(
        _named(record, "wasm_path"),
        _named(record, "config_path"),
        LogLevel(level - 1) if level else Env().log_level,
        seconds * 1_000_000_000 if seconds else Env().now_ns,
    )


def _named(record: Record, field: str) -> Named | None:
    path = record.text(field)
    return Named(path, record.all(field)[0].place) if path else None


def _trial(record: Record, number: int) -> Trial:
    chunking = _chunking(record)
    for phase in ("request_body", "response_body"):
        bodies = record.records(phase)
        if chunking is not None and len(bodies) > 1:
            wrong(
                bodies[1].place,
                f"`{chunking.unit}` cuts one body into chunks, but this is another `{phase}`. Take one of them away",
            )
    return Trial(
        record.text("name") or f"test {number}",
        record.place,
        chunking,
        tuple((each.text("path") or "", each.text("value") or "") for each in record.records("properties")),
        _invocation(record.record("request_headers")),
        tuple(_made(each) for each in record.records("request_body")),
        _invocation(record.record("response_headers")),
        tuple(_made(each) for each in record.records("response_body")),
        _expectation(record.record("plugin_init"), record.place),
        _expectation(record.record("stream_init"), record.place),
        _expectation(record.record("stream_destroy"), record.place),
    )


def _chunking(record: Record) -> Chunking | None:
    for unit in ("num_chunks", "chunk_size"):
        number = record.number(unit)
        if number is None:
            continue
        place = record.all(unit)[0].place
        if number < 1:
            wrong(place, f"`{unit}: {number}` cuts nothing. Say 1 or more, or take it away")
        return Chunking(unit, number, place)
    return None


def _invocation(record: Record | None) -> Invocation | None:
    return None if record is None else _made(record)


def _made(record: Record) -> Invocation:
    given, result = record.record("input"), record.record("result")
    return Invocation(
        _input(given) if given is not None else Input(record.place),
        _expectation(result, record.place),
        record.place,
    )


def _input(record: Record) -> Input:
    headers = tuple(_header(each) for each in record.records("header"))
    return Input(record.place, headers, record.text("content") or "", record.text("file") or "")


def _header(record: Record) -> Header:
    return record.text("key") or "", record.text("value") or ""


def _expectation(record: Record | None, place: Place) -> Expectation:
    if record is None:
        return Expectation(place)
    immediate = record.record("immediate")
    return Expectation(
        record.place,
        tuple(_wanted(each, "has_header") for each in record.records("has_header")),
        tuple(_wanted(each, "no_header") for each in record.records("no_header")),
        tuple(map(_matcher, record.records("headers"))),
        tuple(map(_matcher, record.records("body"))),
        _immediate(immediate) if immediate is not None else None,
        tuple(map(_matcher, record.records("log"))),
    )


def _wanted(record: Record, field: str) -> Wanted:
    key, value = _header(record)
    if not key:
        wrong(record.place, f'this `{field}` names no header; write `{field} {{ key: "…" }}`')
    return Wanted(key, value, record.place)


def _matcher(record: Record) -> Matcher:
    kind = next((kind for kind in _MATCHERS if record.all(kind)), None)
    if kind is None:
        wrong(record.place, "this matches nothing; say what is expected by `exact`, `regex` or `file`")
    return Matcher(kind, record.text(kind) or "", bool(record.number("invert")), record.place)


def _immediate(record: Record) -> Immediate:
    return Immediate(
        record.number("http_status"), record.number("grpc_status"), record.text("details"), record.place
    )
