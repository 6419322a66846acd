"""Protobuf, as much of it as plugins and hosts exchange: messages by their schema, read and written.

A `Message` is a value: a schema and what is set. Rules, those of the real library:

- a field that is not set reads as the zero of its kind, a message as an empty one;
- unknown fields are skipped; text has to be UTF-8; the last of several values of one field counts;
- the well-known types read as plain values: a `Struct` is a map, a `ListValue` a list, a wrapper what it wraps.

Who has millions of messages of one kind to read takes `fields`, which knows no schema.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MORE, _LOW, _LONGEST = 0x80, 0x7F, 70
_M64 = (1 << 64) - 1
_SIGN = 1 << 63


class Broken(ValueError):
    """These bytes are no such message."""


class Scalar(Enum):
    """The kinds of field that are no messages, with how they travel and what they are when not set."""

    TEXT = ("text", _BYTES, "")
    BYTES = ("bytes", _BYTES, b"")
    BOOL = ("bool", _VARINT, False)
    INT = ("integer", _VARINT, 0)
    DOUBLE = ("double", _FIXED64, 0.0)

    @property
    def wire(self) -> int:
        return int(self.value[1])

    @property
    def zero(self) -> Any:
        return self.value[2]


@dataclass(frozen=True)
class Field:
    """One field of a message."""

    number: int
    kind: Scalar | Schema
    repeated: bool = False
    map: bool = False
    """Entries of key and value: `kind` is the schema of an entry."""
    chosen: bool = False
    """One of several that exclude each other: written even if it is zero."""


@dataclass(frozen=True, eq=False)
class Schema:
    """What a message may hold, by the names of its fields."""

    name: str
    fields: Mapping[str, Field]
    plain: Callable[[Message], Any] | None = None
    """What a well-known type reads as."""
    of: Callable[[Any], Message] | None = None
    """The message of a well-known type that stands for a plain value."""


@dataclass(frozen=True, eq=False)
class Message:
    """A message: what is set of its schema's fields, as plain values."""

    schema: Schema
    values: Mapping[str, Any] = field(default_factory=dict)

    def get(self, name: str) -> Any:
        """The value of a field that the schema has, the zero of its kind if it is not set."""
        found = self.schema.fields[name]
        if name in self.values:
            return self.values[name]
        if found.map:
            return {}
        if found.repeated:
            return ()
        return found.kind.zero if isinstance(found.kind, Scalar) else _plain(Message(found.kind))

    def encode(self) -> bytes:
        """The message's bytes."""
        rows = sorted(
            (found.number, name) for name, found in self.schema.fields.items() if name in self.values
        )
        return b"".join(_written(self.schema.fields[name], self.values[name]) for _, name in rows)


def decode(schema: Schema, data: bytes) -> Message:
    """Read a message; what is none raises `Broken`."""
    names = {found.number: (name, found) for name, found in schema.fields.items()}
    values: dict[str, Any] = {}
    for number, wire, raw in fields(data):
        name, found = names.get(number, ("", None))
        if found is None or wire != _wire(found):
            continue
        value = _read(found, raw)
        if found.map:
            values[name] = {**values.get(name, {}), value.get("key"): value.get("value")}
        elif found.repeated:
            values[name] = (*values.get(name, ()), value)
        else:
            values[name] = value
    return Message(schema, values)


def read(schema: Schema, data: bytes) -> Any:
    """Read a message as the value it stands for."""
    return _plain(decode(schema, data))


def _plain(message: Message) -> Any:
    return message.schema.plain(message) if message.schema.plain is not None else message


def _wire(found: Field) -> int:
    return found.kind.wire if isinstance(found.kind, Scalar) else _BYTES


def _read(found: Field, raw: Any) -> Any:
    kind = found.kind
    if isinstance(kind, Schema):
        message = decode(kind, raw)
        return message if found.map else _plain(message)
    if kind is Scalar.TEXT:
        try:
            return raw.decode()
        except UnicodeDecodeError:
            raise Broken("a text is not UTF-8") from None
    if kind is Scalar.DOUBLE:
        return struct.unpack("<d", raw)[0]
    if kind is Scalar.BOOL:
        return bool(raw)
    if kind is Scalar.INT:
        return raw - (1 << 64) if raw & _SIGN else raw
    return raw


def fields(data: bytes) -> Iterator[tuple[int, int, Any]]:
    """Go through what a message holds: each field's number, its wire type, and its number or bytes."""
    at, end = 0, len(data)
    while at < end:
        tag = data[at]
        if tag > _LOW:
            tag, at = varint(data, at)
        else:
            at += 1
        number, wire = tag >> 3, tag & 7
        if not number:
            raise Broken("a field has the number 0")
        raw: Any
        if wire == _VARINT:
            raw, at = varint(data, at)
        else:
            if wire != _BYTES:
                size = _fixed(wire)
            elif at < end and data[at] <= _LOW:
                size = data[at]
                at += 1
            else:
                size, at = varint(data, at)
            raw = data[at : at + size]
            at += size
            if at > end:
                raise Broken(f"field {number} is longer than the message")
        yield number, wire, raw


def _fixed(wire: int) -> int:
    if wire not in (_FIXED64, _FIXED32):
        raise Broken(f"wire type {wire} is unknown")
    return 8 if wire == _FIXED64 else 4


def varint(data: bytes, at: int) -> tuple[int, int]:
    """Read the number that stands at a place; return the place behind it as well."""
    if at < len(data) and data[at] <= _LOW:  # as nearly always
        return data[at], at + 1
    value = shift = 0
    while at < len(data) and shift < _LONGEST:
        byte = data[at]
        at += 1
        value |= (byte & _LOW) << shift
        shift += 7
        if not byte & _MORE:
            return value & _M64, at
    raise Broken("it ends in the middle of a number" if at == len(data) else "a number has no end")


def as_varint(value: int) -> bytes:
    """Write a number as `varint` reads it."""
    value &= _M64
    out = bytearray()
    while value > _LOW:
        out.append(value & _LOW | _MORE)
        value >>= 7
    out.append(value)
    return bytes(out)


def _written(found: Field, value: Any) -> bytes:
    if found.map:
        assert isinstance(found.kind, Schema)
        entries = [Message(found.kind, {"key": key, "value": part}) for key, part in value.items()]
        return b"".join(_one(found, entry) for entry in entries)
    if found.repeated:
        return b"".join(_one(found, part) for part in value)
    is_zero = isinstance(found.kind, Scalar) and value == found.kind.zero and not found.chosen
    return b"" if is_zero else _one(found, value)


def _one(found: Field, value: Any) -> bytes:
    head = as_varint(found.number << 3 | _wire(found))
    kind = found.kind
    if isinstance(kind, Schema):
        message = value if isinstance(value, Message) or kind.of is None else kind.of(value)
        body = message.encode()
        return head + as_varint(len(body)) + body
    if kind is Scalar.DOUBLE:
        return head + struct.pack("<d", value)
    if kind in (Scalar.BOOL, Scalar.INT):
        return head + as_varint(int(value))
    data = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else bytes(value)
    return head + as_varint(len(data)) + data
