"""A run as segments: the exchanges of a run, and the phases of an exchange; and the two lines that show them.

    start ▮▮│#1 GET / ▮▮▮▮▮▮│#2 POST /login ▮▮▮▮▮▶▯▯▯▯▯▯▯▯│#3 GET /a ▯▯▯▯▯✗▯
    ctx ▮│REQ HEADERS ▮▮▮▮▮▮▮▮▮◆▮▮▮▮▮▮▮▮▮▮▮▮▶▯▯▯▯│REQ BODY ▯▯▯▯●│RSP HEADERS ▯▯▯│log ▯

Pure. Rows of a phase are found by going from the end of one callback to the next, so a long run costs little.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from simwasm.debug.tape import Span, Tape
from simwasm_tui.text import Line, Piece, cells, clean, count

_LABELS = {
    "_initialize": "init", "_start": "init", "main": "init", "__main_void": "init",
    "proxy_on_vm_start": "vm", "proxy_on_configure": "config", "proxy_validate_configuration": "config",
    "proxy_on_context_create": "ctx", "proxy_on_tick": "tick",
    "proxy_on_request_headers": "REQ HDR", "proxy_on_request_body": "REQ BODY",
    "proxy_on_request_trailers": "REQ TRL", "proxy_on_request_metadata": "REQ META",
    "proxy_on_response_headers": "RSP HDR", "proxy_on_response_body": "RSP BODY",
    "proxy_on_response_trailers": "RSP TRL", "proxy_on_response_metadata": "RSP META",
    "proxy_on_http_call_response": "CALL", "proxy_on_queue_ready": "queue",
    "proxy_on_done": "end", "proxy_on_log": "end", "proxy_on_delete": "end",
}  # fmt: skip
_MANY = 150
"""Exchanges that are shown one by one."""
_MOST = 10_000
"""Callbacks looked at in one exchange."""
_STRONGEST = "✗◆●"
_LEAST = 3
"""Cells of a bar that has a name."""


class Segment(NamedTuple):
    """Rows that belong together."""

    label: str
    first: int
    last: int
    """Its last row."""


class Mark(NamedTuple):
    """A row that stands out."""

    row: int
    sign: str


class Strip(NamedTuple):
    """A line of the timeline, and the row that each of its cells stands for."""

    line: Line
    rows: tuple[int, ...]


def rows_of(tape: Tape, span: Span, rows: int) -> tuple[int, int]:
    """The first and the last row of an exchange, as long as it is on its own."""
    first = tape.rows.at(span.first - 1) + 1
    following = tape.spans[span.index + 1].first if span.index + 1 < len(tape.spans) else len(tape) + 1
    last = tape.rows.at(max(span.last, span.first)) if span.last else tape.rows.at(following - 1)
    return first, max(first, min(last, rows - 1))


def exchanges(tape: Tape, rows: int) -> list[Segment]:
    """The plugin's start, then every exchange, then its end; very many exchanges are one segment."""
    spans = tape.spans
    if not spans or len(spans) > _MANY:
        return [Segment(count(len(spans), "exchange") if spans else "start", 0, rows - 1)] if rows else []
    found = [Segment("start", 0, tape.rows.at(spans[0].first - 1))]
    for span in spans:
        first, last = rows_of(tape, span, rows)
        found.append(Segment(f"#{span.index + 1} {clean(span.exchange.label)}", first, last))
    if found[-1].last < rows - 1:
        found.append(Segment("end", found[-1].last + 1, rows - 1))
    return [segment for segment in found if segment.first <= min(segment.last, rows - 1)]


def exchange_at(tape: Tape, row: int, rows: int) -> tuple[int, int]:
    """The first and the last row of what `exchanges` would show a row in."""
    spans = tape.spans
    which = bisect_right(spans, row, key=lambda span: tape.rows.at(span.first - 1) + 1) - 1
    if which < 0:
        return 0, (tape.rows.at(spans[0].first - 1) if spans else rows - 1)
    first, last = rows_of(tape, spans[which], rows)
    if row <= last:
        return first, last
    following = tape.rows.at(spans[which + 1].first - 1) if which + 1 < len(spans) else rows - 1
    return last + 1, following


