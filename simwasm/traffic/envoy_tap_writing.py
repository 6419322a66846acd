"""Exchanges as Envoy's tap writes them: whole or in segments, as JSON or as protobuf.

    tap            a line of JSON an exchange, bodies as base64 (`jq -r '.http_buffered_trace'`)
    tap-string     the same, bodies as text where they are text
    tap-streamed   a line of JSON a segment: bodies keep their pieces, but there are no times and no addresses
    tap-pb         protobuf, each message with its length before it; tap-pb-streamed, the same in segments

Rule: a header that Envoy would have added behind the plugins is not made up; one that is there is read as Envoy's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

from simwasm.conversation import Close, Conversation, Side
from simwasm.exchange import Exchange
from simwasm.traffic.envoy_tap_encoding import as_json, as_protobuf
from simwasm.traffic.envoy_tap_exchange import Connections
from simwasm.traffic.envoy_tap_messages import LATEST_NS, Object, port_of, segments, trace
from simwasm.traffic.envoy_tap_pieces import Peers
from simwasm.traffic.losses import Losses, Part
from simwasm.traffic.notes import Notes

_EITHER = frozenset(
    {
        Part.TCP,
        Part.RESPONSE,
        Part.NO_RESPONSE,
        Part.ORDER,
        Part.TRAILERS,
        Part.PARTIAL,
        Part.PROTOCOL,
        Part.CONNECTION,
        Part.TLS,
    }
)
_WHOLE = _EITHER | {Part.STARTED, Part.RESPONSE_TIME, Part.ADDRESSES}
_STREAMED = _EITHER | {Part.ID, Part.PIECES}
_TALKS = frozenset(Part) - {Part.ID, Part.NAME, Part.EARLY, Part.PARTIAL, Part.TLS}
_CLOSES = "who ended a TCP connection, and how"
_HEADLESS = "requests without headers"
_REFUSED = "that a TCP connection was refused"
_FIRST_BYTES = "how long TCP connections were silent at first"
_UNENDED = "where they stood: without a response they come last"
_LARGEST_ID = 1 << 64


class EnvoyTapWriter:
    """The writer of one form of taps."""

    def __init__(
        self,
        formats: tuple[str, ...],
        name: str,
        suffixes: tuple[str, ...],
        encoded: Callable[[Object], bytes],
        *,
        streamed: bool = False,
        as_string: bool = False,
    ) -> None:
        self.formats = formats
        self.name = name
        self.suffixes = suffixes
        self._encoded = encoded
        self._streamed = streamed
        self._as_string = as_string

    def write(self, exchanges: Iterable[Exchange], stream: BinaryIO, notes: Notes) -> None:
        """Write each exchange as one message, or as several."""
        losses = Losses("an Envoy tap", _STREAMED if self._streamed else _WHOLE)
        talks = Losses("an Envoy tap", _TALKS)
        connections = Connections()
        unended = _Unended(losses) if self._streamed else None
        for number, exchange in enumerate(exchanges, 1):
            is_talk = isinstance(exchange, Conversation)
            counts = talks if is_talk else losses
            if not is_talk and not exchange.request.headers:
                losses.left_out(_HEADLESS, exchange)
                continue
            lost = _lost_talk(exchange) if is_talk else _lost(exchange, connections, self._streamed)
            for _ in counts.checked((exchange,)):
                for what in lost:
                    counts.lost(what, exchange)
            if unended is not None:
                unended.take(exchange)
            for message in self._messages(exchange, number):
                stream.write(self._encoded(message))
        losses.tell(notes)
        talks.tell(notes)

    def _messages(self, exchange: Exchange, number: int) -> Iterable[Object]:
        if self._streamed:
            return segments(exchange, _stream(exchange.id, number))
        return (trace(exchange, _stream(exchange.id, number), as_string=self._as_string),)


class _Unended:
    """Counts streams whose segments do not tell that they ended, and that are read after others which follow."""

    def __init__(self, losses: Losses) -> None:
        self._losses = losses
        self._number = 0
        self._first: Exchange | None = None

    def take(self, exchange: Exchange) -> None:
        if exchange.response is None and not isinstance(exchange, Conversation):
            self._number += 1
            self._first = self._first or exchange
        elif self._first is not None:
            self._losses.lost(_UNENDED, self._first, self._number)
            self._number, self._first = 0, None


def _stream(id: str, number: int) -> int:
    is_number = id.isascii() and id.isdecimal() and len(id) <= len(str(_LARGEST_ID))
    return int(id) if is_number and int(id) < _LARGEST_ID else number


def _lost(exchange: Exchange, connections: Connections, streamed: bool) -> Iterator[str]:
    """What whoever reads it back takes for something else."""
    made = exchange.connection
    read = connections.connection(
        exchange.request.headers, Peers() if streamed else Peers(made.destination, made.source)
    )
    answered_ns = exchange.started_ns + (exchange.response.after_ns if exchange.response else 0)
    if not streamed and not 0 <= exchange.started_ns <= answered_ns < LATEST_NS:
        yield Part.STARTED.value
    if not streamed and None in (port_of(made.source), port_of(made.destination)):
        yield Part.ADDRESSES.value
    if read.protocol != made.protocol:
        yield Part.PROTOCOL.value
    if (read.tls, read.requested_server_name) != (made.tls, made.requested_server_name):
        yield Part.TLS.value
    if read.id != made.id:
        yield Part.CONNECTION.value


def _lost_talk(talk: Exchange) -> Iterator[str]:
    assert isinstance(talk, Conversation)
    if any(_is_lost(piece.side, piece.close) for piece in talk.pieces):
        yield _CLOSES
    if talk.pieces and talk.pieces[0].after_ns:
        yield _FIRST_BYTES
    if talk.refused:
        yield _REFUSED


def _is_lost(side: Side, close: Close) -> bool:
    return close is Close.RESET or (close is Close.END and side is Side.CLIENT)


TAP_WRITERS = (
    EnvoyTapWriter(("tap", "envoy-tap"), "Envoy tap, JSON (.tap.json)", (".tap.json", ".tap"), as_json),
    EnvoyTapWriter(("tap-string",), "Envoy tap, JSON with bodies as text", (), as_json, as_string=True),
    EnvoyTapWriter(
        ("tap-streamed",), "Envoy tap, JSON in segments", (".tap-streamed.json",), as_json, streamed=True
    ),
    EnvoyTapWriter(
        ("tap-pb", "tap-pb-delimited"),
        "Envoy tap, protobuf with lengths (.pb_length_delimited)",
        (".pb_length_delimited",),
        as_protobuf,
    ),
    EnvoyTapWriter(("tap-pb-streamed",), "Envoy tap, protobuf in segments", (), as_protobuf, streamed=True),
)
"""Every form that can be written; a bare message of protobuf does not tell where it ends, and no tool reads several."""
