"""HTTP/1.1 as it is on the wire, in a file: requests, with or without their responses, one behind the other.

Rules that live here:
- A response belongs to the oldest request that has none yet, so pipelined requests find theirs. A request that never
  gets one is an exchange without a response.
- What is refused (see `http1_message`) is told with its line and byte; its response goes with it, and reading goes on
  at its end, or, where nobody knows that, at the next line that begins a message.
- Where a file is cut inside of a response, its request is there, without it.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from simwasm.errors import TrafficError
from simwasm.exchange import Exchange, Headers, Message, first, to_text
from simwasm.traffic.http1_message import (
    NO_BODY,
    REQUEST_LINE,
    STATUS_LINE,
    Cut,
    both_told,
    read_fields,
    request_body,
    response_body,
)
from simwasm.traffic.notes import Notes
from simwasm.traffic.request_text import Url, Wrong, asked, connection, read_url, shortened, written_path
from simwasm.traffic.text_stream import TextStream, TooLong, bare

MOST_WAITING = 1000
"""Requests whose responses may still come; of more that wait, the oldest has none."""
_BODILESS = {204, 304}
_EDITORS = re.compile(rb"^(###|@[\w-]+[ \t]*=|<> |< \{%|> \{%)|\{\{", re.MULTILINE)
_FRAMED = re.compile(rb"^(content-length|transfer-encoding):", re.IGNORECASE | re.MULTILINE)
_HOST = re.compile(rb"^host:", re.IGNORECASE | re.MULTILINE)


class RawHttp:
    """The importer of HTTP/1.1 as text."""

    name = "raw HTTP/1.1 text"

    def sniff(self, head: bytes) -> bool:
        """Say yes to a request line or a status line; an address without a Host is an editor's request file."""
        lines = head.lstrip(b"\r\n").split(b"\n", 1)
        line = bare(lines[0])
        if STATUS_LINE.fullmatch(line):
            return True
        found = REQUEST_LINE.fullmatch(line)
        if found is None or _edited(head.lstrip(b"\r\n")):
            return False
        return b"://" not in found[2].partition(b"?")[0] or _HOST.search(head) is not None

    def read(self, stream: BinaryIO, where: str, notes: Notes) -> Iterator[Exchange]:
        """Go through the messages in the order of the file."""
        return _Reading(TextStream(stream), where, notes).exchanges()


def _edited(head: bytes) -> bool:
    """Whether it is an editor's request file; what a body says that tells its length, or a response, says nothing."""
    fields, _, rest = head.replace(b"\r\n", b"\n").partition(b"\n\n")
    framed = _FRAMED.search(fields) or STATUS_LINE.fullmatch(rest.lstrip(b"\n").partition(b"\n")[0])
    return _EDITORS.search(fields if framed else head) is not None


class _Asked(NamedTuple):
    """A request that waits for its response; None where it was refused, and its response is left out with it."""

    number: int
    request: Message | None
    url: Url
    protocol: str

    def exchange(self, response: Message | None) -> Iterator[Exchange]:
        if self.request is not None:
            known = connection(self.url, self.protocol)
            yield Exchange(str(self.number), 0, self.request, response, known)


_REFUSED_URL = Url("http", "", "/")


@dataclass
class _Place:
    line: int
    byte: int


