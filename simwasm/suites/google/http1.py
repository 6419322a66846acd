"""Headers that a test writes as HTTP/1 has them, turned into those a plugin sees.

    GET /path?query HTTP/1.1        →  :method, :path, and :authority from the header `Host`
    GET https://host:8080/path …    →  :scheme and :authority too, whatever `Host` says
    HTTP/1.1 200 OK                 →  :status

Rules: lines end in `\\n` or `\\r\\n`; a line that begins with a blank goes on with the one before; what follows an
empty line is not looked at; names become lower case; a path is as a browser would send it.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from simwasm.config.tree import Place
from simwasm.exchange import Header, to_bytes, to_text
from simwasm.suites.shape import wrong
from simwasm.trace.text import printable

_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_STATUS = re.compile(r"HTTP/[0-9.]+[ \t]+([0-9]+)([ \t]|$)")
_UNSENT = re.compile(r"[^\x21-\x7e]|[\"#<>`{}\\]|/\.\.?(/|$|\?)")
"""What no path has: a browser escapes it, cuts it off, or goes up by it."""
_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


def read_headers(text: str, place: Place, *, request: bool) -> list[Header]:
    """The headers, in their order."""
    first, lines = _lines(text)
    headers = [_header(line) for line in lines]
    return _request(first, headers, place) if request else _response(first, headers, place)


def _lines(text: str) -> tuple[str, list[str]]:
    """The first line, and those of the headers, each as a whole."""
    lines = [line.removesuffix("\r") for line in text.lstrip("\r\n").split("\n")]
    found: list[str] = []
    for line in lines[1:]:
        if not line:
            break
        if line[0] in " \t" and found:
            found[-1] += " " + line.strip(" \t")
        else:
            found.append(line)
    return lines[0], found


def _header(line: str) -> Header:
    name, _, value = line.partition(":")
    return to_text(to_bytes(name.strip(" \t")).lower()), value.strip(" \t")


def _response(first: str, headers: list[Header], place: Place) -> list[Header]:
    found = _STATUS.match(first)
    if found is None:
        wrong(place, f"`{_short(first)}` begins no response; write `HTTP/1.1 200 OK`")
    return [(":status", found[1]), *headers]


def _request(first: str, headers: list[Header], place: Place) -> list[Header]:
    words = first.split()
    if len(words) < 2:
        wrong(place, f"`{_short(first)}` begins no request; write `GET /path HTTP/1.1`")
    method, target = words[:2]
    rest = [header for header in headers if header[0] != "host"]
    if _ABSOLUTE.match(target):
        return [(":method", method), *_absolute(target, place), *rest]
    if target[:1] != "/" or target[:2] == "//" or _UNSENT.search(target):
        wrong(place, f"`{_short(target)}` is no path as a request has it; begin it with / and escape it by %")
    host = ", ".join(value for name, value in headers if name == "host" and value)
    authority = [(":authority", host)] if host else []
    return [(":method", method), (":path", target), *authority, *(rest if host else headers)]


def _absolute(target: str, place: Place) -> list[Header]:
    try:
        parts = urlsplit(target)
        port = parts.port
    except ValueError:
        wrong(place, f"`{_short(target)}` is no address")
    scheme, host = parts.scheme, parts.hostname or ""
    if port is not None and port != _PORTS.get(scheme):
        host += f":{port}"
    path = (parts.path or "/") + (f"?{parts.query}" if "?" in target.partition("#")[0] else "")
    return [(":scheme", scheme), (":path", path), (":authority", host)]


def _short(text: str) -> str:
    return printable(text if len(text) <= 60 else f"{text[:60]}…")