def callbacks(tape: Tape, first: int, last: int) -> Iterable[tuple[int, int]]:
    """The callbacks of the host between two rows: the row where each begins and the one where it ends."""
    row = first
    for _ in range(_MOST):
        if row > last:
            return
        end = tape.end_of(tape.rows.position(row))
        ends = tape.rows.at(end) if end > tape.rows.position(row) else last
        yield row, ends
        row = max(ends, row) + 1


def phases(tape: Tape, first: int, last: int) -> list[Segment]:
    """The phases between two rows; callbacks of one phase in a row are one."""
    found: list[Segment] = []
    for begins, ends in callbacks(tape, first, last):
        name = tape.rows[begins].entered.function.name
        label = _LABELS.get(name) or clean(name.removeprefix("proxy_on_").removeprefix("proxy_"))
        if found and found[-1].label == label:
            found[-1] = found[-1]._replace(last=ends)
        else:
            found.append(Segment(label, begins, ends))
    return found


def draw(segments: Sequence[Segment], width: int, now: int, marks: Sequence[Mark]) -> Strip:
    """Segments side by side, each with its name and a bar."""
    if not segments or width < 8:
        return Strip((), ())
    named = _named(segments, width)
    return _joined(named, _bars(named, width), now, marks)


def _named(segments: Sequence[Segment], width: int) -> list[Segment]:
    """Segments with names as long as there is room for; too many have none, and far too many are one."""
    number = len(segments)
    if number * 2 > width:
        return [Segment("", segments[0].first, segments[-1].last)]
    for room in range(max(len(segment.label) for segment in segments), 2, -1):
        named = [segment._replace(label=_cut(segment.label, room)) for segment in segments]
        if sum(len(segment.label) + 1 + _LEAST for segment in named) + number - 1 <= width:
            return named
    return [segment._replace(label="") for segment in segments]


def _cut(label: str, room: int) -> str:
    return label if len(label) <= room else label[: room - 1] + "…"


def _bars(segments: Sequence[Segment], width: int) -> list[int]:
    """The width of each bar: one cell at least, the rest by the number of rows."""
    room = width - (len(segments) - 1) - sum(len(item.label) + bool(item.label) for item in segments)
    sizes = [item.last - item.first + 1 for item in segments]
    spare, total = max(0, room - len(segments)), sum(sizes)
    found, given, seen = [], 0, 0
    for size in sizes:
        seen += size
        upto = spare * seen // total
        found.append(1 + upto - given)
        given = upto
    return found


def _joined(segments: Sequence[Segment], bars: Sequence[int], now: int, marks: Sequence[Mark]) -> Strip:
    pieces: list[Piece] = []
    rows: list[int] = []
    for index, (segment, bar) in enumerate(zip(segments, bars, strict=True)):
        if index:
            pieces.append(("│", "line"))
            rows.append(segment.first)
        inside = segment.first <= now <= segment.last
        if segment.label:
            label = segment.label + " "
            ink = "strong" if inside else "" if segment.last < now else "muted"
            pieces.append((label, ink))
            rows += [segment.first] * cells(((label, ""),))
        for piece, row in _bar(segment, bar, now, marks):
            pieces.append(piece)
            rows.append(row)
    return Strip(tuple(pieces), tuple(rows))


def _bar(segment: Segment, width: int, now: int, marks: Sequence[Mark]) -> Iterable[tuple[Piece, int]]:
    size = segment.last - segment.first + 1
    edges = [segment.first + size * cell // width for cell in range(width + 1)]
    inside: dict[int, list[Mark]] = {}
    for mark in marks:
        if segment.first <= mark.row <= segment.last:
            inside.setdefault(_cell(edges, mark.row), []).append(mark)
    stands = _cell(edges, now) if segment.first <= now <= segment.last else -1
    for cell, (first, following) in enumerate(pairwise(edges)):
        shown = inside.get(cell)
        if cell == stands:
            yield ("▶", "now"), now
        elif shown:
            mark = min(shown, key=lambda mark: (_STRONGEST + mark.sign).index(mark.sign))
            yield (mark.sign, "bad" if mark.sign == "✗" else "mark"), mark.row
        else:
            yield ("▮", "past") if following <= now else ("▯", "future"), first


def _cell(edges: Sequence[int], row: int) -> int:
    """The cell of a row: the last one that begins with it or before it, for whatever is shown there."""
    return bisect_right(edges, row, hi=len(edges) - 1) - 1
