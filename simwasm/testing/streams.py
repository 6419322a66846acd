"""Streams that a test says step by step: a request whose body comes in pieces, a connection on which both sides talk.

Rules: what is said is delivered at once, in the virtual time in which it is said; a plugin that holds it back gets it
when there is room again; nothing passes but what a test lets pass by `advance`, `finish` or another request.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from simwasm.conversation import Close, Piece, Side
from simwasm.errors import InputError
from simwasm.host.network import Tcp
from simwasm.testing import given
from simwasm.testing.doing import Doing
from simwasm.testing.given import GivenHeaders
from simwasm.testing.result import Result
from simwasm.trace.text import printable

if TYPE_CHECKING:
    from simwasm.testing.life import Flow, Life


class _Open(Doing, ABC):
    """What streams and connections have in common; what the plugin has done can be looked at before they end."""

    def __init__(self, life: Life, flow: Flow) -> None:
        super().__init__(life, flow.stream)
        self._flow = flow
        self._complete = False

    @property
    def done(self) -> bool:
        """Whether it has ended."""
        return self._flow.result is not None

    @property
    def held(self) -> str:
        """Which plugin holds it, in words; empty if none does."""
        return "" if self.done else self.stream.held_by()

    @property
    def result(self) -> Result:
        """What became of it, once it has ended."""
        if self._flow.result is None:
            raise InputError(f"{self._what} has not ended{self._why()}; end() it, and finish() waits for it")
        return self._flow.result

    def finish(self) -> Result:
        """End it if that was not said yet, and let as much time pass as it takes."""
        if not self._complete and not self.done:
            self.end()
        self._life.wait([self._flow])
        return self.result

    @abstractmethod
    def end(self) -> None:
        """Nothing more is said."""

    def _why(self) -> str:
        return f": {self.held}" if self.held else ""

    @property
    def _what(self) -> str:
        return printable(self._flow.exchange.label)

    def _can(self, what: str) -> None:
        if self._complete:
            raise InputError(f"{what}: {self._what} was ended before")
        self._life.running()


class Stream(_Open):
    """A request that is under way.

    Example:
        >>> plugin = load_plugin("samples/allow_header/plugin.wasm")
        >>> stream = plugin.open("POST", "/upload", headers={"allow": "true"})
        >>> stream.send(b"one, ")
        >>> plugin.advance(5)
        >>> stream.send(b"two")
        >>> stream.done
        False
        >>> stream.finish().upstream.request.body
        b'one, two'
    """

    def __repr__(self) -> str:
        return f"<stream {self._what}: {'ended' if self.done else 'open'}>"

    def send(self, data: bytes | str, *, end: bool = False) -> None:
        """Send a piece of the body; with `end` it is the last one."""
        self._can("send")
        piece = given.body(data)
        feed = self.stream.feed
        if feed is not None and isinstance(piece, bytes) and piece:
            feed.say(piece)
            self._life.settle()
        if end:
            self.end()

    def end(self, trailers: GivenHeaders = ()) -> None:
        """The request is complete, with trailers if there are any."""
        self._can("end")
        behind = given.headers(trailers, "trailers")
        self._complete = True
        if self.stream.feed is not None:
            self.stream.feed.end(tuple((name.lower(), value) for name, value in behind))
        self._life.settle()

    def leave(self) -> Result:
        """The client goes, whatever it was waiting for."""
        self._life.running()
        self._complete = True
        self.stream.leave()
        self._life.settle()
        return self.result


class Talk(_Open):
    """A TCP connection on which both sides talk.

    Example:
        >>> plugin = load_plugin("ping.wasm", network=True)
        >>> talk = plugin.connect()
        >>> talk.send(b"PING")
        >>> talk.upstream_sends(b"PONG")
        >>> talk.finish().received
        b'PONG'
    """

    def __repr__(self) -> str:
        return f"<connection {self._what}: {'ended' if self.done else 'open'}>"

    def send(self, data: bytes | str, *, end: bool = False, reset: bool = False) -> None:
        """The client sends bytes; it says nothing more after its `end`, and is gone after a `reset`."""
        self._say("send", Side.CLIENT, data, end, reset)

    def upstream_sends(self, data: bytes | str, *, end: bool = False, reset: bool = False) -> None:
        """The upstream sends bytes, once it is connected."""
        self._say("upstream_sends", Side.UPSTREAM, data, end, reset)

    def leave(self) -> Result:
        """The client is gone at once."""
        self.send(b"", reset=True)
        return self.finish()

    def end(self) -> None:
        """Nothing more is said: the client ends its side, and the upstream its own when it hears of that."""
        self._can("end")
        self._complete = True
        self._tcp.end()
        self._life.settle()

    def _say(self, what: str, side: Side, data: bytes | str, end: bool, reset: bool) -> None:
        self._can(what)
        piece = given.body(data)
        assert isinstance(piece, bytes)
        self._tcp.say(Piece(side, piece, 0, Close.RESET if reset else Close.END if end else Close.NO))
        self._life.settle()

    @property
    def _tcp(self) -> Tcp:
        stream = self.stream
        assert isinstance(stream, Tcp)
        return stream
