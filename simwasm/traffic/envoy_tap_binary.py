"""A tap's messages in protobuf's binary format: one after the other with their lengths, or bare.

Rules that live here: bare messages do not tell where they end, but a `TraceWrapper` holds one trace, so that each
field of a file is a message of its own; that reads files of one message and files of segments. A header is looked up
by its bytes first, since most headers come again and again. Unknown fields are skipped. What is broken is told with
its byte; reading goes on behind it as long as the lengths lead to messages.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import BinaryIO

from simwasm.errors import TrafficError
from simwasm.exchange import Header, to_text
from simwasm.protobuf import Broken, fields, varint
from simwasm.traffic.envoy_tap_fields import address_and_port
from simwasm.traffic.envoy_tap_pieces import (
    BODIES,
    MOST_BYTES,
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

_BLOCK = 1 << 20
_LONGEST_NUMBER, _LONGEST_LENGTH = 10, 5
_LOOK = 400
"""Bytes that show whether a message begins."""
_MOST_TRIED = 10_000
_LENGTH = rb"[\x80-\xff]{0,4}[\0-\x7f]"
_START = re.compile(
    rb"\x0a%b[\x0a\x12]%b\x0a|[\x12\x1a\x22]%b\x08[\x80-\xff]{0,9}[\0-\x7f][\x12\x1a\x22\x2a\x32\x3a]"
    % (_LENGTH, _LENGTH, _LENGTH)
)
"""How a trace may begin, behind its length."""
_SHORT = 0x80
"""Lengths below it are one byte."""
_HEADERS, _TRAILERS = 0x0A, 0x1A
_BODY_TAG, _RECEIVED_TAG = 0x12, 0x22
_KEY, _VALUE = 0x0A, b"\x12"
_MOST_KNOWN, _LONGEST_KNOWN = 10_000, 200
_BYTES, _VARINT = 2, 0
_LATEST = 1 << 36
"""Seconds; a time beyond is none."""
_TAGS = frozenset(number << 3 | _BYTES for number in range(1, 6))


def read_binary(
    begun: bytes, stream: BinaryIO, where: str, notes: Notes, *, delimited: bool
) -> Iterator[tuple[int, Traced]]:
    """Go through the messages; each comes with its number in the file."""
    reader, window = _Reader(), _Window(begun, stream, delimited=delimited)
    number = 0
    for begin, data in _messages(window, where, notes):
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


class _Window:
    """The part of a file that is looked at."""

    def __init__(self, begun: bytes, stream: BinaryIO, *, delimited: bool) -> None:
        self._stream = stream
        self.delimited = delimited
        self.data = begun
        self.at = 0
        self.before = 0

    def has(self, size: int) -> bool:
        """Whether so many bytes follow; as many as are to be had are there then."""
        while len(self.data) - self.at < size:
            block = self._stream.read(max(_BLOCK, size - len(self.data) + self.at))
            if not block:
                return False
            self.before += self.at
            self.data, self.at = self.data[self.at :] + block, 0
        return True

    @property
    def place(self) -> int:
        """Where reading goes on, in the file."""
        return self.before + self.at

    def skip(self, size: int) -> None:
        """Go over bytes without keeping them."""
        while size and self.has(1):
            step = min(size, len(self.data) - self.at)
            self.at += step
            size -= step

    def go_to_start(self) -> None:
        """Go to where the next message begins; to the end if none does, or if too much looks like one."""
        tried = 0
        while self.has(1) and tried < _MOST_TRIED:
            self.has(_LOOK)
            for found in _START.finditer(self.data, self.at):
                tried += 1
                for start in range(found.start(), max(self.at, found.start() - _LONGEST_LENGTH) - 1, -1):
                    if self._begins(start):
                        self.at = start
                        return
                if tried >= _MOST_TRIED:
                    break
            self.at = max(self.at + 1, len(self.data) - _LOOK)
            if len(self.data) - self.at < _LOOK and not self.has(_LOOK):
                self.at = len(self.data)
        self.skip(1 << 63)

    def _begins(self, start: int) -> bool:
        head = self.data[start : start + _LOOK]
        return is_delimited(head) if self.delimited else is_binary(head)


def _messages(window: _Window, where: str, notes: Notes) -> Iterator[tuple[int, bytes]]:
    """Each message's place and its bytes."""
    while window.has(1):
        window.has(2 * _LONGEST_NUMBER)
        begin = window.place
        try:
            head, size = _length(window)
        except Broken as error:
            what = f"no message begins here: {error}"
        else:
            if size <= MOST_BYTES and window.has(head + size):
                start = window.at + (head if window.delimited else 0)
                window.at += head + size
                yield begin, window.data[start : window.at]
                continue
            what = f"a message of {size} bytes begins here, but the file ends before"
            if size > MOST_BYTES and window.has(head + MOST_BYTES):
                what = f"a message of {size} bytes begins here, which is too much"
        notes.broken(TrafficError(f"{where}, byte {begin}: {what}; what stands around it is read"))
        window.at += 1
        window.go_to_start()


