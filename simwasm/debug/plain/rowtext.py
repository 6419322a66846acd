"""Rows as lines of text: the same for the same run, however fast it was.

     142 ← proxy_on_request_headers(context_id: 2, num_headers: 8, end_of_stream: true)
    ▶143     proxy_get_header_map_value(map_type: HTTP_REQUEST_HEADERS, key: "x") = NOT_FOUND · there is no header `x`
     144 → PAUSE

Names and arguments stand as in the arrow log, and so does the VM of a callback where there are several plugins. `▶` is
where one stands, `●` a breakpoint. What has not happened yet, though it is recorded, is dim in colour.
"""

from __future__ import annotations

from simwasm.trace.event import Left, Trapped
from simwasm.trace.rows import Kind, Row
from simwasm.trace.text import call_text, plain, printable, result_text, value_text

_DEEPEST = 12


def row_text(row: Row, *, whose: bool = False) -> str:
    """What happens on a row, without its number; `whose` tells the VM of a callback."""
    entered, ended = row.entered, row.ended
    if row.kind is Kind.HOST_CALL:
        return f"{call_text(entered.function, entered.args)}{_answered(row)}"
    if row.kind is Kind.CALLBACK:
        vm = printable(f"[{entered.vm}] ") if whose else ""
        return f"← {vm}{call_text(entered.function, entered.args)}"
    if isinstance(ended, Trapped):
        return printable(f"✗ {entered.function.name}: {ended.trap}")
    assert isinstance(ended, Left)
    if entered.function.result is None:
        return f"→ ({entered.function.name} returns)"
    return f"→ {value_text(ended.result)}"


def _one_line(text: str) -> str:
    return text.replace("\n", "\\n").replace("\t", "\\t")


def _answered(row: Row) -> str:
    ended = row.ended
    if ended is None:
        return " …"
    if isinstance(ended, Trapped):
        return printable(f" ✗ {ended.trap}")
    told = result_text(row.entered.function, ended, plain)
    return f" = {told}" if told else ""


def line(row: Row, *, digits: int, here: bool = False, mark: str = " ", whose: bool = False) -> str:
    """A row with its number, indented as deep as it is; `here` is whether one is on it."""
    place, indent = "▶" if here else " ", "    " * min(row.depth, _DEEPEST)
    return f"{place}{mark}{row.index + 1:>{digits}} {indent}{_one_line(row_text(row, whose=whose))}"
