"""A row of the trace as a line: where one is, its number, the call, its status and how long it took.

    ▶● 147     get_header_map_value(HTTP_REQUEST_HEADERS, "authorization") = "Bearer x"      OK    9µs

The `proxy_` that begins nearly every name is left out here; the inspector shows names in full. What has not happened
yet, though it is recorded, is in the ink of the future.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from simwasm.trace.event import Left, Trapped, shown
from simwasm.trace.rows import Kind, Row
from simwasm_tui.text import Line, Piece, clean, count, spread, took, value

_LONG = 48
QUIET = ("OK", "SUCCESS")


def short(name: str) -> str:
    """A function's name without what they all begin with."""
    return name.removeprefix("proxy_")


def call(row: Row) -> Line:
    """A call: its name and its arguments."""
    function = row.entered.function
    ink = "callback" if row.kind is Kind.CALLBACK else "call"
    pieces: list[Piece] = [(short(function.name), ink), ("(", "muted")]
    for index, item in enumerate(row.entered.args):
        if index:
            pieces.append((", ", "muted"))
        pieces.append(_argument(item))
    return (*pieces, (")", "muted"))


def _argument(item: Any) -> Piece:
    if isinstance(item, (str, bytes)):
        return value(item, _LONG), "string"
    if isinstance(item, IntEnum):
        return item.name.removeprefix("HTTP_"), ""
    return value(item, _LONG), "number"


def status(row: Row) -> Piece:
    """What a host call answered, in a word; empty for callbacks."""
    function, ended = row.entered.function, row.ended
    if row.kind is not Kind.HOST_CALL:
        return "", ""
    if ended is None:
        return "┄ pending", "muted"
    if isinstance(ended, Trapped):
        return "✗ trapped", "bad"
    if function.errors is None:
        return "", ""
    word = str(shown(ended.result))
    return (word, "ok") if word in QUIET else (word, "warn" if word in ("NOT_FOUND", "EMPTY") else "bad")


def given(row: Row) -> Line:
    """What a host call gave, and why it did not."""
    ended = row.ended
    found: list[Piece] = []
    if row.kind is not Kind.HOST_CALL or not isinstance(ended, Left):
        return ()
    if ended.values:
        shown_values = ", ".join(value(item, _LONG) for item in ended.values)
        found += [(" = ", "muted"), (shown_values, "string")]
    if ended.reason:
        found.append((" · " + clean(ended.reason), "reason"))
    return tuple(found)


def body(row: Row, folded: int = -1) -> Line:
    """What happens on a row; `folded` is how many host calls are hidden in it, -1 if none are."""
    ended = row.ended
    if row.kind is Kind.HOST_CALL:
        return call(row)
    if row.kind is Kind.CALLBACK:
        return (("← " if folded < 0 else "▸ ", "callback"), *call(row))
    return _result(ended)


def _result(ended: Left | Trapped | None) -> Line:
    if isinstance(ended, Trapped):
        return ((f"✗ {clean(str(ended.trap))}", "bad"),)
    if ended is None or ended.result is None:
        return (("→", "callback"),)
    return (("→ ", "callback"), (value(ended.result), "action"))


def row_line(
    row: Row, width: int, *, digits: int = 4, now: int = 0, mark: str = " ", folded: int = -1
) -> Line:
    """The whole line; `now` is the position one is at, 0 for none."""
    here, later = row.position == now, now and row.position > now
    gutter: Line = (
        ("▶" if here else " ", "now"),
        (mark, "mark"),
        (f"{row.index + 1:>{digits}} ", "now" if here else "muted"),
        ("  " * min(row.depth, 12), ""),
    )
    text, after, (word, ink) = body(row, folded), given(row), status(row)
    long = took(row.took_ns) if row.kind is not Kind.CALLBACK or folded >= 0 else ""
    right: Line = ((word, ink), (f"{long:>6}", "muted")) if word or long else ()
    if folded >= 0:
        hidden: Line = ((f"… {count(folded, 'call')} ", "muted"),) if folded else ()
        right = (*hidden, *_result(row.ended), *right)
    if later:
        text = _dim(text)
    if later or (here and row.kind is Kind.HOST_CALL):
        after, right = _dim(after), _dim(right)
    return spread((*gutter, *text, *after), right, width)


def _dim(line: Line) -> Line:
    return tuple((text, ink if ink == "bad" else "future") for text, ink in line)
