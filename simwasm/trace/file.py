"""Trace files, read back at any size.

    trace = open_trace("login.trace.jsonl")
    trace.index()                    # all of it; without, rows are found as far as they are asked for
    trace.rows[142].entered.function.name

A row is parsed when it is asked for; what is kept of the others is where they are (`index.py`). Rules: one thread may
go through the file while others read the rows that it has found; `len(rows)` is how many these are; a file that ends
in the middle is read up to there, and `note` says so; anything else that is wrong is a `TraceError` with its line.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import Any, overload

from simwasm.errors import TraceError
from simwasm.plugin import Plugin
from simwasm.trace.decode import Decoder, Replay
from simwasm.trace.event import Event
from simwasm.trace.formats import converter
from simwasm.trace.index import KINDS, Index, Stretch
from simwasm.trace.linefile import BOM, LineFile
from simwasm.trace.parse import Ending, Header, Wrong, content_of, ending_of, measured_of, read_header
from simwasm.trace.rows import Row

_ALL = 1 << 62
_AHEAD = 1000
"""How many rows are found at once when a file is opened."""


def open_trace(path: str | Path, *, ahead: int = _AHEAD) -> TraceFile:
    """Open a trace file and find its first rows."""
    trace = TraceFile(LineFile(path))
    trace.index(ahead)
    return trace


class TraceFile:
    """An open trace file."""

    def __init__(self, file: LineFile) -> None:
        self._file = file
        first = file.first()
        self.header: Header = self._header(first)
        self._convert = converter(self.header.format)
        self.complete = False
        """Every line was looked at: `rows` are all there are."""
        self.note = ""
        """Why the file ends before the run did; empty if it does not."""
        self.rows = FileRows(self)
        self.outcomes: Sequence[Ending] = _Outcomes(self)
        self._begin = self._at = len(first)
        self._found = Index()
        self._turn = Lock()
        self._problem: TraceError | None = None
        self._decoder = Decoder(self.header)
        self._at_row: dict[int, int] = {}
        """The callback whose time was asked for last, and that time."""

    @property
    def path(self) -> str | Path:
        """Where it is."""
        return self._file.path

    @property
    def progress(self) -> float:
        """How much of the file was looked at, from 0 to 1."""
        return 1.0 if self.complete else min(1.0, self._at / max(1, self._file.size))

    @property
    def spans(self) -> Sequence[Stretch]:
        """The exchanges that have ended, with their first and last rows."""
        return self._found.stretches

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def index(self, until: int = _ALL) -> int:
        """Go on through the file until there are so many rows or it ends; how many there are now."""
        with self._turn:
            while len(self._found) < until and not self.complete:
                if self._problem is not None:
                    raise self._problem
                self._take(self._file.lines(self._at))
            return len(self._found)

    def _take(self, data: bytes) -> None:
        """Look at the next lines; b"" is the end of the file."""
        found = self._found
        if not data:
            self._ended()
            return
        try:
            found.add(BytesIO(data), self._at)
        except Wrong as wrong:
            if b"\n" in data[found.at - self._at :]:
                self._problem = self._error(wrong, found.lines + 1)
                raise self._problem from None
            self._ended(cut=True)
        finally:
            self._at = found.at

    def _ended(self, cut: bool = False) -> None:
        if cut:
            self.note = f"the file ends in the middle of line {self._found.lines + 1}: was the run killed?"
        elif self._found.open:
            name = self._row(self._found.open[-1]).entered.function.name
            self.note = f"the file ends while {name} is open: was the run killed?"
        self.complete = True

    def _header(self, line: bytes) -> Header:
        try:
            return read_header(content_of(line.removeprefix(BOM)))
        except Wrong as wrong:
            raise self._error(wrong, 1) from None

    def _error(self, wrong: Wrong, number: int) -> TraceError:
        return TraceError(f"{self.path}: line {number} {wrong}; record it again, or mend it by hand", number)

    def line_of(self, row: int) -> int:
        """On which line a row stands, counted from 1; one that ends a call on the line that tells it."""
        found = self._found
        begun = found.began(row)
        offset = found.begins[begun] if begun == row or found.ends[begun] < 0 else found.ends[begun]
        return self._file.number(offset)

    @property
    def last_line(self) -> int:
        """The number of the last line that was looked at."""
        return self._found.lines

    def outcome_line(self, index: int) -> int:
        """On which line an outcome stands."""
        return self._file.number(self._found.endings[index])

    def _row(self, index: int) -> Row:
        found = self._found
        begun = found.began(index)
        offset = found.begins[begun]
        ends = found.ends[begun]
        position, decoder, ended = found.positions[begun], self._decoder, None
        measured = 0, 0
        try:
            content = self._content(offset)
            entered = decoder.entered(content, position, self._time(content, begun))
            if ends >= 0:
                closing = content if ends == offset else self._content(offset := ends)
                ended = decoder.ended(closing, found.ended[begun], entered)
                measured = measured_of(closing)
        except Wrong as wrong:
            raise self._misread(wrong, offset) from None
        kind = KINDS[found.kinds[index]]
        return Row(index, found.positions[index], kind, found.depth(index), entered, ended, *measured)

    def _content(self, offset: int) -> dict[str, Any]:
        return self._convert(content_of(self._file.line(offset)))

    def _time(self, content: dict[str, Any], row: int) -> int | None:
        """When a call was made: at the time of the callback around it, if it does not say."""
        at, links = self._decoder.at(content), self._found.links
        while at is None and links[row] >= 0:
            row = links[row]
            at = self._at_row.get(row)
            if at is None:
                content = self._content(self._found.begins[row])
                at = self._decoder.at(content)
                if at is not None:
                    self._at_row = {row: at}  # the next rows are likely to be in the same callback
        return at

    def _misread(self, wrong: Wrong, offset: int) -> TraceError:
        return self._error(wrong, self._file.number(offset))

    def _outcome(self, index: int) -> Ending:
        offset = self._found.endings[index]
        try:
            return ending_of(self._content(offset).get("outcome"))
        except Wrong as wrong:
            raise self._misread(wrong, offset) from None

    def events(self) -> Iterator[Event | Ending]:
        """Everything in the order of the file, as a `Recorder` would be told it."""
        self.index()
        replay = Replay(self._decoder, self._convert)
        offset = self._begin
        while offset < self._at:
            for line in BytesIO(self._file.lines(offset)):
                if offset >= self._at:
                    break
                try:
                    yield from replay.line(line)
                except Wrong as wrong:
                    raise self._misread(wrong, offset) from None
                offset += len(line)

    def made_by(self, plugin: Plugin) -> str:
        """How a plugin differs from the one that this trace was made with; empty if it is the same build."""
        plugins = self.header.plugins
        made = next((made for made in plugins if made.name == plugin.name), plugins[0] if plugins else None)
        if made is None:
            return "the trace names no plugin"
        told = []
        if made.sha256 and made.sha256 != plugin.sha256:
            told.append(
                f"it was made with another build of it: sha256 {made.sha256[:12]}, not {plugin.sha256[:12]}"
            )
        if made.abi is not plugin.abi:
            told.append(f"that one had ABI {made.abi.value}, this one has {plugin.abi.value}")
        if made.name != plugin.name:
            told.append(f"its plugin is called {made.name}, this one {plugin.name}")
        return "; ".join(told)


class FileRows:
    """The rows of a trace file, as far as they were found. Asking for one behind them goes on through the file."""

    def __init__(self, trace: TraceFile) -> None:
        self._trace = trace

    def __len__(self) -> int:
        return len(self._trace._found)

    def __getitem__(self, index: int) -> Row:
        if index >= len(self):
            self._trace.index(index + 1)
        return self._trace._row(range(len(self))[index])

    def at(self, position: int) -> int:
        """The row on which one is at a position: the last that stands there or before; -1 for none."""
        return bisect_right(self._trace._found.positions, position) - 1

    def position(self, index: int) -> int:
        """Where a row stands, which costs less than the row."""
        return self._trace._found.positions[index]


class _Outcomes(Sequence[Ending]):
    """What became of the exchanges, each parsed when it is asked for."""

    def __init__(self, trace: TraceFile) -> None:
        self._trace = trace

    def __len__(self) -> int:
        return len(self._trace._found.endings)

    @overload
    def __getitem__(self, index: int) -> Ending: ...
    @overload
    def __getitem__(self, index: slice) -> list[Ending]: ...
    def __getitem__(self, index: int | slice) -> Ending | list[Ending]:
        if isinstance(index, slice):
            return [self._trace._outcome(at) for at in range(len(self))[index]]
        return self._trace._outcome(range(len(self))[index])
