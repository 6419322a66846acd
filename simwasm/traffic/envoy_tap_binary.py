"""A tap's messages in protobuf's binary format: one after the other with their lengths, or bare.

Rules that live here: a header is looked up by its bytes first, since most headers come again and again; unknown fields
are skipped; what is broken is told with its byte. How messages stand in a file is in `envoy_tap_framing`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import BinaryIO

from simwasm.errors import TrafficError
from simwasm.exchange import Header, to_text
from simwasm.protobuf import Broken, fields, varint
from simwasm.traffic.envoy_tap_fields import address_and_port
from simwasm.traffic.envoy_tap_framing import Window, messages
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
from simwasm.traffic.notes import Notes

_SHORT = 0x80
"""Lengths below it are one byte."""
_HEADERS, _TRAILERS = 0x0A, 0x1A
_BODY_TAG, _RECEIVED_TAG = 0x12, 0x22
_KEY, _VALUE = 0x0A, b"\x12"
_MOST_KNOWN, _LONGEST_KNOWN = 10_000, 200
_BYTES, _VARINT = 2, 0
_LATEST = 1 << 36
"""Seconds; a time beyond is none."""


def read_binary(
    begun: bytes, stream: BinaryIO, where: str, notes: Notes, *, delimited: bool
) -> Iterator[tuple[int, Traced]]:
    """Go through the messages; each comes with its number in the file."""
    reader, window = _Reader(), Window(begun, stream, delimited=delimited)
    number = 0
    for begin, data in messages(window, where, notes):
        number += 1
        try:
            found = reader.traced(data)
        except (Unusable, Broken, IndexError) as error:
            why = "it ends in the middle of a field" if isinstance(error, IndexError) else error
            place = f"entry {number}, byte {begin}"
            notes.broken(TrafficError(f"{where}, {place}: {why}; what stands around it is read"))
            window.go_to_start()
            continue
        if found is not None:
            yield number, found
        else:
            number -= not delimited  # a sample rate beside its trace


class _Reader:
    """Reads messages, and remembers headers that it met."""

    def __init__(self) -> None:
        self._known: dict[bytes, Header] = {}

    def traced(self, data: bytes) -> Traced | None:
        """What a `TraceWrapper` holds; nothing if it holds no trace."""
        for number, wire, raw in fields(data):
            read = _WRAPPED.get(number)
            if read is not None and wire == _BYTES:
                return read(self, raw)
        return None

    def _http_trace(self, data: bytes) -> HttpTrace:
        request = response = None
        downstream = Peers()
        for number, wire, raw in fields(data):
            if wire != _BYTES:
                continue
            if number == 1:
                request = self._half(raw)
            elif number == 2:
                response = self._half(raw)
            elif number == 3:
                downstream = _peers(raw)
        return HttpTrace(request, response, downstream)

    def _http_segment(self, data: bytes) -> HttpSegment:
        stream, kind, piece = 0, None, b""
        for number, wire, raw in fields(data):
            if number == 1 and wire == _VARINT:
                stream = raw
            elif number in _KINDS and wire == _BYTES:
                kind, piece = _KINDS[number], raw
        if kind is None:
            raise Unusable("a segment of a stream that brings nothing known")
        if kind in BODIES:
            return HttpSegment(str(stream), kind, body=_body(piece))
        return HttpSegment(str(stream), kind, self._half(piece).headers)

    def _half(self, data: bytes) -> Half:
        """A request or a response; a `HeaderMap` reads as one that has headers alone."""
        headers: list[Header] = []
        trailers: list[Header] = []
        body, received = None, 0
        known = self._known
        at, end = 0, len(data)
        while at < end:
            tag, size = data[at], data[at + 1]
            if tag == _HEADERS and size < _SHORT:  # as nearly always
                at += 2 + size
                entry = data[at - size : at]
                headers.append(known.get(entry) or self._header(entry))
                continue
            tag, at = varint(data, at)
            if tag & 7 != _BYTES:
                at = _skip(data, at, tag & 7)
                continue
            size, at = varint(data, at)
            entry = data[at : at + size]
            at += size
            if tag == _HEADERS:
                headers.append(self._header(entry))
            elif tag == _TRAILERS:
                trailers.append(self._header(entry))
            elif tag == _BODY_TAG:
                body = _body(entry)
            elif tag == _RECEIVED_TAG:
                received = _time(entry)
        if at > end:
            raise Unusable("a field is longer than the message that holds it")
        if len(headers) > MOST_HEADERS or len(trailers) > MOST_HEADERS:
            raise Unusable("too many headers")
        return Half(tuple(headers), body, tuple(trailers), received)

    def _header(self, entry: bytes) -> Header:
        """Read a header, and remember it if it is short."""
        key, value = _pair(entry)
        header = to_text(key.lower()), to_text(value)
        if len(entry) <= _LONGEST_KNOWN:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[entry] = header
        return header

    def _socket_trace(self, data: bytes) -> SocketTrace:
        return _socket(data, whole=True)

    def _socket_segment(self, data: bytes) -> SocketTrace:
        return _socket(data, whole=False)


_KINDS = {kind.value: kind for kind in Kind}
_WRAPPED: dict[int, Callable[[_Reader, bytes], Traced]] = {
    1: _Reader._http_trace,
    2: _Reader._http_segment,
    3: _Reader._socket_trace,
    4: _Reader._socket_segment,
}


def _skip(data: bytes, at: int, wire: int) -> int:
    """Go over a field that is no bytes."""
    if wire == _VARINT:
        return varint(data, at)[1]
    if wire not in (1, 5):
        raise Unusable(f"wire type {wire} is unknown")
    return at + (8 if wire == 1 else 4)


def _pair(entry: bytes) -> tuple[bytes, bytes]:
    """The name and the value of a header."""
    if len(entry) < _SHORT and entry[0] == _KEY:  # as nearly always: both lengths are one byte
        middle = 2 + entry[1]
        if entry[middle : middle + 1] == _VALUE and entry[middle + 1] == len(entry) - middle - 2:
            return entry[2:middle], entry[middle + 2 :]
    found = {number: raw for number, wire, raw in fields(entry) if wire == _BYTES}
    return found.get(1, b""), found.get(2) or found.get(3, b"")


def _body(data: bytes) -> Body:
    said, truncated = b"", False
    for number, wire, raw in fields(data):
        if number in (1, 2) and wire == _BYTES:
            said = raw
        elif number == 3 and wire == _VARINT:
            truncated = bool(raw)
    return Body(said, truncated)


def _time(data: bytes) -> int:
    seconds = nanos = at = 0
    if data[:1] == b"\x08":
        seconds, at = varint(data, 1)
    if data[at : at + 1] == b"\x10":
        nanos, at = varint(data, at + 1)
    if seconds >= _LATEST or nanos >= 10**9:
        raise Unusable("a time is none")
    return seconds * 10**9 + nanos


def _peers(data: bytes) -> Peers:
    """The ends of a connection, as they are numbered today or, one higher, as they were."""
    found = {number: raw for number, wire, raw in fields(data) if wire == _BYTES}
    first = 2 if 3 in found else 1
    return Peers(_address(found.get(first, b"")), _address(found.get(first + 1, b"")))


@lru_cache(maxsize=1000)
def _address(data: bytes) -> str:
    for number, wire, raw in fields(data):
        if number == 1 and wire == _BYTES:
            socket = {number: found for number, _, found in fields(raw)}
            address, port = socket.get(2, b""), socket.get(3, 0)
            if not isinstance(address, bytes) or not isinstance(port, int):
                raise Unusable("an address is none")
            return address_and_port(to_text(address), port)
    return ""


def _socket(data: bytes, *, whole: bool) -> SocketTrace:
    stream, peers, truncated = 0, None, False
    events: list[SocketEvent] = []
    for number, wire, raw in fields(data):
        if number == 1 and wire == _VARINT:
            stream = raw
        elif number == 2 and wire == _BYTES:
            peers = _peers(raw)
        elif number == 3 and wire == _BYTES:
            events.append(_event(raw))
        elif number == 4 and wire == _BYTES and not whole:
            events.extend(_event(event) for each, _, event in fields(raw) if each == 1)
        elif number in (4, 5) and wire == _VARINT:
            truncated = truncated or bool(raw)
    return SocketTrace(str(stream), tuple(events), peers, truncated, whole)


def _event(data: object) -> SocketEvent:
    if not isinstance(data, bytes):
        raise Unusable("an event is no message")
    ended = False
    found = {number: raw for number, wire, raw in fields(data) if wire == _BYTES}
    bodies: dict[int, Body] = {}
    for number in (2, 3):
        for inner, wire, raw in fields(found.get(number, b"")):
            if inner == 1 and wire == _BYTES:
                bodies[number] = _body(raw)
            elif inner == 2 and wire == _VARINT:
                ended = bool(raw)
    return SocketEvent(
        _time(found.get(1, b"")),
        bodies.get(2),
        bodies.get(3),
        ended,
        4 in found,
        _peers(found[5]) if 5 in found else None,
    )
