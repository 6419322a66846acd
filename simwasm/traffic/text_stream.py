"""Bytes read as lines and as counted pieces, with the place of each; nothing is kept but the line at hand.

Rules that live here: a line ends with LF, before which a CR may stand; a line that is longer than any is an error, and
so is a piece that is larger; places are counted from 1.
"""

from __future__ import annotations

from typing import BinaryIO

LONGEST_LINE = 1 << 20


class TooLong(ValueError):
    """A line that is longer than anybody writes."""


class TextStream:
    """A stream of lines and pieces; `line` is the number of the next line."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._ahead: list[bytes] = []
        self.line = 1
        self.byte = 0

    def raw_line(self, longest: int = LONGEST_LINE) -> bytes:
        """The next line with its end; nothing at the end of the file."""
        line = self._ahead.pop() if self._ahead else self._stream.readline(longest + 1)
        if len(line) > longest:
            self.line += line.endswith(b"\n")
            self.byte += len(line)
            self._skip_line(line)
            raise TooLong(f"a line of more than {longest:,} bytes")
        self.line += line[-1:] == b"\n"
        self.byte += len(line)
        return line

    def back(self, line: bytes) -> None:
        """Give the last line back, to be read again."""
        if line:
            self._ahead.append(line)
            self.line -= line.count(b"\n")
            self.byte -= len(line)

    def piece(self, size: int) -> bytes:
        """So many bytes, or fewer at the end of the file."""
        parts: list[bytes] = []
        while size > 0:
            part = self._some(size)
            if not part:
                break
            self._passed(part)
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def _some(self, size: int) -> bytes:
        if not self._ahead:
            return self._stream.read(min(size, LONGEST_LINE))
        line = self._ahead.pop()
        if len(line) > size:
            self._ahead.append(line[size:])
        return line[:size]

    def _passed(self, data: bytes) -> None:
        self.line += data.count(b"\n")
        self.byte += len(data)

    def _skip_line(self, line: bytes) -> None:
        while line and not line.endswith(b"\n"):
            line = self._stream.readline(LONGEST_LINE)
            self._passed(line)


def bare(line: bytes) -> bytes:
    """A line without its end."""
    return line.removesuffix(b"\n").removesuffix(b"\r")
