"""Exchanges as mitmproxy's flows: `mitmdump -nr FILE`, `mitmproxy -r FILE` and `mitmweb -r FILE` show them.

Rules that live here: the flow format is that of mitmproxy 7, which all since then read; times are written with all of
their digits; ids come from the exchange's own, so that the same traffic makes the same file; server and client talk the
same version of HTTP, as nobody knows better.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import BinaryIO
from uuid import NAMESPACE_URL, uuid5

from simwasm.conversation import Close, Conversation, Side
from simwasm.exchange import Connection, Exchange, Headers, Message, decimal, to_bytes
from simwasm.traffic.losses import Losses, Part
from simwasm.traffic.mitmproxy_flow import BLANK
from simwasm.traffic.notes import Notes
from simwasm.traffic.tnetstring import Value, dumped

_FORMAT = 14
_CLOSED = 0
_CARRIED = frozenset(Part) - {Part.ID, Part.ORDER, Part.PIECES, Part.EARLY, Part.PARTIAL}
_CLOSES = "who ended the connection, and how"
_CERTIFICATES = "what client certificates say"
_PSEUDO = "pseudo headers that others than HTTP's own protocols need"
_KNOWN = frozenset((":authority", ":path", ":method", ":scheme", ":status"))
_VERSIONS = {"HTTP/2": b"HTTP/2.0", "HTTP/3": b"HTTP/3"}
_PORTS = {"http": 80, "https": 443}
_REASONS = {status.value: status.phrase.encode() for status in HTTPStatus}

_Dict = dict[str, Value]


class MitmproxyFlowsWriter:
    """The writer of mitmproxy's flow files."""

    name = "mitmproxy flows (.flows, .mitm)"
    formats = ("flows", "mitmproxy", "mitm")
    suffixes = (".flows", ".flow", ".mitm")

    def write(self, exchanges: Iterable[Exchange], stream: BinaryIO, notes: Notes) -> None:
        """Write a flow for each exchange."""
        losses = Losses("mitmproxy's flow file", _CARRIED)
        for exchange in losses.checked(exchanges):
            if why := _unsaid(exchange):
                losses.left_out(why, exchange)
                continue
            _count(exchange, losses)
            stream.write(dumped(_flow(exchange)))
        losses.tell(notes)


class _Seconds(float):
    """A time that is written with all digits of its nanoseconds."""

    def __new__(cls, nanoseconds: int) -> _Seconds:
        """Keep the nanoseconds."""
        made = super().__new__(cls, nanoseconds / 10**9)
        made.nanoseconds = nanoseconds
        return made

    nanoseconds: int

    def __repr__(self) -> str:
        whole, fraction = divmod(max(0, self.nanoseconds), 10**9)
        return f"{whole}.{fraction:09}"


def _unsaid(exchange: Exchange) -> str:
    """Why nobody would read such a flow as an exchange; nothing if it can be written."""
    if isinstance(exchange, Conversation):
        return ""
    answer = exchange.response
    if exchange.request.header(":method") == "CONNECT":
        return "CONNECT requests"
    if BLANK.search(exchange.request.header(":path") or ""):
        return "paths with blanks or control characters"
    if answer and not 100 <= (decimal(answer.header(":status")) or 0) <= 999:
        return "responses without a status of HTTP"
    return ""


def _count(exchange: Exchange, losses: Losses) -> None:
    if isinstance(exchange, Conversation):
        if exchange.refused or any(piece.close is not Close.NO for piece in exchange.pieces):
            losses.lost(_CLOSES, exchange)
        return
    if exchange.connection.tls and exchange.connection.tls.mtls:
        losses.lost(_CERTIFICATES, exchange)
    if _other_pseudo(exchange.request.headers):
        losses.lost(_PSEUDO, exchange)


def _other_pseudo(headers: Headers) -> bool:
    return any(name.startswith(":") and name not in _KNOWN for name, _ in headers)


def _flow(exchange: Exchange) -> _Dict:
    talk = isinstance(exchange, Conversation)
    return {
        "version": _FORMAT,
        "type": "tcp" if talk else "http",
        "id": _id("exchange", exchange.id, exchange.started_ns),
        "error": None,
        "intercepted": False,
        "is_replay": None,
        "marked": "",
        "metadata": {},
        "comment": exchange.name,
        "client_conn": _client(exchange.connection, exchange.started_ns),
        "server_conn": _server(exchange.connection, exchange),
        **(_said(exchange) if isinstance(exchange, Conversation) else _messages(exchange)),
    }


