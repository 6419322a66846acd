"""HTTP streams put together from segments that stand mixed in one file.

A streamed tap does not say when a stream has ended. It seems to have once the trailers of both sides came, or as many
bytes as their headers promised; trailers may follow these all the same. Others end with the file.

Rules that live here: exchanges come in the order in which they end; one that seems to have ended waits for a few more
segments; of others so many are held and so many bytes of them, and the one that was silent for longest goes first,
which nearly always was over.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from simwasm.exchange import Exchange, Headers, Message, decimal, first
from simwasm.traffic.envoy_tap_exchange import Connections, body, date_of, exchange, from_upstream
from simwasm.traffic.envoy_tap_pieces import BODIES, HttpSegment, Kind, Peers

MOST_OPEN = 1_000
WAITS = 100
"""Segments, for which a stream is kept that seems to have ended."""
MOST_HELD = 64 << 20
"""Bytes of bodies, of all streams together."""

STRAY = (
    "segments of streams that do not begin in this file, or that went on for too long after others; left out"
)

_BODILESS = ("204", "304")
BODILESS_METHODS = ("GET", "HEAD", "DELETE", "OPTIONS", "TRACE")

Tell = Callable[[str, str], None]
"""What happened, and to which exchange."""


@dataclass(slots=True)
class _Half:
    headers: Headers = ()
    pieces: list[bytes] = field(default_factory=list)
    size: int = 0
    trailers: Headers | None = None
    """Empty ones are an end as well."""

    def take(self, segment: HttpSegment, headers: Kind) -> None:
        if segment.kind in BODIES:
            if segment.body.truncated and not segment.body.data:
                return
            self.pieces.append(segment.body.data)
            self.size += len(segment.body.data)
        elif segment.kind is headers:
            self.headers = segment.headers
        else:
            self.trailers = segment.headers

    def has_ended(self, bodiless: bool) -> bool:
        """Whether nothing can follow."""
        if self.trailers is not None or bodiless:
            return True
        length = decimal(first(self.headers, "content-length"))
        return length is not None and self.size >= length

    def message(self, headers: Headers, after_ns: int = 0) -> Message:
        return Message(headers, body(self.pieces), self.trailers or (), after_ns)


@dataclass(slots=True)
class _Stream:
    id: str
    request: _Half = field(default_factory=_Half)
    response: _Half = field(default_factory=_Half)
    cut: bool = False

    def take(self, segment: HttpSegment) -> None:
        self.cut = self.cut or segment.body.truncated
        if segment.kind < Kind.RESPONSE_HEADERS:
            self.request.take(segment, Kind.REQUEST_HEADERS)
        else:
            self.response.take(segment, Kind.RESPONSE_HEADERS)

    def seems_ended(self) -> bool:
        if not self.response.headers:
            return False
        method = first(self.request.headers, ":method")
        status = first(self.response.headers, ":status")
        asks_nothing = method in BODILESS_METHODS and not self.request.pieces
        return self.response.has_ended(method == "HEAD" or status in _BODILESS) and self.request.has_ended(
            asks_nothing
        )

    @property
    def size(self) -> int:
        return self.request.size + self.response.size


class Streams:
    """The streams that are open."""

    def __init__(self, connections: Connections, tell: Tell) -> None:
        self._open: dict[str, _Stream] = {}
        self._seem_ended: deque[tuple[int, _Stream]] = deque()
        self._now = 0
        """Segments that were taken."""
        self._held = 0
        self._connections = connections
        self._tell = tell

    def take(self, segment: HttpSegment) -> Iterator[Exchange]:
        """Add a segment; what has ended by it comes out."""
        self._now += 1
        stream = self._open.pop(segment.stream, None)  # it goes to the end: silent ones come first
        if segment.kind is Kind.REQUEST_HEADERS and segment.headers:
            if stream is not None:  # the number is used again
                yield self._ended(stream)
            stream = _Stream(segment.stream)
        elif stream is None:
            self._tell(STRAY, segment.stream)
            return
        stream.take(segment)
        self._held += len(segment.body.data)
        self._open[segment.stream] = stream
        if stream.seems_ended():
            self._seem_ended.append((self._now, stream))
        yield from self._over()

    def _over(self) -> Iterator[Exchange]:
        """What has to go: what ended a while ago, and what was silent for longest if it is too much."""
        while self._seem_ended and self._seem_ended[0][0] + WAITS <= self._now:
            _, stream = self._seem_ended.popleft()
            if self._open.get(stream.id) is stream:
                yield self._ended(self._open.pop(stream.id))
        while len(self._open) > MOST_OPEN or self._held > MOST_HELD:
            yield self._ended(self._open.pop(next(iter(self._open))))

    def rest(self) -> Iterator[Exchange]:
        """Everything that is open when the file ends."""
        while self._open:
            yield self._ended(self._open.pop(next(iter(self._open))))

    def _ended(self, stream: _Stream) -> Exchange:
        self._held -= stream.size
        answered = stream.response
        request = stream.request.message(stream.request.headers)
        response = answered.message(*from_upstream(answered.headers)) if answered.headers else None
        connection = self._connections.connection(request.headers, Peers())
        started = date_of(answered.headers)
        found, told = exchange(stream.id, started, request, response, connection, cut=stream.cut)
        for what in told:
            self._tell(what, found.id)
        return found
