"""When ranges of memory changed: looked at after every event, while the run goes by.

Memory is not on tape, so this is found by running again. Rule: a change is noted at the event that follows it; what
the memory was when the survey began is no change.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from simwasm.engines.engine import Memory


class Stretch(NamedTuple):
    """A range of a plugin's memory."""

    vm: str
    at: int
    size: int


class Survey:
    """Looks at stretches of memory at every event, and notes where they were found changed."""

    def __init__(self, stretches: Sequence[Stretch], memory_of: Callable[[str], Memory | None]) -> None:
        self.stretches = tuple(stretches)
        self.found: list[list[int]] = [[] for _ in stretches]
        """For each stretch, the positions."""
        self._memory_of = memory_of
        self._last: list[bytes | None] = [None for _ in stretches]

    def look(self, position: int) -> bool:
        """Look at all of them; say whether one has changed."""
        changed = False
        for index, stretch in enumerate(self.stretches):
            now, before = self._content(stretch), self._last[index]
            if now != before:
                self._last[index] = now
                if before is not None:
                    self.found[index].append(position)
                    changed = True
        return changed

    def _content(self, stretch: Stretch) -> bytes:
        """What is there; as much of it as the memory has."""
        memory = self._memory_of(stretch.vm)
        size = memory.size() if memory is not None else 0
        begin, end = min(stretch.at, size), min(stretch.at + stretch.size, size)
        return memory.read(begin, end - begin) if memory is not None else b""
