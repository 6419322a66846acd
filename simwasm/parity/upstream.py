"""The server behind Envoy: answers as a script says and remembers every request verbatim.

    with Upstream.start(response(200, body=[b"hello", b" world"], trailers=[("x-sum", "42")])) as upstream:
        ...
    assert upstream.requests()[0].line == "GET /path HTTP/1.1"

A connection is served by a thread of its own, so that a reply which waits holds up nobody else.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from typing import TYPE_CHECKING, BinaryIO

from simwasm.exchange import Chunk, Headers, Message, response
from simwasm.parity.bootstrap import Address
from simwasm.parity.http1 import PACE, Head, read_chunks, read_fields, read_head, read_length, write

if TYPE_CHECKING:
    from typing_extensions import Self


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it arrived, header names and their order untouched."""

    line: str
    headers: Headers
    body: tuple[Chunk, ...] = ()
    trailers: Headers = ()

    @property
    def message(self) -> Message:
        """The same request the way Envoy's codec hands it to a filter chain."""
        method, _, rest = self.line.partition(" ")
        path = rest.rpartition(" ")[0]
        lowered = [(name.lower(), value) for name, value in self.headers]
        host = next((value for name, value in lowered if name == "host"), "")
        named = (pair for pair in lowered if pair[0] != "host")
        pseudo = ((":authority", host), (":path", path), (":method", method))
        return Message((*pseudo, *named), self.body, self.trailers)


class Failure(Enum):
    """An upstream that does not answer."""

    RESET = "reset"
    """Reset the connection once the request is there."""
    SILENCE = "silence"
    """Never answer."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Begin this answer, then reset the connection instead of ending it."""

    message: Message


Reply = Message | Cut | Failure
Script = Callable[[Received], Reply]

OK = response(200, headers=[("content-type", "text/plain")], body=b"ok")


class Upstream:
    """A listening server; close it, or use it in a `with`."""

    def __init__(self, script: Script, early: Callable[[], bool], hint: int) -> None:
        self._script = script
        self._early = early
        self._hint = hint
        self._requests: list[Received] = []
        self._connections: list[socket.socket] = []
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._accept, name="upstream", daemon=True)
        self._thread.start()

    @classmethod
    def start(
        cls, reply: Reply | Script = OK, *, early: Callable[[], bool] = bool, hint: int = 0
    ) -> Upstream:
        """Listen on a free loopback port; every request gets the reply, or what the function returns for it.

        If it is `early`, a reply goes out once a request's headers are there, and the rest is not looked at. A status
        may `hint` at every reply before it.
        """
        return cls(reply if callable(reply) else lambda _: reply, early, hint)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def address(self) -> Address:
        """Where it listens."""
        host, port = self._listener.getsockname()
        return host, port

    def requests(self) -> tuple[Received, ...]:
        """Return the requests received completely so far."""
        with self._lock:
            return tuple(self._requests)

    def forget(self) -> None:
        """Drop the requests received so far."""
        with self._lock:
            self._requests.clear()

    def close(self) -> None:
        """Stop listening and drop every connection."""
        self._closing.set()
        with suppress(OSError):  # wakes accept()
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        with self._lock:
            for connection in self._connections:
                _drop(connection)

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self._connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), name="upstream", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with suppress(OSError, EOFError), connection, connection.makefile("rb") as stream:
            while head := read_head(stream):
                early = self._early()
                received = Received(head.line, head.headers) if early else _receive(head, stream)
                with self._lock:
                    self._requests.append(received)
                reply = self._script(received)
                if self._hint:
                    connection.sendall(b"HTTP/1.1 %d Hint\r\nlink: </style.css>\r\n\r\n" % self._hint)
                self._reply(connection, received, reply)
                if early:
                    _receive(head, stream)
                if not isinstance(reply, Message):
                    return

    def _reply(self, connection: socket.socket, received: Received, reply: Reply) -> None:
        if isinstance(reply, Message):
            _answer(connection, received, reply, ended=True)
        elif isinstance(reply, Cut):
            _answer(connection, received, reply.message, ended=False)
            time.sleep(PACE)  # a reset overtakes what is not read yet
            _reset_on_close(connection)
        elif reply is Failure.RESET:
            _reset_on_close(connection)
        else:
            self._closing.wait()


def _receive(head: Head, stream: BinaryIO) -> Received:
    if head.is_chunked:
        pieces = tuple(Chunk(piece) for piece in read_chunks(stream))
        return Received(head.line, head.headers, pieces, tuple(read_fields(stream)))
    length = int(head.value("content-length") or 0)
    return Received(head.line, head.headers, tuple(Chunk(piece) for piece in read_length(stream, length)))


def _answer(connection: socket.socket, received: Received, message: Message, *, ended: bool) -> None:
    status = HTTPStatus(int(message.header(":status") or 200))
    if received.line.startswith("HEAD "):
        message = Message(message.headers)
    time.sleep(message.after_ns / 1e9)
    named = tuple(pair for pair in message.headers if not pair[0].startswith(":"))
    headers = named if _delimits_itself(received, status, message) else (*named, ("content-length", "0"))
    write(connection, f"HTTP/1.1 {status.value} {status.phrase}", headers, message, ended=ended)


def _delimits_itself(received: Received, status: HTTPStatus, message: Message) -> bool:
    """Whether the client can tell where this answer ends without a `content-length: 0`."""
    bodiless = status in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED) or received.line.startswith("HEAD ")
    framed = Head("", message.headers).value("content-length") is not None
    return bodiless or framed or bool(message.body or message.trailers)


def _reset_on_close(connection: socket.socket) -> None:
    """Let the next close send RST instead of FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _drop(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
