"""How deep a guest may call, and how much more its host may.

A guest's call is a Python call, so Python's own limit counts them; `RecursionError` is the guest's stack at its end.
A host function must not be cut short by a guest that went nearly all the way, so it has a reserve beyond that.

Rules that live here: the limit is raised when a first guest call of the process begins and put back after the last;
`DEEPEST` fits into the 8 MiB of stack that a thread has: CPython 3.10 takes 420 bytes of it for a call, later ones
none. Where a thread has less, guests have less.
"""

from __future__ import annotations

import sys
import threading
from contextlib import suppress
from sys import getrecursionlimit, setrecursionlimit

_FRAME = {"pypy": 768}.get(sys.implementation.name, 450)
"""Bytes of stack that a call takes, where it takes any."""
_ON_STACK = sys.implementation.name != "cpython" or sys.version_info < (3, 11)
_KEPT = 2 << 20
"""Bytes of stack for all that is not Python's frames."""
_USUAL = 8 << 20

RESERVE = 600
"""Frames for a host function and what it calls."""


def _stack() -> int:
    """The least that a thread of this process has, if that is known."""
    sizes = [threading.stack_size() or _USUAL]
    with suppress(ImportError, OSError, ValueError):
        import resource

        soft, _ = resource.getrlimit(resource.RLIMIT_STACK)
        if soft != resource.RLIM_INFINITY:
            sizes.append(soft)
    return min(sizes)


def _deepest() -> int:
    most = 12_500
    return max(1_000, min(most, (_stack() - _KEPT) // _FRAME - RESERVE)) if _ON_STACK else most


DEEPEST = _deepest()
"""Python frames, those around the guest's included, at which a guest is out of stack."""

IN_HOST = DEEPEST + RESERVE


def make_room() -> None:
    """Let the caller go deeper than a guest may.

    There has to be room for this call, so there is room for the caller's own call of `setrecursionlimit(DEEPEST)`
    afterwards, which Python refuses at that depth and below.
    """
    setrecursionlimit(IN_HOST)


class _Guests:
    """The guest calls that are running in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running = 0
        self._before = 0

    def enter(self) -> None:
        """A guest call begins; RecursionError if it is too deep already."""
        with self._lock:
            if not self._running:
                self._before = getrecursionlimit()
            setrecursionlimit(DEEPEST)
            self._running += 1

    def leave(self) -> None:
        """A guest call is over; who made it may be a host function."""
        with self._lock:
            self._running -= 1
            setrecursionlimit(IN_HOST if self._running else self._before)


guests = _Guests()
