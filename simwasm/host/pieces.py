"""Messages in pieces: how a body comes in frame by frame, and how what leaves a lane is put together again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from simwasm.exchange import Chunk, Headers, Message
from simwasm.host.headers import HeaderMap

if TYPE_CHECKING:
    from simwasm.host.lane import Lane
    from simwasm.host.stream import Stream


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


class Delivery:
    """What is behind a message's headers, on its way into a lane; each piece when it arrived. `cut` ends it early, and
    a client that `leaves` does so at its end."""

    __slots__ = ("_cut", "_leaves", "lane", "_message", "_more", "_next", "_pieces", "_since", "stream")

    def __init__(self, stream: Stream, lane: Lane, message: Message, protocol: str, cut: str = "",
                 leaves: bool = False) -> None:  # fmt: skip
        pieces = list(message.body)
        if protocol.startswith("HTTP/1"):
            pieces = frames(pieces, ends=not message.trailers and not cut)
        self.stream = stream
        self.lane = lane
        self._message = message
        self._pieces = pieces
        self._next = 0
        self._since = 0
        """When the next piece was there and found no room."""
        self._cut = cut
        self._more = bool(message.trailers or cut)
        """Something comes behind the last piece."""
        self._leaves = leaves

    def start(self) -> None:
        """Have the next piece delivered when it is due, and so on."""
        delay = 0 if self._next == len(self._pieces) else self._pieces[self._next].after_ns
        self.stream.later(delay, self._deliver)

    def _deliver(self) -> None:
        stream, lane = self.stream, self.lane
        if stream.ended:
            return
        if lane.full and self._next < len(self._pieces) and self._pieces[self._next].after_ns:
            # What came with the piece before is read already.
            lane.blocked, self._since = self, stream.proxy.clock.now
            return
        stream.wait()
        if self._next == len(self._pieces):
            self._end()
            return
        data = self._pieces[self._next].data
        self._next += 1
        end = self._next == len(self._pieces) and not self._more
        if lane.request:
            stream.received += len(data)
        if not end:
            self.start()
        elif self._leaves:
            stream.later(0, stream.leave)
        lane.receive_data(data, end)

    def go_on(self) -> None:
        """There is room again: what has arrived meanwhile is read at once, as one piece."""
        self.lane.blocked = None
        left, data, at = self.stream.proxy.clock.now - self._since, b"", self._next
        while at < len(self._pieces) and self._pieces[at].data:
            wait = self._pieces[at].after_ns if data else 0
            if wait > left:
                break
            left -= wait
            data += self._pieces[at].data
            at += 1
        if at < len(self._pieces):
            last = self._pieces[at]
            self._pieces[at] = Chunk(last.data, max(0, last.after_ns - left))
        if data:
            self._pieces[self._next : at] = [Chunk(data)]
        self.stream.later(0, self._deliver)

    def _end(self) -> None:
        """The trailers, or the cut."""
        if self._cut and self.lane.request:
            self.stream.leave()
        elif self._cut:
            self.stream.details = f"upstream_reset_after_response_started{{{self._cut}}}".replace(" ", "_")
            self.stream.reset(self._cut)
        else:
            if self._leaves:
                self.stream.later(0, self.stream.leave)
            self.lane.receive_trailers(HeaderMap(self._message.trailers, request=self.lane.request))


class Feed(Delivery):
    """What is behind a request's headers, where somebody says it piece by piece while it is under way."""

    __slots__ = ("_idle", "_last", "_open", "said")

    def __init__(self, stream: Stream, lane: Lane) -> None:
        super().__init__(stream, lane, Message(()), "HTTP/2")
        self.said: list[Chunk] = []
        """All of the body, as it came."""
        self._more = self._open = True
        self._idle = True
        self._last = stream.proxy.clock.now

    @property
    def trailers(self) -> Headers:
        """Those that came behind the body."""
        return self._message.trailers

    def say(self, data: bytes) -> None:
        """Have a piece of the body come now."""
        now = self.stream.proxy.clock.now
        piece = Chunk(data, now - self._last)
        self._last = now
        self._pieces.append(piece)
        self.said.append(piece)
        self._go_on()

    def end(self, trailers: Headers = ()) -> None:
        """Have the message end, with trailers or with an empty piece."""
        self._message = self._message._replace(trailers=trailers)
        self._open = False
        self._more = bool(trailers)
        if not trailers:
            self._pieces.append(Chunk(b""))
        self._go_on()

    def start(self) -> None:
        """Have the next piece delivered if it has been said."""
        self._idle = self._open and self._next == len(self._pieces)
        if not self._idle:
            self.stream.later(0, self._deliver)

    def _go_on(self) -> None:
        if self._idle:
            self.start()


class Assembly:
    """A message as it comes out of a lane, piece by piece."""

    __slots__ = ("headers", "pieces", "trailers", "size")

    def __init__(self) -> None:
        self.headers: Headers | None = None
        self.pieces: list[Chunk] = []
        self.trailers: HeaderMap | None = None
        self.size = 0

    def add(self, data: bytes) -> None:
        if data:
            self.pieces.append(Chunk(data))
            self.size += len(data)

    def message(self) -> Message:
        return Message(self.headers or (), tuple(self.pieces), self.trailers.entries if self.trailers else ())
