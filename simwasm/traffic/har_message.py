"""A HAR entry's request and response, as Envoy's codec would have handed them over.

Rules that live here: HTTP/2 pseudo headers are kept as recorded, in their order, where they were recorded
(Chromium), and made from the URL, `Host` and the status where they were not (Firefox, HTTP/1); `Host` itself
turns into `:authority`; names and values that HTTP cannot carry are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from simwasm.exchange import Chunk, Header, Headers, Message, first, lower
from simwasm.traffic.har_body import Side, framed, posted, received, well_formed
from simwasm.traffic.har_usual import pseudo_first, usual_headers
from simwasm.traffic.json_field import Field

SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}
_URL = re.compile(
    r"(?:([a-z][a-z0-9+.-]*):)?(?://(?:[^/?#@]*@)?([^/?#]*))?([^#]*)(?:#.*)?", re.I | re.A | re.S
)
_PORT = re.compile(r":(\d*)$", re.ASCII)
_BLANK = re.compile(r"[\0-\x20\x7f-\x9f]")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NEVER_IN_A_VALUE = re.compile(r"[\0\r]")
_BODILESS = {204, 304}


@dataclass(frozen=True, slots=True)
class Url:
    """The parts of an entry's address; the path has its query."""

    scheme: str
    authority: str
    path: str

    @property
    def host(self) -> str:
        """The name without a port."""
        return _PORT.sub("", self.authority) if ":" in self.authority else self.authority

    @property
    def port(self) -> str:
        """The port that is asked, written or implied."""
        written = _PORT.search(self.authority) if ":" in self.authority else None
        return (written[1] if written else "") or ("443" if self.scheme == "https" else "80")


def read_url(found: Field) -> Url:
    """Take an absolute address apart; a path alone is an address too."""
    text = well_formed(found.text())
    parts = _URL.fullmatch(text)
    scheme, authority, path = parts.groups() if parts else ("", "", "")
    known = SCHEMES.get((scheme or "http").lower())
    if known and _BLANK.search(text):
        raise found.wrong("has a blank or a control character where a URL is percent-encoded")
    rooted = path if path.startswith("/") else f"/{path}"
    return Url(known or scheme.lower(), authority or "", rooted)


def read_side(field: Field) -> Side:
    """Read the headers of a request or a response."""
    found = field.find("headers")
    return Side(field, (usual_headers(found.list()) or _unusual(found)) if found else ())


def _unusual(found: Field) -> Headers:
    return lower(header for recorded in found.items() for header in _values(recorded))


def read_request(asked: Side, url: Url) -> Message:
    """Return the request of an entry."""
    method = asked.field.get("method")
    if not _TOKEN.fullmatch(method.text()):
        raise method.wrong("is not an HTTP method")
    known = {
        ":authority": first(asked.headers, "host") or url.authority,
        ":path": url.path,
        ":method": method.text(),
        ":scheme": url.scheme,
    }
    body = posted(asked)
    cookies = () if first(asked.headers, "cookie") is not None else _cookies(asked.field)
    sent = tuple([header for header in asked.headers if header[0] != "host"])
    headers = (*pseudo_first(known, sent), *cookies)
    return Message(framed(headers, body), (Chunk(body),) if body else ())


def read_response(answered: Side, request: Message, wait_ns: int, receive_ns: int) -> Message:
    """Return the response of an entry. An answer to HEAD, a 1xx, 204 and 304 have no body by definition."""
    recorded = answered.field.get("status")
    status = recorded.integer()
    if not 100 <= status <= 999:
        raise recorded.wrong("is not an HTTP status")
    headers = pseudo_first({":status": str(status)}, answered.headers)
    if request.header(":method") == "HEAD" or status < 200 or status in _BODILESS:
        return Message(headers, after_ns=wait_ns)
    body = received(answered)
    if first(headers, "content-encoding") is not None:
        headers = tuple([header for header in headers if header[0] != "content-encoding"])
    return Message(framed(headers, body), (Chunk(body, receive_ns),) if body else (), after_ns=wait_ns)


def _cookies(field: Field) -> Headers:
    """What was sent as cookies, where the recording keeps them in their own list and has no header of them."""
    listed = tuple(field.each("cookies"))
    if not listed:
        return ()
    sent = "; ".join(
        f"{well_formed(each.get('name').text())}={well_formed(each.text_of('value'))}" for each in listed
    )
    if _NEVER_IN_A_VALUE.search(sent) or "\n" in sent:
        raise field.get("cookies").wrong("hold a character that no HTTP header can")
    return (("cookie", sent),)


def _values(field: Field) -> Iterator[Header]:
    """One recorded header: several where the values of a repeated one were joined with newlines."""
    name = field.get("name")
    if not _TOKEN.fullmatch(name.text().removeprefix(":")):
        raise name.wrong("is not the name of an HTTP header")
    for value in well_formed(field.text_of("value")).split("\n"):
        if _NEVER_IN_A_VALUE.search(value):
            raise field.get("value").wrong("holds a character that no HTTP header can")
        yield name.text(), value.strip(" \t")
