"""One flow of mitmproxy as an exchange.

Rules that live here:
- Where names changed from one flow format to another, both are looked for. A format that is newer than those known
  here is read as the newest one, and told.
- Bodies are as they were on the wire (mitmproxy undoes chunks, and no `content-encoding`), in one piece. A body that
  mitmproxy passed on without keeping it makes the exchange a partial one.
- Who talked to whom: the client, and in front of a reverse proxy the proxy itself, else the server that was asked.
- Times are decimal fractions of seconds.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter, OrderedDict
from collections.abc import Iterator
from typing import NamedTuple

from simwasm.conversation import Piece, Side, conversation
from simwasm.exchange import Chunk, Connection, Exchange, Headers, Message, Tls, first, lower, to_text
from simwasm.traffic.request_text import MOST_HEADERS
from simwasm.traffic.tnetstring import DICT, NULL, Damaged, Place, Value, members, value

OLDEST, NEWEST = 7, 21
_PROTOCOLS = {
    "HTTP/2": "HTTP/2",
    "HTTP/2.0": "HTTP/2",
    "HTTP/3": "HTTP/3",
    "HTTP/3.0": "HTTP/3",
    "HTTP/1.0": "HTTP/1.0",
}
_NAME = re.compile(r":?[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NEVER_IN_A_VALUE = re.compile(r"[\0\r\n]")
_METHOD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
BLANK = re.compile(r"[\0-\x20\x7f]")
"""What no path can hold."""
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----([^-]*)-----END CERTIFICATE-----")
_FAR = 1 << 62
_REMEMBERED = 10_000
"""Connections, of which flows may still come."""

_NOT_HTTP = {
    "dns": "{count} DNS flow{s} left out: plugins never meet them",
    "udp": "{count} UDP flow{s} left out: plugins never meet them",
}
_OTHER = "{count} flow{s} of a kind that is not known here left out"
_OLD = f"{{count}} flow{{s}} in a format older than {OLDEST} left out: save them anew with `mitmdump -nr OLD -w NEW`"
_NEW = f"{{count}} flow{{s}} in a format newer than {NEWEST}: read as if in that one"
_TUNNEL = "{count} CONNECT request{s} left out: they ask the proxy for a tunnel"
_NO_REQUEST = "{count} HTTP flow{s} without a request left out"
_WEBSOCKET = "{count} message{s} of WebSockets left out: plugins meet the handshake alone"
_UNANSWERED = "{count} request{s} without an answer: replayed without a recorded one"
_BODIES = "{count} message{s} whose body mitmproxy passed on and did not record: replayed without it"
_MARKS = "{count} mark{s} of flows left out: an exchange has no place for them"


class Skipped(Exception):
    """A flow that is left out by design; the text counts such flows."""


class Connections:
    """Numbers for the connections of a recording: those that were seen last."""

    def __init__(self) -> None:
        self._numbers: OrderedDict[str, int] = OrderedDict()
        self._last = 0

    def number(self, known_as: str) -> int:
        """The number of a connection."""
        found = self._numbers.get(known_as)
        if found is None:
            self._last = found = self._last + 1
            if len(self._numbers) >= _REMEMBERED:
                self._numbers.popitem(last=False)
        else:
            self._numbers.move_to_end(known_as)
        self._numbers[known_as] = found
        return found


class _Part(NamedTuple):
    """A dict of a flow, of which what is asked for is decoded."""

    name: str
    data: bytes
    places: dict[str, Place]

    def part(self, name: str) -> _Part | None:
        """A dict in it; None if there is none."""
        place = self.places.get(name)
        if place is None or place[0] == NULL:
            return None
        if place[0] != DICT:
            raise Damaged(f"{name} is no dict")
        return _Part(name, self.data, members(self.data, *place[1:]))

    def value(self, *names: str) -> Value:
        """A value in it, by its name or an older one."""
        for name in names:
            place = self.places.get(name)
            if place is not None:
                return value(self.data, place)
        return None

    def has(self, name: str) -> bool:
        """Whether there is such a value, and not null."""
        place = self.places.get(name)
        return place is not None and place[0] != NULL

    def text(self, *names: str) -> str:
        """A text in it; empty if there is none."""
        found = self.value(*names)
        if found is None:
            return ""
        if isinstance(found, bytes):
            return to_text(found)
        if not isinstance(found, str):
            raise self.wrong(names[0], "is no text")
        return found

    def number(self, name: str) -> int:
        """A whole number in it."""
        found = self.value(name)
        if not isinstance(found, int):
            raise self.wrong(name, "is no number")
        return found

    def time(self, *names: str) -> int:
        """A time in it in nanoseconds; 0 if it never was."""
        for name in names:
            if self.has(name):
                place = self.places[name]
                return _nanoseconds(self.data[place[1] : place[2]], self, name)
        return 0

    def wrong(self, name: str, what: str) -> Damaged:
        """What to raise about a value in it."""
        return Damaged(f"{self.name}.{name} {what}")


def read_flow(data: bytes, number: int, connections: Connections, lost: Counter[str]) -> Exchange:
    """Read one flow; `lost` counts what its exchange does not say."""
    flow = _Part("flow", data, members(data, 0, len(data)))
    _check_format(flow, lost)
    kind = flow.text("type")
    if kind == "tcp":
        return _talk(flow, number, connections)
    if kind != "http":
        raise Skipped(_NOT_HTTP.get(kind, _OTHER))
    asked, answered = flow.part("request"), flow.part("response")
    if asked is None:
        raise Skipped(_NO_REQUEST)
    if asked.text("method") == "CONNECT":
        raise Skipped(_TUNNEL)
    missing = _count_losses(flow, asked, answered, lost)
    client = flow.part("client_conn") or _Part("client_conn", b"", {})
    request = _request(asked, client)
    return Exchange(
        id=str(number),
        started_ns=asked.time("timestamp_start"),
        request=request,
        response=_response(answered, asked) if answered else None,
        connection=_connection(flow, client, _protocol(asked), connections),
        name=flow.text("comment"),
        partial=missing > 0,
    )


def _check_format(flow: _Part, lost: Counter[str]) -> None:
    version = flow.value("version")
    if not isinstance(version, int) or version < OLDEST:
        raise Skipped(_OLD)
    if version > NEWEST:
        lost[_NEW] += 1


def _count_losses(flow: _Part, asked: _Part, answered: _Part | None, lost: Counter[str]) -> int:
    """Count what the exchange does not say; how many bodies are missing."""
    missing = sum(part is not None and not part.has("content") for part in (asked, answered))
    socket = flow.part("websocket")
    messages = socket.value("messages") if socket else None
    said = len(messages) if isinstance(messages, list) else 0
    counts = ((_UNANSWERED, answered is None), (_BODIES, missing), (_WEBSOCKET, said))
    for kind, count in (*counts, (_MARKS, bool(flow.value("marked")))):
        if count:
            lost[kind] += count
    return missing


def _request(asked: _Part, client: _Part) -> Message:
    headers = _headers(asked, "headers")
    method, path, scheme = asked.text("method"), asked.text("path"), asked.text("scheme")
    if not _METHOD.fullmatch(method):
        raise asked.wrong("method", "is none of HTTP")
    if BLANK.search(path):
        raise asked.wrong("path", "has a blank or a control character, which HTTP cannot carry")
    pseudo = (
        (":authority", first(headers, "host") or asked.text("authority") or _host(asked)),
        (":path", path or "/"),
        (":method", method),
        (":scheme", scheme or ("https" if client.value("tls", "tls_established") else "http")),
    )
    plain = tuple(header for header in headers if header[0] != "host" and header[0] not in dict(pseudo))
    took = max(0, asked.time("timestamp_end") - asked.time("timestamp_start"))
    return Message((*pseudo, *plain), _body(asked, took), _headers(asked, "trailers"))


def _host(asked: _Part) -> str:
    port = asked.value("port")
    usual = {"http": 80, "https": 443}.get(asked.text("scheme"))
    return asked.text("host") + ("" if port == usual or not isinstance(port, int) else f":{port}")


def _response(answered: _Part, asked: _Part) -> Message:
    status = answered.number("status_code")
    if not 100 <= status <= 999:
        raise answered.wrong("status_code", "is no HTTP status")
    headers = tuple(header for header in _headers(answered, "headers") if header[0] != ":status")
    began, sent = answered.time("timestamp_start"), asked.time("timestamp_end", "timestamp_start")
    took = max(0, answered.time("timestamp_end") - began)
    wait = max(0, began - sent) if began and sent else 0
    return Message(
        ((":status", str(status)), *headers), _body(answered, took), _headers(answered, "trailers"), wait
    )


def _body(part: _Part, took: int) -> tuple[Chunk, ...]:
    content = part.value("content")
    if content is not None and not isinstance(content, bytes):
        raise part.wrong("content", "is no bytes")
    return (Chunk(content, took),) if content else ()


def _headers(part: _Part, name: str) -> Headers:
    recorded = part.value(name)
    if recorded is None and name == "trailers":
        return ()
    if not isinstance(recorded, list):
        raise part.wrong(name, "is no list")
    if len(recorded) > MOST_HEADERS:
        raise part.wrong(name, f"has {len(recorded):,} entries, and {MOST_HEADERS:,} are read")
    return lower(_header(part, name, pair) for pair in recorded)


def _header(part: _Part, name: str, pair: Value) -> tuple[str, str]:
    if not isinstance(pair, list) or len(pair) != 2:
        raise part.wrong(name, "has an entry that is no name and value")
    key, said = pair
    if not isinstance(key, bytes) or not isinstance(said, bytes):
        raise part.wrong(name, "has an entry that is no bytes")
    shown = to_text(key), to_text(said)
    if not _NAME.fullmatch(shown[0]) or _NEVER_IN_A_VALUE.search(shown[1]):
        raise part.wrong(name, "has an entry that HTTP cannot carry")
    return shown


def _protocol(asked: _Part) -> str:
    return _PROTOCOLS.get(asked.text("http_version"), "HTTP/1.1")


def _connection(flow: _Part, client: _Part, protocol: str, connections: Connections) -> Connection:
    server = flow.part("server_conn") or _Part("server_conn", b"", {})
    here, there = _address(client, "sockname"), _address(server, "peername", "ip_address", "address")
    reverse = client.text("proxy_mode").startswith("reverse")
    usual = Connection()
    secure = client.value("tls", "tls_established") is True
    return Connection(
        id=connections.number(client.text("id")),
        source=_address(client, "peername", "address") or usual.source,
        destination=(here if reverse else there) or there or here or usual.destination,
        protocol=protocol,
        requested_server_name=_server_name(client) if secure else "",
        tls=_tls(client) if secure else None,
    )


def _server_name(client: _Part) -> str:
    found = client.value("sni")
    return client.text("sni") if isinstance(found, str | bytes) else ""


def _address(part: _Part, *names: str) -> str:
    """An address as Envoy writes it; empty if there is none."""
    for name in names:
        found = part.value(name)
        if isinstance(found, list) and len(found) >= 2 and isinstance(found[1], int):
            host = to_text(found[0]) if isinstance(found[0], bytes) else found[0]
            if isinstance(host, str) and host:
                return f"[{host}]:{found[1]}" if ":" in host else f"{host}:{found[1]}"
    return ""


def _tls(client: _Part) -> Tls:
    version = client.text("tls_version")
    certificates = client.value("certificate_list")
    given = certificates[0] if isinstance(certificates, list) and certificates else None
    return Tls(
        tls_version=version if version.startswith("TLS") else Tls().tls_version,
        mtls=given is not None,
        sha256_peer_certificate_digest=_digest(given) if isinstance(given, bytes) else "",
    )


def _digest(pem: bytes) -> str:
    found = _PEM.search(pem)
    try:
        return hashlib.sha256(base64.b64decode(found[1])).hexdigest() if found else ""
    except ValueError:
        return ""


def _nanoseconds(text: bytes, part: _Part, name: str) -> int:
    """Seconds as nanoseconds; all digits count that are written."""
    whole, _, fraction = text.partition(b".")
    if whole.isdigit() and len(whole) <= 12 and (fraction.isdigit() or not fraction):
        return int(whole) * 10**9 + int(fraction[:9].ljust(9, b"0"))
    try:
        found = float(text)
        if 0 <= found < _FAR / 1e9:
            return round(found * 10**9)
    except ValueError:
        pass
    raise part.wrong(name, "is no time")


def _talk(flow: _Part, number: int, connections: Connections) -> Exchange:
    client = flow.part("client_conn") or _Part("client_conn", b"", {})
    started = client.time("timestamp_start")
    return conversation(
        str(number),
        tuple(_pieces(flow, started)),
        started_ns=started,
        connection=_connection(flow, client, Connection().protocol, connections),
        name=flow.text("comment"),
    )


def _pieces(flow: _Part, before: int) -> Iterator[Piece]:
    messages = flow.value("messages")
    if not isinstance(messages, list):
        raise flow.wrong("messages", "is no list")
    for message in messages:
        if not isinstance(message, list) or len(message) < 3:
            raise flow.wrong("messages", "has an entry that is no message")
        client, said, moment = message[:3]
        if not isinstance(said, bytes) or not isinstance(moment, float | int):
            raise flow.wrong("messages", "has an entry that is no message")
        at = _nanoseconds(repr(moment).encode(), flow, "messages")
        yield Piece(Side.CLIENT if client is True else Side.UPSTREAM, said, max(0, at - before))
        before = max(before, at)
