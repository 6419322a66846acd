"""HTTP/1.1 on a plain socket: say exactly what is sent, see exactly what came.

An HTTP library would tidy headers, merge chunks and hide resets, which are the things compared here.

Rules that live here:
- Envoy turns everything it reads from a socket at once into one body callback. Pieces are therefore written at least
  `PACE` apart, and farther apart where their `after_ns` says so.
- Framing follows the headers: with a `content-length` the pieces go out bare, otherwise they are chunks.
- Nothing is lower-cased, sorted or added, except the framing header a message cannot do without.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from simwasm.errors import InputError
from simwasm.exchange import Chunk, Header, Headers, Message, to_bytes, to_text

PACE = 0.01
"""Seconds; long enough for Envoy's worker to read one piece before the next one is there."""

_PIECE = 65536


@dataclass(frozen=True, slots=True)
class Head:
    """A start line and the headers below it, verbatim."""

    line: str
    headers: Headers

    def value(self, name: str) -> str | None:
        """Return the first value of a header, whose name is given in lower case."""
        return next((value for key, value in self.headers if key.lower() == name), None)

    @property
    def is_chunked(self) -> bool:
        """Whether the body comes in chunks."""
        return "chunked" in (self.value("transfer-encoding") or "").lower()


def read_head(stream: BinaryIO) -> Head | None:
    """Read a start line and its headers; None if the peer is gone before the first byte."""
    line = stream.readline()
    return Head(to_text(_whole(line)), tuple(read_fields(stream))) if line else None


def read_fields(stream: BinaryIO) -> Iterator[Header]:
    """Read headers or trailers up to and including the empty line."""
    while line := _whole(stream.readline()):
        name, _, value = to_text(line).partition(":")
        yield name, value.strip(" \t")


def read_chunks(stream: BinaryIO) -> Iterator[bytes]:
    """Read a chunked body, chunk by chunk, up to where its trailers begin."""
    while size := int(_whole(stream.readline()).partition(b";")[0], 16):
        yield _exactly(stream, size)
        _exactly(stream, 2)


def read_length(stream: BinaryIO, length: int) -> Iterator[bytes]:
    """Read a body of known length in the pieces in which it arrives."""
    while length:
        piece = _some(stream, length)
        if not piece:
            raise EOFError(f"the connection ended {length} bytes before the body did")
        yield piece
        length -= len(piece)


def read_to_end(stream: BinaryIO) -> Iterator[bytes]:
    """Read a body that ends with the connection."""
    while piece := _some(stream, _PIECE):
        yield piece


def write(
    connection: socket.socket, line: str, headers: Headers, message: Message, *, ended: bool = True
) -> None:
    """Write a head, then the message's body and trailers, paced; not its end if it is to stay open."""
    chunked = _is_chunked(message)
    pending = _head(line, headers, chunked)
    for number, chunk in enumerate(message.body):
        pause = max(chunk.after_ns / 1e9, PACE if number else 0)
        if pause:
            connection.sendall(pending)
            time.sleep(pause)
            pending = b""
        pending += _framed(chunk, chunked)
    connection.sendall(pending + (_tail(message, chunked) if ended else b""))


def _head(line: str, headers: Headers, chunked: bool) -> bytes:
    if chunked and not Head(line, headers).is_chunked:
        headers = (*headers, ("transfer-encoding", "chunked"))
    return to_bytes("\r\n".join((line, *(f"{name}: {value}" for name, value in headers), "", "")))


def _is_chunked(message: Message) -> bool:
    sized = Head("", message.headers).value("content-length") is not None
    if sized and message.trailers:
        raise InputError("HTTP/1.1 has no trailers after a content-length body: leave out one of the two")
    return not sized and bool(message.body or message.trailers)


def _framed(chunk: Chunk, chunked: bool) -> bytes:
    if not chunked or not chunk.data:
        return chunk.data
    return b"%x\r\n%s\r\n" % (len(chunk.data), chunk.data)


def _tail(message: Message, chunked: bool) -> bytes:
    if not chunked:
        return b""
    trailers = "".join(f"{name}: {value}\r\n" for name, value in message.trailers)
    return b"0\r\n" + to_bytes(trailers) + b"\r\n"


def _whole(line: bytes) -> bytes:
    if not line.endswith(b"\n"):
        raise EOFError("the connection ended inside a line")
    return line.rstrip(b"\r\n")


def _exactly(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError(f"the connection ended {size - len(data)} bytes before the chunk did")
    return data


def _some(stream: BinaryIO, limit: int) -> bytes:
    return stream.read1(min(limit, _PIECE))  # type: ignore[attr-defined,no-any-return]  # makefile("rb") is buffered
