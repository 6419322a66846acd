"""Messages in pieces: how a body comes in frame by frame, and how what leaves a lane is put together again."""

from __future__ import annotations

from collections.abc import Iterable

from simwasm.exchange import Chunk, Headers, Message
from simwasm.host.headers import HeaderMap


def frames(pieces: Iterable[Chunk], *, ends: bool) -> list[Chunk]:
    """What HTTP/1 makes of a body's pieces: an empty one is nothing but a pause, and the end is a frame of its own."""
    frames: list[Chunk] = []
    pause = 0
    for piece in pieces:
        pause += piece.after_ns
        if piece.data:
            frames.append(Chunk(piece.data, pause))
            pause = 0
    return [*frames, Chunk(b"", pause)] if ends else frames


class Assembly:
    """A message as it comes out of a lane, piece by piece."""

    __slots__ = ("headers", "open", "pieces", "trailers", "size")

    def __init__(self) -> None:
        self.headers: Headers | None = None
        self.open = False
        """The headers went out before it was known whether a body follows, so it is framed as one."""
        self.pieces: list[Chunk] = []
        self.trailers: HeaderMap | None = None
        self.size = 0

    def add(self, data: bytes) -> None:
        if data:
            self.pieces.append(Chunk(data))
            self.size += len(data)

    def message(self) -> Message:
        return Message(self.headers or (), tuple(self.pieces), self.trailers.entries if self.trailers else ())
