"""Exchanges as HTTP/1.1 on the wire: a request, its response, and so on.

Rules that live here:
- A message that tells neither a length nor chunks gets chunks, which keep the pieces of its body and its trailers.
- An https request has its whole address in the request line, as proxies are asked; there is no other place for it.
- A request without a response stands alone. Before a later response is written, such requests get an empty 200, which
  is how they are answered in a replay; else that response would be theirs.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from http import HTTPStatus
from typing import BinaryIO

from simwasm.exchange import Exchange, Message, decimal, first, to_bytes
from simwasm.traffic.losses import Losses
from simwasm.traffic.notes import Notes
from simwasm.traffic.raw_http import MOST_WAITING, RawHttp
from simwasm.traffic.request_text import TOKEN
from simwasm.traffic.reread import losses_of, said

_BREAKS = re.compile(r"[\r\n\0]")
_BODILESS = ("204", "304")
_UNANSWERED = "that nobody answered, while later ones were: they get an empty 200"
_EMPTY = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


class RawHttpWriter:
    """The writer of HTTP/1.1 as text."""

    name = "raw HTTP/1.1 text"
    formats = ("raw",)
    suffixes = (".raw", ".txt")

    def write(self, exchanges: Iterable[Exchange], stream: BinaryIO, notes: Notes) -> None:
        """Write a message after the other."""
        losses = losses_of("HTTP/1.1")
        alone, first_alone = 0, None
        for found in losses.checked(exchanges):
            exchange, response = _with_response(found, losses)
            written = said(losses, exchange, _text, _again)
            if written is None:
                continue
            if exchange.response is None:
                stream.write(written)
                alone, first_alone = min(alone + 1, MOST_WAITING - 1), first_alone or exchange
                continue
            if first_alone is not None:
                losses.lost(_UNANSWERED, first_alone, alone)
            stream.write(written[: len(written) - len(response)])
            stream.write(_EMPTY * alone)
            stream.write(response)
            alone, first_alone = 0, None
        losses.tell(notes)


def _with_response(exchange: Exchange, losses: Losses) -> tuple[Exchange, bytes]:
    """The exchange and its response's text; without a response that has no text."""
    try:
        return exchange, _response(exchange) if exchange.response else b""
    except ValueError:
        losses.lost("responses that it cannot say", exchange)
        return replace(exchange, response=None), b""


def _again(data: bytes) -> Iterable[Exchange]:
    return list(RawHttp().read(io.BytesIO(data), "-", Notes()))


def _text(exchange: Exchange) -> bytes:
    return _request(exchange) + (_response(exchange) if exchange.response else b"")


def _request(exchange: Exchange) -> bytes:
    request = exchange.request
    method, path = request.header(":method") or "GET", request.header(":path") or "/"
    authority, scheme = request.header(":authority") or "", request.header(":scheme") or "http"
    target = f"{scheme}://{authority}{path}" if scheme == "https" and path.startswith("/") else path
    if re.search(r"[\x00-\x20\x7f]", method + target):
        raise ValueError(target)
    line = f"{method} {target} {exchange.connection.protocol}"
    return b"".join(_message(request, line, [f"host: {authority}"], may_have_body=True))


def _response(exchange: Exchange) -> bytes:
    response = exchange.response
    assert response is not None
    status = response.header(":status") or "200"
    number = decimal(status)
    if number is None or not 100 <= number <= 999 or (number < 200 and number != 101):
        raise ValueError(status)
    phrase = HTTPStatus(number).phrase if number in HTTPStatus._value2member_map_ else ""
    bodiless = exchange.request.header(":method") == "HEAD" or status in _BODILESS or status == "101"
    line = f"{exchange.connection.protocol} {status} {phrase}".rstrip()
    return b"".join(_message(response, line, [], may_have_body=not bodiless))


def _message(message: Message, line: str, first_lines: list[str], may_have_body: bool) -> Iterator[bytes]:
    plain = [header for header in message.headers if header[0][:1] != ":"]
    chunked = first(message.headers, "transfer-encoding") is not None
    length = first(message.headers, "content-length")
    if may_have_body and length is not None:
        plain = [
            (name, str(len(message.data)) if name == "content-length" else value) for name, value in plain
        ]
    framed = chunked or length is not None or not may_have_body
    if not framed and (message.body or message.trailers or not first_lines):
        chunked = bool(message.body or message.trailers)
        plain.append(("transfer-encoding", "chunked") if chunked else ("content-length", "0"))
    for name, value in plain:
        if not TOKEN.fullmatch(name) or _BREAKS.search(value):
            raise ValueError(name)
    lines = [line, *first_lines, *(f"{name}: {value}" for name, value in plain), "", ""]
    yield to_bytes("\r\n".join(lines))
    if may_have_body:
        yield from _chunks(message) if chunked else [message.data]


def _chunks(message: Message) -> Iterator[bytes]:
    for chunk in message.body:
        if chunk.data:
            yield b"%x\r\n%b\r\n" % (len(chunk.data), chunk.data)
    trailers = (f"{name}: {value}\r\n" for name, value in message.trailers)
    yield to_bytes(f"0\r\n{''.join(trailers)}\r\n")
