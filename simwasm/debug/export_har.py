"""An exchange as a HAR 1.2 file, to be opened in a browser's tools or replayed here.

Rules: the importer of HAR files gives back the same request and response, but for what HAR does not know: chunks,
trailers, client addresses, and bytes of headers that are not UTF-8; the response is that of the upstream, since it is
what a replay needs, or the client's where nothing was recorded.
"""

from __future__ import annotations

import base64
import json
import re
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote, urlsplit

from simwasm import __version__
from simwasm.debug.export_subject import Subject
from simwasm.exchange import Exchange, Headers, Message, first, response, to_bytes
from simwasm.host.outcome import Outcome

_PSEUDO = (":authority", ":path", ":method", ":scheme")
_PLAIN_PATH = re.compile(r"/[!-\"$-~]*")
_OTHER_CHARSET = re.compile(r"""charset\s*=\s*["']?(?!utf-?8\b)""", re.IGNORECASE)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MILLISECOND = 10**6


def har(subject: Subject) -> str:
    """The exchange as it was recorded, which a replay can begin with."""
    span = subject.exchange_span()
    return har_file([entry(span.exchange, answered(span.exchange, span.outcome))])


def har_seen(subject: Subject) -> str:
    """The exchange as the client saw it: the request it sent, and the answer that it got."""
    span = subject.exchange_span()
    seen = span.outcome.response if span.outcome else None
    return har_file([entry(span.exchange, seen)])


def answered(exchange: Exchange, outcome: Outcome | None) -> Message:
    """What the upstream answered; what the client got, or the 200 of a replay, where nothing was recorded."""
    return exchange.response or (outcome.response if outcome else None) or response(200)


def har_file(entries: list[dict[str, Any]]) -> str:
    """A HAR file of entries."""
    creator = {"name": "simwasm", "version": __version__}
    return json.dumps({"log": {"version": "1.2", "creator": creator, "entries": entries}}, indent=1) + "\n"


def entry(exchange: Exchange, answer: Message | None) -> dict[str, Any]:
    """An exchange as an entry; one without an answer has the status 0."""
    request, connection = exchange.request, exchange.connection
    wait = (answer.after_ns if answer else 0) / _MILLISECOND
    receive = sum(chunk.after_ns for chunk in answer.body) / _MILLISECOND if answer else 0.0
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
    if connection.tls:
        found["_securityDetails"] = {"protocol": connection.tls.tls_version.replace("TLSv", "TLS ")}
    return found | ({"comment": exchange.name} if exchange.name else {})


def _moment(at_ns: int) -> str:
    seconds, rest = divmod(at_ns, 10**9)
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
    body = answer.data if answer else b""
    kind = (answer.header("content-type") if answer else "") or ""
    status = (answer.header(":status") if answer else None) or "0"
    headers = tuple(header for header in answer.headers if header[0] != ":status") if answer else ()
    return {
        "status": int(status) if status.isdigit() else 0,
        "statusText": "",
        "httpVersion": protocol,
        "cookies": [],
        "headers": _named(headers),
        "content": {"size": len(body), "mimeType": kind, **(_text(body, kind) if body else {})},
        "redirectURL": (first(headers, "location") if answer else "") or "",
        "headersSize": -1,
        "bodySize": len(body),
    }


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
    pairs = (pair.partition("=") for pair in urlsplit(url).query.split("&") if pair)
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
