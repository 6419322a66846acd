"""Which exchange the contexts of plugins belong to, told from the callbacks that create and end them.

Rules: exchanges are counted from 1 as they begin; contexts that different plugins create one after the other are of one
exchange; what became of it is told on the next line of that kind once its contexts are done. What is kept is what
runs.
"""

from __future__ import annotations

_ENDS = ("proxy_on_log", "proxy_on_done", "proxy_on_delete")
_FIRST = ("proxy_on_request_headers", "proxy_on_new_connection")
"""What begins an exchange of a plugin that wants to hear of no context."""
CREATES = "proxy_on_context_create"
CALLBACKS = (CREATES, *_FIRST, *_ENDS)
"""The callbacks that have to be told."""


class Whose:
    """The exchanges of one trace, as far as it was read."""

    def __init__(self) -> None:
        self.count = 0
        """How many have begun."""
        self.again = False
        """Numbers of contexts were used again: a VM was started anew."""
        self._numbers: dict[tuple[str, int], int] = {}
        self._newest: set[str] = set()
        """The plugins that have a context of the newest exchange."""
        self._over: list[tuple[str, int]] = []
        self._most: dict[str, int] = {}

    def number(self, plugin: str, context: int) -> int:
        """The exchange of a context that runs; 0 for none."""
        return self._numbers.get((plugin, context), 0)

    def called(self, name: str, plugin: str, context: int, parent: int) -> int:
        """One of the callbacks; the number of the exchange if its context is a new one of it, else 0."""
        key = plugin, context
        if name in _ENDS:
            if key in self._numbers and key not in self._over:
                self._over.append(key)
            return 0
        if key in self._numbers if name in _FIRST else not parent:
            return 0
        if not self._newest or plugin in self._newest:
            self.count += 1
            self._newest = set()
        self._newest.add(plugin)
        self._numbers[key] = self.count
        self.again = self.again or context <= self._most.get(plugin, 0)
        self._most[plugin] = max(context, self._most.get(plugin, 0))
        return self.count

    def ended(self) -> int:
        """The number of the exchange that has just ended; of the oldest that runs where no context is done."""
        if not self._over:
            self._over = list(self._numbers)[:1]
        if not self._over:
            self.count += 1  # it had no context at all
            return self.count
        number = self._numbers[self._over[0]]
        for key in [key for key, each in self._numbers.items() if each == number]:
            del self._numbers[key]
        self._over = [key for key in self._over if key in self._numbers]
        if number == self.count:
            self._newest = set()
        return number
