"""The rows of a trace file that a query means, found in one pass, whatever the file's size.

Rules: a line is parsed only if the query can mean the function's rows (`query/possible.py`), or if it creates or ends
an exchange; what is kept is the callback that is gone through, and the exchanges that run. Whoever asks for methods or
paths has the file gone through before for them, since a trace tells an exchange's request when it has ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

from simwasm.abi.table import Side
from simwasm.errors import TraceError
from simwasm.exchange import Exchange, Message
from simwasm.trace.decode import Decoder
from simwasm.trace.event import Entered
from simwasm.trace.formats import converter
from simwasm.trace.linefile import BOM, LineFile
from simwasm.trace.parse import (
    Ending,
    Header,
    Wrong,
    content_of,
    ending_of,
    measured_of,
    read_header,
    side_of,
)
from simwasm.trace.query import Query, compile
from simwasm.trace.query.possible import possible
from simwasm.trace.query.syntax import All, Comparison, Node, Not
from simwasm.trace.query.syntax import Any as Either
from simwasm.trace.rows import Kind, Row
from simwasm.trace.shape import Shape, shape
from simwasm.trace.whose import CALLBACKS, CREATES, Whose

_OF_REQUESTS = ("method", "path")
_PLUGIN = Side.PLUGIN
Note = Callable[[str], object]


class Found(NamedTuple):
    """A row that is meant."""

    row: Row
    exchange: int
    """The number of its exchange, from 1; 0 for none."""
    around: str
    """The host's callback that it is in, or is."""


def scan(path: str | Path, query: Query, note: Note = lambda text: None) -> Iterator[Found]:
    """The rows that a query means, in their order; `note` is told why a file ends too early."""
    file = LineFile(path)
    try:
        requests = _requests(file) if _asks(query.node, _OF_REQUESTS) else {}
        yield from _Scan(file, query, requests, note).found()
    finally:
        file.close()


def _asks(node: Node, names: tuple[str, ...]) -> bool:
    """Whether a query asks for one of these terms."""
    if isinstance(node, Comparison):
        return node.name.lower() in names
    if isinstance(node, Not):
        return _asks(node.inner, names)
    return isinstance(node, (All, Either)) and any(_asks(part, names) for part in node.parts)


class Over(NamedTuple):
    """What became of an exchange."""

    exchange: int
    ending: Ending


def everything(path: str | Path, note: Note = lambda text: None) -> Iterator[Header | Found | Over]:
    """The header, all rows and what became of exchanges: a callback's rows when it has returned."""
    file = LineFile(path)
    try:
        scan = _Scan(file, compile(""), {}, note, endings=True)
        yield scan.header
        yield from scan.told()
    finally:
        file.close()


class _Open(NamedTuple):
    """A call that is open."""

    line: bytes
    number: int
    name: str
    row: int
    """The row it begins, from 0."""
    position: int
    at: int | None
    wanted: bool


class _Around:
    """What is around the rows of the callback that is gone through."""

    def __init__(self, scan: _Scan) -> None:
        self._scan = scan

    def exchange(self, entered: Entered, position: int, /) -> tuple[int, Exchange] | None:
        number = self._scan.whose.number(entered.vm, entered.context)
        return (number, self._scan.requests.get(number) or _UNKNOWN) if number else None

    def callback(self, position: int, /) -> str:
        return self._scan.callback


_UNKNOWN = Exchange("", 0, Message(()))


