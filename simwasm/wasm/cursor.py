"""Reading the numbers, names and vectors that sections are made of.

Rules that live here: nothing is read beyond the end given, every failure is a `BadModule` with section and
offset, and a count is checked against the bytes that are left before anything is allocated for it.
"""

from __future__ import annotations

from simwasm.errors import BadModule
from simwasm.wasm.module import Span


class Cursor:
    """A position in a range of the file."""

    __slots__ = ("at", "data", "end", "section")

    def __init__(self, data: bytes, start: int, end: int, section: str) -> None:
        self.data = data
        self.at = start
        self.end = end
        self.section = section

    def bad(self, message: str, at: int | None = None) -> BadModule:
        """The error to raise for what was read last, or for the offset given."""
        return BadModule(message, section=self.section, offset=self.at if at is None else at)

    def byte(self) -> int:
        """Read one byte."""
        at = self.at
        if at >= self.end:
            raise self.bad("unexpected end (is the file cut short?)")
        self.at = at + 1
        return self.data[at]

    def u32(self) -> int:
        """Read an unsigned 32-bit number in LEB128."""
        data, at = self.data, self.at
        if at < self.end and data[at] < 0x80:
            self.at = at + 1
            return data[at]
        value = 0
        for shift in range(0, 35, 7):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                if value >> 32:
                    raise self.bad("integer too large: more than 32 bits", at)
                return value
        raise self.bad("integer representation too long: 32 bits take at most 5 bytes", at)

    def count(self, what: str, most: int = 1 << 32) -> int:
        """Read how many items follow; each takes at least one byte."""
        at = self.at
        number = self.u32()
        if number > self.end - self.at:
            raise self.bad(f"{number} {what} announced, more than the bytes left can hold", at)
        if number > most:
            raise self.bad(f"{number:,} {what}; at most {most:,} are supported", at)
        return number

    def span(self, what: str) -> Span:
        """Read a size and skip that many bytes."""
        at = self.at
        size = self.u32()
        if size > self.end - self.at:
            raise self.bad(
                f"length out of bounds: {what} of {size} bytes, more than are left (is the file cut short?)",
                at,
            )
        self.at += size
        return Span(self.at - size, self.at)

    def name(self, most: int = 1 << 32) -> str:
        """Read a name in UTF-8, of at most so many bytes."""
        span = self.span("a name")
        if span.size > most:
            raise self.bad(f"a name of {span.size:,} bytes; at most {most:,} are supported", span.start)
        try:
            return self.data[span.start : span.end].decode()
        except UnicodeDecodeError:
            raise self.bad("malformed UTF-8 encoding of a name", span.start) from None

    def finish(self) -> None:
        """Insist that everything was read."""
        if self.at != self.end:
            raise self.bad(f"section size mismatch: {self.end - self.at} bytes too many")
