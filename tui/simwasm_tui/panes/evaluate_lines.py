"""The lines of Eval: what is watched, with its value now and what it was, then what was asked. Pure.

~ headers.request["x-user"]   "alice" → "alice@corp"
  len(body.request)           0

› u32(0x2f40)                 1752461921 (0x68747561)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from simwasm.debug.expression_functions import shown
from simwasm.debug.expression_scope import Scope
from simwasm.debug.expressions import evaluate
from simwasm.errors import ExpressionError
from simwasm_tui.items import Item, Items, heading
from simwasm_tui.text import Line, clean

_LONG = 4000


class Answer(NamedTuple):
    """What an expression came to."""

    text: str
    value: str
    wrong: bool = False
    row: int = -1
    """The row on which it was asked."""


def answer(text: str, scope: Scope | None, row: int = -1) -> Answer:
    """Work an expression out; what is wrong with it is an answer too."""
    if scope is None:
        return Answer(text, "the run is moving", True, row)
    try:
        return Answer(text, _short(shown(evaluate(text, scope))), row=row)
    except ExpressionError as error:
        return Answer(text, str(error), True, row)


def _short(text: str) -> str:
    return text if len(text) <= _LONG else f"{text[:_LONG]}… ({len(text):,} characters)"


def lines(watched: Sequence[Answer], before: Mapping[str, str], asked: Sequence[Answer], width: int) -> Items:
    """Everything; `before` is what the watches were at the previous stop."""
    room = min(max(width // 2, 12), max((len(each.text) for each in (*watched, *asked)), default=0))
    found: list[Item] = []
    if watched:
        found.append(heading("Watched"))
        found += [
            Item(_watched(each, before.get(each.text), room), each.text, name="watch") for each in watched
        ]
    if watched and asked:
        found.append(Item())
    if asked:
        found += [Item(_asked(each, room), each.text) for each in asked]
    return Items(found)


def _watched(answer: Answer, was: str | None, room: int) -> Line:
    changed = was is not None and was != answer.value
    before: Line = ((clean(was or ""), "removed"), (" → ", "muted")) if changed else ()
    ink = "reason" if answer.wrong else "changed" if changed else ""
    return (
        ("~ " if changed else "  ", "changed"),
        (_named(answer.text, room), ""),
        *before,
        (clean(answer.value), ink),
    )


def _asked(answer: Answer, room: int) -> Line:
    row = f"  row {answer.row + 1:,}" if answer.row >= 0 else ""
    return (
        ("› ", "muted"), (_named(answer.text, room), "accent"), (clean(answer.value), "bad" if answer.wrong else ""),
        (row, "future"),
    )  # fmt: skip


def _named(text: str, room: int) -> str:
    name = clean(text)
    return f"{name if len(name) <= room else name[: room - 1] + '…':<{room}}  "
