"""HAR 1.2: what browsers, Playwright and debugging proxies save of a session.

Rules that live here:
- A file is read entry by entry, and may be of any size. A broken entry is told and left out, see `json_list`.
- A HAR knows no chunks, trailers or client addresses: a body is one chunk, the client is on loopback, and
  every connection of the recording gets a number and a port of its own.
- An entry that got no answer (status 0: blocked, aborted) or never touched the network (`data:`, `blob:`) is
  skipped, and told through `notes`; so is a body that the recording has lost, and so are WebSocket messages. A request
  whose entry says that it was sent and only its answer is not known (UNANSWERED) is an exchange without a response.
- Anything else that is wrong is a `TrafficError` with the entry's number, counted from 1, which is also the
  id of its exchange.
How an entry's headers become Envoy's is in `har_message`, how its bodies agree with them in `har_body`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import BinaryIO

from simwasm.errors import TrafficError
from simwasm.exchange import Connection, Exchange
from simwasm.traffic.connections import Numbers
from simwasm.traffic.har_body import losses, well_formed
from simwasm.traffic.har_connection import connected, protocol_of, tls_of
from simwasm.traffic.har_message import SCHEMES, Url, read_request, read_response, read_side, read_url
from simwasm.traffic.har_usual import usual_exchange
from simwasm.traffic.json_field import Field
from simwasm.traffic.json_list import entries
from simwasm.traffic.json_text import JsonText
from simwasm.traffic.moment import nanoseconds
from simwasm.traffic.notes import Notes

_REMEDY = "record it again or mend it by hand"
UNANSWERED = "_unanswered"
"""A member of our own, as HAR allows them: the request was sent, its answer was not recorded."""
_BEGINS = re.compile(rb'\s*\{(?s:.*?)"log"\s*:\s*\{')
_LIST = ("log", "entries")
_ASKED = frozenset(SCHEMES.values())
_FIRST_STATUS = 100
_LONGEST_MS = 24 * 3600 * 1000


class Har:
    """The importer of HAR files."""

    name = "HAR (.har)"

    def sniff(self, head: bytes) -> bool:
        """Say yes to JSON with a log that is an object."""
        return _BEGINS.match(head) is not None

    def read(self, stream: BinaryIO, where: str, notes: Notes) -> Iterator[Exchange]:
        """Go through the entries in the order of the file."""
        connections = Numbers()
        for number, entry in entries(JsonText(stream, where, _REMEDY), _LIST, _is_entry, notes):
            try:
                exchange = usual_exchange(number, entry.value, connections) or explained(
                    number, entry, connections, notes
                )
            except TrafficError as error:
                notes.broken(error)
                continue
            if exchange:
                yield exchange


def _is_entry(value: object) -> bool:
    return isinstance(value, dict) and "request" in value


def explained(number: int, entry: Field, connections: Numbers, notes: Notes) -> Exchange | None:
    """Read an entry member by member; what is wrong with it or is lost is told."""
    asked = entry.get("request")
    answered = entry.find("response")
    url = read_url(asked.get("url"))
    if url.scheme not in _ASKED or not (_has_answer(answered) or _was_sent(entry)):
        notes.left_out(f"{entry.where}: {_unanswered(answered, url)}; skipped")
        return None
    sent = read_side(asked)
    got = read_side(answered) if answered and _has_answer(answered) else None
    request = read_request(sent, url)
    timings = entry.find("timings")
    wait, receive = _timing(timings, "wait"), _timing(timings, "receive")
    response = read_response(got, request, wait, receive) if got else None
    for loss in losses(entry, sent, request, got):
        notes.left_out(f"{entry.where}: {loss}")
    version = asked.text_of("httpVersion") or (answered.text_of("httpVersion") if answered else "")
    return Exchange(
        str(number),
        _started(entry),
        request,
        response,
        _connection(entry, url, protocol_of(version, request.headers), connections),
        well_formed(entry.text_of("comment")),
    )


def _has_answer(answered: Field | None) -> bool:
    return answered is not None and answered.integer_of("status") >= _FIRST_STATUS


def _was_sent(entry: Field) -> bool:
    marked = entry.find(UNANSWERED)
    return marked is not None and marked.flag()


def _unanswered(answered: Field | None, url: Url) -> str:
    if url.scheme not in _ASKED:
        return f"a {url.scheme}: address is not asked over HTTP"
    why = ""
    if answered:
        why = answered.text_of("_error") or answered.text_of("_failureText") or answered.text_of("statusText")
    return f"{url.authority}{url.path} got no answer" + (f" ({json.dumps(why)})" if why else "")


def _connection(entry: Field, url: Url, protocol: str, connections: Numbers) -> Connection:
    recorded, details = entry.find("connection"), entry.find("_securityDetails")
    host, port = url.host, url.port
    number = connections.of((str(recorded.value), host, port) if recorded else None)
    address = _bracketed(entry.text_of("serverIPAddress"))
    secure = url.scheme == "https"
    tls = tls_of(details.text_of("protocol") if details else "") if secure else None
    return connected(number, address, host, port, protocol, tls)


def _bracketed(address: str) -> str:
    plain = well_formed(address).strip("[]")
    return f"[{plain}]" if ":" in plain else plain


def _started(entry: Field) -> int:
    found = entry.find("startedDateTime")
    if found is None:
        return 0
    started = nanoseconds(found.text())
    if started is None:
        raise found.wrong("is not a date and time like 2024-09-05T08:33:31.079Z")
    return started


def _timing(timings: Field | None, phase: str) -> int:
    """Milliseconds as HAR counts them, where -1 means that the phase does not apply."""
    found = timings.find(phase) if timings else None
    if found is None:
        return 0
    milliseconds = found.number()
    if milliseconds > _LONGEST_MS:
        raise found.wrong("is longer than a day")
    return max(0, round(milliseconds * 10**6))
