"""What stands around the filter chain: connection manager, router and HTTP/1 codec add and take headers.

Orders are those that a filter, an upstream and a client can see.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from random import Random
from typing import NamedTuple
from urllib.parse import quote

from simwasm.exchange import Connection, Header, Headers, Message, first
from simwasm.host.clock import MILLISECOND, SECOND, date
from simwasm.host.headers import HeaderMap
from simwasm.host.ports import NO_HOST, Failure

_HOP_BY_HOP = frozenset(("connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"))
_ANSWERED = "100-continue"
"""What the connection manager answers by itself."""
_PSEUDO = (":authority", ":path", ":method", ":scheme")
_PSEUDO_ORDER = list(_PSEUDO)
_HANDLED = _HOP_BY_HOP | {"expect", "host", ":protocol"}
_NO_LENGTH_METHODS = ("GET", "HEAD", "DELETE", "CONNECT", "TRACE")
_BODILESS = ("204", "304")
_CAUSES = {"remote connection failure": "|delayed connect error: Connection refused"}
"""What Envoy knows of why a connection failed, beyond the reason."""
_GRPC_STATUS = {400: 13, 401: 16, 403: 7, 404: 12, 429: 14, 502: 14, 503: 14, 504: 14}


def request_for_filters(headers: Headers, connection: Connection, random: Random) -> HeaderMap:
    """What the first filter sees of a request."""
    names = [name for name, _ in headers]
    if names[:4] == _PSEUDO_ORDER and len(set(names)) == len(names) and _HANDLED.isdisjoint(names):
        found = HeaderMap(headers, request=True)  # as nearly always: nothing to join, move or take away
    else:
        found = _tidied(headers)
    if "x-forwarded-proto" not in names:
        found.append("x-forwarded-proto", "https" if connection.tls else "http")
    if "x-request-id" not in names:
        found.append("x-request-id", _uuid(random.getrandbits(128)))
    return found


def _tidied(headers: Headers) -> HeaderMap:
    """A request's headers with the pseudo headers first, and without those between client and proxy."""
    given = dict(headers)
    found = HeaderMap([(name, given[name]) for name in _PSEUDO if name in given], request=True)
    for name, value in headers:
        if name[:1] != ":":
            if name not in _HOP_BY_HOP and (name != "expect" or value.lower() != _ANSWERED):
                found.add(name, value)
        elif name not in _PSEUDO:
            found.put(name, value)
    return found


def _uuid(bits: int) -> str:
    """A UUID of version 4, as `uuid.UUID` writes it, at a third of its price."""
    text = f"{bits & _UUID_MASK | _UUID_4:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


_UUID_MASK = ~(0xC000 << 48 | 0xF000 << 64)
_UUID_4 = 0x8000 << 48 | 4 << 76


def route(headers: HeaderMap, timeout_ns: int) -> None:
    """What the router does to a request's headers; a plugin sees it in its log callback."""
    headers.put("x-envoy-expected-rq-timeout-ms", _milliseconds(timeout_ns))


