"""Two runs as one text, in the manner of `diff -u`: what differs, and a few rows around it.

    @@ row 12 | row 12 · proxy_on_request_headers, context 2 @@
      → proxy_on_request_headers(context_id: 2, num_headers: 8, end_of_stream: true)
    ~     proxy_get_header_map_value(map_type: HTTP_REQUEST_HEADERS, key: "allow") = NOT_FOUND
          status: OK -> NOT_FOUND
    -     proxy_log(level: INFO, message: "allowed") = OK
      ← CONTINUE

Rules: arrows are those of the arrow log; colours are the caller's; a line is text that is safe on a terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from simwasm.trace.alignment import Alignment, Difference, Pair
from simwasm.trace.event import Left
from simwasm.trace.explain import explain, one_line
from simwasm.trace.rows import Kind, Row
from simwasm.trace.text import call_text, plain, result_text, value_text

Ink = Callable[[str, str], str]
_STYLES = {
    Difference.SAME: "ok",
    Difference.RESULT: "reason",
    Difference.ARGUMENTS: "reason",
    Difference.ONLY_LEFT: "bad",
    Difference.ONLY_RIGHT: "action",
}


def diff_text(alignment: Alignment, *, around: int = 3, ink: Ink = plain, start: int = 0) -> Iterator[str]:
    """The lines of a comparison, from a pair on; none if the runs are the same."""
    for first, end in hunks(alignment, around, start):
        yield from diff_lines(alignment, range(first, end), ink)


def diff_lines(alignment: Alignment, pairs: range, ink: Ink = plain) -> Iterator[str]:
    """The lines of a stretch of pairs, whether they differ or not."""
    yield ink("callback", _head(alignment, alignment[pairs.start]))
    for at in pairs:
        yield from _lines(alignment, alignment[at], ink)


def hunks(alignment: Alignment, around: int, start: int) -> Iterator[tuple[int, int]]:
    """Stretches of pairs around what differs; those that would touch are one."""
    first = end = -1
    for at in alignment.changes():
        if at < start:
            continue
        if first >= 0 and at - around > end:
            yield first, end
            first = -1
        first = max(start, at - around) if first < 0 else first
        end = min(len(alignment), at + around + 1)
    if first >= 0:
        yield first, end


def _head(alignment: Alignment, pair: Pair) -> str:
    left, right = ("nothing" if index is None else f"row {index + 1:,}" for index in (pair.left, pair.right))
    row = next(row for row in alignment.rows(pair) if row is not None)
    return f"@@ {left} | {right} · {row.entered.function.name}, context {row.entered.context} @@"


def _lines(alignment: Alignment, pair: Pair, ink: Ink) -> Iterator[str]:
    left, right = alignment.rows(pair)
    row = right or left
    assert row is not None
    difference = pair.difference
    mark = "~" if difference is Difference.RESULT else difference.value
    yield ink(_STYLES[difference], f"{mark} {'    ' * row.depth}{row_line(row)}")
    if left is not None and right is not None and difference is not Difference.SAME:
        yield ink("reason", f"  {'    ' * row.depth}    {explain(left, right)}")


def row_line(row: Row) -> str:
    """A row with its result, on one line."""
    function, ended = row.entered.function, row.ended
    if row.kind is Kind.RETURN and isinstance(ended, Left):
        return "←" if function.result is None else f"← {value_text(ended.result)}"
    if row.kind is Kind.TRAP:
        return one_line(f"✗ {getattr(ended, 'trap', '')}")
    called = call_text(function, row.entered.args)
    if row.kind is Kind.CALLBACK:
        return f"→ {called}"
    return f"{called} = {one_line(result_text(function, ended))}" if isinstance(ended, Left) else called
