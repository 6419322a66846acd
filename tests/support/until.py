"""Waiting in a test of the screen for what is done in another thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic

from debugging import WAIT


async def until(seen: Callable[[], object], what: str = "") -> None:
    """Wait until something is so."""
    end = monotonic() + WAIT
    while not seen():
        assert monotonic() < end, what or "it never came to be so"
        await asyncio.sleep(0.01)
