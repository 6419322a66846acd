"""A file of lines, read wherever one wants to read it.

Rules: it is never mapped into memory, since a file that somebody cuts short would then end the process; nothing of it
is kept, so its size does not matter; what cannot be a trace is refused at once, by what it looks like.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from weakref import finalize

from simwasm.errors import TraceError

BOM = b"\xef\xbb\xbf"
_CHUNK = 1 << 18
_BLOCK = 1 << 14
_FIRST = 1 << 20
"""How long a first line may be: one of a trace has a few hundred bytes."""

_LOOKS = (
    (rb"\s*$", "is empty"),
    (rb"\0asm", "is a WebAssembly module, which is a plugin and not a trace"),
    (rb"\x1f\x8b|BZh|\xfd7zXZ|\x28\xb5\x2f\xfd|PK\x03\x04", "is compressed: unpack it first"),
    (rb"\xff\xfe|\xfe\xff", "is UTF-16 text: save it as UTF-8"),
    (rb'\{\s*"simwasm"\s*:', "is recorded traffic, and not a trace: `simwasm run` makes one of it"),
    (rb'\{\s*"log"\s*:', "is a HAR, and not a trace: `simwasm run` makes one of it"),
    (rb"\{\s*$", "holds JSON over many lines, and a trace has one object a line: `jq -c .` joins them"),
    (rb"(?s).{0,4096}?[\0-\x08\x0e-\x1f]", "is binary, and not a trace"),
    (rb"(?!\s*\{)", "is not a trace, whose first line is a JSON object"),
)
"""What the first line of something else looks like; the first that fits."""


class LineFile:
    """An open file."""

    def __init__(self, path: str | Path) -> None:
        self.path = path
        try:
            if not stat.S_ISREG(os.stat(path).st_mode):
                kind = "a folder" if os.path.isdir(path) else "no plain file: save what comes out of it first"
                raise TraceError(f"{path}: is {kind}; a trace is a file written by --trace")
            self._file = os.open(path, os.O_RDONLY)
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            raise TraceError(f"{path}: cannot be read: {why}; is the path right?") from None
        self._closing = finalize(self, os.close, self._file)
        """Closes it, also if whoever opened it forgets to."""
        self.size = os.fstat(self._file).st_size
        self._block = (0, b"")
        """The bytes from an offset on that were read last."""

    def close(self) -> None:
        """Let go of the file."""
        self._closing()
        self._file = -1

    def first(self) -> bytes:
        """The first line, unless it shows that this is something else."""
        head = self.read(0, _FIRST)
        line = head.partition(b"\n")[0]
        looks = next((looks for form, looks in _LOOKS if re.match(form, line.removeprefix(BOM))), "")
        if looks and line.strip() == b"" and head.strip():
            looks = "begins with a blank line, and a trace with its header"
        if not looks and len(line) == _FIRST:
            looks = "is not a trace: its first line does not end"
        if looks:
            raise TraceError(f"{self.path}: {looks}")
        return head[: len(line) + 1]

    def lines(self, offset: int) -> bytes:
        """Some whole lines from an offset on; the last of the file may lack its end, and b"" is behind it."""
        size = _CHUNK
        while True:
            data = self.read(offset, size)
            if len(data) < size:
                return data
            end = data.rfind(b"\n") + 1
            if end:
                return data[:end]
            size *= 4

    def line(self, offset: int) -> bytes:
        """The line that begins at an offset. Lines are asked for in stretches, so some around it are kept."""
        start, block = self._block
        end = block.find(b"\n", offset - start) + 1 if offset >= start else 0
        if end:
            return block[offset - start : end]
        size = _BLOCK
        while True:
            data = self.read(offset, size)
            if not data:
                raise TraceError(
                    f"{self.path}: is shorter than it was: it was written anew, so open it again"
                )
            end = data.find(b"\n") + 1
            if end or len(data) < size:
                self._block = (offset, data) if len(data) <= _BLOCK else (0, b"")
                return data[: end or len(data)]
            size *= 8

    def number(self, offset: int) -> int:
        """Which line of the file begins at an offset, counted from 1."""
        found, at = 1, 0
        while at < offset:
            data = self.read(at, min(_CHUNK, offset - at))
            if not data:
                break
            found += data.count(b"\n")
            at += len(data)
        return found

    def read(self, offset: int, size: int) -> bytes:
        """So many bytes from an offset on, or what there is."""
        parts = []
        try:
            while size > 0 and (part := os.pread(self._file, size, offset)):
                parts.append(part)
                offset += len(part)
                size -= len(part)
        except OSError as error:
            raise TraceError(f"{self.path}: cannot be read: {error.strerror}") from None
        return parts[0] if len(parts) == 1 else b"".join(parts)
