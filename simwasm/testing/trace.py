"""What crossed the ABI in a test, and what a test may expect of it.

    trace.count("proxy_log")                              how many calls
    trace.never("call:http_call")                         nothing is like that
    trace.in_order("get_header", "proxy_send_local_response")

A filter is a text in the filter language, or a function's name, which means its calls. Rules: a callback has two rows,
one where it begins and one where it ends, and counts as one call; whatever says yes or no is a `Verdict`, which
explains itself; a filter that cannot be understood is a `QueryError`, for it would never fit anything.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from simwasm.abi.table import ALLOCATORS
from simwasm.errors import InputError
from simwasm.exchange import Exchange
from simwasm.host.outcome import Outcome
from simwasm.host.profile import Profile
from simwasm.keeping import keeper
from simwasm.plugin import Plugin
from simwasm.recording import Recording
from simwasm.testing.excerpt import around, counted
from simwasm.testing.verdict import Verdict
from simwasm.trace import query
from simwasm.trace.event import Entered, Event
from simwasm.trace.event_rows import AroundEvents, EventRows
from simwasm.trace.query import names
from simwasm.trace.query.syntax import All
from simwasm.trace.rows import Kind, Row
from simwasm.trace.text import ArrowLog, printable

Entry = Event | Outcome
"""What a trace is made of: events, and what became of an exchange, where it ended."""
_NAME = re.compile(r"[A-Za-z_]\w*")
_KNOWN = frozenset((*names.HOST_NAMES, *names.CALLBACK_NAMES, *names.spellings()))
_BEGINS = (Kind.CALLBACK, Kind.HOST_CALL)


class Setting(NamedTuple):
    """What decided the run, as a trace file's first line tells it."""

    plugins: Sequence[Plugin]
    profile: Profile
    now_ns: int
    engine: str = ""


class Filter(NamedTuple):
    """Which rows are meant."""

    text: str
    fits: Callable[[Row], bool]
    parts: tuple[str, ...] = ()
    """What it asks for together, each a filter."""
    is_name: bool = False
    """It is a function's name."""

    def nothing(self) -> str:
        """That nothing fits, in words."""
        return f"{_tick(self.text)} is never called" if self.is_name else f"nothing fits {_tick(self.text)}"

    def something(self, row: int) -> str:
        """That a row fits, in words."""
        return f"{_tick(self.text)} {'is called' if self.is_name else 'fits'} in row {row}"


