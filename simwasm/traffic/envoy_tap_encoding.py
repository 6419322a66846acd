"""A tap's messages as bytes: JSON, a line each, or protobuf with its length before it.

The numbers of the fields are those of Envoy's protos (`envoy/data/tap/v3`).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import Any, NamedTuple

from simwasm.exchange import to_bytes
from simwasm.protobuf import as_varint
from simwasm.traffic.envoy_tap_messages import At, Object

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_SECOND = 10**9
_BYTES, _NUMBER = 2, 0


class _Field(NamedTuple):
    number: int
    inside: str = ""
    """What message it is; nothing for one that is a value."""


_ADDRESSES = {"local_address": _Field(1, "address"), "remote_address": _Field(2, "address")}
_HALF = {
    "headers": _Field(1),
    "body": _Field(2, "body"),
    "trailers": _Field(3),
    "headers_received_time": _Field(4),
}
_MAP = {"headers": _Field(1)}
_MESSAGES: Mapping[str, Mapping[str, _Field]] = {
    "wrapper": {
        "http_buffered_trace": _Field(1, "trace"),
        "http_streamed_trace_segment": _Field(2, "segment"),
        "socket_buffered_trace": _Field(3, "socket"),
    },
    "trace": {
        "request": _Field(1, "half"),
        "response": _Field(2, "half"),
        "downstream_connection": _Field(3, "connection"),
    },
    "segment": {
        "trace_id": _Field(1),
        "request_headers": _Field(2, "map"),
        "request_body_chunk": _Field(3, "body"),
        "request_trailers": _Field(4, "map"),
        "response_headers": _Field(5, "map"),
        "response_body_chunk": _Field(6, "body"),
        "response_trailers": _Field(7, "map"),
    },
    "half": _HALF,
    "map": _MAP,
    "body": {"as_bytes": _Field(1), "as_string": _Field(2), "truncated": _Field(3)},
    "connection": _ADDRESSES,
    "address": {"socket_address": _Field(1, "socket_address")},
    "socket_address": {"address": _Field(2), "port_value": _Field(3)},
    "socket": {"trace_id": _Field(1), "connection": _Field(2, "connection"), "events": _Field(3, "event")},
    "event": {"timestamp": _Field(1), "read": _Field(2, "said"), "write": _Field(3, "said")},
    "said": {"data": _Field(1, "body"), "end_stream": _Field(2)},
}
_ARE_NUMBERS = frozenset(("trace_id", "port_value", "truncated", "end_stream"))


def as_json(message: Object) -> bytes:
    """A line of JSON."""
    return json.dumps(message, default=_plain, separators=(",", ":")).encode() + b"\n"


def _plain(value: object) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    assert isinstance(value, At)
    seconds, nanos = divmod(value.ns, _SECOND)
    moment = _EPOCH + timedelta(seconds=seconds)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{nanos:09d}Z"


def as_protobuf(message: Object) -> bytes:
    """A message with its length before it."""
    return _sized(_message("wrapper", message))


def _message(kind: str, message: Object) -> bytes:
    found = _MESSAGES[kind]
    return b"".join([_field(found[name], name, value) for name, value in message.items()])


def _field(field: _Field, name: str, value: Any) -> bytes:
    if name in _ARE_NUMBERS:
        return as_varint(field.number << 3 | _NUMBER) + as_varint(int(value))
    tag = as_varint(field.number << 3 | _BYTES)
    if isinstance(value, list):
        if field.inside:
            return b"".join([tag + _sized(_message(field.inside, each)) for each in value])
        return b"".join([tag + _header(**each) for each in value])
    if field.inside:
        return tag + _sized(_message(field.inside, value))
    if isinstance(value, At):
        seconds, nanos = divmod(value.ns, _SECOND)
        return tag + _sized(b"\x08" + as_varint(seconds) + b"\x10" + as_varint(nanos))
    return tag + _sized(value if isinstance(value, bytes) else to_bytes(value))


@lru_cache(maxsize=4096)
def _header(key: str, value: str = "", raw_value: bytes = b"") -> bytes:
    said = b"\x1a" + _sized(raw_value) if raw_value else b"\x12" + _sized(to_bytes(value))
    return _sized(b"\x0a" + _sized(to_bytes(key)) + said)


def _sized(data: bytes) -> bytes:
    return as_varint(len(data)) + data