@lru_cache(maxsize=256)
def _milliseconds(time_ns: int) -> str:
    return str(time_ns // MILLISECOND)


_FAULTY_NAME = re.compile(r"[^!#$%&'*+.^_`|~0-9A-Za-z-]")
_FAULTY_VALUE = re.compile(r"[\0-\x08\x0a-\x1f\x7f]")


def fault(headers: HeaderMap) -> str:
    """What forbids to send these headers upstream: one that is missing, or that no message may have."""
    names, values = headers.columns
    if ":method" not in names:
        return "missing required header: :method"
    if _FAULTY_VALUE.search("".join(values)) or _any_faulty(tuple(names)):
        return next(filter(None, map(_fault, names, values)))
    return ""


def _fault(name: str, value: str) -> str:
    if _is_faulty(name):
        return f"invalid header name: {name}"
    return f"invalid header value for: {name}" if _FAULTY_VALUE.search(value) else ""


@lru_cache(maxsize=256)
def _any_faulty(names: tuple[str, ...]) -> bool:
    return any(map(_is_faulty, names))


def _is_faulty(name: str) -> bool:
    return _FAULTY_NAME.search(name, 1 if name[:1] == ":" else 0) is not None


def request_on_wire(headers: HeaderMap, has_body: bool) -> Headers:
    """What the HTTP/1 codec makes of a request: there is a host, and it says how the body is framed."""
    sized = headers.has("content-length") or (not has_body and headers.get(":method") in _NO_LENGTH_METHODS)
    if sized and headers.has(":authority"):
        return headers.entries
    sent = headers.copy()
    if not sent.has(":authority"):
        sent.put(":authority", "")
    if not sized:
        sent.put(*(("transfer-encoding", "chunked") if has_body else ("content-length", "0")))
    return sent.entries


def received(answer: Message, method: str | None) -> Message:
    """An answer as HTTP/1 brings it: the upstream says how the body is framed, and some answers have none."""
    status = answer.header(":status") or ""
    if method == "HEAD" or status in _BODILESS:
        return Message(answer.headers, (), (), answer.after_ns)
    if (
        first(answer.headers, "content-length") is not None
        or first(answer.headers, "transfer-encoding") is not None
    ):
        return answer
    has_body = bool(answer.body or answer.trailers)
    framing = ("transfer-encoding", "chunked") if has_body else ("content-length", "0")
    return Message((*answer.headers, framing), answer.body, answer.trailers, answer.after_ns)


def response_for_filters(headers: Headers, service_time_ns: int | None) -> HeaderMap:
    """What the first filter sees of an upstream's response; how long it took is None before it was asked to the end."""
    if len({name for name, _ in headers}) == len(headers) and headers[0][0] == ":status":
        found = HeaderMap(headers)  # nothing to join
    else:
        found = HeaderMap()
        for name, value in headers:
            found.add(name, value)
    if service_time_ns is not None:
        found.put("x-envoy-upstream-service-time", _milliseconds(service_time_ns))
    return found


def conclude(headers: HeaderMap, now_ns: int, *, closes: bool) -> None:
    """What the connection manager does to a response's headers behind the last filter; plugins see it in their log
    callback. `closes` if the connection ends with this response."""
    if headers.any_of(_HOP_BY_HOP):
        for name in _HOP_BY_HOP:
            headers.remove(name)
    if not headers.has("date"):
        headers.append("date", http_date(now_ns))
    headers.put("server", "envoy")
    if closes:
        headers.add("connection", "close")


def response_on_wire(headers: HeaderMap, connection: Connection, *, has_body: bool, head: bool) -> Headers:
    """What the HTTP/1 codec makes of a response: it says how the body is framed."""
    framed = headers.has("content-length") or headers.get(":status") in _BODILESS or head
    if framed or not connection.protocol.startswith("HTTP/1"):
        return headers.entries
    return (*headers.entries, ("transfer-encoding", "chunked") if has_body else ("content-length", "0"))


def http_date(now_ns: int) -> str:
    return _http_date(now_ns // SECOND)


@lru_cache(maxsize=16)  # most answers are of the second of the one before, and making a date takes 10 us
def _http_date(second: int) -> str:
    return date(second).strftime("%a, %d %b %Y %H:%M:%S GMT")


class NoAnswer(NamedTuple):
    """What the router says in place of an upstream that did not answer."""

    status: int
    body: bytes
    details: str


def no_answer(failure: Failure) -> NoAnswer:
    """Put a failure into the router's words."""
    if failure.reason == "timeout":
        return NoAnswer(504, b"upstream request timeout", "response_timeout")
    if failure is NO_HOST:
        return NoAnswer(503, b"no healthy upstream", "no_healthy_upstream")
    text = f"upstream connect error or disconnect/reset before headers. reset reason: {failure.reason}"
    cause = f"{failure.reason}{_CAUSES.get(failure.reason, '')}".replace(" ", "_")
    details = f"upstream_reset_before_response_started{{{cause}}}"
    return NoAnswer(503, text.encode(), details)


def is_grpc(headers: HeaderMap | None) -> bool:
    """Whether a request is gRPC, so that its local replies are trailers-only."""
    kind = (headers.get("content-type") if headers else None) or ""
    return kind == "application/grpc" or kind[:17] in ("application/grpc+", "application/grpc;")


def grpc_status_of(status: int) -> int:
    """The status of gRPC that one of HTTP stands for; UNKNOWN for most."""
    return _GRPC_STATUS.get(status, 2)


def local_reply(
    status: int, body: bytes, headers: Iterable[Header], *, grpc: bool, grpc_status: int | None
) -> tuple[HeaderMap, bytes]:
    """The response that Envoy makes itself."""
    if grpc:
        return _grpc_reply(status, body, headers, grpc_status), b""
    reply = HeaderMap([(":status", str(status))])
    for name, value in headers:
        reply.add(name, value)
    if body:
        reply.put("content-length", str(len(body)))
        if reply.get("content-type") is None:
            reply.add("content-type", "text/plain")
    else:
        reply.remove("content-length")
        reply.remove("content-type")
    return reply, body


def _grpc_reply(status: int, body: bytes, headers: Iterable[Header], grpc_status: int | None) -> HeaderMap:
    code = grpc_status_of(status) if grpc_status is None else grpc_status
    reply = HeaderMap([(":status", "200")])
    for name, value in headers:
        reply.add(name, value)
    reply.put("content-type", "application/grpc")
    reply.put("grpc-status", str(code))
    if body:
        reply.put("grpc-message", quote(body, safe=" !\"#$&'()*+,/:;<=>?@[]^`{|}").replace("~", "%7E"))
    return reply
