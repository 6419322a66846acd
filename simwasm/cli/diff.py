"""`simwasm diff`: two trace files, call by call; the first is how it was before.

The first difference is told in a sentence, with its callback; then all places that differ, as far as one looks through
them; then what clients and upstreams saw otherwise, and what of the headers is not the same. Exit status 1 says that
the runs differ; another plugin or engine whose run is the same is no difference.
"""

from __future__ import annotations

from argparse import Namespace
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

from simwasm.cli import output
from simwasm.errors import InputError
from simwasm.trace.alignment import Alignment, Difference
from simwasm.trace.compare import Comparison, Outcomes, compare
from simwasm.trace.difftext import diff_lines, hunks, row_line
from simwasm.trace.endings import ending_changes
from simwasm.trace.explain import explain, one_line
from simwasm.trace.first import callback_pairs, first_callback, first_difference
from simwasm.trace.lines import dumps
from simwasm.trace.parse import Header, Made
from simwasm.trace.text import printable

_HUNKS = 30
_ROWS = 60
"""So many places that differ are shown, and so many rows of each."""
_OUTCOMES = 20
_AROUND_FIRST = 12
_HEADS = ("profile", "seed", "started_ns", "engine", "redacted")
_NAMES = {
    Difference.RESULT: "answer otherwise",
    Difference.ARGUMENTS: "called otherwise",
    Difference.ONLY_LEFT: "only in A",
    Difference.ONLY_RIGHT: "only in B",
}
_KEYS = {
    Difference.RESULT: "result",
    Difference.ARGUMENTS: "arguments",
    Difference.ONLY_LEFT: "only_left",
    Difference.ONLY_RIGHT: "only_right",
}


class _Head(NamedTuple):
    """Something that is not the same in the two first lines."""

    what: str
    before: str
    after: str


def command(words: Namespace) -> int:
    """Compare and tell."""
    if words.around < 0:
        raise InputError(f"--around {words.around} is no number of rows: say 0 or more")
    stream = output.stdout()
    tell = output.teller(stream)
    found = compare(words.left, words.right)
    try:
        for line in _as_json(found) if words.json else _text(found, words, output.ink(words, stream)):
            if not tell(line):
                break
    finally:
        found.close()
    return 0 if found.same else 1


def _text(found: Comparison, words: Namespace, ink: output.Ink) -> Iterator[str]:
    heads = list(_heads(found.left.header, found.right.header))
    for letter, side in (("A", words.left), ("B", words.right)):
        yield printable(f"{letter}: {one_line(str(side))}")
    for head in heads:
        yield ink("reason", f"   {head.what}: {head.before} -> {head.after}")
    if not words.summary and not found.same:
        yield from _differences(found, words.around, ink)
    yield ""
    yield from _summary(found, ink)


def _differences(found: Comparison, around: int, ink: output.Ink) -> Iterator[str]:
    alignment = found.alignment
    if not alignment.same:
        yield ""
        yield ink("bad", f"first difference: {first_difference(alignment, found.exchange)}")
        yield from first_callback(alignment, around=_AROUND_FIRST, ink=ink)
        _, end = callback_pairs(alignment, next(alignment.changes()), _AROUND_FIRST)
        yield from _places(alignment, around, end, ink)
    different = [pair for pair in found.outcomes if not pair.same]
    for pair in different[:_OUTCOMES]:
        yield ""
        yield from _outcome(found, pair, ink)
    if len(different) > _OUTCOMES:
        yield f"… and {len(different) - _OUTCOMES:,} outcomes more"


def _places(alignment: Alignment, around: int, start: int, ink: output.Ink) -> Iterator[str]:
    """All that differs from a pair on, up to a limit."""
    places = hunks(alignment, around, start)
    for first, end in islice(places, _HUNKS):
        yield ""
        yield from diff_lines(alignment, range(first, min(end, first + _ROWS)), ink)
        if end - first > _ROWS:
            yield f"… and {end - first - _ROWS:,} rows more of this place"
    more = sum(1 for _ in places)
    if more:
        yield ""
        yield f"… and {_count(more, 'place')} more; --json prints each row that differs"


