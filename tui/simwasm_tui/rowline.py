"""A row of the trace as a line: where one is, its number, the call, its status and how long it took.

    ▶● 147     get_header_map_value(HTTP_REQUEST_HEADERS, "authorization") = "Bearer x"      OK    9µs

The `proxy_` that begins nearly every name is left out here; the inspector shows names in full. Where there is little
room the reason goes first, then names are shortened, so that the key, the value and the status are seen:

    get_header(REQ, "authorization") = "Bearer x"

What has not happened yet, though it is recorded, is in the ink of the future.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from simwasm.trace.event import Entered, Left, Trapped
from simwasm.trace.rows import Kind, Row
from simwasm_tui.text import Line, Piece, cells, clean, count, spread, took, value

_LONG = 48
_SHORT_NAME = 16
QUIET = ("OK", "SUCCESS")


_BRIEF = (
    ("header_map_value", "header"), ("header_map_pairs", "headers"), ("header_map_size", "headers_size"),
    ("buffer_bytes", "buffer"), ("buffer_status", "buffer_size"),
)  # fmt: skip
"""Parts of names that are written shorter where there is little room."""
_BRIEF_VALUES = {
    "HTTP_REQUEST_HEADERS": "REQ", "HTTP_REQUEST_TRAILERS": "REQ-TRAILERS", "HTTP_REQUEST_BODY": "REQ",
    "HTTP_RESPONSE_HEADERS": "RESP", "HTTP_RESPONSE_TRAILERS": "RESP-TRAILERS", "HTTP_RESPONSE_BODY": "RESP",
    "HTTP_CALL_RESPONSE_HEADERS": "CALL", "HTTP_CALL_RESPONSE_TRAILERS": "CALL-TRAILERS",
    "HTTP_CALL_RESPONSE_BODY": "CALL",
    "GRPC_CALL_INITIAL_METADATA": "GRPC", "GRPC_CALL_TRAILING_METADATA": "GRPC-TRAILERS",
}  # fmt: skip


def short(name: str) -> str:
    """A function's name without what they all begin with."""
    return name.removeprefix("proxy_")


def brief(name: str) -> str:
    """A function's name where there is little room."""
    name = short(name)
    for part, shorter in _BRIEF:
        name = name.replace(part, shorter)
    return name


def call(row: Row, *, briefly: bool = False) -> Line:
    """A call: its name and its arguments."""
    ink = "callback" if row.kind is Kind.CALLBACK else "call"
    return called(row.entered, ink, briefly=briefly)


def called(entered: Entered, ink: str = "call", *, briefly: bool = False) -> Line:
    """A call of which only the beginning is looked at."""
    name = entered.function.name
    pieces: list[Piece] = [(brief(name) if briefly else short(name), ink), ("(", "muted")]
    for index, item in enumerate(entered.args):
        if index:
            pieces.append((", ", "muted"))
        pieces.append(_argument(item, briefly))
    return (*pieces, (")", "muted"))


def _argument(item: Any, briefly: bool) -> Piece:
    if isinstance(item, (str, bytes)):
        return value(item, _LONG), "string"
    if isinstance(item, IntEnum):
        name = item.name.removeprefix("HTTP_")
        return (_BRIEF_VALUES.get(item.name, name) if briefly else name), ""
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
    word = value(ended.result)
    if ended.result is None:
        return word, "muted"
    return (word, "ok") if word in QUIET else (word, "warn" if word in ("NOT_FOUND", "EMPTY") else "bad")


def given(row: Row) -> Line:
    """What a host call gave."""
    ended = row.ended
    if row.kind is not Kind.HOST_CALL or not isinstance(ended, Left) or not ended.values:
        return ()
    return ((" = ", "muted"), (", ".join(value(item, _LONG) for item in ended.values), "string"))


def reason(row: Row) -> Line:
    """Why a host call did not give it."""
    ended = row.ended
    told = row.kind is Kind.HOST_CALL and isinstance(ended, Left) and ended.reason
    return ((" · " + clean(told), "reason"),) if told else ()


def body(row: Row, folded: int = -1, *, briefly: bool = False, whose: bool = False) -> Line:
    """What happens on a row; `folded` is how many host calls are hidden in it, -1 if none are; `whose` tells the VM."""
    ended = row.ended
    if row.kind is Kind.HOST_CALL:
        return call(row, briefly=briefly)
    if row.kind is Kind.CALLBACK:
        name = clean(vm_name(row.entered.vm, _SHORT_NAME if briefly else _LONG))
        vm: Line = ((f"{name} ", "muted"),) if whose else ()
        return (("← " if folded < 0 else "▸ ", "callback"), *vm, *call(row, briefly=briefly))
    return _result(ended)


def vm_name(name: str, room: int = _LONG) -> str:
    """The name of a VM; without the namespace, or cut, where there is little room."""
    fitting = name if len(name) <= room else name.rpartition(".")[2]
    return fitting if len(fitting) <= room else f"{fitting[: room - 1]}…"


def fitted(row: Row, room: int, folded: int = -1, *, whose: bool = False) -> tuple[Line, Line]:
    """What happens on a row and what came of it, in as full a form as there is room for."""
    text, after, why = body(row, folded, whose=whose), given(row), reason(row)
    if cells(text) + cells(after) > room or (why and cells(text) + cells(after) + cells(why) > room):
        text = body(row, folded, briefly=True, whose=whose)
    return text, (*after, *why)


def _result(ended: Left | Trapped | None) -> Line:
    if isinstance(ended, Trapped):
        return ((f"✗ {clean(str(ended.trap))}", "bad"),)
    if ended is None or ended.result is None:
        return (("→", "callback"),)
    return (("→ ", "callback"), (value(ended.result), "action"))


def row_line(
    row: Row,
    width: int,
    *,
    digits: int = 4,
    now: int = 0,
    inside: bool = False,
    mark: str = " ",
    folded: int = -1,
    whose: bool = False,
) -> Line:
    """The whole line; `now` is where one is, 0 for none; `inside`, amid the code behind it; `whose`: with VMs."""
    here, later = row.position == now, now and row.position > now
    gutter: Line = (
        (("▷" if inside else "▶") if here else " ", "now"),
        (mark, "mark"),
        (f"{row.index + 1:>{digits}} ", "now" if here else "muted"),
        ("  " * min(row.depth, 12), ""),
    )
    word, ink = status(row)
    long = took(row.took_ns) if row.kind is not Kind.CALLBACK or folded >= 0 else ""
    right: Line = ((word, ink), (f"{long:>6}", "muted")) if word or long else ()
    if folded >= 0:
        hidden: Line = ((f"… {count(folded, 'call')} ", "muted"),) if folded else ()
        right = (*hidden, *_result(row.ended), *right)
    text, after = fitted(row, width - cells(gutter) - cells(right) - bool(right), folded, whose=whose)
    if later:
        text = _dim(text)
    if later or (here and not inside and row.kind is Kind.HOST_CALL):
        after, right = _dim(after), _dim(right)
    return spread((*gutter, *text, *after), right, width)


def _dim(line: Line) -> Line:
    return tuple((text, ink if ink == "bad" else "future") for text, ink in line)
