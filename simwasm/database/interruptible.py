"""Questions that end at Ctrl-C: DuckDB computes in C, where nobody hears of it, so the main thread waits beside it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

import duckdb

T = TypeVar("T")
_AGAIN_S = 0.1


def interruptible(connection: duckdb.DuckDBPyConnection, call: Callable[[], T]) -> T:
    """What a call gives; if the user interrupts, the connection is told so until the call has ended."""
    with ThreadPoolExecutor(1) as beside:
        found = beside.submit(call)
        try:
            return found.result()
        except KeyboardInterrupt:
            while not found.done():
                connection.interrupt()
                wait([found], _AGAIN_S)
            raise
