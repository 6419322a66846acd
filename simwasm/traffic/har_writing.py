"""Exchanges as a HAR 1.2 file, to be opened in a browser's tools or replayed here.

Rules: the importer of HAR files gives back the same request and response, but for what HAR does not know: chunks,
trailers, client addresses, and bytes of headers that are not UTF-8. An entry without an answer has the status 0
and says that it is one.
Bodies of responses are decoded, as HAR wants them; one that cannot be is written as it was.
"""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from typing import Any, BinaryIO
from urllib.parse import quote

from simwasm import __version__
from simwasm.exchange import Connection, Exchange, Headers, Message, Tls, decimal, first, to_bytes
from simwasm.traffic.har import UNANSWERED
from simwasm.traffic.losses import Losses, Part
from simwasm.traffic.notes import Notes

_PSEUDO = (":authority", ":path", ":method", ":scheme")
_PLAIN_PATH = re.compile(r"/[!-\"$-~]*")
_OTHER_CHARSET = re.compile(r"""charset\s*=\s*["']?(?!utf-?8\b)""", re.IGNORECASE)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_SECONDS = range(-(10**10), 25 * 10**10)
"""That are in a year of four digits."""
_DAY = 24 * 3600 * 10**9
_USUAL = Connection()
_MILLISECOND = 10**6
_CARRIED = frozenset(
    {
        Part.NAME,
        Part.STARTED,
        Part.RESPONSE,
        Part.NO_RESPONSE,
        Part.ORDER,
        Part.RESPONSE_TIME,
        Part.PROTOCOL,
        Part.CONNECTION,
        Part.ADDRESSES,
        Part.TLS,
        Part.PIECE_TIMES,
    }
)
_ENCODINGS = {"gzip": zlib.MAX_WBITS | 16, "x-gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}
_LARGEST_DECODED = 1 << 26


class HarWriter:
    """The writer of HAR files."""

    name = "HAR (.har)"
    formats = ("har",)
    suffixes = (".har",)

    def write(self, exchanges: Iterable[Exchange], stream: BinaryIO, notes: Notes) -> None:
        """Write an entry a line."""
        losses = Losses("HAR", _CARRIED)
        begin, _, end = json.dumps(log([])).rpartition("]")
        stream.write(f"{begin}\n".encode())
        between = ""
        for exchange in losses.checked(exchanges):
            for lost in _lost(exchange):
                losses.lost(lost, exchange)
            answer = exchange.response
            if answer and not _is_status(answer.header(":status")):
                losses.lost("responses without a status of HTTP", exchange)
                answer = None
            written = json.dumps(entry(exchange, answer))
            stream.write(f"{between}{written}".encode())
            between = ",\n"
        stream.write(f"\n]{end}\n".encode())
        losses.tell(notes)


def _is_status(status: str | None) -> bool:
    return 100 <= (decimal(status) or 0) <= 999


def log(entries: list[dict[str, Any]]) -> dict[str, Any]:
    """A whole HAR of entries."""
    creator = {"name": "simwasm", "version": __version__}
    return {"log": {"version": "1.2", "creator": creator, "entries": entries}}


def _lost(exchange: Exchange) -> Iterable[str]:
    """What is lost of parts that HAR has in part."""
    there, asked, answer = exchange.connection, exchange.request, exchange.response
    if not _made_again(there, asked):
        yield Part.ADDRESSES.value
    if there.tls not in (None, Tls(there.tls.tls_version if there.tls else "")):
        yield Part.TLS.value
    if exchange.started_ns // 10**9 not in _SECONDS:
        yield Part.STARTED.value
    if any(chunk.after_ns for chunk in asked.body) or (
        answer and any(chunk.after_ns for chunk in answer.body[1:])
    ):
        yield Part.PIECE_TIMES.value
    if answer and answer.header("content-encoding") and answer.body:
        yield "how bodies of responses were encoded"
    headers = (*asked.headers, *(answer.headers if answer else ()))
    if not all(_is_text(name + value) for name, value in headers):
        yield "bytes of headers that are not UTF-8"


def _made_again(there: Connection, asked: Message) -> bool:
    """Whether the importer makes such addresses of the entry, or they are those of nobody."""
    usual = (there.source, there.destination) == (_USUAL.source, _USUAL.destination)
    local = there.source.startswith("127.0.0.1:") and there.destination.rpartition(":")[2] == _port(asked)
    return usual or local


def _port(asked: Message) -> str:
    written = re.search(r":(\d+)$", asked.header(":authority") or "")
    return written[1] if written else "443" if asked.header(":scheme") == "https" else "80"


def _is_text(text: str) -> bool:
    return text.isascii() or not re.search(r"[\ud800-\udfff]", text)


def entry(exchange: Exchange, answer: Message | None) -> dict[str, Any]:
    """An exchange as an entry; one without an answer has the status 0."""
    request, connection = exchange.request, exchange.connection
    wait = _milliseconds(answer.after_ns if answer else 0)
    receive = _milliseconds(sum(chunk.after_ns for chunk in answer.body) if answer else 0)
    address = connection.destination.rpartition(":")[0].strip("[]")
    found = {
        "startedDateTime": _moment(exchange.started_ns),
        "time": wait + receive,
        "request": _request(request, connection.protocol),
        "response": _response(answer, connection.protocol),
        "cache": {},
        "timings": {"send": 0, "wait": wait, "receive": receive},
        "serverIPAddress": address,
        "connection": str(connection.id),
    }
    if answer is None:
        found[UNANSWERED] = True
    if connection.tls:
        found["_securityDetails"] = {"protocol": connection.tls.tls_version.replace("TLSv", "TLS ")}
    return found | ({"comment": exchange.name} if exchange.name else {})


def _milliseconds(time_ns: int) -> float:
    """At most a day: nobody waits longer."""
    return min(time_ns, _DAY) / _MILLISECOND


def _moment(at_ns: int) -> str:
    seconds, rest = divmod(at_ns, 10**9)
    if seconds not in _SECONDS:
        return _moment(0)
    return f"{_EPOCH + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def _request(request: Message, protocol: str) -> dict[str, Any]:
    url = _url(request)
    body, kind = request.data, request.header("content-type") or ""
    found = {
        "method": request.header(":method") or "GET",
        "url": url,
        "httpVersion": protocol,
        "cookies": [],
        "headers": _named(_request_headers(request, protocol)),
        "queryString": _query(url),
        "headersSize": -1,
        "bodySize": len(body),
    }
    return found | ({"postData": {"mimeType": kind, **_text(body, kind)}} if body else {})


def _response(answer: Message | None, protocol: str) -> dict[str, Any]:
    body = _decoded(answer) if answer else b""
    kind = (answer.header("content-type") if answer else "") or ""
    status = decimal(answer.header(":status") if answer else None) or 0
    headers = tuple(header for header in answer.headers if header[0] != ":status") if answer else ()
    return {
        "status": status,
        "statusText": "",
        "httpVersion": protocol,
        "cookies": [],
        "headers": _named(headers),
        "content": {"size": len(body), "mimeType": kind, **(_text(body, kind) if body else {})},
        "redirectURL": (first(headers, "location") if answer else "") or "",
        "headersSize": -1,
        "bodySize": len(body),
    }


def _decoded(answer: Message) -> bytes:
    """The body as HAR wants it; as it was if it cannot be decoded, or becomes too large."""
    body = answer.data
    window = _ENCODINGS.get((answer.header("content-encoding") or "").lower())
    if window is None or not body:
        return body
    try:
        unpack = zlib.decompressobj(window)
        decoded = unpack.decompress(body, _LARGEST_DECODED)
    except zlib.error:
        return body
    return decoded if unpack.eof and not unpack.unused_data else body


def _url(request: Message) -> str:
    path = request.header(":path") or "/"
    rooted = path if path.startswith("/") else f"/{path}"
    root = f"{request.header(':scheme') or 'http'}://{request.header(':authority') or ''}"
    return quote(to_bytes(root + rooted), safe="!$%&'()*+,-./:;=?@[]_~^|{}`\"\\<>")


def _request_headers(request: Message, protocol: str) -> Headers:
    """HTTP/1's as they were on the wire, unless the request line cannot be had back from them."""
    pseudo = tuple(name for name, _ in request.headers if name.startswith(":"))
    path = request.header(":path") or ""
    if protocol not in ("HTTP/1.1", "HTTP/1.0") or pseudo != _PSEUDO or not _PLAIN_PATH.fullmatch(path):
        return request.headers
    plain = tuple(header for header in request.headers if not header[0].startswith(":"))
    return (("host", request.header(":authority") or ""), *plain)


def _query(url: str) -> list[dict[str, str]]:
    pairs = (pair.partition("=") for pair in url.partition("?")[2].split("&") if pair)
    return [{"name": name, "value": value} for name, _, value in pairs]


def _named(headers: Headers) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers]


def _text(body: bytes, kind: str) -> dict[str, str]:
    """A body as text where it says that it is UTF-8, or says nothing."""
    if not _OTHER_CHARSET.search(kind):
        try:
            return {"text": body.decode()}
        except UnicodeDecodeError:
            pass
    return {"text": base64.b64encode(body).decode(), "encoding": "base64"}
