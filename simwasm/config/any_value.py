"""What protobuf's Any says in JSON: a message with its type, and the bytes that a plugin gets if it is a configuration.

    {"@type": type.googleapis.com/google.protobuf.StringValue, value: '{"header": "x"}'}

Rules, Envoy's: a StringValue and a BytesValue arrive as what is in them, everything else as the message's own bytes (a
Struct is no JSON then). A TypedStruct says the type beside the value, and stands for that type.
"""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Callable
from typing import NamedTuple

from simwasm.config.fields import Fields, Reader, shown, wrong
from simwasm.config.tree import Node
from simwasm.protobuf import as_varint

TYPE = "@type"
_TYPED_STRUCTS = ("udpa.type.v1.TypedStruct", "xds.type.v3.TypedStruct")
_PLAIN = "google.protobuf."
_TEXT, _BYTES = f"{_PLAIN}StringValue", f"{_PLAIN}BytesValue"
_WRITTEN = "type.googleapis.com/"


class Typed(NamedTuple):
    """A message: its type, and its fields."""

    type: str
    node: Node
    """The mapping that has the fields; the type is among them where it is no TypedStruct."""


def typed(node: Node, reader: Reader) -> Typed:
    """The type of a message that is written as an Any."""
    fields = Fields(node, "a typed configuration", None, reader)
    kind = _kind(fields, TYPE)
    if kind not in _TYPED_STRUCTS:
        return Typed(kind, node)
    inner = Fields(node, "a TypedStruct", ("type_url", "value"), reader, (TYPE,))
    value = inner.get("value")
    return Typed(_kind(inner, "type_url"), value or Node(node.place, entries={}))


def _kind(fields: Fields, name: str) -> str:
    text = fields.text(name)
    host, slash, kind = text.rpartition("/")
    if not text:
        wrong(fields.node, f"its `{name}` is missing: it says of which type it is, {_WRITTEN}…")
    if not slash or not host:
        wrong(fields.at(name), f"{shown(text)} is no type: it begins with {_WRITTEN}")
    return kind


def configuration(fields: Fields, name: str) -> bytes:
    """What a plugin gets as its configuration."""
    node = fields.get(name)
    if node is None or (node.entries is not None and not node.entries):
        return b""
    reader = fields.reader
    if node.entries is None:
        wrong(
            node, f"`{name}` is {node.kind}, not a message with its type: write "
            f'{{"@type": {_WRITTEN}{_TEXT}, value: …}}'
        )  # fmt: skip
    kind = _kind(Fields(node, f"`{name}`", None, reader), TYPE)
    write = _WRITERS.get(kind)
    if write is None:
        reader.tell(
            node, f"`{name}` is a {shown(kind)}, whose bytes simwasm cannot make: the plugin gets none here"
        )
        return b""
    value = Fields(node, f"a {kind.removeprefix(_PLAIN)}", ("value",), reader, (TYPE,))
    if kind in _STRUCTURES:
        reader.tell(
            node, f"`{name}` is a {kind.removeprefix(_PLAIN)}: it reaches the plugin as protobuf, not as JSON; its "
            "fields are in order here, and in none in Envoy. A StringValue with JSON in it is what plugins expect"
        )  # fmt: skip
    return write(value)


def base64_of(fields: Fields, name: str) -> bytes:
    """Bytes, which JSON has in base 64."""
    text = fields.text(name)
    plain = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        wrong(fields.at(name), f"`{name}` is not base 64")


def _field(number: int, wire: int, body: bytes) -> bytes:
    size = as_varint(len(body)) if wire == _LENGTH else b""
    return as_varint(number << 3 | wire) + size + body


_VARINT, _FIXED64, _LENGTH = 0, 1, 2


def _value(node: Node, reader: Reader) -> bytes:
    """A google.protobuf.Value."""
    if node.entries is not None:
        return _field(5, _LENGTH, _struct(node, reader))
    if node.items is not None:
        return _field(6, _LENGTH, _list(node, reader))
    value = reader.scalar(node)
    if value is None:
        return _field(1, _VARINT, b"\0")
    if isinstance(value, bool):
        return _field(4, _VARINT, as_varint(value))
    if isinstance(value, str):
        return _field(3, _LENGTH, value.encode())
    return _field(2, _FIXED64, struct.pack("<d", _double(value, node)))


def _double(value: float, node: Node) -> float:
    try:
        double = float(value)
    except OverflowError:
        double = float("inf")
    if double - double != 0:
        wrong(node, f"{shown(node.text)} is no number that JSON has")
    return double


def _struct(node: Node, reader: Reader) -> bytes:
    if node.entries is None:
        wrong(node, f"a Struct is a mapping, not {node.kind}")
    rows = ((name, _value(entry.node, reader)) for name, entry in sorted(node.entries.items()))
    return b"".join(
        _field(1, _LENGTH, _field(1, _LENGTH, name.encode()) + _field(2, _LENGTH, value))
        for name, value in rows
    )


def _list(node: Node, reader: Reader) -> bytes:
    if node.items is None:
        wrong(node, f"a ListValue is a list, not {node.kind}")
    return b"".join(_field(1, _LENGTH, _value(each, reader)) for each in node.items)


def _inside(write: Callable[[Node, Reader], bytes]) -> Callable[[Fields], bytes]:
    def written(fields: Fields) -> bytes:
        node = fields.get("value")
        return write(node, fields.reader) if node is not None else b""

    return written


def _whole(low: int, high: int) -> Callable[[Fields], bytes]:
    def written(fields: Fields) -> bytes:
        value = fields.whole("value", low, high)
        return _field(1, _VARINT, as_varint(value)) if value else b""

    return written


def _flag(fields: Fields) -> bytes:
    return _field(1, _VARINT, b"\1") if fields.flag("value") else b""


_STRUCTURES = frozenset(f"{_PLAIN}{name}" for name in ("Struct", "ListValue", "Value"))
_WRITERS: dict[str, Callable[[Fields], bytes]] = {
    _TEXT: lambda fields: fields.text("value").encode(),
    _BYTES: lambda fields: base64_of(fields, "value"),
    f"{_PLAIN}Struct": _inside(_struct),
    f"{_PLAIN}ListValue": _inside(_list),
    f"{_PLAIN}Value": _inside(_value),
    f"{_PLAIN}BoolValue": _flag,
    f"{_PLAIN}Int32Value": _whole(-(1 << 31), (1 << 31) - 1),
    f"{_PLAIN}Int64Value": _whole(-(1 << 63), (1 << 63) - 1),
    f"{_PLAIN}UInt32Value": _whole(0, (1 << 32) - 1),
    f"{_PLAIN}UInt64Value": _whole(0, (1 << 64) - 1),
    f"{_PLAIN}Empty": lambda fields: b"",
}
"""The types whose bytes are known here."""
