"""Where a verb leads, forwards and backwards: a question about rows, which has one answer for both.

A verb is a rule that says of a row whether one that set out at another row arrives there. Forwards the first row
behind it that fits is taken, backwards the last one before it. On what is not on tape yet the same rule is asked at
each new row.

    step   any row but those of the plugin's allocator, which is called for every value that the host returns
    over   a row that is no deeper: what happens inside a callback, and inside a host call, goes by
    out    where the callback around returns; backwards, where it began

Rule: only rows are looked at, so the way there is found without running anything.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from simwasm.abi.table import ALLOCATORS
from simwasm.debug.tape import Tape

Fits = Callable[[int], bool]
"""Whether one arrives at the row that stands at a position."""


class Verb(Enum):
    """What a person wants; the value is how it is told."""

    STEP = "step"
    OVER = "step over"
    OUT = "out of the callback"


def rule(tape: Tape, verb: Verb, start: int, *, back: bool = False, allocator: bool = False) -> Fits:
    """The rule of a verb for one who sets out at a position; with `allocator`, steps lead into that as well."""
    if verb is Verb.STEP or not start:
        return lambda position: allocator or tape.entered(position).function.name not in ALLOCATORS
    depth, opened = tape.depth(start), tape.opening(start)
    if verb is Verb.OVER:
        return lambda position: tape.depth(position) <= depth
    around = _callback_around(tape, opened)
    if around is None or (not back and tape.end_of(around) == start) or (back and around == start):
        return lambda position: tape.depth(position) <= depth
    if back:
        return lambda position: position == around
    return lambda position: position != around and tape.opening(position) == around


def _callback_around(tape: Tape, opened: int) -> int | None:
    """The callback that a call is in, or is."""
    at = opened
    while at:
        if tape.is_callback(at):
            return at
        at = tape.around(at)
    return None


def find(tape: Tape, fits: Fits, start: int, *, back: bool = False) -> int | None:
    """The position of the row where one arrives, of those behind `start`, or before it; None if none on tape fits."""
    rows = tape.rows
    candidates = range(rows.at(start - 1), -1, -1) if back else range(rows.at(start) + 1, len(rows))
    return next((position for index in candidates if fits(position := rows.position(index))), None)


def first_row(tape: Tape) -> int:
    """Where one begins: the first callback of the first exchange, or else the first row."""
    rows = tape.rows
    if tape.spans:
        index = rows.at(tape.spans[0].first - 1) + 1
        if index < len(rows):
            return rows.position(index)
    return rows.position(0) if len(rows) else 0
