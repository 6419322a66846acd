"""Two runs side by side, aligned by call: what is the same, what answers differently, what only one of them has.

    for pair in align(before.rows, after.rows).changes(): print(explain(…))

Exchanges are put together first, then the callbacks of two exchanges, then the calls inside two callbacks; each time
what is equal finds its partner before what is merely alike. Rules: what the host counts (contexts, callouts) and where
the guest's allocator puts things do not make a difference; nothing here takes time by the product of two lengths; what
two things begin and end with is put together by what it is spelled like, and not looked at.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from simwasm.trace.alignment import Alignment
from simwasm.trace.matching import together
from simwasm.trace.readside import exchanges_in
from simwasm.trace.rowpairs import pair_rows
from simwasm.trace.rows import Rows
from simwasm.trace.sides import Block, Blocks, Exchange

_Seen = dict[tuple[Hashable, Hashable], tuple[range, int, int]]
"""The pairs that two callbacks have given, and their first rows: what differs once often differs so again and again."""
_MOST_SEEN = 10_000


def align(left: Rows, right: Rows) -> Alignment:
    """Put the rows of two runs side by side."""
    return aligned(Alignment(left, right), exchanges_in(left), exchanges_in(right))


def aligned(found: Alignment, left: Sequence[Exchange], right: Sequence[Exchange]) -> Alignment:
    """Put the exchanges of two runs side by side, wherever their rows are."""
    seen: _Seen = {}
    for a, b in together(left, right, (_content, _callbacks, _any)):
        start = len(found)
        if a is None or b is None:
            found.alone(a.rows if a else range(0), b.rows if b else range(0))
        elif a.content == b.content and len(a.rows) == len(b.rows):
            found.same_rows(a.rows, b.rows)
        else:
            _inside(found, a.inside(), b.inside(), seen)
        if (a and a.opens) or (b and b.opens):
            found.add_exchanges(1, left=a is not None, right=b is not None, since=start)
    return found


def _inside(found: Alignment, left: Blocks, right: Blocks, seen: _Seen) -> None:
    """The callbacks of two exchanges."""
    sides = left, right
    one, other = left.contents, right.contents
    most = min(len(one), len(other))
    before = next((at for at in range(most) if one[at] != other[at]), most)
    behind = next((at for at in range(most - before) if one[-1 - at] != other[-1 - at]), most - before)
    ends = len(one) - behind, len(other) - behind
    found.same_rows(*(side.rows(0, before) for side in sides))
    middle = left.some(before, ends[0]), right.some(before, ends[1])
    for a, b in together(*middle, (_content, _heading, _callback)):
        _blocks(found, a, b, seen)
    found.same_rows(*(side.rows(end, end + behind) for side, end in zip(sides, ends, strict=True)))


def _content(item: Block | Exchange) -> Hashable:
    return item.content


def _heading(block: Block) -> Hashable:
    return block.heading


def _callback(block: Block) -> Hashable:
    return block.callback


def _callbacks(exchange: Exchange) -> Hashable:
    return exchange.callbacks


def _any(item: object) -> int:
    return 0


def _blocks(found: Alignment, one: Block | None, other: Block | None, seen: _Seen) -> None:
    """The rows of two callbacks, or of one without a partner."""
    if one is None or other is None:
        found.alone(one.rows if one else range(0), other.rows if other else range(0))
    elif one.content == other.content and len(one.rows) == len(other.rows):
        found.same_rows(one.rows, other.rows)
    elif before := seen.get((one.content, other.content)):
        pairs, left, right = before
        found.again(pairs, one.rows.start - left, other.rows.start - right)
    else:
        start = len(found)
        pair_rows(found, one, other)
        if len(seen) < _MOST_SEEN:
            pairs = range(start, len(found))
            seen[one.content, other.content] = pairs, one.rows.start, other.rows.start
