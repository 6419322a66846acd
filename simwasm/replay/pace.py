"""Exchanges at the times at which they were recorded.

Rules: what is due is told from the first exchange on, so that being late once does not make all others late; an
exchange that is due already, or was recorded out of order, comes at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from time import monotonic

from simwasm.exchange import Exchange

Wait = Callable[[float], bool]
"""Waits so many seconds, or a part of them, and says whether to go on."""


def paced(
    exchanges: Iterable[Exchange], wait: Wait, now: Callable[[], float] = monotonic
) -> Iterator[Exchange]:
    """Give each exchange when it is due."""
    begun: float | None = None
    first_ns = 0
    for exchange in exchanges:
        if begun is None:
            begun, first_ns = now(), exchange.started_ns
        due = begun + (exchange.started_ns - first_ns) / 1e9
        while (left := due - now()) > 0:
            if not wait(left):
                return
        yield exchange
