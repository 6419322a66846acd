"""Numbers for the connections of a recording that has only names for them: addresses, or whatever it wrote down."""

from __future__ import annotations

from collections.abc import Hashable

MOST = 10_000
"""That are remembered: no recorder has more of them open at a time."""


class Numbers:
    """Numbers from 1, in the order in which names are met; a name that was not met for long gets a new one."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._numbers: dict[Hashable, int] = {}
        self._last = 0

    def of(self, name: Hashable) -> int:
        """The number of what has this name; without one it is a connection of its own."""
        found = self._numbers.pop(name, 0) if name is not None else 0
        if not found:
            found = self._last = self._last + 1
        if name is not None:
            self._numbers[name] = found  # the last that was used is the last to be forgotten
            if len(self._numbers) > self._most:
                del self._numbers[next(iter(self._numbers))]
        return found
