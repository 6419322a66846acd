"""A gRPC server behind Envoy: answers as a `Service` says, over HTTP/2, and remembers what it was sent.

    with GrpcServer.start(service) as server:
        ...
    assert server.heard()[0].messages == (b"ping",)

A connection is served by a thread of its own, which also sends what is due later. Frames go out one by one, `PACE`
apart where they follow each other, since Envoy hands on at once what it reads at once.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import DataReceived, Event, RequestReceived, StreamEnded
from h2.exceptions import ProtocolError

from simwasm.exchange import Headers, to_bytes, to_text
from simwasm.host.ports import Data, Head, Heard, Piece, Service, Tail
from simwasm.parity.bootstrap import Address
from simwasm.parity.http1 import PACE

if TYPE_CHECKING:
    from typing_extensions import Self

_READ = 65536
_IDLE = 0.2
"""Seconds after which a connection without anything to do looks whether the server closes."""
_PREFIX = 5


@dataclass
class Call:
    """A call as it arrived so far."""

    headers: Headers
    messages: tuple[bytes, ...] = ()
    ended: bool = False
    partial: bytes = field(default=b"", repr=False)

    @property
    def heard(self) -> Heard:
        return Heard(self.headers, self.messages, self.ended)


class GrpcServer:
    """A listening server; close it, or use it in a `with`."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._calls: list[Call] = []
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept, name="grpc", daemon=True)]
        self._threads[0].start()

    @classmethod
    def start(cls, service: Service) -> GrpcServer:
        """Listen on a free loopback port."""
        return cls(service)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def address(self) -> Address:
        """Where it listens."""
        host, port = self._listener.getsockname()
        return host, port

    def heard(self) -> tuple[Heard, ...]:
        """Return what was heard of each call since this was last asked."""
        with self._lock:
            found = tuple(call.heard for call in self._calls)
            self._calls.clear()
            return found

    def close(self) -> None:
        """Stop listening and drop every connection."""
        self._closing.set()
        with suppress(OSError):  # wakes accept()
            self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,), name="grpc", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with suppress(OSError), connection:
            _Served(connection, self._service, self._begun).run(self._closing)

    def _begun(self, call: Call) -> None:
        with self._lock:
            self._calls.append(call)


class _Served:
    """One connection: what arrives on it, and what is due on it."""

    def __init__(self, connection: socket.socket, service: Service, begun: Callable[[Call], None]) -> None:
        self._socket = connection
        self._service = service
        self._begun = begun
        self._http = H2Connection(
            H2Configuration(client_side=False, header_encoding=None, validate_inbound_headers=False)
        )
        self._calls: dict[int, Call] = {}
        self._due: list[tuple[float, int, int, Piece]] = []
        self._last: dict[int, float] = {}
        """When the last piece of each call is due."""
        self._order = count()

    def run(self, closing: threading.Event) -> None:
        """Serve until the peer is gone or the server closes."""
        self._http.initiate_connection()
        self._flush()
        while not closing.is_set():
            self._socket.settimeout(self._wait())
            try:
                data = self._socket.recv(_READ)
            except TimeoutError:
                data = None
            if data == b"":
                return
            if data:
                for event in self._http.receive_data(data):
                    self._take(event)
            self._send_due()
            self._flush()

    def _wait(self) -> float:
        return max(0.001, min(_IDLE, self._due[0][0] - time.monotonic())) if self._due else _IDLE

    def _take(self, event: Event) -> None:
        if isinstance(event, RequestReceived):
            headers = tuple((to_text(name), to_text(value)) for name, value in event.headers or ())
            call = self._calls[event.stream_id] = Call(headers)
            self._begun(call)
            self._hear(event.stream_id, call)
        elif isinstance(event, DataReceived):
            self._http.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id)
            call = self._calls[event.stream_id]
            ended = event.stream_ended is not None
            for message, last in _messages(call, event.data or b""):
                call.messages += (message,)
                call.ended = ended and last
                self._hear(event.stream_id, call, fresh=True)
            if ended and not call.ended:
                call.ended = True
                self._hear(event.stream_id, call)
        elif isinstance(event, StreamEnded):
            call = self._calls[event.stream_id]
            if not call.ended:
                call.ended = True
                self._hear(event.stream_id, call)

    def _hear(self, stream: int, call: Call, *, fresh: bool = False) -> None:
        at = max(time.monotonic(), self._last.get(stream, 0.0))
        for piece in self._service(call.heard._replace(fresh=fresh)):
            at += max(piece.after_ns / 1e9, PACE if stream in self._last else 0.0)
            self._last[stream] = at
            heappush(self._due, (at, next(self._order), stream, piece))

    def _send_due(self) -> None:
        while self._due and self._due[0][0] <= time.monotonic():
            _, _, stream, piece = heappop(self._due)
            with suppress(ProtocolError):  # Envoy has given the call up
                self._send(stream, piece)
            self._flush()

    def _send(self, stream: int, piece: Piece) -> None:
        if isinstance(piece, Head):
            self._http.send_headers(stream, _fields(piece.headers), end_stream=piece.end)
        elif isinstance(piece, Data):
            *parts, last = _parts(piece.data, self._http.max_outbound_frame_size)
            for part in parts:
                self._http.send_data(stream, part)
            self._http.send_data(stream, last, end_stream=piece.end)
        elif isinstance(piece, Tail):
            self._http.send_headers(stream, _fields(piece.headers), end_stream=True)
        elif piece.reason == "connection termination":
            self._flush()
            raise OSError("the connection is to be closed")
        else:
            self._http.reset_stream(stream, ErrorCodes.INTERNAL_ERROR)

    def _flush(self) -> None:
        if data := self._http.data_to_send():
            self._socket.sendall(data)


def _parts(data: bytes, size: int) -> list[bytes]:
    """Data in frames of a size that the peer takes; one at least."""
    return [data[at : at + size] for at in range(0, max(1, len(data)), size)]


def _fields(headers: Headers) -> list[tuple[bytes, bytes]]:
    return [(to_bytes(name), to_bytes(value)) for name, value in headers]


def _messages(call: Call, data: bytes) -> Iterator[tuple[bytes, bool]]:
    """The messages that are whole now, and for each whether nothing follows of these bytes."""
    call.partial += data
    while len(call.partial) >= _PREFIX:
        size = _PREFIX + int.from_bytes(call.partial[1:_PREFIX], "big")
        if len(call.partial) < size:
            return
        message, call.partial = call.partial[_PREFIX:size], call.partial[size:]
        yield message, not call.partial
