"""A client that sends one request the way a test spells it and reports everything that comes back.

    answer = fetch(envoy.port, request("POST", "/", body=[b"one", b"two"], trailers=[("x-sum", "42")]))
    assert answer.status == 200 and answer.end is End.COMPLETE

Each request has a connection of its own; an answer that ends early is reported, never raised.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import BinaryIO

from simwasm.errors import InputError
from simwasm.exchange import Chunk, Headers, Message
from simwasm.parity.http1 import Head, read_chunks, read_fields, read_head, read_length, read_to_end, write

_BODILESS = (204, 304)


class End(str, Enum):
    """How an answer ended."""

    COMPLETE = "complete"
    RESET = "reset"
    """The connection ended before the answer did, or before it began."""
    TIMEOUT = "timeout"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client got: the response as far as it came, and how it ended."""

    end: End
    response: Message | None = None
    informational: tuple[Message, ...] = ()
    """The 1xx responses before it."""

    @property
    def status(self) -> int | None:
        """The status, None if nothing came."""
        return int(self.response.headers[0][1]) if self.response else None

    @property
    def headers(self) -> Headers:
        """The headers in their order, without `:status`."""
        return self.response.headers[1:] if self.response else ()

    @property
    def body(self) -> bytes:
        """The body as far as it came."""
        return self.response.data if self.response else b""

    @property
    def trailers(self) -> Headers:
        """The trailers."""
        return self.response.trailers if self.response else ()


def fetch(port: int, request: Message, *, timeout: float = 5.0) -> Answer:
    """Send a request to a port of this machine on a connection of its own and read the answer to its end."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with suppress(BrokenPipeError, ConnectionResetError):  # answered early: what came is read below
            _send(connection, request)
        with connection.makefile("rb") as stream:
            return _Reading(request.header(":method") == "HEAD").run(stream)


def _send(connection: socket.socket, request: Message) -> None:
    host = request.header(":authority")
    named = tuple((name, value) for name, value in request.headers if not name.startswith(":"))
    headers = (("host", host), *named) if host is not None else named
    method, path = request.header(":method"), request.header(":path")
    if method is None or path is None:
        raise InputError("a request needs :method and :path to be sent")
    write(connection, f"{method} {path} HTTP/1.1", headers, request)


@dataclass(slots=True)
class _Reading:
    """One answer while it is being read; what came before an abrupt end is kept."""

    is_head: bool
    informational: list[Message] = field(default_factory=list)
    headers: Headers = ()
    body: list[Chunk] = field(default_factory=list)
    trailers: Headers = ()

    def run(self, stream: BinaryIO) -> Answer:
        end = self._end(stream)
        response = Message(self.headers, tuple(self.body), self.trailers) if self.headers else None
        return Answer(end, response, tuple(self.informational))

    def _end(self, stream: BinaryIO) -> End:
        try:
            self._read(stream)
        except TimeoutError:
            return End.TIMEOUT
        except (EOFError, ConnectionError):
            return End.RESET
        return End.COMPLETE

    def _read(self, stream: BinaryIO) -> None:
        head = self._final_head(stream)
        if self.is_head or int(self.headers[0][1]) in _BODILESS:
            return
        for piece in _pieces(stream, head):
            self.body.append(Chunk(piece))
        if head.is_chunked:
            self.trailers = tuple(read_fields(stream))

    def _final_head(self, stream: BinaryIO) -> Head:
        while head := read_head(stream):
            status = head.line.split(" ")[1]
            headers = ((":status", status), *head.headers)
            if not status.startswith("1"):
                self.headers = headers
                return head
            self.informational.append(Message(headers))
        raise EOFError("the connection ended before an answer")


def _pieces(stream: BinaryIO, head: Head) -> Iterator[bytes]:
    if head.is_chunked:
        return read_chunks(stream)
    length = head.value("content-length")
    return read_to_end(stream) if length is None else read_length(stream, int(length))
