"""An exchange from what a tap saw of an HTTP stream, so that a replay shows a plugin what it was shown then.

A buffered tap looks at the headers when all is over. Among them is what Envoy adds behind the last filter, which the
host adds again: a filter must not see it.

Rules that live here:
- What Envoy adds before the filters stays as it was recorded, with its values: `x-forwarded-proto`, `x-request-id`. The
  host adds them only where they are missing.
- From a buffered trace go `x-envoy-expected-rq-timeout-ms`, where it stands behind `x-request-id` and so is not the
  client's, and `date`, `server` and `connection` where they are not the upstream's: behind
  `x-envoy-upstream-service-time`, which the router adds last, or at the end of Envoy's own replies.
- `x-envoy-upstream-service-time` becomes how long the upstream took, more exactly if the times of the headers agree:
  the host writes it again, behind a `transfer-encoding` that buffered traces do not have.
- A body that was cut off has a `content-length` that says what is left of it, as in every recording.
"""

from __future__ import annotations

from collections.abc import Iterable
from email.utils import parsedate_to_datetime
from functools import lru_cache
from zlib import crc32

from simwasm.exchange import Chunk, Connection, Exchange, Headers, Message, Tls, decimal, first
from simwasm.traffic.connections import Numbers
from simwasm.traffic.envoy_tap_pieces import Half, HttpTrace, Peers, Unusable
from simwasm.traffic.har_body import framed

_EXPECTED, _REQUEST_ID, _SERVICE_TIME = (
    "x-envoy-expected-rq-timeout-ms",
    "x-request-id",
    "x-envoy-upstream-service-time",
)
_BEHIND = ("date", "server", "connection")
_ENVOYS = ("envoy", "istio-envoy")
_MILLISECOND = 10**6
_LONGEST_MS = 24 * 3600 * 1000
_USUAL = Connection()
_HTTP1 = (":authority", ":path", ":method")
_LARGEST = 1 << 63
_BODILESS = ("204", "304")

CUT = "a body was cut off where the tap's max_buffered_rx_bytes or max_buffered_tx_bytes ended; marked as partial"
SHORT = "a body ended before its content-length, since the stream was reset; marked as partial"
UNANSWERED = "no response was seen before the stream ended"


class Connections:
    """Numbers for connections by where they came from; one that was not seen for long gets a new number.

    Where each stream has a file of its own, a number has to come out of the address alone.
    """

    def __init__(self, *, one_stream: bool = False) -> None:
        self._one_stream = one_stream
        self._numbers = Numbers()

    def connection(self, request: Headers, peers: Peers) -> Connection:
        """The connection that a request came on."""
        names = tuple([name for name, _ in request[:3]])
        plain = names == _HTTP1 and first(request, ":scheme") != "https"
        if plain and not peers.remote:
            return _USUAL
        return Connection(
            id=self._number(peers.remote) if peers.remote else _USUAL.id,
            source=peers.remote or _USUAL.source,
            destination=peers.local or _USUAL.destination,
            protocol="HTTP/1.1" if names == _HTTP1 else "HTTP/2",
            tls=None if first(request, ":scheme") != "https" else Tls(),
        )

    def socket(self, stream: str, peers: Peers) -> Connection:
        """A TCP connection, whose number Envoy knows."""
        number = int(stream) if 0 < int(stream) < _LARGEST else _USUAL.id
        return Connection(number, peers.remote or _USUAL.source, peers.local or _USUAL.destination)

    def _number(self, source: str) -> int:
        return (crc32(source.encode()) or 1) if self._one_stream else self._numbers.of(source)


