"""Access logs of Envoy and Istio: JSON, an object a line, or the default text; of each request what was logged of it.

Rules that live here:
- An access log has few headers and no bodies: what is made of a line is `partial`, which is told once.
- `-` and what is missing is not known. Names of members are Istio's; the seldom other ones are in a table.
- An answer that no upstream gave (`upstream_host` is `-`: the proxy itself or a plugin answered) is not the answer of
  the upstream, which is not known then.
- Other lines of the proxy's log stand between; they are left out and counted, so are TCP connections. What the runtime
  of a container writes before a line, or wraps it in, is taken off.
- The id of an exchange is the number of its line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import BinaryIO

from simwasm.errors import TrafficError
from simwasm.exchange import Connection, Exchange, Message, Tls, decimal, to_text
from simwasm.traffic.connections import Numbers
from simwasm.traffic.json_field import is_cut, unique
from simwasm.traffic.lines import lines
from simwasm.traffic.moment import nanoseconds
from simwasm.traffic.notes import Notes

Values = Mapping[str, str]
"""What a line tells, by Istio's names; what is not known is not there."""

_REMEDY = "mend the line by hand"
_ABSENT = "-"
_USUAL = Connection()
_MILLISECOND = 10**6
_LONGEST_MS = 24 * 3600 * 1000
_HEADERS = (
    ("user_agent", "user-agent"),
    ("x_forwarded_for", "x-forwarded-for"),
    ("request_id", "x-request-id"),
    ("x_forwarded_proto", "x-forwarded-proto"),
    ("referer", "referer"),
)
_OTHER_NAMES = {
    "authority_for": "authority",
    ":authority": "authority",
    "host": "authority",
    ":method": "method",
    "request_method": "method",
    ":path": "path",
    "request_path": "path",
    "x-envoy-origin-path": "path",
    "x-envoy-original-path": "path",
    "user-agent": "user_agent",
    "x-forwarded-for": "x_forwarded_for",
    "x-request-id": "request_id",
    "x_request_id": "request_id",
    "status": "response_code",
    "response_status": "response_code",
    "timestamp": "start_time",
    "remote_address": "downstream_remote_address",
}
_TEXT = re.compile(
    r"\[(?P<start_time>[^\]]+)\] "
    r'"(?P<method>[^" ]+) (?P<path>[^ ]*) (?P<protocol>[^" ]+)" (?P<response_code>\d{1,3}) (?P<response_flags>\S+) '
    r'(?:\S+ [^"]{1,200} "[^"]*" )?'
    r"(?P<bytes_received>\d+|-) (?P<bytes_sent>\d+|-) (?P<duration>\d+|-) (?P<upstream_service_time>\d+|-) "
    r'"(?P<x_forwarded_for>[^"]*)" "(?P<user_agent>.*?)" "(?P<request_id>[^"]*)" "(?P<authority>[^"]*)" '
    r'"(?P<upstream_host>[^"]*)"'
    r"(?: \S+ \S+ (?P<downstream_local_address>\S+) (?P<downstream_remote_address>\S+) "
    r"(?P<requested_server_name>\S+) \S+)?\s*"
)
_BEGINS_AS_ENTRY = re.compile(
    r'\[\d{4}-\d\d-\d\d[^\]]*\] "'
    r'|\{(?=.*?"(?:response_code|response_status|status)"\s*:)(?=.*?"[a-z:_]*(?:path|method)"\s*:)'
)
_RUNTIME = re.compile(rb"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d) std(?:out|err) [FP] ")
_PROXY = re.compile(
    r"\d{4}-\d\d-\d\d[T ][\d:.]+Z?\t(?:trace|debug|info|warn|warning|error|critical)\t"
    r"|\[\d{4}-\d\d-\d\d [\d:.]+\]\[\d+\]\[\w+\]"
)
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NEVER = re.compile(r"[\0\r\n\ud800-\udc7f\udd00-\udfff]")


