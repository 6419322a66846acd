"""Memory that grows with every request, seen when the same traffic is replayed again and again.

Rule: a guest's linear memory grows by pages and never shrinks, and what a plugin caches at first is no leak; so rounds
are compared, and only a plugin that has grown in each of the last ones, as far as that can be seen, grows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from simwasm.lints.lint import Lint
from simwasm.trace.query.grades import Grade

GROWS = Lint(
    "memory-grows", Grade.WARNING, "memory that grows with every request",
    "The same traffic, replayed, takes more and more memory: something is kept for each request, and one day the VM"
    " is full.",
    "Look at what is kept in maps by context or by header: remove it in proxy_on_delete. A plugin that exports "
    "proxy_on_memory_allocate or malloc has to free what the host gave it.",
)  # fmt: skip

ROUNDS = 3
"""In how many rounds at the end it has to have grown."""


def growth(sizes: Sequence[int], requests: int) -> float:
    """Bytes a request that a memory grows by, from its size before the first round and after each; 0 if it does not."""
    steps = [after - before for before, after in pairwise(sizes)][-ROUNDS:]
    if len(steps) < ROUNDS or min(steps) <= 0 or not requests:
        return 0.0
    return sum(steps) / (len(steps) * requests)


def growing(sizes: Mapping[str, Sequence[int]], requests: int) -> dict[str, float]:
    """The VMs whose memory grows, with bytes a request."""
    found = {vm: growth(each, requests) for vm, each in sizes.items()}
    return {vm: each for vm, each in found.items() if each}