class _Scan:
    def __init__(
        self,
        file: LineFile,
        query: Query,
        requests: Mapping[int, Exchange],
        note: Note,
        *,
        endings: bool = False,
    ) -> None:
        self._file, self._query, self.requests, self._note = file, query, requests, note
        self._endings = endings
        self._over: Over | None = None
        self.whose = Whose()
        self.callback = ""
        self._possible = possible(query)
        self._open: list[_Open] = []
        self._rows = self._positions = 0
        self._found: list[Found] = []
        self._around = _Around(self)
        first = file.first()
        self._begin, self._number = len(first), 1
        try:
            self.header = read_header(content_of(first.removeprefix(BOM)))
        except Wrong as wrong:
            raise self._error(wrong, 1) from None
        self._decoder, self._convert = Decoder(self.header), converter(self.header.format)

    def _error(self, wrong: Wrong, number: int) -> TraceError:
        return TraceError(
            f"{self._file.path}: line {number} {wrong}; record it again, or mend it by hand", number
        )

    def found(self) -> Iterator[Found]:
        """The rows, callback by callback."""
        return (found for found in self.told() if isinstance(found, Found))

    def told(self) -> Iterator[Found | Over]:
        """The same, with what became of exchanges between them if that is wanted."""
        for line in _lines(self._file, self._begin):
            self._number += 1
            try:
                self._take(line, shape(line))
            except Wrong as wrong:
                if line.endswith(b"\n"):
                    raise self._error(wrong, self._number) from None
                self._note(
                    f"{self._file.path}: the file ends in the middle of line {self._number}: was the run killed?"
                )
                break
            if self._over is not None:
                yield self._over
                self._over = None
            if self._found and not self._open:
                yield from sorted(self._found, key=lambda found: found.row.index)
                self._found.clear()
        else:
            if self._open:
                self._note(
                    f"{self._file.path}: the file ends while {self._open[-1].name} is open: was the run killed?"
                )
        while self._open:
            call = self._open.pop()
            self._tell(call, b"", self._positions)
        yield from sorted(self._found, key=lambda found: found.row.index)

    def _take(self, line: bytes, found: Shape) -> None:
        if found.ending:
            number = self.whose.ended()
            if self._endings:
                self._over = Over(number, ending_of(self._convert(content_of(line)).get("outcome")))
        if found.begins:
            self._begins(line, found)
        elif found.ends and not self._open:
            raise Wrong("ends a call, and none is open: is a line missing before it?")
        if found.ends:
            self._positions += 1
            call = self._open.pop()
            called_back = side_of(call.name) is _PLUGIN
            self._rows += called_back or found.trapped
            if call.wanted:
                self._tell(call, line, self._positions, own_row=called_back or found.trapped)

    def _begins(self, line: bytes, found: Shape) -> None:
        self._positions += 1
        self._rows += 1
        wanted = found.name in self._possible
        if not self._open:
            self.callback = found.name if found.called_back else ""
        at = self._open[-1].at if self._open else None
        if wanted or found.called_back:
            content = content_of(line)
            at = self._decoder.at(content) if "at" in content else at
            if found.name in CALLBACKS:
                self.whose.called(found.name, *_context(content, found.name, self._decoder.only))
        self._open.append(_Open(line, self._number, found.name, self._rows - 1, self._positions, at, wanted))

    def _tell(self, call: _Open, end: bytes, position: int, own_row: bool = False) -> None:
        """Ask the query about the rows of a call that has ended, or never does (b"")."""
        if not call.wanted:
            return
        number = call.number
        try:
            content = self._convert(content_of(call.line))
            entered = self._decoder.entered(content, call.position, call.at)
            ended, measured = None, (0, 0)
            if end:
                number = self._number
                closing = content if end is call.line else self._convert(content_of(end))
                ended, measured = self._decoder.ended(closing, position, entered), measured_of(closing)
        except Wrong as wrong:
            raise self._error(wrong, number) from None
        called_back = entered.function.side is _PLUGIN
        kind = Kind.CALLBACK if called_back else Kind.HOST_CALL
        depth = len(self._open)
        self._ask(Row(call.row, call.position, kind, depth, entered, ended, *measured))
        if own_row:
            kind = Kind.TRAP if b'"trap"' in end and "trap" in content_of(end) else Kind.RETURN
            self._ask(Row(self._rows - 1, position, kind, depth, entered, ended, *measured))

    def _ask(self, row: Row) -> None:
        if self._query(row, self._around):
            number = self.whose.number(row.entered.vm, row.entered.context)
            self._found.append(Found(row, number, self.callback))


def _context(content: Mapping[str, Any], name: str, only: str) -> tuple[str, int, int]:
    """The plugin of a callback, its context, and the context that a new one is in; 0 for none."""
    vm, context, args = content.get("plugin", only), content.get("context", 0), content.get("args", {})
    parent = args.get("parent_context_id", 0) if name == CREATES and isinstance(args, dict) else 0
    if not isinstance(vm, str) or type(context) is not int or type(parent) is not int:
        raise Wrong("has a `plugin` that is no text, or a `context` that is no number")
    return vm, context, parent


def _lines(file: LineFile, offset: int) -> Iterator[bytes]:
    while data := file.lines(offset):
        offset += len(data)
        yield from BytesIO(data)


def _requests(file: LineFile) -> dict[int, Exchange]:
    """The requests of exchanges by their numbers, as far as a trace tells them."""
    found: dict[int, Exchange] = {}
    whose = Whose()
    first = file.first()
    try:
        only = next((made.name for made in read_header(content_of(first.removeprefix(BOM))).plugins), "")
        for line in _lines(file, len(first)):
            told = shape(line)
            if told.ending:
                ending = ending_of(content_of(line).get("outcome"))
                found[whose.ended()] = Exchange(ending.exchange, 0, _asked(ending), name=ending.name)
            elif told.begins and told.name in CALLBACKS:
                content = content_of(line)
                whose.called(told.name, *_context(content, told.name, only))
    except Wrong:
        return found  # it is told when the rows are gone through
    return found


def _asked(ending: Ending) -> Message:
    """The request as the upstream received it, otherwise what the exchange's name tells of it."""
    if ending.request is not None:
        return ending.request
    method, _, path = ending.name.partition(" ")
    return Message(((":method", method), (":path", path))) if path.startswith("/") else Message(())
