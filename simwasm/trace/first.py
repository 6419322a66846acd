"""The first crossing that two runs do not share, in a sentence; the left run is the one before.

    row 15, in proxy_on_request_headers of exchange 2 (GET /status/418):
    proxy_get_header_map_value(key: "allow") answered NOT_FOUND (there is no header `allow`), and OK "true" before

Rules: rows are counted from 1, as in the debugger, and as in the run on the right, or before where one is gone; a call
is named by what it is about and not by all of its arguments; nothing that a plugin wrote gets onto the line as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from simwasm.abi.kinds import Form
from simwasm.trace.alignment import Alignment, Difference, Pair
from simwasm.trace.alike import names_of
from simwasm.trace.difftext import Ink, diff_lines
from simwasm.trace.event import Left, Trapped
from simwasm.trace.explain import explain, one_line
from simwasm.trace.file import TraceFile
from simwasm.trace.rows import Kind, Row, Rows
from simwasm.trace.text import plain, value_text

Exchanges = Callable[[int], str]
"""Which exchange a row belongs to, in words; empty if to none."""
_FARTHEST = 100_000
"""How many rows back the callback around a row is looked for."""
_SHORT = 60


def first_difference(alignment: Alignment, exchanges: Exchanges | None = None) -> str:
    """The first crossing that differs, in words; empty if none does. `exchanges` knows the run on the right."""
    at = next(alignment.changes(), None)
    if at is None:
        return ""
    pair = alignment[at]
    left, right = alignment.rows(pair)
    return f"{_where(alignment, pair, exchanges)}: {_what(left, right, pair.difference)}"


def what_differs(alignment: Alignment, at: int) -> str:
    """How the rows of a pair differ, in words."""
    pair = alignment[at]
    return _what(*alignment.rows(pair), pair.difference)


def first_callback(alignment: Alignment, *, around: int = 12, ink: Ink = plain) -> Iterator[str]:
    """The callback in which the runs part, as a diff: not more than so many rows before and behind."""
    at = next(alignment.changes(), None)
    if at is None:
        return
    first, end = callback_pairs(alignment, at, around)
    yield from diff_lines(alignment, range(first, end), ink=ink)


def exchanges_of(trace: TraceFile) -> Exchanges:
    """The exchanges of a trace file by its rows: `exchange 2 (GET /status/418)`."""

    def told(row: int) -> str:
        trace.index(row + 1)
        while not trace.complete and (not trace.spans or trace.spans[-1].last < row):
            trace.index(len(trace.rows) + 1000)
        span = next((span for span in trace.spans if span.first <= row <= span.last), None)
        if span is None:
            return ""
        name = one_line(trace.outcomes[span.number].name)
        return f"exchange {span.number + 1} ({name})" if name else f"exchange {span.number + 1}"

    return told


def _where(alignment: Alignment, pair: Pair, exchanges: Exchanges | None) -> str:
    gone = pair.right is None
    index = pair.left if pair.right is None else pair.right
    assert index is not None
    rows = alignment.left if gone else alignment.right
    around = callback_around(rows, index)
    parts = [f"row {index + 1:,}{' before' if gone else ''}"]
    if around is not None and around.index != index:
        parts.append(f"in {around.entered.function.name}")
    exchange = exchanges(index) if exchanges is not None and not gone else ""
    if exchange:
        parts[-1] += f" of {exchange}"
    return ", ".join(parts)


def callback_around(rows: Rows, index: int) -> Row | None:
    """The callback of the host that a row is in, or is."""
    for at in range(index, max(-1, index - _FARTHEST), -1):
        row = rows[at]
        if not row.depth and row.kind is Kind.CALLBACK:
            return row
    return None


def callback_pairs(alignment: Alignment, at: int, around: int) -> tuple[int, int]:
    """The pairs of the callback of a pair, as far as they are near."""
    first, end = at, at + 1
    while first > max(0, at - around) and not _begins(alignment, first):
        first -= 1
    while end < min(len(alignment), at + around + 1) and not _begins(alignment, end):
        end += 1
    return first, end


def _begins(alignment: Alignment, at: int) -> bool:
    row = next(row for row in alignment.rows(alignment[at]) if row is not None)
    return not row.depth and row.kind is Kind.CALLBACK


def _what(left: Row | None, right: Row | None, difference: Difference) -> str:
    if left is None or right is None:
        row = right or left
        assert row is not None
        return f"{_alone(row)} {'was not there before' if left is None else 'is not there any more'}"
    if difference is Difference.ARGUMENTS:
        return f"{left.entered.function.name} was called otherwise: {explain(left, right)}"
    if right.kind in (Kind.RETURN, Kind.TRAP):
        name = right.entered.function.name
        return f"{name} {_ended(right, 'returned')}, and {_ended(left, 'returned', again=True)} before"
    return f"{_called(right)} {_ended(right, 'answered')}, and {_ended(left, 'answered', again=True)} before"


def _alone(row: Row) -> str:
    if row.kind in (Kind.RETURN, Kind.TRAP):
        return f"that {row.entered.function.name} {_ended(row, 'returned')}"
    return _called(row)


def _called(row: Row) -> str:
    """A call with what it is about; with all of its arguments if nothing says that."""
    function = row.entered.function
    named = [index for index in names_of(function) if function.inputs[index].form is not Form.ENUM]
    told = [
        f"{function.inputs[index].name}: {value_text(row.entered.args[index], _SHORT)}"
        for index in named or range(len(row.entered.args))
        if index < len(row.entered.args)
    ]
    return f"{function.name}({', '.join(told)})"


def _ended(row: Row, verb: str, *, again: bool = False) -> str:
    """How a call ended: `answered OK "alice"`; the verb is said once."""
    ended = row.ended
    if ended is None:
        return "did not end"
    if isinstance(ended, Trapped):
        return f"trapped ({one_line(str(ended.trap))})"
    return " ".join(part for part in ("" if again else verb, *_answer(ended)) if part)


def _answer(ended: Left) -> Iterator[str]:
    yield "nothing" if ended.result is None else value_text(ended.result)
    yield ", ".join(value_text(value, _SHORT) for value in ended.values)
    yield f"({one_line(ended.reason)})" if ended.reason else ""
