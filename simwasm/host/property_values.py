"""The values of properties: the way to a part of one, and how each kind is written down.

Rules, Envoy's: strings and bytes are raw; integers, doubles, times and durations are eight bytes, little-endian; a
boolean is one byte; a message is its protobuf bytes; a map is header pairs, each name once; a list is pairs without
values. Nothing else can be written down.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from struct import Struct
from typing import Any

from simwasm.abi.pairs import encode_pairs
from simwasm.exchange import decimal, to_bytes, to_text
from simwasm.host.filter_state import Fields
from simwasm.host.headers import HeaderMap
from simwasm.host.messages import NULL
from simwasm.protobuf import Message

Value = Any
"""str, bytes, bool, int, float, HeaderMap, Message, or a mapping or tuple of such; `NULL`; None: there is no value."""

TREE = object()
"""A whole subtree, of which only fields can be asked."""

_U64, _DOUBLE = Struct("<Q"), Struct("<d")
_M64 = 0xFFFFFFFFFFFFFFFF
_NO_PAIRS = b"\0\0\0\0"


def serialise(value: Value) -> bytes | None:
    """Write a value as the host does; None for what it cannot write."""
    write = _WRITERS.get(value.__class__)
    return write(value) if write is not None else None


def _pairs(pairs: Iterable[tuple[Value, Value]]) -> bytes | None:
    written = [(serialise(name), serialise(value)) for name, value in pairs]
    texts = [
        (to_text(name), to_text(value)) for name, value in written if name is not None and value is not None
    ]
    return encode_pairs(texts) or _NO_PAIRS if len(texts) == len(written) else None


def _headers(headers: HeaderMap) -> bytes:
    joined: dict[str, str] = {}
    for name, entry in headers.entries:
        joined[name] = f"{joined[name]},{entry}" if name in joined else entry
    return encode_pairs(tuple(joined.items())) or _NO_PAIRS


def _sequence(items: Iterable[Value]) -> bytes | None:
    return _pairs((item, "") for item in items)


_WRITERS: dict[type, Callable[[Any], bytes | None]] = {
    str: to_bytes,
    bytes: bytes,
    bool: lambda value: b"\1" if value else b"\0",
    int: lambda value: _U64.pack(value & _M64),
    float: _DOUBLE.pack,
    HeaderMap: _headers,
    Message: lambda value: None if value is NULL else value.encode(),
    dict: lambda value: _pairs(value.items()),
    Fields: lambda value: _NO_PAIRS,
    tuple: _sequence,
    list: _sequence,
}


def part(value: Value, step: str) -> Value:
    """One step into a value; None where it leads nowhere."""
    if isinstance(value, HeaderMap):
        return value.joined(step)
    if isinstance(value, Message):
        return value.get(step) if step in value.schema.fields else None
    if isinstance(value, Mapping):
        return value.get(step)
    if isinstance(value, (tuple, list)):
        index = decimal(step)
        return value[index] if index is not None and index < len(value) else None
    return None