class _Reading:
    """One file, message by message."""

    def __init__(self, text: TextStream, where: str, notes: Notes) -> None:
        self._text = text
        self._where = where
        self._notes = notes
        self._waiting: deque[_Asked] = deque()
        self._number = 0
        self._at = _Place(1, 0)

    def exchanges(self) -> Iterator[Exchange]:
        while line := self._first_line():
            status, request = STATUS_LINE.fullmatch(line), REQUEST_LINE.fullmatch(line)
            if status:
                yield from self._response(int(status[2]), to_text(status[1]))
            elif request:
                yield from self._request(*(to_text(part) for part in request.groups()))
            else:
                self._broken(
                    f"`{shortened(to_text(line))}` begins neither a request nor a response; a body before it needs "
                    "a content-length"
                )
                self._find_message()
        for waiting in self._waiting:
            yield from waiting.exchange(None)

    def _first_line(self) -> bytes:
        """The next line that is not empty; nothing at the end."""
        while True:
            self._at = _Place(self._text.line, self._text.byte)
            try:
                line = self._text.raw_line()
            except TooLong as error:
                self._broken(str(error))
                continue
            if not line or bare(line):
                return bare(line)

    def _find_message(self) -> None:
        """Go on to where a message begins."""
        while True:
            try:
                line = self._text.raw_line()
            except TooLong:
                continue
            if not line or STATUS_LINE.fullmatch(bare(line)) or REQUEST_LINE.fullmatch(bare(line)):
                self._text.back(line)
                return

    def _broken(self, what: str) -> None:
        place = f"line {self._at.line}, byte {self._at.byte}"
        self._notes.broken(TrafficError(f"{self._where}, {place}: {what}"))

    def _request(self, method: str, target: str, version: str) -> Iterator[Exchange]:
        self._number += 1
        refused = _Asked(self._number, None, _REFUSED_URL, "")
        try:
            taken = self._read_request(method, target, version)
        except Wrong as wrong:
            self._broken(f"request {self._number}: {wrong}")
            self._find_message()
            taken = refused
        except Cut as cut:
            self._broken(f"request {self._number}: the file is cut {cut}")
            taken = refused
        self._waiting.append(taken or refused)
        if len(self._waiting) > MOST_WAITING:
            yield from self._waiting.popleft().exchange(None)

    def _read_request(self, method: str, target: str, version: str) -> _Asked | None:
        headers = read_fields(self._text)
        body = request_body(headers, version, self._text)
        if both_told(headers):
            self._broken(f"request {self._number}: it tells a length next to its chunks")
            return None
        if method == "CONNECT":
            self._notes.left_out(
                f"{self._where}, request {self._number}: CONNECT asks for a tunnel; left out"
            )
            return None
        self._dropped(body.dropped, f"request {self._number}")
        url, headers = _asked_of(target, headers, version)
        protocol = f"HTTP/{version.removesuffix('.0') if version == '2.0' else version}"
        return _Asked(self._number, asked(method, url, headers, body.chunks, body.trailers), url, protocol)

    def _dropped(self, what: str, message: str) -> None:
        if what:
            self._notes.left_out(f"{self._where}, {message}: {what}")

    def _response(self, status: int, version: str) -> Iterator[Exchange]:
        interim = status < 200 and status != 101
        waiting = None if interim or not self._waiting else self._waiting.popleft()
        about = f"the response to request {waiting.number}" if waiting else "a response"
        found: Message | None = None
        try:
            found = self._read_response(status, version, waiting, about)
        except Wrong as wrong:
            self._broken(f"{about}: {wrong}")
            self._find_message()
        except Cut as cut:
            self._broken(f"{about}: the file is cut {cut}")
        if waiting is not None:
            yield from waiting.exchange(found)
        elif interim:
            self._notes.left_out(
                f"{self._where}, line {self._at.line}: an interim response ({status}); left out"
            )
        elif found is not None:
            self._broken("a response to no request before it")

    def _read_response(self, status: int, version: str, waiting: _Asked | None, about: str) -> Message | None:
        headers: Headers = read_fields(self._text)
        asked_with = waiting.request.header(":method") if waiting and waiting.request else ""
        bodiless = status < 200 or status in _BODILESS or asked_with == "HEAD"
        body = NO_BODY if bodiless else response_body(headers, version, self._text)
        if both_told(headers) and not bodiless:
            self._broken(f"{about}: it tells a length next to its chunks")
            return None
        self._dropped(body.dropped, about)
        return Message(((":status", str(status)), *headers), body.chunks, body.trailers)


def _asked_of(target: str, headers: Headers, version: str) -> tuple[Url, Headers]:
    """Where a request goes, and its headers without what tells that a second time."""
    hosts = [value for name, value in headers if name == "host"]
    if len(hosts) > 1:
        raise Wrong("it has more than one Host")
    if "://" in target.partition("?")[0] and not target.startswith("/"):
        return read_url(target)._replace(path=written_path(target)), tuple(
            h for h in headers if h[0] != "host"
        )
    if not target.startswith("/") and target != "*":
        raise Wrong(f"it asks for `{shortened(target)}`, which is neither a path nor an address")
    if not hosts and version not in ("1.0",):
        raise Wrong("it has no Host")
    authority = first(headers, "host") or "localhost"
    return Url("http", authority, target), headers
