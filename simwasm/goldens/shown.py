"""Which rows of a run a golden has: all but those of the guest's allocator, and what is inside of them.

What a comparison says of a golden's row can then be looked at in the run itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from simwasm.abi.table import ALLOCATORS
from simwasm.trace.rows import Row


def shown(rows: Iterable[Row]) -> Iterator[Row]:
    """The rows of a run that are in its golden."""
    hidden: int | None = None
    for row in rows:
        if hidden is not None and row.depth > hidden:
            continue
        hidden = row.depth if row.entered.function.name in ALLOCATORS else None
        if hidden is None:
            yield row


def of_golden(rows: Iterable[Row], index: int) -> Row | None:
    """The row of a run that stands in its golden at a place, from 0; None if there is no such place."""
    return next(islice(shown(rows), index, None), None) if index >= 0 else None
