"""Which things of two sequences belong together, in their order, quickly whatever they are.

What both begin and end with is put together first. In between, things that occur once on each side are anchors
(patience), and where there are none the shortest edit script is looked for (Myers), up to a limit: two long stretches
without anything in common would take the product of their lengths.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")
Matches = list[tuple[int, int]]
_MOST_EDITS = 100
"""More are not looked for: two stretches that differ so much are not the same stretch."""
_DEEPEST = 20
"""How often anchors are looked for between anchors."""


def together(
    left: Sequence[T], right: Sequence[T], keys: Sequence[Callable[[T], Hashable]]
) -> Iterator[tuple[T | None, T | None]]:
    """Pairs of what is equal by the first key, between those by the next one, and at last what is alone.

    What is equal by one key has to be equal by all behind it.
    """
    if not keys or not left or not right:
        yield from ((item, None) for item in left)
        yield from ((None, item) for item in right)
        return
    if len(left) == len(right) == 1:
        alike = keys[-1](left[0]) == keys[-1](right[0])
        yield from ((left[0], right[0]),) if alike else ((left[0], None), (None, right[0]))
        return
    key, *others = keys
    a = b = 0
    for i, j in [
        *matches([key(item) for item in left], [key(item) for item in right]),
        (len(left), len(right)),
    ]:
        yield from together(left[a:i], right[b:j], others)
        if i < len(left):
            yield left[i], right[j]
        a, b = i + 1, j + 1


def matches(left: Sequence[Hashable], right: Sequence[Hashable]) -> Matches:
    """Pairs of indices of equal things; both sides only ever grow."""
    found: Matches = []
    waiting = [((0, len(left), 0, len(right)), 0)]
    while waiting:
        whole, depth = waiting.pop()
        stretch = _trimmed(left, right, whole, found)
        if stretch is None:
            continue
        anchors = list(_anchors(left, right, stretch)) if depth < _DEEPEST else []
        if not anchors:
            found += _edited(left, right, stretch)
            continue
        found += anchors
        a, a_end, b, b_end = stretch
        for i, j in anchors:
            waiting.append(((a, i, b, j), depth + 1))
            a, b = i + 1, j + 1
        waiting.append(((a, a_end, b, b_end), depth + 1))
    return sorted(found)


_Stretch = tuple[int, int, int, int]


def _trimmed(
    left: Sequence[Hashable], right: Sequence[Hashable], stretch: _Stretch, found: Matches
) -> _Stretch | None:
    """The stretch without what both begin and end with; None if a side is used up."""
    a, a_end, b, b_end = stretch
    while a < a_end and b < b_end and left[a] == right[b]:
        found.append((a, b))
        a, b = a + 1, b + 1
    while a < a_end and b < b_end and left[a_end - 1] == right[b_end - 1]:
        a_end, b_end = a_end - 1, b_end - 1
        found.append((a_end, b_end))
    return (a, a_end, b, b_end) if a < a_end and b < b_end else None


def _anchors(
    left: Sequence[Hashable], right: Sequence[Hashable], stretch: _Stretch
) -> Iterator[tuple[int, int]]:
    """The longest row of things that occur once on each side and come in the same order."""
    a, a_end, b, b_end = stretch
    once_left, once_right = Counter(left[a:a_end]), Counter(right[b:b_end])
    places = {thing: j for j, thing in enumerate(right[b:b_end], b) if once_right[thing] == 1}
    pairs = [
        (i, places[thing])
        for i, thing in enumerate(left[a:a_end], a)
        if once_left[thing] == 1 and thing in places
    ]
    return _longest(pairs)


def _longest(pairs: Matches) -> Iterator[tuple[int, int]]:
    """The longest part of these pairs whose right sides grow too."""
    tops: list[int] = []
    top_pairs: list[int] = []
    before: list[int] = []
    for at, (_, j) in enumerate(pairs):
        pile = bisect_left(tops, j)
        before.append(top_pairs[pile - 1] if pile else -1)
        tops[pile : pile + 1] = [j]
        top_pairs[pile : pile + 1] = [at]
    chosen = []
    at = top_pairs[-1] if top_pairs else -1
    while at >= 0:
        chosen.append(pairs[at])
        at = before[at]
    return reversed(chosen)


def _edited(left: Sequence[Hashable], right: Sequence[Hashable], stretch: _Stretch) -> Matches:
    """What stays in the shortest edit script; nothing if that is too long."""
    a, a_end, b, b_end = stretch
    width, height = a_end - a, b_end - b
    furthest = {1: 0}
    history: list[dict[int, int]] = []
    for edits in range(min(width + height, _MOST_EDITS) + 1):
        history.append(dict(furthest))
        for k in range(-edits, edits + 1, 2):
            down = k == -edits or (k != edits and furthest[k - 1] < furthest[k + 1])
            x = furthest[k + 1] if down else furthest[k - 1] + 1
            y = x - k
            while x < width and y < height and left[a + x] == right[b + y]:
                x, y = x + 1, y + 1
            furthest[k] = x
            if x >= width and y >= height:
                return [(a + i, b + j) for i, j in _kept(history, width, height)]
    return []


def _kept(history: list[dict[int, int]], x: int, y: int) -> Iterator[tuple[int, int]]:
    """Walk an edit script backwards."""
    for edits in range(len(history) - 1, -1, -1):
        furthest, k = history[edits], x - y
        down = k == -edits or (k != edits and furthest[k - 1] < furthest[k + 1])
        start = furthest[k + 1] if down else furthest[k - 1] + 1
        while x > start and x > 0 and y > 0:
            x, y = x - 1, y - 1
            yield x, y
        if edits:
            x, y = (x, y - 1) if down else (x - 1, y)
