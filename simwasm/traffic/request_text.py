"""What requests as text have in common, whoever wrote them: addresses, header lines, and the exchange that they make.

Rules that live here: what is wrong with a piece of text is a `Wrong`, and who reads the file says where it is; what a
client would percent-encode (blanks, what is not ASCII) is percent-encoded; `Host` turns into `:authority`; a body that
says nothing of its length gets a `content-length`, and one that says something else gets the right one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import quote

from simwasm.exchange import Chunk, Connection, Header, Headers, Message, Tls, first, lower, to_bytes

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
MOST_HEADERS = 10_000
LARGEST_BODY = 1 << 28
"""Of one message, in bytes; whatever is read into memory as a whole."""
_URL = re.compile(
    r"(?:([a-z][a-z0-9+.-]*)://)?([^/?#]*)([^#]*)(?:#.*)?", re.IGNORECASE | re.ASCII | re.DOTALL
)
_PORT = re.compile(r":(\d*)$", re.ASCII)
_AUTHORITY = re.compile(r"(?:\[[0-9a-fA-F:.%]+\]|[^\s:/?#@\[\]\\^`{|}<>\"\x00-\x20\x7f]+)(?::\d{0,5})?")
_SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}
_SENT_AS_IT_IS = "".join(map(chr, range(0x21, 0x7F)))
_NEVER_IN_A_VALUE = re.compile(r"[\0\r\n]")
_NAME = re.compile(r"[^\[]*[^\d.]", re.DOTALL)  # an address literal is no server name


class Wrong(ValueError):
    """What is wrong with a piece of text, and what to do about it."""


class Url(NamedTuple):
    """An address in its parts; the path has its query, and `user` what stood before an @."""

    scheme: str
    authority: str
    path: str
    user: str = ""

    @property
    def host(self) -> str:
        """The name without a port."""
        return _PORT.sub("", self.authority)

    @property
    def port(self) -> str:
        """The port that is asked, written or implied."""
        written = _PORT.search(self.authority)
        return (written[1] if written else "") or ("443" if self.scheme == "https" else "80")


def read_url(text: str) -> Url:
    """Take an address apart; without a scheme it is http's."""
    parts = _URL.fullmatch(text)
    scheme, place, path = parts.groups() if parts else (None, "", "")
    known = _SCHEMES.get((scheme or "http").lower())
    if known is None:
        raise Wrong(f"`{shortened(text)}` is no address of HTTP: it begins with http:// or https://")
    user, _, authority = place.rpartition("@")
    authority = _international(authority)
    if not _AUTHORITY.fullmatch(authority):
        raise Wrong(f"`{shortened(text)}` has no host that can be asked")
    return Url(known, authority, encoded(path if path.startswith("/") else f"/{path}"), user)


def written_path(address: str) -> str:
    """The path of an address with its query, byte for byte as it was written."""
    rest = address.partition("#")[0]
    rest = rest.partition("://")[2] if "://" in rest.partition("?")[0] else rest
    at = min((found for mark in "/?" if (found := rest.find(mark)) >= 0), default=len(rest))
    return rest[at:] if rest[at:].startswith("/") else f"/{rest[at:]}"


def _international(authority: str) -> str:
    """A host's name as it is asked for: in ASCII."""
    if authority.isascii():
        return authority
    name, colon, port = authority.partition(":")
    try:
        return f"{name.encode('idna').decode()}{colon}{port}"
    except UnicodeError:
        raise Wrong(f"`{shortened(name)}` is no name that a host can have") from None


def encoded(path: str) -> str:
    """A path as clients send it: blanks and what is not ASCII are percent-encoded."""
    return quote(to_bytes(path), safe=_SENT_AS_IT_IS)


def read_header(line: str) -> Header:
    """Understand `name: value`."""
    name, colon, value = line.partition(":")
    if not colon or not TOKEN.fullmatch(name):
        raise Wrong(f"`{shortened(line)}` is not a header: a name, a colon and a value")
    if _NEVER_IN_A_VALUE.search(value):
        raise Wrong(f"`{shortened(line)}` holds a character that no header can")
    return name, value.strip(" \t")


def shortened(text: str) -> str:
    """A text for a message."""
    return text if len(text) <= 60 else f"{text[:60]}…"


def asked(
    method: str,
    url: Url,
    headers: Iterable[Header],
    body: tuple[Chunk, ...] = (),
    trailers: Iterable[Header] = (),
) -> Message:
    """A request as Envoy's codec hands it over."""
    named = lower(headers)
    pseudo = (
        (":authority", first(named, "host") or url.authority),
        (":path", url.path),
        (":method", method),
        (":scheme", url.scheme),
    )
    plain = tuple(header for header in named if header[0] != "host")
    return Message((*pseudo, *measured(plain, body)), body, lower(trailers))


def measured(headers: Headers, body: tuple[Chunk, ...]) -> Headers:
    """Let the headers tell the length of the body, unless it comes in chunks."""
    if first(headers, "transfer-encoding") is not None or (
        not body and first(headers, "content-length") is None
    ):
        return headers
    length = str(sum(len(chunk.data) for chunk in body))
    if first(headers, "content-length") is None:
        return (*headers, ("content-length", length))
    return tuple((name, length if name == "content-length" else value) for name, value in headers)


def connection(url: Url, protocol: str, number: int = 1) -> Connection:
    """A connection to that address, of which nothing else is known."""
    secure = url.scheme == "https"
    numeric = re.fullmatch(r"\[.*\]|[\d.]+", url.host) is not None
    return Connection(
        id=number,
        destination=f"{url.host if numeric else '127.0.0.1'}:{url.port}",
        protocol=protocol,
        requested_server_name=url.host if secure and _NAME.fullmatch(url.host) else "",
        tls=Tls() if secure else None,
    )
