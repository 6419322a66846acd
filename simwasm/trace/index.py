"""Where the rows of a trace file are, found in one pass over its lines: 29 bytes for each row, however long it is.

    line 7   {"at": 0, … "call": "proxy_on_configure", …}           row 4  CALLBACK   ┐ link: row 4
    line 8   {… "call": "proxy_log", …, "result": "OK"}             row 5  HOST_CALL  │ link of row 5: row 4
    line 9   {"result": true}                                       row 6  RETURN     ┘

Rules: a row that begins a call is linked to the call around it, one that ends a call to the row that began it; an
exchange's rows are those of its stream contexts, from their creation to the line with what became of it.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from typing import NamedTuple

from simwasm.trace.parse import Wrong, content_of
from simwasm.trace.rows import Kind
from simwasm.trace.shape import shape

KINDS = (Kind.CALLBACK, Kind.HOST_CALL, Kind.RETURN, Kind.TRAP)
_CALLBACK, _HOST_CALL, _RETURN, _TRAP = range(4)
_DELETE = "proxy_on_delete"
_ABOUT_CONTEXTS = ("proxy_on_context_create", _DELETE)


class Stretch(NamedTuple):
    """An exchange in the file, once it has ended."""

    number: int
    """Which one it is, from 0 in the order in which they ended."""
    first: int
    """Its first row."""
    last: int
    """Its last row. Where exchanges run together, rows of others are between the two."""


class Index:
    """The rows so far. Lines are given in their order."""

    def __init__(self) -> None:
        self.lines = 1
        """How many were looked at, the header among them."""
        self.at = 0
        """Where the line begins that is looked at, or would be next."""
        self.begins = array("q")
        """Where the line of each row begins."""
        self.ends = array("q")
        """Where the line begins that ends the call which a row begins; -1 while there is none."""
        self.positions = array("I")
        self.ended = array("I")
        """The position of that end; 0 while there is none."""
        self.links = array("i")
        self.kinds = array("b")
        self.stretches: list[Stretch] = []
        self.endings = array("q")
        """Where the lines begin that tell what became of exchanges."""
        self.open: list[int] = []
        """The rows of calls that have not ended, outermost first."""
        self._events = 0
        self._created: dict[tuple[str, int], int] = {}
        self._deleted: list[tuple[str, int]] = []
        self._free = 0
        """The first row that belongs to no stretch."""

    def __len__(self) -> int:
        return len(self.kinds)

    def add(self, lines: Iterable[bytes], offset: int) -> None:
        """Look at the next lines. Long, since a call for each of its steps would double what a line costs."""
        opened, kinds, rows, calls_end = self.open, self.kinds, self._row, self.ends
        for line in lines:
            self.at = offset
            begins, ends, trapped, called_back, name, ending = shape(line)
            row = len(kinds)
            if begins:
                if called_back and name in _ABOUT_CONTEXTS:
                    self._note_context(name, line, row)
                rows(offset, _CALLBACK if called_back else _HOST_CALL, opened[-1] if opened else -1)
            elif ending:
                self._exchange_ended(offset)
            elif ends:
                if not opened:
                    raise Wrong("ends a call, and none is open: is a line missing before it?")
                row = opened.pop()
            if ends:
                calls_end[row] = offset
                self.ended[row] = self._events + 1
                if trapped:
                    rows(offset, _TRAP, row)
                elif kinds[row]:
                    self._events += 1
                else:
                    rows(offset, _RETURN, row)
            elif begins:
                opened.append(row)
            self.lines += 1
            offset += len(line)
        self.at = offset

    def _row(self, offset: int, kind: int, link: int) -> None:
        self._events += 1
        self.begins.append(offset)
        self.ends.append(-1)
        self.positions.append(self._events)
        self.ended.append(0)
        self.links.append(link)
        self.kinds.append(kind)  # last, since its length is how many rows there are

    def _note_context(self, name: str, line: bytes, row: int) -> None:
        content = content_of(line)
        number = content.get("context", 0)
        if type(number) is not int:
            raise Wrong("has a `context` that is no number")
        context = str(content.get("plugin", "")), number
        if name == _DELETE:
            self._deleted.append(context)
        elif isinstance(args := content.get("args"), dict) and args.get("parent_context_id") != 0:
            self._created[context] = row

    def _exchange_ended(self, offset: int) -> None:
        starts = [self._created.pop(context) for context in self._deleted if context in self._created]
        self._deleted.clear()
        rows = len(self)
        self.stretches.append(Stretch(len(self.stretches), min(starts, default=self._free), rows - 1))
        self._free = rows
        self.endings.append(offset)

    def depth(self, row: int) -> int:
        """How many calls are open around the call of a row."""
        found, at = 0, self.links[self.began(row)]
        while at >= 0:
            found += 1
            at = self.links[at]
        return found

    def began(self, row: int) -> int:
        """The row that began the call of a row."""
        return row if self.kinds[row] <= _HOST_CALL else self.links[row]
