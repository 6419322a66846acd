"""What is packed with gzip or zstd, as what it holds: piece by piece, known by its content.

Rules that live here:
- Several members or frames after each other are one content; what is packed twice is unpacked twice.
- No more than a piece is unpacked before somebody reads it: what swells beyond all measure costs time and no memory.
- A file that is cut or damaged gives what was before that place, and ends; `damage` tells it then.
"""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from simwasm.errors import TrafficError

if TYPE_CHECKING:  # its own declaration is no module that can be imported
    from _typeshed import WriteableBuffer

_BLOCK = 1 << 16
_PIECE = 1 << 18
_DEEPEST = 2
_ZSTD = b"\x28\xb5\x2f\xfd"
_HEAD = 4
_LARGEST_BLOCK = 1 << 17
_SKIPPABLE = b"\x2a\x4d\x18"
_RLE, _RESERVED = 1, 3
_DICTIONARY = (0, 1, 2, 4)
_CONTENT_SIZE = (0, 2, 4, 8)


class Unpacked(io.RawIOBase):
    """The content of something packed."""

    def __init__(self, packing: _Packing, packed: io.BufferedReader, inner: Unpacked | None) -> None:
        self._kind = packing.name
        self._pieces = packing.pieces(packed)
        self._packed = packed
        self._rest = memoryview(b"")
        self._inner = inner
        self._damage = ""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        into = memoryview(buffer)
        size = min(len(into), len(self._ahead()))
        into[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size

    def head(self) -> bytes:
        """How it begins, which stays there to be read."""
        return bytes(self._ahead()[:_HEAD])

    def _ahead(self) -> memoryview:
        """What comes next; nothing at the end."""
        while not self._rest:
            try:
                self._rest = memoryview(next(self._pieces))
            except StopIteration:
                break
            except _Damaged as damaged:
                self._damage = f"the {self._kind} data is {damaged}"
        return self._rest

    @property
    def depth(self) -> int:
        """How often it was packed."""
        return 1 + (self._inner.depth if self._inner else 0)

    def close(self) -> None:
        self._packed.close()
        super().close()

    def damage(self) -> str:
        """What is wrong with it, as far as it was read."""
        return (self._inner.damage() if self._inner else "") or self._damage


class _Damaged(Exception):
    """The packed data is cut, or not what it should be."""


class _Packing(NamedTuple):
    name: str
    begins: bytes
    pieces: Callable[[io.BufferedReader], Iterator[bytes]]


def unpacked(stream: io.BufferedReader, head: bytes) -> Unpacked | None:
    """What this holds if it is packed, which its head tells, otherwise nothing."""
    found: Unpacked | None = None
    while (packing := _packing(head)) and (found is None or found.depth < _DEEPEST):
        found = Unpacked(packing, io.BufferedReader(found, _PIECE) if found else stream, found)
        head = found.head()
    return found


def _packing(head: bytes) -> _Packing | None:
    return next((packing for packing in _PACKINGS if re.match(packing.begins, head)), None)


def _gzip(stream: io.BufferedReader) -> Iterator[bytes]:
    data = stream.read1(_BLOCK)
    while data:
        unpack = zlib.decompressobj(zlib.MAX_WBITS | 16)
        while not unpack.eof:
            try:
                piece = unpack.decompress(data, _PIECE)
            except zlib.error as error:
                raise _Damaged(f"damaged: {error}") from None
            yield piece
            if not data and not piece:
                raise _Damaged("cut")
            data = unpack.unconsumed_tail or (b"" if unpack.eof else stream.read1(_BLOCK))
        data = _next_member(unpack.unused_data, stream)


def _next_member(data: bytes, stream: io.BufferedReader) -> bytes:
    """What follows a member; zeros only fill it up."""
    while not data.strip(b"\0"):
        data = stream.read1(_BLOCK)
        if not data:
            return b""
    return data.lstrip(b"\0")


def _zstd(stream: io.BufferedReader) -> Iterator[bytes]:
    """Go from block to block, each of which unpacks to little: the library itself unpacks all that it is given."""
    try:
        import zstandard  # few recordings need it
    except ImportError:
        raise TrafficError("zstd files need the package zstandard: pip install zstandard") from None
    while magic := stream.read(len(_ZSTD)):
        if magic[1:] == _SKIPPABLE and magic[0] >> 4 == 5:
            _skip(stream)
            continue
        if magic != _ZSTD:
            raise _Damaged("followed by something else" if len(magic) == len(_ZSTD) else "cut")
        frame = zstandard.ZstdDecompressor().decompressobj()
        try:
            for part in _frame(stream):
                yield frame.decompress(part)
        except zstandard.ZstdError as error:
            raise _Damaged(f"damaged: {error}") from None


def _frame(stream: io.BufferedReader) -> Iterator[bytes]:
    """The header of a frame and then its blocks, see RFC 8878, 3.1.1."""
    described = _exactly(stream, 1)
    flags = described[0]
    single = flags >> 5 & 1
    content_size = _CONTENT_SIZE[flags >> 6] or single
    yield _ZSTD + described + _exactly(stream, 1 - single + _DICTIONARY[flags & 3] + content_size)
    last = 0
    while not last:
        header = _exactly(stream, 3)
        number = int.from_bytes(header, "little")
        last, kind, size = number & 1, number >> 1 & 3, number >> 3
        if kind == _RESERVED or size > _LARGEST_BLOCK:
            raise _Damaged("damaged: no block can be like this")
        checksum = 4 if last and flags & 4 else 0
        yield header + _exactly(stream, (1 if kind == _RLE else size) + checksum)


def _skip(stream: io.BufferedReader) -> None:
    left = int.from_bytes(_exactly(stream, 4), "little")
    while left:
        left -= len(_exactly(stream, min(left, _BLOCK)))


def _exactly(stream: io.BufferedReader, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise _Damaged("cut")
    return data


_PACKINGS = (
    _Packing("gzip", rb"\x1f\x8b", _gzip),
    _Packing("zstd", rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18", _zstd),
)
