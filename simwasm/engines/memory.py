"""A guest's linear memory, read and written from Python at the price of a slice.

What must never happen is an access to memory that is no longer the guest's. The argument that it cannot:

1. The base does not move unseen. wasmer 1.1.0 and wasmtime (as `wasmtime_engine` configures it) reserve 4 GiB of
   addresses for every 32-bit memory when it is made and only commit more of them when it grows. A memory of the
   python engine moves when it grows, and says so at once (`LinearMemory.renew`), to all who follow it. Anything
   else is refused: `_Window.look` compares the address each time it looks and raises rather than go on.
2. It does not shrink. So a view that was valid once stays valid; the worst it can be is too short, and then
   an access beyond its end looks again before it answers.
3. It outlives its users. Every view holds the object that owns the reservation, so an instance may go before
   them.
4. Every bound is checked in Python against the length of the view, with Python's unbounded integers: here, and by
   who follows the view (the functions of `abi/assemble.py`).

Rules that live here: a range is `0 <= at <= at + size <= len`, also for no bytes; everything else is an
IndexError.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from struct import Struct
from threading import get_ident
from typing import Any

from simwasm.errors import PluginError

Look = Callable[[], memoryview]
"""Gives a view of the whole memory as it is now, which keeps the memory alive; the same one while nothing grew."""

Renew = Callable[[memoryview, Any], None]
"""Takes a new view, and an array over the same bytes: its slices are `bytes`, in one step."""

_put_u32 = Struct("<I").pack_into


class _Window:
    """The newest view of a memory, the check that the memory is where it was, and who follows the view."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._owner = get_ident()
        self._base = 0
        self._followers: list[Renew] = []
        self._show(nothing())
        self.look()

    def follow(self, renew: Renew) -> None:
        """Call a function now and whenever there is a newer view."""
        self._followers.append(renew)
        renew(self.view, self._chars)

    def look(self) -> None:
        """Take a new view. Another thread than the owner's makes do with the one that the owner took last."""
        if get_ident() != self._owner:
            return
        view = self._look()
        if view is self.view:
            return
        if len(view) < len(self.view):
            raise PluginError("the engine's memory shrank: simwasm cannot read it safely")
        if len(view):
            base = address_of(view)
            if self._base and base != self._base:
                raise PluginError("the engine moved its memory: simwasm cannot read it safely")
            self._base = base
        self._show(view)

    def renew(self, view: memoryview) -> None:
        """Take the view of a memory that says itself that it grew, and where it is.

        It is shown to all even if it is known: a signal may have come when not all had seen it.
        """
        self._base = address_of(view) if len(view) else 0
        self._show(view)

    def reach(self, at: int, size: int) -> None:
        """Look again, because a range was not in the view; it may be now."""
        self.look()
        if not 0 <= at <= at + size <= len(self.view):
            raise IndexError(f"{size} bytes at {at} are outside the memory of {len(self.view)} bytes")

    def close(self) -> None:
        """Show nothing from now on, so that the memory can go."""
        self._look = nothing
        self._show(nothing())
        self._followers.clear()

    def _show(self, view: memoryview) -> None:
        self.view = view
        self._chars = (ctypes.c_char * len(view)).from_buffer(view)  # holds the view
        for renew in self._followers:
            renew(view, self._chars)


class LinearMemory:
    """Reads and writes through closures over the newest view, which cost less than methods."""

    def __init__(self, look: Look) -> None:
        self._window = _Window(look)
        self.read: Callable[[int, int], bytes] = _reader(self._window)
        self.write: Callable[[int, bytes], None] = _writer(self._window)
        self.write_u32: Callable[[int, int], None] = _u32_writer(self._window)

    def size(self) -> int:
        """The number of bytes it has now."""
        return len(self.view())

    def view(self) -> memoryview:
        """All of it as it is now."""
        self._window.look()
        return self._window.view

    def follow(self, renew: Renew) -> None:
        """Have a function called with the view and its array, now and whenever there is a newer view.

        Who keeps them checks every range against the length of the view. One that is not in it may be in a newer one,
        which an access through this object takes.
        """
        self._window.follow(renew)

    def renew(self, view: memoryview, _: Any = None) -> None:
        """Be told where the memory is now: what to give to another one's `follow`, to see through it what it sees."""
        self._window.renew(view)

    def close(self) -> None:
        """Be a memory of no bytes from now on."""
        self._window.close()


def view_of(address: int, size: int, keeper: object) -> memoryview:
    """A view of memory at an address, which holds the object that keeps it there."""
    array: Any = (ctypes.c_char * size).from_address(address)
    array.keeper = keeper
    return memoryview(array).cast("B")


def address_of(view: memoryview) -> int:
    """Where what is viewed lies."""
    return ctypes.addressof(ctypes.c_char.from_buffer(view))


def nothing() -> memoryview:
    """The view of a memory that is not there."""
    return memoryview(bytearray())


def _reader(window: _Window) -> Callable[[int, int], bytes]:
    chars: Any  # mypy believes that slices of such an array are lists
    limit: int

    def renew(view: memoryview, array: Any) -> None:
        nonlocal chars, limit
        chars, limit = array, len(view)

    def read(at: int, size: int) -> bytes:
        end = at + size
        if not 0 <= at <= end <= limit:
            window.reach(at, size)
        return chars[at:end]  # type: ignore[no-any-return]  # a cast would cost a call

    window.follow(renew)
    return read


def _writer(window: _Window) -> Callable[[int, bytes], None]:
    view: memoryview
    limit: int

    def renew(newer: memoryview, _: Any) -> None:
        nonlocal view, limit
        view, limit = newer, len(newer)

    def write(at: int, data: bytes) -> None:
        end = at + len(data)
        if not 0 <= at <= end <= limit:
            window.reach(at, len(data))
        view[at:end] = data

    window.follow(renew)
    return write


def _u32_writer(window: _Window) -> Callable[[int, int], None]:
    view: memoryview
    last: int

    def renew(newer: memoryview, _: Any) -> None:
        nonlocal view, last
        view, last = newer, len(newer) - 4

    def write_u32(at: int, value: int) -> None:
        if not 0 <= at <= last:
            window.reach(at, 4)
        _put_u32(view, at, value & 0xFFFFFFFF)

    window.follow(renew)
    return write_u32
