"""Places that have values: what is in them, as bytes, numbers and texts."""

from __future__ import annotations

from typing import NamedTuple

from simwasm.wasm.dwarf.expression import Location, Memory, content
from simwasm.wasm.dwarf.state import State, Unknown

LONGEST = 160
"""Bytes of a text that are shown."""


class Cell(NamedTuple):
    """A place that has a value: where a variable is, and how far into it."""

    location: Location
    state: State
    offset: int = 0

    def bytes(self, size: int) -> bytes:
        """What is in it."""
        return content(self.location, self.offset, size, self.state)

    def number(self, size: int, *, signed: bool = False) -> int:
        """The number in it."""
        return int.from_bytes(self.bytes(size), "little", signed=signed)

    def at(self, offset: int) -> Cell:
        """What is so many bytes further."""
        return self._replace(offset=self.offset + offset)

    def there(self, address: int) -> Cell:
        """What is at an address."""
        return Cell(Memory(address), self.state)


def c_string(cell: Cell) -> str | None:
    """The text that ends with a zero; None where there is no memory."""
    found = b""
    try:
        while len(found) <= LONGEST and b"\0" not in found:
            found += cell.at(len(found)).bytes(16)
    except Unknown:
        while len(found) <= LONGEST and b"\0" not in found:
            try:
                found += cell.at(len(found)).bytes(1)
            except Unknown:
                return None
    return quoted(found.partition(b"\0")[0])


def quoted(text: bytes, whole: int | None = None) -> str:
    """A text in quotes, cut if it is long; `whole` is how long it really is."""
    length = len(text) if whole is None else whole
    shown = text[:LONGEST].decode("utf-8", "backslashreplace")
    escaped = "".join(
        each if each.isprintable() else repr(each)[1:-1] for each in shown.replace("\\", "\\\\")
    )
    return '"' + escaped.replace('"', '\\"') + ('"' if length <= LONGEST else f'…" ({length:,} bytes)')
