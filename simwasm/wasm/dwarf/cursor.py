"""Reading numbers from a few bytes of DWARF: an expression, a program of lines.

Rule: what is not there cannot be read (`Broken`), and no number is longer than ten bytes.
"""

from __future__ import annotations

from simwasm.wasm.dwarf.sections import Broken

_LONGEST = 10


class Bytes:
    """A position in bytes."""

    __slots__ = ("at", "data", "end")

    def __init__(self, data: bytes, at: int = 0, end: int | None = None) -> None:
        self.data = data
        self.at = at
        self.end = len(data) if end is None else min(end, len(data))

    def take(self, size: int) -> bytes:
        """The next bytes."""
        at = self.at
        if not 0 <= size <= self.end - at:
            raise Broken("cut short")
        self.at = at + size
        return self.data[at : at + size]

    def number(self, size: int, *, signed: bool = False) -> int:
        """A number of so many bytes, the lowest first."""
        return int.from_bytes(self.take(size), "little", signed=signed)

    def unsigned(self) -> int:
        """A number in LEB128."""
        return self._leb()[0]

    def signed(self) -> int:
        """A signed number in LEB128."""
        value, bits = self._leb()
        return value - (1 << bits) if value >> (bits - 1) else value

    def text(self) -> bytes:
        """What comes before the next zero, which is skipped."""
        stop = self.data.find(b"\0", self.at, self.end)
        if stop < 0:
            raise Broken("a text without end")
        found = self.data[self.at : stop]
        self.at = stop + 1
        return found

    def _leb(self) -> tuple[int, int]:
        value = 0
        for index in range(_LONGEST):
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << 7 * index
            if byte < 0x80:
                return value, 7 * index + 7
        raise Broken("a number without end")
