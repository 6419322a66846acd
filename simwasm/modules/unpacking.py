"""What gzip and zstd hold, piece by piece, and never more of it than somebody allows.

Rule: whoever made the bytes is not trusted; a small file that unpacks to a huge one is an error, and costs no memory.
"""

from __future__ import annotations

import gzip
import zlib
from typing import BinaryIO

from simwasm.errors import InputError

LARGEST_MODULE = 256 << 20
"""Istio reads no more of a module than this."""
MOST_UNPACKED = 1 << 30
_PIECE = 1 << 18
_LARGEST_WINDOW = 128 << 20
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


class Unpacked:
    """A stream of what another one holds; `form` says how that is packed, if it is."""

    def __init__(self, stream: BinaryIO, where: str, most: int = MOST_UNPACKED) -> None:
        start = stream.tell()
        head = stream.read(4)
        stream.seek(start)
        self.where = where
        self.form = "gzip" if head.startswith(_GZIP) else "zstd" if head == _ZSTD else ""
        self._stream, self._damage = _OPEN[self.form](stream)
        self._most = most
        self._left = most

    def read(self, size: int) -> bytes:
        """So many bytes, or fewer at the end."""
        pieces = []
        while size > 0:
            piece = self._piece(min(size, _PIECE))
            if not piece:
                break
            size -= len(piece)
            pieces.append(piece)
        return b"".join(pieces)

    def skip(self, size: int) -> int:
        """Pass over so many bytes, or fewer at the end; how many they were."""
        if not self.form:
            here, end = self._stream.tell(), self._stream.seek(0, 2)
            return self._stream.seek(min(here + size, end)) - here
        skipped = 0
        while skipped < size:
            piece = self._piece(min(size - skipped, _PIECE))
            if not piece:
                break
            skipped += len(piece)
        return skipped

    def _piece(self, size: int) -> bytes:
        try:
            piece = self._stream.read(size)
        except self._damage as error:
            raise InputError(f"{self.where}: is damaged, or cut: {error or 'it ends too early'}") from None
        self._left -= len(piece)
        if self._left < 0:
            raise InputError(f"{self.where}: unpacks to more than {self._most >> 20} MiB, which no plugin is")
        return piece


_Errors = tuple[type[Exception], ...]


def _plain(stream: BinaryIO) -> tuple[BinaryIO, _Errors]:
    return stream, (OSError,)


def _gzip(stream: BinaryIO) -> tuple[BinaryIO, _Errors]:
    return gzip.GzipFile(fileobj=stream), (OSError, EOFError, zlib.error)  # type: ignore[return-value]  # it reads


def _zstd(stream: BinaryIO) -> tuple[BinaryIO, _Errors]:
    import zstandard  # few images are packed like this

    unpacker = zstandard.ZstdDecompressor(max_window_size=_LARGEST_WINDOW)
    return unpacker.stream_reader(stream, read_across_frames=True), (OSError, zstandard.ZstdError)


_OPEN = {"": _plain, "gzip": _gzip, "zstd": _zstd}
