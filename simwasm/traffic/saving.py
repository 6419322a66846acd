"""A file that traffic is written to: complete or as it was before, packed if its name says so, and never an input.

Rules that live here: the new file lies beside the old one, hidden, until all is written; a link stays a link and a file
keeps its rights; what is no plain file (a pipe, /dev/null) is written to as it is.
"""

from __future__ import annotations

import gzip
import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, cast

from simwasm.errors import InputError, TrafficError
from simwasm.traffic.opening import STDIN


@contextmanager
def saved(path: str) -> Iterator[BinaryIO]:
    """Open a file for traffic; it is there when this has ended without an error."""
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise InputError(f"{path}: is a folder; name a file")
    try:
        there = Path(path)  # a pipe of /dev/fd has no other name
        opened = _as_it_is(there) if there.exists() and not there.is_file() else _replacing(target)
        with opened as file, packed(path, file) as stream:
            yield stream
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        remedy = "; is there such a folder?" if isinstance(error, FileNotFoundError) else ""
        raise InputError(f"{path}: cannot be written: {error.strerror or error}{remedy}") from None


@contextmanager
def _as_it_is(target: Path) -> Iterator[BinaryIO]:
    with open(target, "wb") as file:
        yield file


@contextmanager
def _replacing(target: Path) -> Iterator[BinaryIO]:
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with open(unfinished, "wb") as file:
            yield file
        with suppress(FileNotFoundError):
            shutil.copymode(target, unfinished)
        os.replace(unfinished, target)
    except BaseException:
        with suppress(OSError):
            unfinished.unlink()
        raise


@contextmanager
def packed(path: str, file: BinaryIO) -> Iterator[BinaryIO]:
    """Pack what is written to a file whose name asks for it."""
    opened = next((opened for suffix, opened in _PACKERS.items() if path.lower().endswith(suffix)), None)
    if opened is None:
        yield file
        return
    stream = opened(file)
    yield stream
    stream.close()


def _gzip(file: BinaryIO) -> BinaryIO:
    """The same traffic makes the same file: no name and no time inside."""
    return cast("BinaryIO", gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0))


def _zstd(file: BinaryIO) -> BinaryIO:
    import zstandard  # for those who want it

    return cast("BinaryIO", zstandard.ZstdCompressor().stream_writer(file, closefd=False))


_PACKERS: dict[str, Callable[[BinaryIO], BinaryIO]] = {".gz": _gzip, ".zst": _zstd}
COMPRESSED = tuple(_PACKERS)


def no_input(output: str, source: str) -> None:
    """Refuse to write over a file that is being read."""
    with suppress(OSError, ValueError, AttributeError):  # standard input may be closed, or be no file
        read = os.fstat(sys.stdin.fileno()) if source == STDIN else os.stat(source)
        written = os.stat(output)
        if os.path.samestat(read, written) and stat.S_ISREG(written.st_mode):
            raise TrafficError(f"{output}: is read here, and would be written over; name another file")
