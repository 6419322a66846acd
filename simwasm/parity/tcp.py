"""Both ends of a TCP connection through Envoy: a client and an upstream that say what a conversation says.

    with Listener() as listener:
        heard = converse(envoy.port, talk, listener)
    assert heard.client == b"PONG" and heard.upstream == b"PING"

Rules that live here: one thread plays both ends, so that what is said is said in its order, with pauses of `PACE` at
least; a reset counts as an end, since it depends on the kernel which of the two a client meets.
"""

from __future__ import annotations

import socket
import struct
import time
from contextlib import suppress
from select import select
from typing import TYPE_CHECKING, NamedTuple

from simwasm.conversation import Close, Conversation, Piece, Side
from simwasm.parity.bootstrap import Address
from simwasm.parity.http1 import PACE

if TYPE_CHECKING:
    from typing_extensions import Self

_CHUNK = 65536


class Heard(NamedTuple):
    """What each end received."""

    client: bytes
    upstream: bytes | None
    """None if nobody connected to it."""
    ended: bool
    """Whether both ends saw the connection end."""


class Listener:
    """The port of the upstream, which listens or refuses connections."""

    def __init__(self) -> None:
        self.refuses = False
        self.socket = socket.create_server(("127.0.0.1", 0))

    def refuse(self, refuses: bool) -> None:
        """Have connections refused from now on, or accepted again."""
        if refuses is self.refuses:
            return
        address = self.address
        self.socket.close()
        self.refuses = refuses
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(address)
        if not refuses:
            self.socket.listen()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    @property
    def address(self) -> Address:
        """Where it is."""
        host, port = self.socket.getsockname()
        return host, port


class _End:
    """One end: what it heard, and what has ended."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.heard = b""
        self.heard_end = False
        self.said_end = False

    def say(self, piece: Piece) -> None:
        """Send what it has to say, and end as it does."""
        if self.said_end:
            return
        with suppress(OSError):
            if piece.data:  # an end comes with the last bytes, as it does from most programs
                flags = socket.MSG_MORE if piece.close is Close.END else 0
                self.connection.sendall(piece.data, flags)
            if piece.close is Close.END:
                self.connection.shutdown(socket.SHUT_WR)
        self.said_end = piece.close is not Close.NO
        if piece.close is Close.RESET:
            time.sleep(PACE)  # a reset overtakes what is not read yet
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()
            self.heard_end = True

    def hear(self) -> None:
        try:
            data = self.connection.recv(_CHUNK)
        except OSError:
            data = b""
        self.heard += data
        self.heard_end = not data


class Talk:
    """A conversation under way. Close it once nothing is to be seen of it any more."""

    def __init__(self, port: int, listener: Listener, patience: float) -> None:
        self.client = _End(socket.create_connection(("127.0.0.1", port), timeout=patience))
        self.upstream: _End | None = None
        self._listener = listener
        self._patience = patience

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for end in (self.client, self.upstream):
            if end is not None:
                end.connection.close()

    def play(self, talk: Conversation) -> Heard:
        """Say everything and listen to the end, or until nothing was heard for too long."""
        for number, piece in enumerate(talk.pieces):
            self._listen(max(piece.after_ns / 1e9, PACE if number else 0.0))
            end = self._end_of(piece.side)
            if end is not None:
                end.say(piece)
        self._listen(PACE)
        self.client.say(Piece(Side.CLIENT, close=Close.END))
        ended = self._until_ended()
        return Heard(self.client.heard, self.upstream.heard if self.upstream else None, ended)

    def _end_of(self, side: Side) -> _End | None:
        if side is Side.CLIENT:
            return self.client
        deadline, waited = time.monotonic() + self._patience, False
        while self.upstream is None and time.monotonic() < deadline and not self.client.heard_end:
            self._listen_once(deadline - time.monotonic())
            waited = True
        if waited:
            self._listen(PACE)  # what the client said before comes first
        return self.upstream

    def _until_ended(self) -> bool:
        deadline = time.monotonic() + self._patience
        while time.monotonic() < deadline:
            end = self.upstream
            if end is not None and end.heard_end and not end.said_end:
                end.say(Piece(Side.UPSTREAM, close=Close.END))
            if self.client.heard_end and (end is None or end.heard_end):
                return True
            self._listen_once(deadline - time.monotonic())
        return False

    def _listen(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if not self._listen_once(left):
                time.sleep(max(0.0, deadline - time.monotonic()))

    def _listen_once(self, seconds: float) -> bool:
        """Take what comes next; say whether there is anybody to listen to."""
        ends = [end for end in (self.client, self.upstream) if end is not None and not end.heard_end]
        waiting: list[socket.socket] = [end.connection for end in ends]
        if self.upstream is None and not self._listener.refuses:
            waiting.append(self._listener.socket)
        if not waiting:
            return False
        ready, _, _ = select(waiting, (), (), max(0.0, seconds))
        for found in ready:
            if found is self._listener.socket:
                self.upstream = _End(found.accept()[0])
            else:
                next(end for end in ends if end.connection is found).hear()
        return True
