"""Rows of a trace as a failed test shows them: the callback around one of them, with that one marked.

      13  → proxy_on_request_headers(context_id: 2, num_headers: 8, end_of_stream: true)
    > 14      proxy_get_header_map_value(map_type: HTTP_REQUEST_HEADERS, key: "allow") = NOT_FOUND
      16  ← PAUSE

Rules: rows have the numbers that the debugger and a trace file give them; arrows point as in the arrow log; what is far
from the marked row is left out; nothing that a plugin wrote gets onto the terminal as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from simwasm.abi.table import ALLOCATORS
from simwasm.trace.difftext import row_line
from simwasm.trace.event_rows import EventRows
from simwasm.trace.rows import Row

_NEAR = 6


def shown(row: Row) -> bool:
    """Whether a row is one to show: the guest's allocator is not."""
    return row.entered.function.name not in ALLOCATORS


def around(rows: EventRows, row: Row, number: Callable[[Row], int]) -> str:
    """The callback that a row is in, as far as it is near, with the row marked; `number` says what rows are called."""
    return "\n".join(_marked(block(rows, row), row, number))


def block(rows: EventRows, row: Row) -> list[Row]:
    """The rows of the outermost call around a row, itself among them."""
    outermost = rows.outermost(row)
    found: list[Row] = []
    for index in range(rows.at(outermost.seq), len(rows)):
        each = rows[index]
        if found and not each.depth and each.entered is not outermost:
            break
        found.append(each)
    return [each for each in found if shown(each) or each == row]


def _marked(rows: Sequence[Row], mark: Row, number: Callable[[Row], int]) -> Iterator[str]:
    """Rows one below the other: the marked one, what is near it, the first and the last."""
    place = next(at for at, row in enumerate(rows) if row.index == mark.index)
    near = {0, len(rows) - 1, *range(max(0, place - _NEAR), min(len(rows), place + _NEAR + 1))}
    width = len(str(number(rows[-1])))
    before = -1
    for at in sorted(near):
        if at > before + 1:
            yield f"  {'':{width}}  {'    ' * max(1, rows[at].depth)}… {_left_out(at - before - 1)}"
        row = rows[at]
        yield f"{'>' if at == place else ' '} {number(row):{width}}  {'    ' * row.depth}{row_line(row)}"
        before = at


def _left_out(count: int) -> str:
    return f"{count} more row{'s' if count > 1 else ''}"


def counted(names: Iterable[str]) -> str:
    """Names with how often they are there: `proxy_log ×3, proxy_on_log`."""
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    return ", ".join(name if count == 1 else f"{name} ×{count}" for name, count in counts.items())
