"""Entries of a HAR as nearly all of them are, read at once.

Rule: nothing is told here. An entry with anything special about it, wrong or not, is nothing to these functions; `har`
looks at it member by member then. What is read must be what `har` would have read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from operator import itemgetter
from typing import Any

from simwasm.exchange import Chunk, Exchange, Headers, Message, Tls, first
from simwasm.traffic.connections import Numbers
from simwasm.traffic.har_body import CHARSET, framed
from simwasm.traffic.har_connection import connected, protocol_of, tls_of
from simwasm.traffic.moment import nanoseconds

_URL = re.compile(r"(https?)://(([A-Za-z0-9.-]+)(?::(\d{1,5}))?)(/[!\"$-~]*)")
_PORTS = {"http": "80", "https": "443"}
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_BODILESS = (204, 304)
_ADDRESS = re.compile(r"[0-9.]*")
_TOKEN = re.compile(r":?[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_LONGEST_MS = 24 * 3600 * 1000
_MOST_HEADERS = 100
_NAMED, _VALUED = itemgetter("name"), itemgetter("value")
_NONE: Mapping[str, Any] = {}


def usual_exchange(number: int, entry: Any, connections: Numbers) -> Exchange | None:
    """An exchange that was answered, with a text as the only body."""
    if entry.__class__ is not dict:
        return None
    asked, answered, timings = entry.get("request"), entry.get("response"), entry.get("timings", _NONE)
    if asked.__class__ is not dict or answered.__class__ is not dict or timings.__class__ is not dict:
        return None
    if entry.get("_webSocketMessages") is not None or entry.get("comment") is not None:
        return None
    url, began = asked.get("url"), entry.get("startedDateTime")
    parts = _URL.fullmatch(url) if url.__class__ is str else None
    started = nanoseconds(began) if began.__class__ is str else None
    request = _request(asked, parts) if parts is not None else None
    response = _response(answered, timings) if request is not None else None
    recorded, address = entry.get("connection"), entry.get("serverIPAddress", "")
    version = asked.get("httpVersion")
    if parts is None or started is None or request is None or response is None:
        return None
    if (recorded is not None and recorded.__class__ is not str) or request.header(":method") == "HEAD":
        return None
    if address.__class__ is not str or not _ADDRESS.fullmatch(address) or version.__class__ is not str:
        return None
    scheme, _, host, written, _ = parts.groups()
    tls = _tls(entry.get("_securityDetails", _NONE)) if scheme == "https" else None
    if not version or (tls is None and scheme == "https"):
        return None
    port = written or _PORTS[scheme]
    known = connections.of((recorded, host, port) if recorded is not None else None)
    connection = connected(known, address, host, port, protocol_of(version, request.headers), tls)
    return Exchange(str(number), started, request, response, connection)


def _request(asked: dict[str, Any], url: re.Match[str]) -> Message | None:
    """A request without a body."""
    method, headers = asked.get("method"), usual_headers(asked.get("headers"))
    if method.__class__ is not str or method not in _METHODS or asked.get("postData") is not None:
        return None
    names = dict(headers)
    if not names or "content-length" in names:
        return None
    if "cookie" not in names and asked.get("cookies") not in (None, []):
        return None
    known = {
        ":authority": first(headers, "host") or url[2],
        ":path": url[5],
        ":method": method,
        ":scheme": url[1],
    }
    sent = tuple([header for header in headers if header[0] != "host"]) if "host" in names else headers
    return Message(pseudo_first(known, sent))


def _response(answered: dict[str, Any], timings: dict[str, Any]) -> Message | None:
    """A response with a text, which may be empty."""
    status, content, recorded = answered.get("status"), answered.get("content"), answered.get("headers")
    headers = usual_headers(recorded)
    wait, receive = _nanoseconds(timings.get("wait", 0)), _nanoseconds(timings.get("receive", 0))
    if not isinstance(status, int) or not 200 <= status <= 999 or status in _BODILESS:
        return None
    if not headers or not isinstance(content, dict) or content.get("encoding") is not None:
        return None
    text, media_type = content.get("text"), first(headers, "content-type") or content.get("mimeType", "")
    if not isinstance(text, str) or not isinstance(media_type, str) or wait is None or receive is None:
        return None
    charset = CHARSET.search(media_type)
    if charset is not None and charset[1].lower() != "utf-8":
        return None
    try:
        body = text.encode()
    except UnicodeEncodeError:
        return None
    if first(headers, "content-encoding") is not None:
        headers = tuple([header for header in headers if header[0] != "content-encoding"])
    headers = framed(pseudo_first({":status": str(status)}, headers), body)
    return Message(headers, (Chunk(body, receive),) if body else (), after_ns=wait)


def pseudo_first(known: dict[str, str], recorded: Headers) -> Headers:
    """Pseudo headers as they were recorded, in their order, then what is known of those that were not."""
    pseudo = {name: value for name, value in recorded if name[0] == ":"}
    if not pseudo:
        return (*known.items(), *recorded)
    plain = (header for header in recorded if header[0][0] != ":")
    return (*(pseudo | known | pseudo).items(), *plain)


def usual_headers(recorded: Any) -> Headers:
    """Headers with nothing special about them; nothing where they want a closer look."""
    if recorded.__class__ is not list or len(recorded) > _MOST_HEADERS:
        return ()
    try:
        names, values = tuple(map(_NAMED, recorded)), tuple(map(_VALUED, recorded))
        line = "".join(values)
        if not line.isascii() or not line.isprintable() or tuple(map(str.strip, values)) != values:
            return ()
        return tuple(zip(_lowered(names), values))  # noqa: B905  # names may be none
    except (TypeError, KeyError):
        return ()


@lru_cache(maxsize=512)
def _lowered(names: tuple[str, ...]) -> tuple[str, ...]:
    """Names in lower case, none if one of them cannot be one; the same come together again and again."""
    return tuple([name.lower() for name in names]) if all(map(_TOKEN.fullmatch, names)) else ()


def _nanoseconds(milliseconds: Any) -> int | None:
    if milliseconds.__class__ is not float and milliseconds.__class__ is not int:
        return None
    return max(0, round(float(milliseconds) * 10**6)) if -1 <= milliseconds <= _LONGEST_MS else None


def _tls(details: Any) -> Tls | None:
    protocol = details.get("protocol", "") if isinstance(details, dict) else None
    return tls_of(protocol) if isinstance(protocol, str) else None