def _id(*parts: object) -> str:
    return str(uuid5(NAMESPACE_URL, "simwasm:" + " ".join(map(repr, parts))))


def _said(talk: Conversation) -> Mapping[str, Value]:
    now = talk.started_ns
    messages: list[Value] = []
    for piece in talk.pieces:
        now += piece.after_ns
        if piece.data:
            messages.append([piece.side is Side.CLIENT, piece.data, _Seconds(now)])
    return {"messages": messages}


def _messages(exchange: Exchange) -> Mapping[str, Value]:
    version = _VERSIONS.get(exchange.connection.protocol, to_bytes(exchange.connection.protocol))
    asked = exchange.started_ns
    sent = asked + sum(chunk.after_ns for chunk in exchange.request.body)
    return {
        "mode": "regular",
        "request": _request(exchange.request, version, asked, sent),
        "response": _response(exchange.response, version, sent) if exchange.response else None,
        "websocket": None,
    }


def _request(request: Message, version: bytes, began: int, ended: int) -> _Dict:
    authority = request.header(":authority") or ""
    host, port = _asked(request)
    old = version in (b"HTTP/1.0", b"HTTP/1.1")
    named: list[Value] = [[b"host", to_bytes(authority)]] if old and authority else []
    return {
        "http_version": version,
        "headers": [*named, *_pairs(request.headers)],
        "content": request.data,
        "trailers": _pairs(request.trailers) or None,
        "timestamp_start": _Seconds(began),
        "timestamp_end": _Seconds(ended),
        "host": host,
        "port": port,
        "method": to_bytes(request.header(":method") or "GET"),
        "scheme": to_bytes(request.header(":scheme") or "http"),
        "authority": b"" if old else to_bytes(authority),
        "path": to_bytes(request.header(":path") or "/"),
    }


def _response(response: Message, version: bytes, asked: int) -> _Dict:
    began = asked + response.after_ns
    status = decimal(response.header(":status")) or 0
    old = version in (b"HTTP/1.0", b"HTTP/1.1")
    return {
        "http_version": version,
        "headers": _pairs(response.headers),
        "content": response.data,
        "trailers": _pairs(response.trailers) or None,
        "timestamp_start": _Seconds(began),
        "timestamp_end": _Seconds(began + sum(chunk.after_ns for chunk in response.body)),
        "status_code": status,
        "reason": _REASONS.get(status, b"") if old else b"",
    }


def _pairs(headers: Headers) -> list[Value]:
    return [[to_bytes(name), to_bytes(value)] for name, value in headers if not name.startswith(":")]


def _asked(request: Message) -> tuple[str, int]:
    authority, scheme = request.header(":authority") or "", request.header(":scheme") or "http"
    host, port = _place(authority)
    return host or authority or "unknown", port or _PORTS.get(scheme, 80)


def _place(address: str) -> tuple[str, int]:
    """Host and port of an address; the port is 0 where there is none."""
    host, colon, port = address.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or len(port) > 5:
        return address.strip("[]"), 0
    return host.strip("[]"), int(port)


def _client(connection: Connection, began: int) -> _Dict:
    return {
        **_side(connection, began),
        "id": _id("client", connection.id, connection.source),
        "address": list[Value](_place(connection.source)),
        "sockname": ["", 0],
        "mitmcert": None,
        "tls_extensions": [],
        "sni": connection.requested_server_name or None,
    }


def _server(connection: Connection, exchange: Exchange) -> _Dict:
    there = list[Value](_place(connection.destination))
    asked = list[Value](_asked(exchange.request)) if exchange.request.headers else there
    return {
        **_side(connection, exchange.started_ns),
        "id": _id("server", connection.id, connection.destination),
        "address": asked,
        "ip_address": there,
        "source_address": ["", 0],
        "timestamp_tcp_setup": None,
        "sni": connection.requested_server_name or None,
        "via": None,
        "via2": None,
    }


def _side(connection: Connection, began: int) -> _Dict:
    """What client and server have in common."""
    secure = connection.tls is not None
    alpn = {"HTTP/2": b"h2", "HTTP/3": b"h3"}.get(connection.protocol)
    return {
        "alpn": alpn if secure else None,
        "alpn_offers": [alpn] if secure and alpn else [],
        "certificate_list": [],
        "cipher_list": [],
        "cipher_name": None,
        "error": None,
        "state": _CLOSED,
        "timestamp_start": _Seconds(began),
        "timestamp_end": None,
        "timestamp_tls_setup": _Seconds(began) if secure else None,
        "tls": secure,
        "tls_established": secure,
        "tls_version": connection.tls.tls_version if connection.tls else None,
    }
