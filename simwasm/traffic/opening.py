"""Where recorded traffic lies: files, folders, patterns, standard input and addresses of other storage.

Rules that live here:
- Folders are read with all that is below them, see `folder`.
- A file that a folder or pattern brings is read once, however many names bring it; a file is read twice where its own
  name is typed twice.
- What is packed is unpacked by its content, see `unpacking`; a byte order mark is no part of what is read.
- What of a folder or pattern turns out to be no traffic is told in one line at its end, and not in hundreds; if nothing
  else is there, it is an error.
- Sizes and positions are those of the file as it lies there, for whoever shows progress.
"""

from __future__ import annotations

import glob
import io
import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, BinaryIO

from simwasm.errors import TrafficError
from simwasm.traffic.folder import below, place
from simwasm.traffic.notes import Notes
from simwasm.traffic.unpacking import Unpacked, unpacked

if TYPE_CHECKING:  # its own declaration is no module that can be imported
    from _typeshed import WriteableBuffer

STDIN = "-"
HEAD = 4096
"""How much of the beginning tells what something is."""
_NAMED = 5
"""How many files that are no traffic are named."""
_BLOCK = 1 << 17
_MARK = b"\xef\xbb\xbf"


class Source:
    """One file of traffic. `found` says that a folder or a pattern brought it, and not its own name."""

    def __init__(self, name: str, size: int | None = None, *, found: bool = False) -> None:
        self.name = name
        self.size = size
        """Its bytes as it lies there; None where nobody knows before the end."""
        self.found = found
        self.foreign = ""
        """What it is, if whoever read it found that it is no traffic."""
        self._counted: _Counted | None = None
        self._unpacked: Unpacked | None = None

    def open(self) -> Opened:
        """What it holds, unpacked; close it when it is read."""
        self._counted = _Counted(_opened(self.name), self.name)
        packed = Opened(self._counted)
        self._unpacked = unpacked(packed, packed.head)
        return packed if self._unpacked is None else Opened(self._unpacked)

    def position(self) -> int:
        """How many bytes of the file have been read."""
        return self._counted.count if self._counted else 0

    def damage(self) -> str:
        """What is wrong with the packing, if something was until now: where it is cut or damaged."""
        wrong = self._unpacked.damage() if self._unpacked else ""
        return f"{wrong} near byte {self.position()} of the file" if wrong else ""


