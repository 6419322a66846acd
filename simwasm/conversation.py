"""One recorded TCP connection, as a value: what client and upstream said to each other, and who ended it how.

A `Conversation` is an `Exchange` without headers, so it goes wherever exchanges go: `request` is what the client said,
`response` what the upstream said. The pieces tell in which order.

    conversation("1", (client(b"PING\\r\\n"), upstream(b"PONG\\r\\n", ends=True)))

Rules that live here:
- `after_ns` counts from the piece before, whoever said it. What the upstream says waits until it is connected.
- Whoever has not ended their side when all is said does so then: the client first, the upstream when it hears of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from simwasm.exchange import Chunk, Connection, Exchange, Message


class Side(str, Enum):
    """Who speaks."""

    CLIENT = "client"
    UPSTREAM = "upstream"


class Close(str, Enum):
    """What a speaker does to the connection behind a piece."""

    NO = "no"
    END = "end"
    """It says nothing any more, and goes on listening (FIN)."""
    RESET = "reset"
    """It is gone at once (RST)."""


class Piece(NamedTuple):
    """What one side said at once, and whether it went then."""

    side: Side
    data: bytes = b""
    after_ns: int = 0
    close: Close = Close.NO


@dataclass(frozen=True, slots=True)
class Conversation(Exchange):
    """A TCP connection. Made by `conversation`, which keeps the messages and the pieces the same."""

    pieces: tuple[Piece, ...] = ()
    refused: bool = False
    """Nobody listens where the upstream should be."""

    @property
    def label(self) -> str:
        """The name it was given, otherwise who it came from."""
        return self.name or f"TCP {self.connection.source}"


def conversation(
    id: str,
    pieces: Iterable[Piece],
    *,
    started_ns: int = 0,
    connection: Connection = Connection(),  # noqa: B008  # it is frozen
    name: str = "",
    refused: bool = False,
) -> Conversation:
    """Return a connection on which this is said."""
    said = tuple(pieces)
    spoken = {side: Message((), tuple(_said(said, side))) for side in Side}
    return Conversation(
        id, started_ns, spoken[Side.CLIENT], spoken[Side.UPSTREAM], connection, name,
        pieces=said, refused=refused,
    )  # fmt: skip


def client(data: bytes = b"", *, after_ns: int = 0, ends: bool = False, resets: bool = False) -> Piece:
    """What the client says."""
    return Piece(Side.CLIENT, data, after_ns, _close(ends, resets))


def upstream(data: bytes = b"", *, after_ns: int = 0, ends: bool = False, resets: bool = False) -> Piece:
    """What the upstream says."""
    return Piece(Side.UPSTREAM, data, after_ns, _close(ends, resets))


def _close(ends: bool, resets: bool) -> Close:
    return Close.RESET if resets else Close.END if ends else Close.NO


def _said(pieces: tuple[Piece, ...], side: Side) -> Iterable[Chunk]:
    """One side's words, each with the time since its last ones."""
    pause = 0
    for piece in pieces:
        pause += piece.after_ns
        if piece.side is side and piece.data:
            yield Chunk(piece.data, pause)
            pause = 0
