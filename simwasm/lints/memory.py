"""Memory that grows with every request, seen when the same traffic is replayed again and again.

Rule: a guest's linear memory grows by pages of 64 KiB and never shrinks, and what a plugin caches at first is no leak.
So the rounds behind the first are put into three stretches, and a plugin that has grown in each of them grows; more
rounds make longer stretches, in which smaller leaks are seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from simwasm.lints.lint import Lint, Problem
from simwasm.trace.query.grades import Grade
from simwasm.trace.text import printable

GROWS = Lint(
    "memory-grows", Grade.WARNING, "memory that grows with every request",
    "The same traffic, replayed, takes more and more memory: something is kept for each request, and one day the "
    "VM is full.",
    "Look at what is kept in maps by context or by header: remove it in proxy_on_delete. A plugin that exports "
    "malloc or proxy_on_memory_allocate has to free what the host gave it.",
)  # fmt: skip

STRETCHES = 3
ROUNDS = STRETCHES
"""How many rounds are needed."""


def growth(sizes: Sequence[int], requests: int) -> float:
    """Bytes a request that a memory grows by; 0 if it stops growing.

    `sizes` are those before the first round and after each, `requests` is how many there are in a round.
    """
    rounds = len(sizes) - 1
    first = 1 if rounds > STRETCHES else 0
    ends = [first + (rounds - first) * part // STRETCHES for part in range(STRETCHES + 1)]
    if rounds < ROUNDS or not requests:
        return 0.0
    if any(sizes[before] >= sizes[after] for before, after in pairwise(ends)):
        return 0.0
    return (sizes[rounds] - sizes[first]) / ((rounds - first) * requests)


def grows(vm: str, sizes: Sequence[int], requests: int) -> Problem | None:
    """The problem of a VM whose memory grows."""
    rate = growth(sizes, requests)
    if not rate:
        return None
    happened = (
        f"The memory of {printable(vm)} grew from {sizes[0]:,} to {sizes[-1]:,} bytes in {len(sizes) - 1} rounds of "
        f"{requests:,} requests: {rate:,.0f} bytes a request."
    )
    return Problem(0, GROWS.grade, GROWS.title, happened, GROWS.why, GROWS.fix, GROWS.id, vm)