class _Counted(io.RawIOBase):
    """A file whose bytes are counted as they are read, and whose trouble is told with its name."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file = file
        self._name = name
        self.count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        try:
            data = self._read(len(memoryview(buffer)))
        except (OSError, ValueError) as error:
            raise TrafficError(
                f"{self._name}: cannot be read on after byte {self.count}: {_reason(error)}"
            ) from None
        memoryview(buffer)[: len(data)] = data
        self.count += len(data)
        return len(data)

    def _read(self, size: int) -> bytes:
        # What a pipe has now is not waited for.
        some: Callable[[int], bytes | None] = getattr(self._file, "read1", self._file.read)
        return some(size) or b""

    def close(self) -> None:
        if not self.closed and self._name != STDIN:
            self._file.close()
        super().close()


class Opened(io.BufferedReader):
    """A stream whose beginning is known before anybody reads it, without a byte order mark."""

    def __init__(self, raw: io.RawIOBase) -> None:
        begun = _Begun(raw)
        super().__init__(begun, _BLOCK)
        self.head = begun.head


class _Begun(io.RawIOBase):
    """A stream of which the beginning has been read: a pipe is waited for until that is known."""

    def __init__(self, rest: io.RawIOBase) -> None:
        self._rest = rest
        head = b""
        while len(head) < HEAD and (more := rest.read(_BLOCK)):
            head += more
        self._ahead = memoryview(head.removeprefix(_MARK))
        self.head = bytes(self._ahead[:HEAD])

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        if not self._ahead:
            return self._rest.readinto(buffer) or 0
        into = memoryview(buffer)
        size = min(len(into), len(self._ahead))
        into[:size] = self._ahead[:size]
        self._ahead = self._ahead[size:]
        return size

    def close(self) -> None:
        self._rest.close()
        super().close()


def sources(names: Iterable[str], notes: Notes = Notes()) -> Iterator[Source]:  # noqa: B008  # it is frozen
    """Go through the files that these names bring, each as it is come to."""
    brought: set[str] = set()
    typed: set[str] = set()
    for name in names:
        foreign = _Foreign()
        for source in _named(name, notes):
            identity = _identity(source.name)
            if identity in brought or (source.found and identity in typed):
                notes.left_out(f"{source.name}: is named more than once; read once")
                continue
            (brought if source.found else typed).add(identity)
            yield source
            foreign.add(source)
        foreign.tell(name, notes)


class _Foreign:
    """Counts what a folder or a pattern brought and is no traffic."""

    def __init__(self) -> None:
        self._read = 0
        self._files = 0
        self._first: list[Source] = []

    def add(self, source: Source) -> None:
        self._read += 1
        if source.foreign:
            self._files += 1
            if self._files <= _NAMED:
                self._first.append(source)

    def tell(self, name: str, notes: Notes) -> None:
        if not self._files:
            return
        shown = [f"{source.name} {source.foreign}" for source in self._first]
        more = [f"and {self._files - _NAMED:,} more"] if self._files > _NAMED else []
        what = "; ".join(shown + more)
        if self._files == self._read:
            raise TrafficError(f"{name}: holds no traffic: {what}; is the path right?")
        if self._files == 1:
            notes.left_out(f"{self._first[0].name}: {self._first[0].foreign}; left out")
        else:
            notes.left_out(f"{name}: {self._files:,} files are no traffic, left out: {what}")


def _identity(name: str) -> str:
    there = name != STDIN and not is_address(name) and "\0" not in name
    return os.path.realpath(name) if there else name


def is_address(name: str) -> bool:
    """Whether this is the address of something in other storage, like s3://bucket/day.jsonl."""
    scheme, colon, _ = name.partition("://")
    return bool(colon) and scheme.replace("+", "").replace(":", "").isalnum()


def _named(name: str, notes: Notes) -> Iterator[Source]:
    if name == STDIN:
        return iter([Source(STDIN)])
    if is_address(name):
        from simwasm.traffic.addresses import found_at  # few need it

        return (Source(address, size, found=found) for address, size, found in found_at(name))
    if "\0" in name or os.path.lexists(name) or not glob.has_magic(name):
        return _below(name, notes) if os.path.isdir(name) else iter([Source(name, _size(name))])
    return _fitting(name, notes)


def _fitting(pattern: str, notes: Notes) -> Iterator[Source]:
    names = sorted(glob.glob(pattern, recursive=True), key=place)
    if not names:
        raise TrafficError(f"{pattern}: fits no file; is the path right?")
    for name in names:
        if not os.path.isdir(name):
            yield Source(name, _size(name), found=True)
        elif not pattern.endswith("**"):
            yield from _below(name, notes)


def _below(folder: str, notes: Notes) -> Iterator[Source]:
    found = False
    for path in below(folder, notes):
        found = True
        yield Source(path, _size(path), found=True)
    if not found:
        raise TrafficError(f"{folder}: is a folder without files; is the path right?")


def _size(name: str) -> int | None:
    try:
        found = os.stat(name)
    except (OSError, ValueError):
        return None  # opening it will tell
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def _opened(name: str) -> BinaryIO:
    if name == STDIN:
        if sys.stdin is None:
            raise TrafficError("-: whoever started this has closed standard input; name a file")
        return sys.stdin.buffer
    if is_address(name):
        from simwasm.traffic.addresses import opened  # few need it

        return opened(name)
    try:
        return open(name, "rb", buffering=0)
    except (OSError, ValueError) as error:
        raise TrafficError(f"{name}: cannot be read: {_reason(error)}; is the path right?") from None


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
