"""Where the exchanges of a trace file begin, found without looking at each line: a number or two for each exchange.

    begins   4,201   9,350   14,499      where the first line of an exchange stands
    bases       12      40       68      its first row

A file is looked at in large pieces, in which words are counted and a few patterns looked for. Rules: an exchange is
what `align.py` takes for one, from a stream's creation to the next one's; this can be said of files in the writer's own
spelling (`lines.py`) in which every call is closed before the next stream begins, and `Otherwise` says that a file is
not such a one; the end of a run that was killed may be missing.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator

from simwasm.errors import TraceError
from simwasm.trace.linefile import LineFile
from simwasm.trace.parse import Wrong, content_of

_STREAM = re.compile(
    rb'"call": "proxy_on_context_create", "args": \{"context_id": \d+, "parent_context_id": [1-9]'
)
_CREATION = b'"call": "proxy_on_context_create"'
_OUTCOME = re.compile(rb'\n\{"outcome": \{')
_CALLBACK, _CALL, _CHAINED = b'\n{"at": ', b'\n{"context": ', b'\n{"plugin": '
_RETURNED, _TRAPPED = b'\n{"result": ', b'\n{"trap": '
_RESULT, _TRAP = b'"result": ', b'"trap": '
BEGINS = (b"at", b"co", b"pl")
"""The third and fourth letter of a line with a call, that of a callback being the first."""
_ONE_BLOCK = 1 << 20
"""In more bytes nobody looks for whether they are one callback."""


class Otherwise(TraceError):
    """The file is spelled otherwise, or its calls are not closed where they should be."""

    def __init__(self) -> None:
        super().__init__("a trace has lines in an order that no recorder writes: record it again")


class Survey:
    """The exchanges of a file, and what became of them."""

    def __init__(self, file: LineFile, begin: int) -> None:
        self.file = file
        self.begins = array("q", [begin])
        self.bases = array("i", [0])
        self.outcomes = array("q")
        """Where the lines are that tell what became of exchanges."""
        self.end = begin
        """Behind the last whole line."""
        self.open = False
        """Calls of the last exchange have not ended."""
        self.trapped = False
        """There are traps in the exchange that is looked at: its rows have to be counted one by one."""
        self._rows = self._begun = self._ended = 0
        """Of the exchange that is looked at."""
        self._traps = self._chained = False
        """Whether some of the lines that are looked at have a trap, or name a plugin."""
        self.opens = False
        """A stream is created at once, and nothing comes before."""
        for offset, lines in chunks(file, begin):
            self._look(lines, offset)
        self._close()

    def __len__(self) -> int:
        return len(self.begins) - 1

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return self.bases[-1]

    def _look(self, lines: bytes, offset: int) -> None:
        cut = 0 if lines[-1:] == b"\n" else len(lines) - lines.rfind(b"\n") - 1
        if cut:
            self._check_cut(lines[-cut:])
            lines = lines[: len(lines) - cut]
        around = b"\n" + lines
        self.end = offset + len(lines)
        outcomes = [offset + match.start() for match in _OUTCOME.finditer(around)]
        self.outcomes.extend(outcomes)
        others = len(outcomes) + around.count(_RETURNED)
        self._traps, self._chained = _TRAP in around, _CHAINED in around
        start = 0
        for match in _STREAM.finditer(lines):
            at = lines.rfind(b"\n", 0, match.start()) + 1
            others += self._count(around[start : at + 1])
            self._boundary(offset + at, lines, offset)
            start = at
        others += self._count(around[start:])
        if self._traps:
            others += around.count(_TRAPPED)
        if others != lines.count(b"\n") or b"\0" in lines:
            raise Otherwise

    def _check_cut(self, line: bytes) -> None:
        """The last line has no end: a whole one is spelled otherwise, part of one is left out."""
        try:
            content_of(line)
        except Wrong:
            return
        raise Otherwise

    def _count(self, lines: bytes) -> int:
        """Count in whole lines, before which there is the end of another one; how many begin a call."""
        callbacks = lines.count(_CALLBACK)
        begun = callbacks + lines.count(_CALL)
        if self._chained:
            begun += lines.count(_CHAINED)
        self._ended += lines.count(_RESULT)
        if self._traps and (traps := lines.count(_TRAP)):
            self.trapped = True
            self._ended += traps
        self._begun += begun
        self._rows += begun + callbacks
        return begun

    def _boundary(self, offset: int, lines: bytes, base: int) -> None:
        """A stream is created: an exchange begins, unless all there is of the one before is a creation, too."""
        begin = self.begins[-1]
        if offset == begin:
            self.opens = True
            return
        if offset - begin <= _ONE_BLOCK:
            inside = begin >= base
            if _only_creates(
                lines[begin - base : offset - base] if inside else self.file.read(begin, offset - begin)
            ):
                return
        if self._begun != self._ended:
            raise Otherwise
        self._end_exchange(offset)

    def _end_exchange(self, offset: int) -> None:
        rows = self._rows if not self.trapped else self._rows_with_traps(offset)
        self.begins.append(offset)
        self.bases.append(self.bases[-1] + rows)
        self._rows = self._begun = self._ended = 0
        self.trapped = False

    def _rows_with_traps(self, end: int) -> int:
        """A trap of a host call has a row of its own, one of a callback is where it ends."""
        rows, opened = 0, []
        for _, lines in chunks(self.file, self.begins[-1], end):
            for line in lines.split(b"\n"):
                kind = line[2:4]
                if kind in BEGINS:
                    rows += 1
                    opened.append(kind == b"at")
                if _RESULT in line or _TRAP in line:
                    rows += (opened.pop() if opened else False) or _TRAP in line
        return rows

    def _close(self) -> None:
        if self._ended > self._begun:
            raise Otherwise
        self.open = self._begun > self._ended
        if self.open:
            self.trapped = True  # its rows are counted one by one, too
        self._end_exchange(self.end)


def chunks(file: LineFile, begin: int, end: int = 1 << 62) -> Iterator[tuple[int, bytes]]:
    """Whole lines between two offsets, in large pieces."""
    while begin < end and (lines := file.lines(begin)):
        lines = lines[: end - begin]
        yield begin, lines
        begin += len(lines)


def _only_creates(text: bytes) -> bool:
    """Whether whole lines hold the creation of streams and nothing else."""
    depth = at = 0
    while at < len(text):
        end = text.find(b"\n", at) + 1
        line = text[at:end]
        if line[2:4] in BEGINS:
            if not depth and (_CREATION not in line or not _STREAM.search(line)):
                return False
            depth += 1
        if _RESULT in line or _TRAP in line:
            depth -= 1
        at = end
    return True
