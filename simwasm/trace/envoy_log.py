"""A real Envoy's log with `wasm:trace` lines in it, read back as events.

    log = read_log("proxy.log")
    for event in events(log.threads[log.busiest], "my_plugin", Abi.V0_2_1): recorder(event)

Three forms of lines are known: Envoy's own (`[time][thread][level][wasm] …`), Istio's (tabs, `envoy wasm`, `thread=`)
and simwasm's. Lines of anything else are left out; a line that begins none continues what a
plugin logged, or a backtrace.

Rules: a thread is a worker, and each is a run of its own; the lines do not name the VM, so of a chain of plugins all
look like one; what a pointer pointed to is not in the log, so texts and bytes are unknown (None), except what the
plugin logged, which has a line of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

from simwasm.abi.kinds import Form, Param
from simwasm.abi.table import ALLOCATORS, VERSIONS, Abi, Function, Side, named
from simwasm.errors import Frame, TraceError, Trap, TrapKind
from simwasm.exchange import to_text
from simwasm.trace.envoy_text import V8
from simwasm.trace.event import Entered, Event, Left, Trapped

_FORMS = (
    re.compile(r"\[(?P<time>[-\d]+ [:.\d]+)\]\[(?P<thread>\d+)\]\[\w+\]\[wasm\] (?:\[[^\]]*:\d+\] )?(?P<text>.*)"),
    re.compile(
        r"(?P<time>[-\d]+T[:.\d]+)Z\t\w+\tenvoy wasm(?: [^\t]*)?\t(?P<text>.*?)(?:\tthread=(?P<thread>\d+))?"
    ),
)  # fmt: skip
_BEGINS = re.compile(r"\[\d{4}-|\d{4}-\d\d-\d\dT")
_CALL = re.compile(r"\[(?:host->vm|vm->host)\] (?:\w+\.)?(\w+)\(([\d, ]*)\)")
_RETURN = re.compile(r"\[(?:host<-vm|vm<-host)\] (?:\w+\.)?(\w+) return: (\d+|void)")
_TRAP = re.compile(r"Function: (\w+) failed: (.*)", re.DOTALL)
_FRAME = re.compile(r"^ +\d+: +0x([0-9a-f]+) - (.*)$", re.MULTILINE)
_LOG = re.compile(r"wasm log(?: (?P<name>[^:]*))?: (?P<text>.*)", re.DOTALL)
_LONG = re.compile(r"wasm log|Function: ")
"""What may have more lines than one."""
_UNNAMED = re.compile(r"unknown\(function index:(\d+)\)")
_NANOSECONDS = 1000
WHERE_LOGS = ("proxy_log", "fd_write", "fd_pwrite")
_NUMBERS = (Form.U32, Form.I32, Form.U64, Form.I64, Form.SPAN)


class Record(NamedTuple):
    """One line that Envoy's Wasm code wrote."""

    number: int
    """The line's number in the file."""
    at: int
    thread: int
    text: str


@dataclass(frozen=True)
class EnvoyLog:
    """The Wasm lines of a log, thread by thread."""

    path: str
    threads: dict[int, list[Record]] = field(default_factory=dict)

    @property
    def crossings(self) -> dict[int, int]:
        """How many calls each thread made that made any."""
        counts = {
            thread: sum(bool(_CALL.fullmatch(record.text)) for record in records)
            for thread, records in self.threads.items()
        }
        return {thread: count for thread, count in counts.items() if count}


def read_log(path: str) -> EnvoyLog:
    """Read a log; one without any crossing is an error that says how to get them."""
    try:
        with Path(path).open("rb") as file:
            records = list(_records(to_text(line).rstrip("\r\n") for line in file))
    except OSError as error:
        raise TraceError(f"{path}: cannot be read: {error.strerror}") from None
    found = EnvoyLog(path)
    for record in records:
        found.threads.setdefault(record.thread, []).append(record)
    if not found.crossings:
        raise TraceError(
            f"{path}: has no line of a crossing. Run Envoy with --component-log-level wasm:trace; in Istio: "
            "istioctl proxy-config log POD --level wasm:trace"
        )
    return found


def _records(lines: Iterable[str]) -> Iterator[Record]:
    pending: Record | None = None
    for number, line in enumerate(lines, 1):
        match = next((found for form in _FORMS if (found := form.fullmatch(line))), None)
        if match is None and pending is not None and not _BEGINS.match(line):
            if _LONG.match(pending.text):
                pending = pending._replace(text=f"{pending.text}\n{line}")
            continue
        if pending is not None:
            yield pending
        pending = _record(number, match) if match is not None else None
    if pending is not None:
        yield pending


def _record(number: int, match: re.Match[str]) -> Record | None:
    try:
        moment = datetime.fromisoformat(match["time"][:26].ljust(26, "0")).replace(tzinfo=timezone.utc)
    except ValueError:
        return None
    nanoseconds = round(moment.timestamp() * 1_000_000) * _NANOSECONDS
    return Record(number, nanoseconds, int(match["thread"] or 0), match["text"])


def name_in(records: Iterable[Record]) -> str:
    """The plugin's name, as its first log line of a stream tells it; empty if it never logged."""
    sources = (
        match["name"] for record in records if (match := _LOG.fullmatch(record.text)) and match["name"]
    )
    return next((source.split(" ")[0] for source in sources), "")


def version_in(records: Iterable[Record]) -> Abi:
    """The newest ABI that has all functions which were called, as they were called."""
    versions = set(VERSIONS)
    for record in records:
        match = _CALL.fullmatch(record.text)
        if match is not None:
            words = _words(match[2])
            fitting = {v for v in VERSIONS for row in named(match[1]) if row.has(v) and _fits(row, words)}
            versions &= fitting or versions
    return max(versions, key=VERSIONS.index, default=VERSIONS[-1])


