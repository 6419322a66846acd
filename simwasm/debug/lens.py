"""What somebody looks for inside of callbacks, while they run on an engine that can be stepped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simwasm.debug.instant import Moment
from simwasm.debug.stop import Why

if TYPE_CHECKING:
    from simwasm.debug.visit import Visit
    from simwasm.debug.window import Window

ALL = 1 << 62
"""The last position of a lens that goes on and on."""


@dataclass(frozen=True, slots=True)
class Lens:
    """Which callbacks are entered, and what is done in them."""

    callbacks: range | frozenset[int]
    """The positions where they begin; none of them is on tape yet, perhaps."""
    stand: Moment | None = None
    """Stand still there, if it is amid a callback."""
    offsets: Callable[[Visit], frozenset[int]] = lambda visit: frozenset()
    """Before which instructions of a callback `met` is asked."""
    met: Callable[[Visit], Why | None] = lambda visit: None
    """Why to stand still before an instruction."""
    keep: Window | None = None
    """Takes the offset of every instruction; of one callback only."""
    most: int = 0
    """Stand still when a guest asks for fuel and has run more instructions than this; 0 for any number."""
    each: Callable[[Visit, int], None] | None = None
    """Called with every offset before its instruction happens."""
    told: Callable[[Visit, int], None] | None = None
    """Called at every event, with its position."""

    @property
    def first(self) -> int:
        """The first callback that is entered."""
        return self.callbacks.start if isinstance(self.callbacks, range) else min(self.callbacks, default=ALL)

    @classmethod
    def on(cls, callback: int, stand: Moment | None = None) -> Lens:
        """A lens on one callback."""
        return cls(range(callback, callback + 1), stand)
