"""A tap's messages from plain objects: what JSON reads as, and protobuf's text format as well.

Rules that live here: names of fields are in snake case, as Envoy writes them; `lower_cased` turns the other spelling
into it. Bytes are base64 in a text, or bytes already. A header's value is `value`, or `raw_value` if that is empty.
What has another type than its field is `Unusable`.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any, cast

from simwasm.exchange import Headers, lower, to_bytes, to_text
from simwasm.traffic.envoy_tap_pieces import (
    BODIES,
    MOST_HEADERS,
    Body,
    Half,
    HttpSegment,
    HttpTrace,
    Kind,
    Peers,
    SocketEvent,
    SocketTrace,
    Traced,
    Unusable,
)
from simwasm.traffic.moment import nanoseconds

Object = dict[str, Any]

KINDS: Mapping[str, Kind] = {
    "request_headers": Kind.REQUEST_HEADERS,
    "request_body_chunk": Kind.REQUEST_BODY,
    "request_trailers": Kind.REQUEST_TRAILERS,
    "response_headers": Kind.RESPONSE_HEADERS,
    "response_body_chunk": Kind.RESPONSE_BODY,
    "response_trailers": Kind.RESPONSE_TRAILERS,
}
_HUMP = re.compile("[A-Z]")
_PAIR = itemgetter("key", "value")
_NO_OBJECT: Object = {}
_PORTS = 1 << 16
_URL_SAFE = str.maketrans("-_", "+/")


def traced(wrapper: Object) -> Traced | None:
    """What a `TraceWrapper` holds; nothing if it is empty."""
    for name, read in _READERS.items():
        found = wrapper.get(name)
        if found is not None:
            return read(_object(found, name))
    if any(_HUMP.search(name) for name in wrapper):
        return traced(lower_cased(wrapper))
    return None


def lower_cased(value: Any) -> Any:
    """A value in which all names are in snake case."""
    if isinstance(value, dict):
        named = ((_HUMP.sub(lambda hump: f"_{hump[0].lower()}", key), part) for key, part in value.items())
        return {key: lower_cased(part) for key, part in named}
    return [lower_cased(part) for part in value] if isinstance(value, list) else value


def _http_trace(found: Object) -> HttpTrace:
    downstream = found.get("downstream_connection")
    return HttpTrace(
        _half(found.get("request"), "request"),
        _half(found.get("response"), "response"),
        Peers() if downstream is None else _peers(downstream),
    )


def _half(found: Any, name: str) -> Half | None:
    if found is None:
        return None
    half = _object(found, name)
    body, received = half.get("body"), half.get("headers_received_time")
    return Half(
        _headers(half.get("headers"), name),
        None if body is None else _body(body),
        _headers(half.get("trailers"), name),
        0 if received is None else _time(received),
    )


def _http_segment(found: Object) -> HttpSegment:
    stream = _identity(found)
    for name, kind in KINDS.items():
        piece = found.get(name)
        if piece is None:
            continue
        if kind in BODIES:
            return HttpSegment(stream, kind, body=_body(piece))
        return HttpSegment(stream, kind, _headers(_object(piece, name).get("headers"), name))
    raise Unusable("a segment of a stream that brings nothing known")


def _headers(found: Any, name: str) -> Headers:
    """Headers, at the speed of C where they are as nearly always."""
    if not found:
        return ()
    if found.__class__ is not list or len(found) > MOST_HEADERS:
        raise Unusable(f"the headers of {name} are no list of headers, or too many")
    try:
        pairs = tuple(map(_PAIR, found))
        names, values = zip(*pairs, strict=True)
        joined, whole = "".join(names), "".join(values)
        if "" in values:
            raise KeyError
    except (KeyError, TypeError):
        pairs = tuple(_header(each, name) for each in found)
        joined, whole = "".join(key for key, _ in pairs), "".join(value for _, value in pairs)
    if not (joined.isascii() and whole.isascii()):
        _check_bytes(joined + whole, name)
    return pairs if joined == joined.lower() else lower(pairs)


def _header(found: Any, name: str) -> tuple[str, str]:
    header = _object(found, f"a header of {name}")
    key, value, raw = header.get("key", ""), header.get("value", ""), header.get("raw_value", "")
    if not isinstance(key, str) or not isinstance(value, str):
        raise Unusable(f"a header of {name} is no text")
    return key, value or (to_text(_bytes(raw)) if raw else "")


def _check_bytes(text: str, name: str) -> None:
    try:
        to_bytes(text)
    except UnicodeEncodeError:
        raise Unusable(f"a header of {name} has half of a surrogate pair, which stands for no byte") from None


def _body(found: Any) -> Body:
    body = _object(found, "a body")
    truncated = body.get("truncated", False)
    if not isinstance(truncated, bool):
        raise Unusable("truncated is neither true nor false")
    text = body.get("as_string")
    if text is None:
        return Body(_bytes(body.get("as_bytes", b"")), truncated)
    if not isinstance(text, str):
        raise Unusable("as_string is no text")
    return Body(text.encode("utf-8", "surrogateescape" if _is_bytes(text) else "replace"), truncated)


def _is_bytes(text: str) -> bool:
    try:
        to_bytes(text)
    except UnicodeEncodeError:
        return False
    return True


def _bytes(found: Any) -> bytes:
    """Bytes as base64, with either alphabet and with or without its end, as protobuf reads them."""
    if isinstance(found, bytes):
        return found
    if not isinstance(found, str):
        raise Unusable("bytes are no text in base64")
    try:
        return base64.b64decode(found, validate=True)
    except (ValueError, binascii.Error):
        pass
    try:
        plain = found.translate(_URL_SAFE).rstrip("=")
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (ValueError, binascii.Error):
        raise Unusable("bytes are no base64") from None


def _socket_trace(found: Object) -> SocketTrace:
    events, peers = found.get("events", []), found.get("connection")
    if not isinstance(events, list):
        raise Unusable("events are no list")
    return SocketTrace(
        _identity(found),
        tuple(_event(event) for event in events),
        None if peers is None else _peers(peers),
        found.get("read_truncated") is True or found.get("write_truncated") is True,
    )


def _socket_segment(found: Object) -> SocketTrace:
    peers, event, several = found.get("connection"), found.get("event"), found.get("events")
    events = _object(several, "events").get("events", []) if several is not None else []
    if not isinstance(events, list):
        raise Unusable("events are no list")
    return SocketTrace(
        _identity(found),
        tuple(_event(each) for each in ([event] if event is not None else events)),
        None if peers is None else _peers(peers),
        whole=False,
    )


def _event(found: Any) -> SocketEvent:
    event = _object(found, "an event")
    read, write, peers = event.get("read"), event.get("write"), event.get("connection")
    written = None if write is None else _object(write, "write")
    return SocketEvent(
        _time(event.get("timestamp", "1970-01-01T00:00:00Z")),
        None if read is None else _body(_object(read, "read").get("data", {})),
        None if written is None else _body(written.get("data", {})),
        written is not None and written.get("end_stream") is True,
        "closed" in event,
        None if peers is None else _peers(peers),
    )


def _identity(found: Object) -> str:
    trace_id = found.get("trace_id", 0)
    text = str(trace_id) if type(trace_id) in (int, str) else ""
    if not (text.isascii() and text.isdigit() and len(text) <= 20):
        raise Unusable("trace_id is no number")
    return text


def _peers(found: Any) -> Peers:
    connection = _object(found, "a connection")
    return Peers(_address(connection.get("local_address")), _address(connection.get("remote_address")))


def _address(found: Any) -> str:
    """Where a socket is; a pipe is nowhere."""
    socket = _object(found or _NO_OBJECT, "an address").get("socket_address") or _NO_OBJECT
    address, port = _object(socket, "an address").get("address", ""), socket.get("port_value", 0)
    is_port = (isinstance(port, int) and 0 <= port < _PORTS) or (
        isinstance(port, str) and len(port) <= len(str(_PORTS)) and port.isdecimal()
    )
    if not isinstance(address, str) or not is_port:
        raise Unusable("an address has no port that is a number")
    return address_and_port(address, int(port))


def address_and_port(address: str, port: int) -> str:
    """An address as an `Exchange` has it; nothing if there is none."""
    if not address or not address.isascii() or not address.isprintable() or port >= _PORTS:
        return ""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _time(found: Any) -> int:
    """A timestamp, as JSON has it or as a message."""
    if isinstance(found, dict):
        seconds, nanos = str(found.get("seconds", 0)), str(found.get("nanos", 0))
        if seconds.isdecimal() and nanos.isdecimal() and len(seconds) < 12 and len(nanos) < 10:
            return int(seconds) * 10**9 + int(nanos)
    moment = nanoseconds(found) if isinstance(found, str) else None
    if moment is None or moment < 0:
        raise Unusable("a time is none")
    return moment


def _object(found: Any, name: str) -> Object:
    if found.__class__ is not dict:
        raise Unusable(f"{name} is no object")
    return cast("Object", found)


_READERS: Mapping[str, Callable[[Object], Traced]] = {
    "http_buffered_trace": _http_trace,
    "http_streamed_trace_segment": _http_segment,
    "socket_buffered_trace": _socket_trace,
    "socket_streamed_trace_segment": _socket_segment,
}
WRAPPED = tuple(_READERS)
"""The names of what a `TraceWrapper` may hold."""