class Trace:
    """Everything that crossed the ABI, in its order.

    Example:
        >>> result = load_plugin("samples/allow_header/plugin.wasm").send("GET", "/")
        >>> assert result.trace.never("proxy_http_call")
        >>> assert result.trace.before("call:get_header status:NOT_FOUND", "proxy_send_local_response")
        >>> result.trace.count("proxy_log")
        2
    """

    def __init__(
        self, entries: Sequence[Entry], setting: Setting, whole: Callable[[], Trace] | None = None
    ) -> None:
        self.entries = entries
        self.setting = setting
        self._whole = whole
        """The trace that this is a part of: explanations number rows as they are there."""
        self.asked: tuple[str, tuple[Row, ...]] | None = None
        """The filter that was asked for last, and its rows."""

    @cached_property
    def rows(self) -> EventRows:
        """Its rows: one for each callback that begins, each host call, and each callback that ends."""
        return EventRows([entry for entry in self.entries if not isinstance(entry, Outcome)])

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """What became of its exchanges, in the order in which they ended."""
        return tuple(entry for entry in self.entries if isinstance(entry, Outcome))

    @property
    def text(self) -> str:
        """The arrow log."""
        lines: list[str] = []
        tell = ArrowLog(lines.append, whose=len(self.setting.plugins) > 1)
        for event in self.rows.events:
            tell(event)
        return "".join(lines)

    def __repr__(self) -> str:
        return f"<trace of {len(self.rows)} rows>"

    # What a test asks.

    def filter(self, wanted: str) -> tuple[Row, ...]:
        """The rows that a filter means."""
        fits = self._filter(wanted).fits
        found = tuple(row for row in self.rows if fits(row))
        self.asked = wanted, found
        return found

    def count(self, wanted: str) -> int:
        """How many calls a filter means."""
        return len({row.entered.seq for row in self.filter(wanted)})

    def has(self, wanted: str) -> Verdict:
        """Whether a filter means anything."""
        meant = self._filter(wanted)
        first = next(filter(meant.fits, self.rows), None)
        if first is None:
            return self._nothing(meant)
        return Verdict(True, meant.something(self.number(first)), first.position)

    def never(self, wanted: str) -> Verdict:
        """Whether a filter means nothing at all."""
        meant, rows = self._filter(wanted), self.filter(wanted)
        if not rows:
            return Verdict(True, meant.nothing())
        times = len({row.entered.seq for row in rows})
        more = f", the first of {times} calls" if times > 1 else ""
        return self._no(meant.something(self.number(rows[0])) + more, "", rows[0])

    def in_order(self, *wanted: str) -> Verdict:
        """Whether there are rows for these filters, each after the one before; others may be between them."""
        if not wanted:
            raise InputError("in_order: say what is to be in order, such as in_order('get_header', 'on_log')")
        found: list[Row] = []
        for text in wanted:
            rows = self.filter(text)
            after = found[-1].index if found else -1
            row = next((row for row in rows if row.index > after), None)
            if row is None:
                return self._out_of_order(text, rows, wanted, found)
            found.append(row)
        return Verdict(True, self._places(wanted, found), found[0].position if found else 0)

    def before(self, first: str, second: str) -> Verdict:
        """Whether there is a row for each of two filters, and the first one's comes first."""
        ones, others = self.filter(first), self.filter(second)
        for text, rows in ((first, ones), (second, others)):
            if not rows:
                return self._nothing(self._filter(text))
        if ones[0].index < others[0].index:
            return Verdict(True, self._places((first, second), (ones[0], others[0])), ones[0].position)
        places = self.number(others[0]), self.number(ones[0])
        said = f"{_tick(second)} comes first, in row {places[0]}; {_tick(first)} in row {places[1]}"
        return self._no(said, "", others[0])

    def matches_golden(self, name: str | None = None) -> Verdict:
        """Expect what was written down in the golden of this test; several in one test are told by a name.

        It is an `AssertionError` if it is otherwise, also without `assert`: no test passes because that was forgotten.
        """
        __tracebackhide__ = True  # pytest shows the test's own line
        found = keeper.get()
        if found is None:
            raise InputError("matches_golden: goldens belong to tests that pytest runs, and this is none")
        verdict = found.golden(self, name)
        if not verdict:
            raise AssertionError(str(verdict))
        return verdict

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to a file, for `simwasm debug`, `diff` and `query`."""
        try:
            with Path(path).open("w", encoding="utf-8", newline="\n") as file:
                self._write(file.write)
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            raise InputError(f"{path}: cannot be written: {why}") from None

    def _write(self, write: Callable[[str], object]) -> None:
        setting = self.setting
        recording = Recording(
            write, setting.plugins, profile=setting.profile, now_ns=setting.now_ns, engine=setting.engine
        )
        for entry in self.entries:
            if isinstance(entry, Outcome):
                recording.finished(entry)
            else:
                recording(entry)
        recording.flush()

    # How it answers.

    @cached_property
    def _around(self) -> AroundEvents:
        return AroundEvents(self.rows, _exchanges(self.entries))

    def _filter(self, text: str) -> Filter:
        return _of_function(text) or _of_query(text, self._around)

    def number(self, row: Row) -> int:
        """The number of a row in the whole trace of the plugin, from 1, as the debugger counts in a file of that."""
        return 1 + (row.index if self._whole is None else self._whole().rows.at(row.position))

    def _no(self, headline: str, details: str = "", row: Row | None = None) -> Verdict:
        shown = around(self.rows, row, self.number) if row is not None else ""
        told = "\n".join(part for part in (headline, details, shown) if part)
        verdict = Verdict(False, told, row.position if row is not None else 0)
        if (found := keeper.get()) is not None:
            found.explained(verdict)
        return verdict

    def _out_of_order(
        self, text: str, rows: Sequence[Row], wanted: Sequence[str], found: Sequence[Row]
    ) -> Verdict:
        if not rows:
            return self._nothing(self._filter(text))
        before = _tick(wanted[len(found) - 1])
        places = self.number(rows[-1]), self.number(found[-1])
        headline = f"{_tick(text)} is not after {before}: only in row {places[0]}, before row {places[1]}"
        return self._no(headline, self._places(wanted, found), rows[-1])

    def _nothing(self, meant: Filter) -> Verdict:
        """The answer where nothing fits, with what there is."""
        if len(meant.parts) > 1:
            counts = (f"{_tick(part)} fits {self.count(part) or 'none'}" for part in meant.parts)
            return self._no(meant.nothing(), "of the calls, " + ", ".join(counts))
        called = [
            row.entered.function.name
            for row in self.rows
            if row.kind in _BEGINS and row.entered.function.name not in ALLOCATORS
        ]
        there = f"called are: {counted(called)}" if called else "nothing is called at all"
        return self._no(meant.nothing(), there)

    def _places(self, wanted: Sequence[str], rows: Sequence[Row]) -> str:
        found = (
            f"{_tick(text)} is in row {self.number(row)}" for text, row in zip(wanted, rows, strict=False)
        )
        return ", ".join(found)


def _of_function(text: str) -> Filter | None:
    """The calls of a function, if a text is its name and nothing else."""
    if not _NAME.fullmatch(text):
        return None
    if names.canonical(text) not in _KNOWN:
        if text.startswith("proxy_") or _is_slip(text):
            raise InputError(f"no version of the ABI has {text}{names.nearest(text, tuple(_KNOWN))}")
        return None
    meant = names.functions(text)
    return Filter(text, lambda row: row.kind in _BEGINS and row.entered.function.name in meant, (), True)


def _is_slip(text: str) -> bool:
    """Whether it looks like a function's name and is in none, so that it would never be found."""
    word = names.canonical(text)
    return (
        "_" in word
        and not any(word in known for known in _KNOWN)
        and bool(get_close_matches(word, _KNOWN, 1, 0.8))
    )


