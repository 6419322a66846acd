"""One thing that differs, and what of two sides belongs together, so that it can be told in words.

Rule: a difference belongs to a kind, of which there are few however many exchanges differ: `status 200 → 403`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from simwasm.comparing.aspects import Aspect
from simwasm.trace.matching import together

MOST = 20
"""So many differences of one aspect are told of one exchange."""
SHORT = 80
"""A longer value is told where it begins, and no kind is named after it."""


class Difference(NamedTuple):
    """One thing that differs."""

    aspect: Aspect
    kind: str
    """What it is counted as."""
    text: str


def pairs(
    old: Sequence[Any], new: Sequence[Any], keys: Sequence[Callable[[Any], Hashable]]
) -> Iterator[tuple[Any, Any]]:
    """What belongs together, as far as it differs and is told."""
    differing = (
        (one, other)
        for one, other in together(old, new, keys)
        if one is None or other is None or keys[0](one) != keys[0](other)
    )
    return islice(differing, MOST)


def whole(item: Hashable) -> Hashable:
    """A key: nothing less is the same."""
    return item


def first(item: tuple[Hashable, ...]) -> Hashable:
    """A key: what begins alike belongs together."""
    return item[0]