class AccessLog:
    """The importer of access logs."""

    name = "Envoy access logs (JSON, text)"

    def sniff(self, head: bytes) -> bool:
        """Say yes to a log: its first line is one of a proxy, or most lines are of logs, and one of them a proxy's."""
        texts = [_bare(line) for line in head.splitlines() if line.strip()]
        ours = [_BEGINS_AS_ENTRY.match(text) or _PROXY.match(text) for text in texts]
        logged = sum(bool(our) or text.startswith("{") for our, text in zip(ours, texts, strict=True))
        return any(ours[:1]) or (any(ours) and 2 * logged >= len(texts))

    def read(self, stream: BinaryIO, where: str, notes: Notes) -> Iterator[Exchange]:
        """Go through the lines one at a time."""
        connections, others, talks, partial = Numbers(), _Lines(), _Lines(), _Lines()
        for number, data in lines(stream, where, notes):
            try:
                found = _values(_bare(data))
                if found is None:
                    others.add(number)
                elif "method" not in found:
                    talks.add(number)
                else:
                    exchange = _exchange(number, found, connections)
                    partial.add(number)
                    yield exchange
            except ValueError as error:
                notes.broken(TrafficError(f"{where}, line {number}: {error}; {_REMEDY}"))
        if not partial.count + talks.count:
            raise TrafficError(
                f"{where}: has no entry of an access log that can be read; is access logging on?"
            )
        for counted, one, several, what in (
            (others, "line is no entry", "lines are no entries", "of an access log; left out"),
            (talks, "entry is", "entries are", "of TCP connections or of no request; left out"),
            (partial, "exchange is", "exchanges are", "partial: an access log has few headers and no bodies"),
        ):
            counted.tell(where, f"{one if counted.count == 1 else several} {what}", notes)


class _Lines:
    """Counts lines of a kind."""

    def __init__(self) -> None:
        self.count = 0
        self._first = 0

    def add(self, number: int) -> None:
        self.count += 1
        self._first = self._first or number

    def tell(self, where: str, what: str, notes: Notes) -> None:
        if self.count:
            notes.left_out(f"{where}: {self.count:,} {what} (first: line {self._first})")


def _bare(line: bytes) -> str:
    """A line without what a container's runtime adds to it."""
    found = _RUNTIME.match(line)
    text = to_text(line[found.end() :] if found else line).strip()
    if not text.startswith('{"log":'):
        return text
    try:
        wrapped = json.loads(text)
    except (ValueError, RecursionError):
        return text
    inner = wrapped.get("log")
    return inner.strip() if isinstance(inner, str) else text


def _values(text: str) -> Values | None:
    """What a line tells; None if it is no entry. A `ValueError` says what is wrong with an entry."""
    if not _BEGINS_AS_ENTRY.match(text):
        return None
    if text.startswith("{"):
        return _members(text)
    found = _TEXT.fullmatch(text)
    if found is None:
        raise ValueError("begins like an entry of an access log, but does not go on like one; is it cut?")
    return _known(found.groupdict().items())


def _members(text: str) -> Values:
    try:
        members: dict[str, object] = json.loads(text, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        cut = is_cut(error.msg, text, error.pos)
        raise ValueError("is cut" if cut else f"not JSON at column {error.colno}: {error.msg}") from None
    except RecursionError:
        raise ValueError("nested too deeply to be an access log") from None
    return _known((_OTHER_NAMES.get(name.lower(), name.lower()), value) for name, value in members.items())


def _known(members: Iterable[tuple[str, object]]) -> Values:
    """What is there; of the upstream it matters that there was none."""
    given = {name: value if type(value) is str else _shown(value) for name, value in members}
    return {
        name: value
        for name, value in given.items()
        if value and (value != _ABSENT or name == "upstream_host")
    }


def _shown(value: object) -> str:
    if value is None:
        return _ABSENT
    return str(value) if type(value) is int else ""


def _exchange(number: int, values: Values, connections: Numbers) -> Exchange:
    there = values.get("downstream_remote_address")
    name = values.get("requested_server_name", "")
    secure = bool(name) or values.get("x_forwarded_proto") == "https"
    return Exchange(
        str(number),
        nanoseconds(values.get("start_time", "")) or 0,
        _request(values, "https" if secure else "http"),
        _response(values),
        Connection(
            connections.of(there),
            there or _USUAL.source,
            values.get("downstream_local_address", _USUAL.destination),
            values.get("protocol", _USUAL.protocol),
            name,
            Tls() if secure else None,
        ),
        partial=True,
    )


def _request(values: Values, scheme: str) -> Message:
    if not _TOKEN.fullmatch(values["method"]):
        raise ValueError(f"{json.dumps(values['method'][:40])} is not an HTTP method")
    pseudo = (
        (":authority", values.get("authority", "")),
        (":path", values.get("path", "/")),
        (":method", values["method"]),
        (":scheme", scheme),
    )
    headers = (*pseudo, *((name, values[member]) for member, name in _HEADERS if member in values))
    for name, value in headers:
        if _NEVER.search(value):
            raise ValueError(f"{name} holds a character that no HTTP header can")
    return Message(headers)


def _response(values: Values) -> Message | None:
    status = decimal(values.get("response_code")) or 0
    if not 100 <= status <= 999 or values.get("upstream_host") == _ABSENT:
        return None
    waited = decimal(values.get("upstream_service_time") or values.get("duration")) or 0
    return Message(((":status", str(status)),), after_ns=min(waited, _LONGEST_MS) * _MILLISECOND)
