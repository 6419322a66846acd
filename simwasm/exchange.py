"""One recorded request and its answer, as values that everything else passes around.

An `Exchange` is what was on the wire, written the way Envoy's codecs hand it to a filter chain: header names
in lower case, pseudo headers first, the HTTP/1 request line and `Host` turned into `:method`, `:path` and
`:authority`. What Envoy itself adds before the first filter (`x-request-id`, `x-forwarded-for`, …) or takes
away there (`connection`, a request's `transfer-encoding`, …) is the host's work.

Rules that live here:
- Text stands for bytes: UTF-8 where it is valid, one lone surrogate per byte where it is not, so that
  `to_bytes(to_text(data)) == data` for every `data`.
- Every time is an int of nanoseconds; `after_ns` counts from the piece before it.
- No body at all is `()`: the message ends with its headers. A body that is there but empty is one empty
  chunk.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

Header = tuple[str, str]
Headers = tuple[Header, ...]

_LONG = 100
"""What is longer than any usual name of a header."""
_DIGITS = 100
"""More than any number has; Python refuses to read thousands."""


def to_text(data: bytes) -> str:
    """Return the text that stands for these bytes."""
    return data.decode("utf-8", "surrogateescape")


def to_bytes(text: str) -> bytes:
    """Return the bytes this text stands for."""
    return text.encode("utf-8", "surrogateescape")


def lower(headers: Iterable[Header]) -> Headers:
    """Return the headers with their names in lower case: ASCII letters only, as Envoy does."""
    return tuple([(lower_name(name), value) for name, value in headers])


def lower_name(name: str) -> str:
    """Return the name of a header in lower case."""
    return _known_lower(name) if len(name) < _LONG else to_text(to_bytes(name).lower())


@lru_cache(maxsize=4096)
def _known_lower(name: str) -> str:
    """The same few names come again and again."""
    return to_text(to_bytes(name).lower())


def first(headers: Headers, name: str) -> str | None:
    """Return the first value of a header, whose name is given in lower case."""
    for key, value in headers:
        if key == name:
            return value
    return None


def decimal(text: str | None) -> int | None:
    """Return the number that this text is: ASCII digits that fit into 64 bits, as Envoy reads numbers in headers."""
    if text is None or not text.isascii() or not text.isdigit() or len(text) > _DIGITS:
        return None
    number = int(text)
    return number if number < 1 << 64 else None


class Chunk(NamedTuple):
    """A piece of a body as it arrived."""

    data: bytes
    after_ns: int = 0


class Message(NamedTuple):
    """A request or a response. A response's `after_ns` is how long the upstream took to begin it."""

    headers: Headers
    body: tuple[Chunk, ...] = ()
    trailers: Headers = ()
    after_ns: int = 0

    def header(self, name: str) -> str | None:
        """Return the first value of a header, whose name is given in lower case."""
        return first(self.headers, name)

    @property
    def data(self) -> bytes:
        """The whole body."""
        return b"".join(chunk.data for chunk in self.body)


@dataclass(frozen=True, slots=True)
class Tls:
    """What is known of a TLS session; the fields are named like Envoy's `connection.*` properties."""

    tls_version: str = "TLSv1.3"
    mtls: bool = False
    subject_local_certificate: str = ""
    subject_peer_certificate: str = ""
    uri_san_local_certificate: str = ""
    uri_san_peer_certificate: str = ""
    dns_san_local_certificate: str = ""
    dns_san_peer_certificate: str = ""
    sha256_peer_certificate_digest: str = ""


@dataclass(frozen=True, slots=True)
class Connection:
    """The downstream connection; addresses are `ip:port` as Envoy prints them, `[ip]:port` for IPv6."""

    id: int = 1
    source: str = "127.0.0.1:50000"
    destination: str = "127.0.0.1:8080"
    protocol: str = "HTTP/1.1"
    requested_server_name: str = ""
    tls: Tls | None = None


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request, and what the upstream answered if that is known."""

    id: str
    started_ns: int
    request: Message
    response: Message | None = None
    connection: Connection = Connection()
    name: str = ""
    early: bool = False
    """The upstream answers once it has the request's headers, whatever may follow them."""
    partial: bool = False
    """Some of what was on the wire is not known: an access log has few headers and no bodies."""

    @property
    def label(self) -> str:
        """The name it was given, otherwise its request line."""
        asked = (self.request.header(":method") or "?", self.request.header(":path") or "?")
        return self.name or " ".join(asked)


def request(
    method: str,
    path: str,
    *,
    host: str = "localhost",
    scheme: str = "http",
    headers: Iterable[Header] = (),
    body: bytes | Iterable[bytes] = b"",
    trailers: Iterable[Header] = (),
) -> Message:
    """Return a request. One piece of body brings its `content-length`; several arrive without, as streams do.

    request("POST", "/login", host="shop.example", headers=[("allow", "true")], body=b"user=ann")
    """
    pseudo = ((":authority", host), (":path", path), (":method", method), (":scheme", scheme))
    return _message(pseudo, headers, body, trailers)


def response(
    status: int,
    *,
    headers: Iterable[Header] = (),
    body: bytes | Iterable[bytes] = b"",
    trailers: Iterable[Header] = (),
    after_ns: int = 0,
) -> Message:
    """Return a response, its body treated as `request` does.

    response(418, headers=[("content-type", "text/plain")], body=b"short and stout")
    """
    return _message(((":status", str(status)),), headers, body, trailers, after_ns)


def _message(
    pseudo: Headers,
    headers: Iterable[Header],
    body: bytes | Iterable[bytes],
    trailers: Iterable[Header],
    after_ns: int = 0,
) -> Message:
    named = lower(headers)
    if isinstance(body, bytes):
        chunks: tuple[Chunk, ...] = (Chunk(body),) if body else ()
        if body and first(named, "content-length") is None:
            named = (*named, ("content-length", str(len(body))))
    else:
        chunks = tuple(Chunk(piece) for piece in body)
    return Message((*pseudo, *named), chunks, lower(trailers), after_ns)