def _outcome(found: Comparison, pair: Outcomes, ink: output.Ink) -> Iterator[str]:
    old, new = found.endings(pair)
    either = new or old
    assert either is not None
    number = (pair.left if pair.right is None else pair.right) or 0
    name = one_line(f"exchange {number + 1} ({either.name})")
    if old is None or new is None:
        yield ink("bad", f"{name} {'was not there before' if old is None else 'is not there any more'}")
        return
    yield ink("bad", f"{name} ended otherwise")
    for text in ending_changes(old, new):
        yield f"    {text}"


def _summary(found: Comparison, ink: output.Ink) -> Iterator[str]:
    tally, rows = found.alignment.exchanges, found.alignment.kinds()
    if found.same:
        yield ink("ok", f"the same: {_count(tally.same, 'exchange')}, {_count(len(found.alignment), 'row')}")
        return
    yield _listed("exchanges", zip(tally, ("the same", "different", "only in A", "only in B"), strict=True))
    same = rows[Difference.SAME]
    told = ((rows[kind], name) for kind, name in _NAMES.items())
    yield _listed("rows", ((same, "the same"), *told))
    ended = Counter(pair.same for pair in found.outcomes)
    yield _listed("outcomes", ((ended[True], "the same"), (ended[False], "different")))


def _listed(what: str, counts: Iterable[tuple[int, str]]) -> str:
    told = [f"{count:,} {name}" for count, name in counts if count]
    return f"{what + ':':<11}{', '.join(told) or 'none'}"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _heads(left: Header, right: Header) -> Iterator[_Head]:
    """What of the first lines is not the same; a file need not name engine and build."""
    for index in range(max(len(left.plugins), len(right.plugins))):
        old, new = (side.plugins[index] if index < len(side.plugins) else None for side in (left, right))
        yield from _plugins(old, new)
    for name in _HEADS:
        before, after = getattr(left, name), getattr(right, name)
        if before != after:
            yield _Head(name, _shown(before), _shown(after))


def _plugins(old: Made | None, new: Made | None) -> Iterator[_Head]:
    if old is None or new is None:
        yield _Head("plugin", *("none" if made is None else one_line(made.name) for made in (old, new)))
        return
    if old.name != new.name:
        yield _Head("plugin", one_line(old.name), one_line(new.name))
    if old.sha256 != new.sha256 and old.sha256 and new.sha256:
        yield _Head(f"build of {one_line(new.name)}", old.sha256[:12], new.sha256[:12])
    if old.abi is not new.abi:
        yield _Head(f"ABI of {one_line(new.name)}", old.abi.value, new.abi.value)


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        value = ", ".join(map(str, value))
    return one_line(str(value)) or "not told"


def _as_json(found: Comparison) -> Iterator[str]:
    return (dumps(line) for line in _json_lines(found))


def _json_lines(found: Comparison) -> Iterator[dict[str, Any]]:
    for head in _heads(found.left.header, found.right.header):
        yield {"header": head.what, "before": head.before, "after": head.after}
    alignment = found.alignment
    for at in alignment.changes():
        pair = alignment[at]
        left, right = alignment.rows(pair)
        row = right or left
        assert row is not None
        yield {
            "row": _KEYS[pair.difference],
            "left": _row(pair.left),
            "right": _row(pair.right),
            "function": row.entered.function.name,
            "context": row.entered.context,
            "line": row_line(row),
            "why": explain(left, right),
        }
    yield from (_json_outcome(found, ended) for ended in found.outcomes if not ended.same)
    kinds, ends = alignment.kinds(), Counter(pair.same for pair in found.outcomes)
    yield {
        "same": found.same,
        "exchanges": alignment.exchanges._asdict(),
        "rows": {"same": kinds[Difference.SAME], **{word: kinds[kind] for kind, word in _KEYS.items()}},
        "outcomes": {"same": ends[True], "different": ends[False]},
    }


def _row(index: int | None) -> int | None:
    """A row's number, from 1 as everywhere."""
    return None if index is None else index + 1


def _json_outcome(found: Comparison, pair: Outcomes) -> dict[str, Any]:
    old, new = found.endings(pair)
    either = new or old
    assert either is not None
    why = list(ending_changes(old, new)) if old is not None and new is not None else []
    return {
        "outcome": either.exchange,
        "name": either.name,
        "left": pair.left,
        "right": pair.right,
        "why": why,
    }