def _length(window: _Window) -> tuple[int, int]:
    """How long a message is, and how many bytes tell it."""
    at = window.at
    if not window.delimited:
        tag, at = varint(window.data, at)
        if tag not in _TAGS:
            raise Broken(f"field {tag >> 3} is none of a trace")
    size, at = varint(window.data, at)
    return at - window.at, size


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


_INSIDE: dict[str, dict[int, str]] = {
    "wrapper": {1: "trace", 2: "segment", 3: "socket", 4: "socket"},
    "trace": {1: "half", 2: "half", 3: "peers", 4: "peers"},
    "half": {1: "header", 2: "body", 3: "header", 4: "numbers"},
    "segment": {2: "half", 3: "body", 4: "half", 5: "half", 6: "body", 7: "half"},
    "socket": {2: "peers", 3: "event", 4: "event"},
    "event": {1: "numbers", 2: "peers", 3: "peers", 4: "peers", 5: "peers"},
}
_NAME = re.compile(rb"[!-~]+")


def is_delimited(head: bytes) -> bool:
    """Whether a file that begins so is a tap's messages with their lengths."""
    try:
        size, at = varint(head, 0)
        return size > 0 and _fits(head, at, at + size, "wrapper", exactly=True)
    except Broken:
        return False


def is_binary(head: bytes) -> bool:
    """Whether a file that begins so is a tap's messages without their lengths."""
    return _fits(head, 0, MOST_BYTES, "wrapper", exactly=False)


def _fits(head: bytes, at: int, end: int, message: str, *, exactly: bool) -> bool:
    """Whether the first fields, one in the other, are those of a trace, down to a header's name or a body."""
    try:
        while at < end:
            tag, at = varint(head, at)
            if message == "segment" and tag == 0x08:  # the number of its stream
                _, at = varint(head, at)
                continue
            if message == "socket" and tag == 0x08:
                _, at = varint(head, at)
                continue
            inner = _INSIDE[message].get(tag >> 3)
            size, at = varint(head, at)
            if inner is None or tag & 7 != _BYTES or size == 0 or at + size > end:
                return False
            if exactly and at + size != end and head[at + size : at + size + 1] not in (b"\x2a", b""):
                return False
            return _is_leaf(head, at, size, inner) or (
                inner in _INSIDE and _fits(head, at, at + size, inner, exactly=False)
            )
    except Broken:
        pass
    return False


def _is_leaf(head: bytes, at: int, size: int, inner: str) -> bool:
    """Whether this is what a trace holds at its bottom."""
    if inner == "header":
        key = _NAME.match(head, at + 2)
        return head[at : at + 1] == b"\x0a" and key is not None and key.end() >= at + 2 + head[at + 1]
    if inner in ("body", "peers"):
        return head[at : at + 1] in (b"\x0a", b"\x12", b"\x18") and at + size > at
    return inner == "numbers" and head[at : at + 1] == b"\x08"
