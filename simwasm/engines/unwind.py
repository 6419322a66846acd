"""Leaving a guest in the middle of a call, to see its stack.

A host function raises `Unwind`. It comes out of the guest call as the same object and knows by then where the guest
was. The call is lost, the instance is not: its memory, its globals and its exports are as the guest left them.

Rules that live here: frames are innermost first and those of the module as it was loaded, as in a trap; where guest
calls are nested, each adds its own when it is left, and has at most as many as a trap; they are looked up when
somebody asks, because a binary may have to be read for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from simwasm.engines.engine import Imports
from simwasm.errors import Frame

Frames = Callable[[], tuple[Frame, ...]]
"""Looks up the frames of one guest call."""


class Unwind(BaseException):
    """Raised by a host function that `unwinding` marked, or by what a `Fuel` calls; subclass it at will."""

    def __init__(self, *args: object) -> None:
        super().__init__(*args)
        self._calls: list[Frames] = []

    def through(self, frames: Frames) -> None:
        """An engine says which guest call is left."""
        self._calls.append(frames)

    def instead(self, better: Callable[[Frames], Frames]) -> None:
        """Change how the frames of the guest call that was left last are looked up."""
        if self._calls:
            self._calls.append(better(self._calls.pop()))

    @property
    def frames(self) -> tuple[Frame, ...]:
        """Where the guest was, in all calls that were left so far."""
        return tuple(frame for look_up in self._calls for frame in look_up())


def unwinding(imports: Imports) -> Imports:
    """The same host functions, any of which may raise `Unwind` and have frames; wasmer's calls cost 0.1 us more."""
    return {key: replace(function, unwinds=True) for key, function in imports.items()}
