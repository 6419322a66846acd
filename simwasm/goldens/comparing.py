"""A golden against a run that has to be the same: nothing, or what differs, in words.

Rules: equal bytes are the whole answer for a run that does what it did, and nothing is parsed for it; a golden that was
spelled anew by hand is the same as long as its lines mean the same; one that cannot be read is a `TraceError` with its
line, and never passes.
"""

from __future__ import annotations

import os
import shlex
import tempfile
from collections import deque
from collections.abc import Iterator
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any, NamedTuple

from simwasm.errors import InputError, TraceError
from simwasm.goldens.writing import encoded
from simwasm.trace.alignment import Alignment
from simwasm.trace.compare import Comparison, Outcomes, compare
from simwasm.trace.difftext import diff_text
from simwasm.trace.endings import ending_changes
from simwasm.trace.explain import one_line
from simwasm.trace.file import TraceFile, open_trace
from simwasm.trace.first import callback_pairs, first_callback, first_difference
from simwasm.trace.lines import dumps
from simwasm.trace.parse import Header, content_of
from simwasm.trace.text import printable, value_text

_MOST_LINES = 60
"""More of a comparison is not shown: who wants all of it compares the files."""
_AROUND = 12


class Mismatch(NamedTuple):
    """That a run is not as in its golden."""

    path: str
    line: int
    """The line of the golden on which it begins to differ."""
    headline: str
    """The first difference, in a sentence."""
    details: str
    """All that differs, as far as it can be looked through, in lines."""
    advice: str
    """What to do."""
    row: int = -1
    """The row of the run's golden on which it begins to differ, from 0; -1 if no row does."""

    def __str__(self) -> str:
        parts = f"{printable(self.path)}:{self.line}: {self.headline}", self.details, self.advice
        return "\n".join(part for part in parts if part)


class _Difference(NamedTuple):
    """One thing that differs."""

    line: int
    headline: str
    details: tuple[str, ...] = ()
    row: int = -1


def compare_golden(path: str | Path, found: str, *, update: str = "") -> Mismatch | None:
    """None if a golden has this text, or means the same; else what differs, and what to do about it.

    `update` says how the golden is written anew, if not by `simwasm check --update`.
    """
    data = encoded(found)
    how = update or printable(f"`simwasm check --update {shlex.quote(str(path))}`")
    try:
        if os.stat(path).st_size == len(data) and Path(path).read_bytes() == data:
            return None
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such golden yet; write it by {how}") from None
    except OSError:
        pass  # what is wrong is told when it is opened as a trace
    golden = open_trace(path)
    try:
        golden.index()
        if golden.note:
            raise TraceError(f"{path}: {golden.note} Write it anew by {how}", golden.last_line)
        deque(golden.events(), maxlen=0)  # what was damaged is told by its line, and never compared
        told = _differences(golden, data)
    finally:
        golden.close()
    if not told:
        return None
    first, *others = told
    details = [*first.details, *(line for other in others for line in (other.headline, *other.details))]
    advice = f"If this is what it should do, write the golden anew by {how}."
    return Mismatch(str(path), first.line, first.headline, "\n".join(details), advice, first.row)


def _differences(golden: TraceFile, data: bytes) -> list[_Difference]:
    """What differs; nothing where the lines mean the same."""
    with tempfile.NamedTemporaryFile(suffix=".jsonl") as file:
        file.write(data)
        file.flush()
        found = compare(golden.path, file.name)
        try:
            others = [_Difference(1, text) for text in _of_another_plugin(golden.header, found.right.header)]
            return others or list(_told(golden, found))
        finally:
            found.close()


def _of_another_plugin(golden: Header, run: Header) -> Iterator[str]:
    then, now = (
        " and ".join(f"{made.name} (ABI {made.abi.value})" for made in header.plugins) or "no plugin"
        for header in (golden, run)
    )
    if then != now:
        yield printable(f"it is the golden of {then}, and {now} was run")


def _told(golden: TraceFile, found: Comparison) -> Iterator[_Difference]:
    told = [*_calls(golden, found)]
    for pair in found.outcomes:
        told += [] if pair.same else _outcome(golden, found, pair)
    told = told or [*_first_line(golden, found.right)]
    if told:
        yield from told
        yield from _headers(golden.header, found.right.header)


def _calls(golden: TraceFile, found: Comparison) -> Iterator[_Difference]:
    """The first crossing that differs with the callback around it, then the others."""
    alignment = found.alignment
    at = next(alignment.changes(), None)
    if at is None:
        return
    around = tuple(first_callback(alignment, around=_AROUND))
    _, end = callback_pairs(alignment, at, _AROUND)
    rest = tuple(islice(diff_text(alignment, around=1, start=end), _MOST_LINES + 1))
    shown = (*around, *rest[:_MOST_LINES])
    if len(rest) > _MOST_LINES:
        shown = (*shown, f"… and more: {sum(1 for _ in alignment.changes()):,} rows differ in all")
    row = next((right for at in range(at, -1, -1) if (right := alignment[at].right) is not None), -1)
    headline = first_difference(alignment, found.exchange)
    yield _Difference(_line(golden, alignment, at), headline, shown, row)


def _line(golden: TraceFile, alignment: Alignment, at: int) -> int:
    """The line of the golden where a pair stands, or the row before it does."""
    row = next((left for at in range(at, -1, -1) if (left := alignment[at].left) is not None), None)
    return 1 if row is None else golden.line_of(row)


def _headers(golden: Header, run: Header) -> Iterator[_Difference]:
    """What decided the run, where that differs: no mismatch, but it may be the reason for one."""
    for name in ("profile", "seed"):
        old, new = getattr(golden, name), getattr(run, name)
        if old != new:
            yield _Difference(1, f"{name}: {_shown(old)} -> {_shown(new)}")


def _outcome(golden: TraceFile, found: Comparison, pair: Outcomes) -> Iterator[_Difference]:
    """What became of an exchange, where that differs."""
    old, new = found.endings(pair)
    either = new or old
    assert either is not None
    line = 1 if pair.left is None else golden.outcome_line(pair.left)
    number = (pair.left if pair.right is None else pair.right) or 0
    name = one_line(f"exchange {number + 1} ({either.name})")
    if old is None or new is None:
        yield _Difference(
            line, f"{name} {'was not there before' if old is None else 'is not there any more'}"
        )
    elif changes := list(ending_changes(old, new)):
        yield _Difference(line, f"{name} {changes[0]}", tuple(f"    {text}" for text in changes[1:]))


def _first_line(golden: TraceFile, run: TraceFile) -> Iterator[_Difference]:
    """The first line that differs though no call does: by what the host counts, or by the time."""
    for (line, old), (_, new) in zip_longest(_contents(golden), _contents(run), fillvalue=(1, {})):
        if old != new:
            keys = [key for key in dict.fromkeys((*old, *new)) if old.get(key) != new.get(key)]
            told = "; ".join(f"{key}: {_shown(old.get(key))} -> {_shown(new.get(key))}" for key in keys)
            yield _Difference(line, one_line(f"{old.get('call') or 'this line'} differs in {told}"))
            return


def _contents(trace: TraceFile) -> Iterator[tuple[int, dict[str, Any]]]:
    """What stands on the lines behind the header."""
    for number, line in enumerate(Path(trace.path).read_bytes().split(b"\n")[1:], 2):
        if line.strip():
            yield number, content_of(line)


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return value_text(value)
    return "nothing" if value is None else one_line(dumps(value))
