"""What Envoy's taps tell, as values, whatever form they were written in.

A tap writes one of four kinds of trace: of an HTTP stream or of a socket, at its end in one piece (buffered) or as it
goes on in segments (streamed). Segments of several streams may stand mixed in one file; `stream` tells them apart.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from simwasm.exchange import Headers

MOST_BYTES = 64 << 20
"""Of one message, the length of which somebody else may have made up."""
MOST_HEADERS = 10_000


class Unusable(ValueError):
    """This message says nothing that can be used; the text says why."""


class Body(NamedTuple):
    """A body or a piece of one, as far as the tap kept it."""

    data: bytes
    truncated: bool = False


class Half(NamedTuple):
    """A request or a response. `received_ns` is when its headers came, 0 if that was not recorded."""

    headers: Headers
    body: Body | None = None
    trailers: Headers = ()
    received_ns: int = 0


class Peers(NamedTuple):
    """The two ends of a connection: Envoy's own and the other one, as `ip:port`; empty if not recorded."""

    local: str = ""
    remote: str = ""


class HttpTrace(NamedTuple):
    """A whole HTTP stream; what did not come is None."""

    request: Half | None
    response: Half | None
    downstream: Peers = Peers()


class Kind(IntEnum):
    """What a segment brings; the numbers are those of the fields of `HttpStreamedTraceSegment`."""

    REQUEST_HEADERS = 2
    REQUEST_BODY = 3
    REQUEST_TRAILERS = 4
    RESPONSE_HEADERS = 5
    RESPONSE_BODY = 6
    RESPONSE_TRAILERS = 7


BODIES = (Kind.REQUEST_BODY, Kind.RESPONSE_BODY)


class HttpSegment(NamedTuple):
    """A piece of an HTTP stream: headers or trailers, or a piece of a body."""

    stream: str
    kind: Kind
    headers: Headers = ()
    body: Body = Body(b"")


class SocketEvent(NamedTuple):
    """What happened on a socket: bytes that Envoy read, bytes that it wrote, or its end."""

    at_ns: int
    read: Body | None = None
    written: Body | None = None
    ended: bool = False
    """Envoy ended its side behind what it wrote."""
    closed: bool = False
    peers: Peers | None = None


class SocketTrace(NamedTuple):
    """A whole connection, or a segment of one if it is not `whole`."""

    stream: str
    events: tuple[SocketEvent, ...]
    peers: Peers | None = None
    truncated: bool = False
    whole: bool = True


Traced = HttpTrace | HttpSegment | SocketTrace