def _of_query(text: str, around: AroundEvents) -> Filter:
    compiled = query.compile(text)
    parts = compiled.node.parts if isinstance(compiled.node, All) else ()
    return Filter(text, lambda row: compiled(row, around), tuple(map(str, parts)))


def _exchanges(entries: Sequence[Entry]) -> dict[tuple[str, int], tuple[int, Exchange]]:
    """Which exchange the streams of plugins are of: those that were let go of before it is told how it ended."""
    found: dict[tuple[str, int], tuple[int, Exchange]] = {}
    created: dict[tuple[str, int], int] = {}
    deleted: list[tuple[str, int]] = []
    number = 0
    vms: set[str] = set()
    for entry in entries:
        if isinstance(entry, Outcome):
            for stream in deleted:
                if stream in created:
                    found[stream] = created.pop(stream), entry.exchange
            deleted.clear()
        elif isinstance(entry, Entered):
            name = entry.function.name
            if name == "proxy_on_delete":
                deleted.append((entry.vm, entry.args[0]))
            elif name == "proxy_on_context_create" and entry.args[1]:
                if not vms or entry.vm in vms:
                    number += 1
                    vms = set()
                vms.add(entry.vm)
                created[entry.vm, entry.args[0]] = number
    return found


def _tick(text: str) -> str:
    return f"`{printable(text)}`"
