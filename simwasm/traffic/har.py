"""HAR 1.2: what browsers, Playwright and debugging proxies save of a session.

Rules that live here:
- A HAR knows no chunks, trailers or client addresses: a body is one chunk, the client is on loopback, and
  every connection of the recording gets a number and a port of its own.
- An entry that got no answer (status 0: blocked, aborted) or never touched the network (`data:`, `blob:`) is
  skipped, and told through `notes`; so is a body that the recording has lost.
- Anything else that is wrong is a `TrafficError` with the entry's number, counted from 1, which is also the
  id of its exchange.
How an entry's headers become Envoy's is in `har_message`, how its bodies agree with them in `har_body`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import BinaryIO

from simwasm.exchange import Connection, Exchange, Message, Tls
from simwasm.traffic.har_body import losses, well_formed
from simwasm.traffic.har_message import SCHEMES, Url, read_request, read_response, read_side, read_url
from simwasm.traffic.json_field import Field, parse
from simwasm.traffic.notes import Notes

_REMEDY = "record it again or mend it by hand"
_BEGINS = re.compile(rb'\s*\{(?s:.*?)"log"\s*:\s*\{')
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(?:[Zz]|([+-]\d\d):?(\d\d))?", re.ASCII
)
_NAME = re.compile(r"[^\[]*[^\d.]")  # an address literal is no server name
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_PROTOCOLS = {
    "http/1.0": "HTTP/1.0",
    "http/1.1": "HTTP/1.1",
    "h2": "HTTP/2",
    "http/2": "HTTP/2",
    "http/2.0": "HTTP/2",
    "h3": "HTTP/3",
    "http/3": "HTTP/3",
    "http/3.0": "HTTP/3",
}
_FIRST_PORT = 50_000
_PORTS = 10_000
_LONGEST_MS = 24 * 3600 * 1000


class Har:
    """The importer of HAR files."""

    name = "HAR (.har)"

    def sniff(self, head: bytes) -> bool:
        """Say yes to JSON with a log that is an object."""
        return _BEGINS.match(head) is not None

    def read(self, stream: BinaryIO, where: str, notes: Notes) -> Iterator[Exchange]:
        """Go through the entries in the order of the file."""
        entries = parse(stream.read(), where, _REMEDY).get("log").get("entries")
        connections: dict[str, int] = {}
        for number, found in enumerate(entries.items(), 1):
            entry = found.within(f"entry {number}")
            url = read_url(entry.get("request").get("url"))
            unanswered = _unanswered(entry, url)
            if unanswered:
                notes.left_out(f"{entry.where}: {unanswered}; skipped")
                continue
            asked, answered = read_side(entry.get("request")), read_side(entry.get("response"))
            for loss in losses(asked, answered):
                notes.left_out(f"{entry.where}: {loss}")
            request = read_request(asked, url)
            yield Exchange(
                id=str(number),
                started_ns=_started(entry),
                request=request,
                response=read_response(answered, request, _timing(entry, "wait"), _timing(entry, "receive")),
                connection=_connection(entry, url, request, connections),
                name=well_formed(entry.text_of("comment")),
            )


def _unanswered(entry: Field, url: Url) -> str:
    answered = entry.get("response")
    if url.scheme not in SCHEMES.values():
        return f"a {url.scheme}: address is not asked over HTTP"
    if answered.integer_of("status") >= 100:
        return ""
    why = answered.text_of("_error") or answered.text_of("_failureText") or answered.text_of("statusText")
    return f"{url.authority}{url.path} got no answer" + (f" ({json.dumps(why)})" if why else "")


def _connection(entry: Field, url: Url, request: Message, connections: dict[str, int]) -> Connection:
    recorded = entry.find("connection")
    known_as = recorded.value if recorded else f"entry {len(connections)}"
    number = connections.setdefault(f"{known_as} to {url.host}:{url.port}", len(connections) + 1)
    secure = url.scheme == "https"
    return Connection(
        id=number,
        source=f"127.0.0.1:{_FIRST_PORT + number % _PORTS}",
        destination=f"{_bracketed(entry.text_of('serverIPAddress') or '127.0.0.1')}:{url.port}",
        protocol=_protocol(entry, request),
        requested_server_name=url.host if secure and _NAME.fullmatch(url.host) else "",
        tls=_tls(entry) if secure else None,
    )


def _bracketed(address: str) -> str:
    plain = well_formed(address).strip("[]")
    return f"[{plain}]" if ":" in plain else plain


def _protocol(entry: Field, request: Message) -> str:
    recorded = entry.get("request").text_of("httpVersion") or entry.get("response").text_of("httpVersion")
    unknown = "HTTP/2" if request.headers[0][0] != ":authority" else "HTTP/1.1"
    return _PROTOCOLS.get(recorded.lower(), unknown)


def _tls(entry: Field) -> Tls:
    """Playwright writes `TLS 1.3`; others say nothing."""
    details = entry.find("_securityDetails")
    version = re.fullmatch(r"TLS (1(?:\.\d)?)", details.text_of("protocol") if details else "")
    return Tls(f"TLSv{version[1]}") if version else Tls()


def _started(entry: Field) -> int:
    found = entry.find("startedDateTime")
    if found is None:
        return 0
    wrong = found.wrong("is not a date and time like 2024-09-05T08:33:31.079Z")
    parts = _TIME.fullmatch(found.text())
    if parts is None:
        raise wrong
    try:
        moment = datetime.fromisoformat(f"{parts[1]}T{parts[2]}{parts[4] or '+00'}:{parts[5] or '00'}")
    except ValueError:
        raise wrong from None
    return (moment - _EPOCH) // timedelta(seconds=1) * 10**9 + int((parts[3] or "").ljust(9, "0"))


def _timing(entry: Field, phase: str) -> int:
    """Milliseconds as HAR counts them, where -1 means that the phase does not apply."""
    timings = entry.find("timings")
    found = timings.find(phase) if timings else None
    milliseconds = found.number() if found else 0
    if found and milliseconds > _LONGEST_MS:
        raise found.wrong("is longer than a day")
    return max(0, round(milliseconds * 10**6))
