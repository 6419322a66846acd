"""The instructions that are kept while a callback runs: all of a short one, those around a moment of a long one.

A guest asks for fuel every few million instructions. Only then can be seen how many there are already: those that lie
far before the moment are let go, and behind it nobody needs more. Rule: what is kept begins where all active functions
were known.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import TYPE_CHECKING

from simwasm.debug.depths import Call
from simwasm.debug.instant import Moment
from simwasm.debug.instants import MOST as ALL_TOLD

if TYPE_CHECKING:
    from simwasm.debug.visit import Visit

MOST = ALL_TOLD // 2
"""How many instructions are kept before a moment, and behind it; a few more, until the guest asks for fuel."""


class Window:
    """What is kept of one callback."""

    def __init__(self, around: Moment) -> None:
        self.offsets = array("I")
        self.skipped = 0
        """How many instructions come before the first that is kept."""
        self.frames: tuple[Call, ...] = ()
        """The functions that were active then, outermost first."""
        self.full = False
        """There is no need of more."""
        self._around = around
        self._edges: list[tuple[int, tuple[Call, ...]]] = []

    def count(self) -> int:
        """How many instructions there were until now."""
        return self.skipped + len(self.offsets)

    def look(self, visit: Visit) -> bool:
        """Let go of what is too far away; say whether there is enough."""
        count, marks = self.count(), visit.marks
        self._edges.append((count, tuple(_frames(visit))))
        reached = marks.has(self._around.position) and marks.count(self._around) <= count
        if reached:
            self.full = count - marks.count(self._around) > MOST
            return self.full
        while len(self._edges) > 1 and self._edges[0][0] <= count - MOST:
            edge, self.frames = self._edges.pop(0)
            del self.offsets[: edge - self.skipped]
            self.skipped = edge
        return False


def _frames(visit: Visit) -> Iterator[Call]:
    behind = -1
    for active in reversed(visit.instance.activations()):
        yield active.function, behind
        behind = visit.code.following(active.offset)