def _fits(row: Function, words: tuple[int, ...]) -> bool:
    return len(row.type.params) == len(words)


def _words(text: str) -> tuple[int, ...]:
    return tuple(int(word) for word in text.split(", ") if word)


def events(log: EnvoyLog, thread: int, plugin: str, version: Abi) -> Iterator[Event]:
    """What crossed on a thread, from the first call that the log has whole."""
    return _Reading(log.path, plugin, version).run(log.threads[thread])


class _Reading:
    """A thread's records while they are gone through."""

    def __init__(self, path: str, plugin: str, version: Abi) -> None:
        self._path = path
        self._plugin = plugin
        self._version = version
        self._seq = 0
        self._open: list[Entered] = []
        self._acting: list[int] = []
        """Whom the open callbacks act for, innermost last."""

    def run(self, records: list[Record]) -> Iterator[Event]:
        for at, record in enumerate(records):
            if match := _CALL.fullmatch(record.text):
                yield self._entered(record, match, records[at + 1 : at + 2])
            elif match := _RETURN.fullmatch(record.text):
                yield from self._left(record, match)
            elif match := _TRAP.fullmatch(record.text):
                yield from self._trapped(match)

    def _entered(self, record: Record, match: re.Match[str], following: list[Record]) -> Entered:
        function = self._function(match[1], record)
        words = _words(match[2])
        if not _fits(function, words):
            raise TraceError(
                f"{self._path}:{record.number}: {function.name} has {len(function.type.params)} words, not {len(words)}"
            )
        if function.side is Side.PLUGIN and function.name not in ALLOCATORS:
            self._acting.append(words[0] if words and function.params[0].name == "context_id" else 0)
        context = self._acting[-1] if self._acting else 0
        self._seq += 1
        args = _args(function, words, following)
        entered = Entered(self._seq, record.at, self._plugin, context, function, args, words)
        self._open.append(entered)
        return entered

    def _function(self, name: str, record: Record) -> Function:
        rows = named(name)
        fitting = [row for row in rows if row.has(self._version)]
        if not rows:
            raise TraceError(
                f"{self._path}:{record.number}: calls {name}, which no version of the ABI has; was the line cut?"
            )
        return (fitting or list(rows))[0]

    def _left(self, record: Record, match: re.Match[str]) -> Iterator[Event]:
        """The innermost call returned; one that the log began in the middle of is left out."""
        if not self._open or self._open[-1].function.name != match[1]:
            if any(entered.function.name == match[1] for entered in self._open):
                raise TraceError(
                    f"{self._path}:{record.number}: {match[1]} returns inside {self._open[-1].function.name}: "
                    "lines are missing, or two threads have one number"
                )
            return
        entered = self._open.pop()
        function = entered.function
        result = None if match[2] == "void" else _result(function, int(match[2]))
        if function.side is Side.PLUGIN and function.name not in ALLOCATORS:
            self._acting.pop()
        elif function.name == "proxy_set_effective_context" and not result and self._acting:
            self._acting[-1] = entered.words[0] or self._acting[-1]
        self._seq += 1
        yield Left(self._seq, entered.seq, result, (), "")

    def _trapped(self, match: re.Match[str]) -> Iterator[Event]:
        """A callback trapped, and with it everything that was open in it."""
        trap = _trap(match[2])
        while self._open:
            entered = self._open.pop()
            if entered.function.side is Side.PLUGIN and entered.function.name not in ALLOCATORS:
                self._acting.pop()
            self._seq += 1
            yield Trapped(self._seq, entered.seq, trap)
            if entered.function.name == match[1]:
                return


def _args(function: Function, words: tuple[int, ...], following: list[Record]) -> tuple[Any, ...]:
    """The arguments as far as numbers tell them."""
    found: list[Any] = []
    at = 0
    for param in function.params:
        given = words[at : at + len(param.words)]
        at += len(param.words)
        if not param.out or param.form is Form.SPAN:
            found.append(_value(param, given))
    if function.name in WHERE_LOGS and following and (line := _LOG.fullmatch(following[0].text)):
        found[-1] = line["text"] if function.name == "proxy_log" else line["text"].encode()
    return tuple(found)


def _value(param: Param, words: tuple[int, ...]) -> Any:
    if param.form is Form.SPAN:
        return words[-1]
    if param.form is Form.FLAG:
        return bool(words[0])
    if param.form is Form.ENUM:
        return _named(param.enum, words[0])
    signed = param.form in (Form.I32, Form.I64)
    return _signed(words[0], param.form) if signed else words[0] if param.form in _NUMBERS else None


def _signed(word: int, form: Form) -> int:
    bits = 32 if form is Form.I32 else 64
    return word - (1 << bits) if word >> (bits - 1) else word


def _named(kind: Any, number: int) -> Any:
    try:
        return kind(number)
    except ValueError:
        return number


def _result(function: Function, number: int) -> Any:
    if function.errors is not None:
        return _named(function.errors, number)
    return _value(function.result, (number,)) if function.result is not None else number


def _trap(text: str) -> Trap:
    said = text.split("\n")[0].removeprefix("Uncaught ")
    kind = next((kind for kind, words in V8.items() if words == said), TrapKind.OTHER)
    frames = tuple(_frame(int(offset, 16), name) for offset, name in _FRAME.findall(text))
    return Trap(kind, frames, said if kind is TrapKind.OTHER else "")


def _frame(offset: int, name: str) -> Frame:
    unnamed = _UNNAMED.fullmatch(name)
    return Frame(int(unnamed[1]), "", offset) if unnamed else Frame(0, name, offset)
