"""The header map that Google's plugin tester gives a plugin, which is not Envoy's.

Names compare without regard to case and keep the spelling they came with; the map is sorted by them. There is one value
of a name: another one is put behind it with `, ` between, unless there was an empty one.
"""

from __future__ import annotations

from collections.abc import Iterable

from simwasm.abi.enums import Status
from simwasm.abi.status import Refusal
from simwasm.exchange import Header, Headers, to_bytes

LARGEST = 1 << 24
"""How many characters a map may have, so that a plugin that adds without end does not take all memory."""


def _key(name: str) -> bytes:
    """What a name is found and sorted by: ASCII letters count as capital ones."""
    return to_bytes(name).upper()


class CaselessMap:
    """Headers, one value each."""

    def __init__(self, headers: Iterable[Header] = ()) -> None:
        self._entries: dict[bytes, Header] = {}
        self._size = 0
        for name, value in headers:
            self.add(name, value)

    @property
    def entries(self) -> Headers:
        """All of them, in the order of their names."""
        return tuple(self._entries[key] for key in sorted(self._entries))

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, name: str) -> str | None:
        """The value of a header, if it is there."""
        found = self._entries.get(_key(name))
        return found[1] if found is not None else None

    def add(self, name: str, value: str) -> None:
        """Put a value behind the one that is there."""
        old = self.get(name)
        self.replace(name, f"{old}, {value}" if old else value)

    def replace(self, name: str, value: str) -> None:
        """Make this the value."""
        key = _key(name)
        spelling, old = self._entries.get(key, (name, ""))
        size = self._size + len(value) - len(old) + (0 if key in self._entries else len(name))
        if size > LARGEST:
            raise Refusal(
                Status.INTERNAL_FAILURE, f"the map has {LARGEST:,} characters, as many as it may here"
            )
        self._size = size
        self._entries[key] = spelling, value

    def remove(self, name: str) -> None:
        """Take a header away, if it is there."""
        name, value = self._entries.pop(_key(name), ("", ""))
        self._size -= len(name) + len(value)

    def assign(self, headers: Iterable[Header]) -> None:
        """Take everything away, then add each in order."""
        self._entries.clear()
        self._size = 0
        for name, value in headers:
            self.add(name, value)
