"""What is printed of two sides: a few lines for an exchange that differs, or an object; and what it all comes to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from simwasm.comparing.lockstep import Compared
from simwasm.comparing.tally import Tally
from simwasm.conversation import Conversation
from simwasm.host.outcome import Outcome
from simwasm.trace.alignment import Alignment
from simwasm.trace.difftext import diff_lines
from simwasm.trace.first import callback_around, callback_pairs, what_differs
from simwasm.trace.rows import Kind, Row
from simwasm.trace.store import to_json
from simwasm.trace.text import printable

Ink = Callable[[str, str], str]
_AROUND = 12
_MOST_KINDS = 30


def lines(compared: Compared, ink: Ink, *, rows: bool = False) -> Iterator[str]:
    """A step that differs; its calls side by side if they are wanted."""
    yield ink("bad", printable(compared.where)) + _statuses(compared)
    for each in compared.differences.all:
        yield f"    {printable(each.text)}"
    calls = compared.differences.calls()
    at = telling_change(calls)
    if at is None:
        return
    yield ink("reason", f"    first call that differs: {printable(_in_words(calls, at))}")
    if rows:
        first, end = callback_pairs(calls, at, _AROUND)
        yield from (f"    {line}" for line in diff_lines(calls, range(first, end), ink))


def telling_change(calls: Alignment) -> int | None:
    """The first of the pairs that differ and say most of why."""
    return min(calls.changes(), key=lambda at: _quiet(*calls.rows(calls[at])), default=None)


def _quiet(old: Row | None, new: Row | None) -> int:
    """How little it says that these differ: the log is told anyway, and callbacks may just not be exported."""
    row = old or new
    assert row is not None
    if row.entered.function.name == "proxy_log":
        return 1
    if old is None or new is None:
        return 0 if row.kind is Kind.HOST_CALL else 2
    return 2 if old.entered.function.inputs != new.entered.function.inputs else 0


def _statuses(compared: Compared) -> str:
    if compared.exchange is None or isinstance(compared.exchange, Conversation):
        return ""
    old, new = map(_status, compared.outcomes)
    return f"  {old}" if old == new else f"  {old} → {new}"


def _status(outcome: Outcome | None) -> str:
    return "reset" if outcome is None or outcome.response is None else str(outcome.status)


def _in_words(calls: Alignment, at: int) -> str:
    """How a pair differs, and in which callback."""
    pair = calls[at]
    gone = pair.right is None
    index = pair.left if pair.right is None else pair.right
    assert index is not None
    around = callback_around(calls.left if gone else calls.right, index)
    inside = f"in {around.entered.function.name}, " if around and around.index != index else ""
    return inside + what_differs(calls, at)


def as_json(compared: Compared) -> dict[str, Any]:
    """A step that differs, for programs."""
    exchange, calls = compared.exchange, compared.differences.calls()
    named: dict[str, Any] = (
        {"at": compared.where}
        if exchange is None
        else {"exchange": compared.number, "id": to_json(exchange.id), "name": to_json(exchange.label)}
    )
    if exchange is not None:
        named["status"] = [outcome and outcome.status for outcome in compared.outcomes]
    told = [
        {"aspect": each.aspect.value, "kind": each.kind, "text": each.text}
        for each in compared.differences.all
    ]
    at = telling_change(calls)
    first = "" if at is None else _in_words(calls, at)
    return {**named, "differences": told, **({"first_call": first} if first else {})}


def summary(tally: Tally, ink: Ink) -> Iterator[str]:
    """What it all comes to."""
    compared = f"{tally.compared:,} {'exchange' if tally.compared == 1 else 'exchanges'}"
    if tally.broken:
        compared += f" (and {tally.broken:,} broken {'entry' if tally.broken == 1 else 'entries'}, left out)"
    if tally.same:
        yield ink("ok", f"the same: {compared}")
        return
    if not tally.steps:
        yield ink("bad", "nothing was compared")
        return
    same = tally.compared - tally.different
    yield ink("bad", f"{compared}: {same:,} the same, {tally.different:,} different")
    for kind, found in tally.ordered()[:_MOST_KINDS]:
        first = found.first if found.exchanges == 1 else f"first {found.first}"
        yield f"    {found.exchanges:>7,}  {printable(kind)}  ({first})"
    if len(tally.kinds) > _MOST_KINDS:
        yield f"    … and {len(tally.kinds) - _MOST_KINDS:,} kinds more"
