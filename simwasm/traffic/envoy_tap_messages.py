"""Exchanges as a tap's messages: plain objects with the fields of Envoy's protos, which are JSON nearly as they are.

Rules that live here: bytes are bytes and times are `At`; a header that is no UTF-8 has a `raw_value`; an exchange that
is partial has a body marked `truncated`; the last segment of an answered stream brings its trailers, even if there are
none, so that whoever reads them knows where it ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from simwasm.conversation import Close, Conversation, Side
from simwasm.exchange import Connection, Exchange, Headers, Message, to_bytes
from simwasm.traffic.envoy_tap_streams import BODILESS_METHODS

Object = dict[str, Any]
LATEST_NS = (1 << 36) * 10**9
"""Later times are written as this one; a timestamp has only so many seconds."""
_USUAL = Connection()
_PORTS = 1 << 16


@dataclass(frozen=True, slots=True)
class At:
    """A moment, as nanoseconds since 1970."""

    ns: int


def trace(exchange: Exchange, stream: int, *, as_string: bool) -> Object:
    """A whole exchange; a TCP connection is what a socket's tap would write of it."""
    if isinstance(exchange, Conversation):
        return {"socket_buffered_trace": _socket(exchange, stream)}
    asked, answered = exchange.request, exchange.response
    request, response = _half(asked, as_string), answered and _half(answered, as_string)
    if exchange.started_ns or (answered and answered.after_ns):
        request["headers_received_time"] = _at(exchange.started_ns)
        if response is not None and answered is not None:
            response["headers_received_time"] = _at(exchange.started_ns + answered.after_ns)
    if exchange.partial:
        half = (
            response if response is not None and ((answered and answered.body) or not asked.body) else request
        )
        half.setdefault("body", {"as_bytes": b""})["truncated"] = True
    found: Object = {"request": request}
    if response is not None:
        found["response"] = response
    connection = _connection(exchange.connection)
    if connection:
        found["downstream_connection"] = connection
    return {"http_buffered_trace": found}


def segments(exchange: Exchange, stream: int) -> Iterator[Object]:
    """An exchange in the segments of a stream; a TCP connection goes whole."""
    if isinstance(exchange, Conversation):
        yield trace(exchange, stream, as_string=False)
        return
    pieces = [*_pieces("request", exchange.request, not _end_is_known(exchange.request))]
    if exchange.response is not None:
        pieces += _pieces("response", exchange.response, True)
    if exchange.partial:
        bodies = [piece for piece in pieces if "as_bytes" in next(iter(piece.values()))]
        if not bodies:
            nothing: Object = {"request_body_chunk": {"as_bytes": b""}}
            bodies = [nothing]
            pieces.insert(1, nothing)
        next(iter(bodies[-1].values()))["truncated"] = True
    for piece in pieces:
        yield {"http_streamed_trace_segment": {"trace_id": str(stream), **piece}}


def _end_is_known(request: Message) -> bool:
    """Whether it has ended without trailers, which may be empty, for whoever reads it."""
    if request.trailers:
        return False
    return request.header("content-length") is not None or (
        not request.body and request.header(":method") in BODILESS_METHODS
    )


def _pieces(name: str, message: Message, trailers: bool) -> Iterator[Object]:
    yield {f"{name}_headers": {"headers": _headers(message.headers)}}
    for chunk in message.body:
        yield {f"{name}_body_chunk": {"as_bytes": chunk.data}}
    if trailers:
        yield {f"{name}_trailers": {"headers": _headers(message.trailers)}}


def _half(message: Message, as_string: bool) -> Object:
    half: Object = {"headers": _headers(message.headers)}
    if message.body:
        half["body"] = _body(message.data, as_string)
    if message.trailers:
        half["trailers"] = _headers(message.trailers)
    return half


def _body(data: bytes, as_string: bool) -> Object:
    try:
        return {"as_string": data.decode()} if as_string else {"as_bytes": data}
    except UnicodeDecodeError:
        return {"as_bytes": data}


def _headers(headers: Headers) -> list[Object]:
    return [_header(name, value) for name, value in headers]


def _header(name: str, value: str) -> Object:
    if value.isascii():
        return {"key": name, "value": value}
    try:
        value.encode()
    except UnicodeEncodeError:
        return {"key": name, "raw_value": to_bytes(value)}
    return {"key": name, "value": value}


def _connection(connection: Connection) -> Object:
    if (connection.source, connection.destination) == (_USUAL.source, _USUAL.destination):
        return {}
    return _peers(connection)


def _peers(connection: Connection) -> Object:
    return {"local_address": _address(connection.destination), "remote_address": _address(connection.source)}


def _address(address: str) -> Object:
    port = port_of(address)
    if port is None:
        return {}
    return {"socket_address": {"address": address.rpartition(":")[0].strip("[]"), "port_value": port}}


def port_of(address: str) -> int | None:
    """The port of an address that a tap can name."""
    host, _, port = address.rpartition(":")
    is_port = port.isascii() and port.isdecimal() and len(port) < len(str(_PORTS)) + 1 and int(port) < _PORTS
    return int(port) if is_port and host and host.isascii() and host.isprintable() else None


def _at(ns: int) -> At:
    return At(min(max(ns, 0), LATEST_NS - 1))


def _socket(talk: Conversation, stream: int) -> Object:
    events = []
    at_ns = talk.started_ns
    for piece in talk.pieces:
        at_ns += piece.after_ns
        event: Object = {"data": {"as_bytes": piece.data}}
        if piece.side is Side.UPSTREAM and piece.close is Close.END:
            event["end_stream"] = True
        events.append({"timestamp": _at(at_ns), ("read" if piece.side is Side.CLIENT else "write"): event})
    return {
        "trace_id": str(stream),
        "connection": _peers(talk.connection),
        "events": events,
    }