def from_trace(id: str, trace: HttpTrace, connections: Connections) -> tuple[Exchange, list[str]]:
    """The exchange of a buffered trace, and what has to be told of it."""
    asked, answered = trace.request, trace.response
    if asked is None or not asked.headers:
        raise Unusable("a trace without the headers of a request")
    response = None
    if answered is not None and answered.headers:
        took = answered.received_ns - asked.received_ns
        took = took if 0 <= took <= _LONGEST_MS * _MILLISECOND else 0
        headers, after_ns = from_upstream(_without_ending(answered.headers), took)
        response = _message(headers, answered, after_ns)
    request = _message(_without_timeout(asked.headers), asked, 0)
    cut = _cut(asked) or (answered is not None and _cut(answered))
    date = first(answered.headers, "date") if answered and not asked.received_ns else None
    started = asked.received_ns or (_date(date) if date else 0)
    connection = connections.connection(request.headers, trace.downstream)
    return exchange(id, started, request, response, connection, cut=cut)


def exchange(
    id: str, started_ns: int, request: Message, response: Message | None, connection: Connection, *, cut: bool
) -> tuple[Exchange, list[str]]:
    """An exchange whose headers agree with its bodies, and what has to be told of it."""
    told = [CUT] if cut else []
    if response is None:
        told.append(UNANSWERED)
    asked, answered = request, response
    if _is_short(request, None):
        asked = request._replace(headers=framed(request.headers, request.data))
    if response is not None and _is_short(response, request):
        answered = response._replace(headers=framed(response.headers, response.data))
    short = asked is not request or answered is not response
    if short and not cut:
        told.append(SHORT)
    return Exchange(id, started_ns, asked, answered, connection, partial=cut or short), told


def from_upstream(headers: Headers, took_ns: int = 0) -> tuple[Headers, int]:
    """A response's headers without the router's, and how long the upstream took; `took_ns` is by the tap's clock."""
    said = decimal(first(headers, _SERVICE_TIME))
    if said is None:
        return headers, took_ns
    took = took_ns if said == took_ns // _MILLISECOND else min(said, _LONGEST_MS) * _MILLISECOND
    return tuple([pair for pair in headers if pair[0] != _SERVICE_TIME]), took


def date_of(response: Headers) -> int:
    """When a response says that it was made; 0 if it does not."""
    date = first(response, "date")
    return _date(date) if date else 0


def body(pieces: Iterable[bytes]) -> tuple[Chunk, ...]:
    """A body from its pieces."""
    return tuple([Chunk(piece) for piece in pieces])


def _message(headers: Headers, half: Half, after_ns: int) -> Message:
    nothing = half.body is None or (half.body.truncated and not half.body.data)
    return Message(
        headers, () if half.body is None or nothing else (Chunk(half.body.data),), half.trailers, after_ns
    )


def _cut(half: Half) -> bool:
    return half.body is not None and half.body.truncated


def _without_timeout(headers: Headers) -> Headers:
    names = [name for name, _ in headers]
    if _EXPECTED not in names:
        return headers
    at = names.index(_EXPECTED)
    if at < len(names) - 1 and _REQUEST_ID not in names[:at]:
        return headers
    return (*headers[:at], *headers[at + 1 :])


def _without_ending(headers: Headers) -> Headers:
    names = [name for name, _ in headers]
    if _SERVICE_TIME in names:
        behind = names.index(_SERVICE_TIME) + 1
    elif names[-2:] == ["date", "server"] and headers[-1][1] in _ENVOYS:
        behind = len(names) - 2
    else:
        return headers
    return (*headers[:behind], *[pair for pair in headers[behind:] if pair[0] not in _BEHIND])


def _is_short(message: Message, asked: Message | None) -> bool:
    """Whether a body is not as long as its headers say."""
    length = message.header("content-length")
    if length is None or length == str(sum([len(chunk.data) for chunk in message.body])):
        return False
    bodiless = asked is not None and (
        asked.header(":method") == "HEAD" or message.header(":status") in _BODILESS
    )
    return not bodiless


@lru_cache(maxsize=64)
def _date(text: str) -> int:
    try:
        return max(0, int(parsedate_to_datetime(text).timestamp())) * 10**9
    except (ValueError, TypeError, OverflowError, IndexError):
        return 0
