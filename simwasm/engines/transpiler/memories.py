"""A linear memory as Python has one.

A small memory is a bytearray, which is the fastest to index. Nothing that others look at can grow in place, so a
memory that grows is copied into a new one, and all who look at it are told at once. One that is large, or was copied
often enough, moves into a map of the largest size it may have, for the last time: of a map the system gives only what
is touched, and what was given out of it stays the memory.

Rules that live here: a memory does not shrink; growing fails with -1 where there is no room, never with an error.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable

from simwasm.errors import EngineUnavailable
from simwasm.wasm.module import Bounds, MemoryType

PAGE = 65536
MOST = 65536
"""Pages that 32 bits can address."""

LARGE = 64 << 20
"""From here on a memory is in a map."""
_PATIENCE = 256 << 20
"""How many bytes may be copied, all in all, before a memory is in a map."""

Bytes = bytearray | memoryview
Renew = Callable[[Bytes], None]


class MemoryExtern:
    """A memory, shared by those who import it."""

    def __init__(self, bounds: Bounds) -> None:
        self._declared = bounds.maximum
        self._maximum = MOST if bounds.maximum is None else min(bounds.maximum, MOST)
        self._map: memoryview | None = None
        self._copied = 0
        self._followers: list[Renew] = []
        size = bounds.minimum * PAGE
        found = bytearray(size) if size < LARGE else self._mapped(size)
        if found is None:
            raise EngineUnavailable(
                f"there is no room for a memory of {size >> 20} MiB; is there a limit (ulimit -v)?"
            )
        self.bytes: Bytes = found

    @property
    def type(self) -> MemoryType:
        """As large as it is now."""
        return MemoryType(Bounds(self.pages, self._declared))

    @property
    def pages(self) -> int:
        """How many pages it has now."""
        return len(self.bytes) // PAGE

    def follow(self, renew: Renew) -> None:
        """Call a function now, and whenever the memory is another object."""
        self._followers.append(renew)
        renew(self.bytes)

    def grow(self, pages: int) -> int:
        """Give it more pages, zeros; how many it had, or -1."""
        before = self.pages
        if before + pages > self._maximum:
            return -1
        if pages:
            larger = self._larger((before + pages) * PAGE)
            if larger is None:
                return -1
            self.bytes = larger
            self.tell()
        return before

    def tell(self) -> None:
        """Tell all who look at it where it is."""
        for renew in self._followers:
            renew(self.bytes)

    def close(self) -> None:
        """Be told of no more."""
        self._followers.clear()

    def _larger(self, size: int) -> Bytes | None:
        old = self.bytes
        if self._map is None and size < LARGE and self._copied < _PATIENCE:
            self._copied += size
            try:
                found = bytearray(size)
            except MemoryError:
                return None
            found[: len(old)] = old
            return found
        if self._map is not None and size <= len(self._map):
            return self._map[:size]
        found_map = self._mapped(size)
        if found_map is not None:
            found_map[: len(old)] = old
        return found_map

    def _mapped(self, size: int) -> memoryview | None:
        """The first bytes of a map for all that it may ever have; if there is no room for that, for these."""
        for wanted in (self._maximum * PAGE, size):
            try:
                self._map = memoryview(_map(wanted))
            except (OSError, OverflowError, ValueError, MemoryError):
                continue
            return self._map[:size]
        return None


def _map(size: int) -> mmap.mmap:
    """Zeros of which nothing is in memory yet."""
    private = getattr(mmap, "MAP_PRIVATE", None)
    if private is None:
        return mmap.mmap(-1, size)
    unreserved = getattr(mmap, "MAP_NORESERVE", 0x4000 if hasattr(mmap, "MAP_POPULATE") else 0)  # new in 3.11
    return mmap.mmap(-1, size, flags=private | mmap.MAP_ANONYMOUS | unreserved)
