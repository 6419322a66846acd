"""The messages that a plugin meets in properties, by the protos of Envoy's API and of Protobuf's well-known types.

A property can be declared as any of them: `BY_NAME` finds the schema that a type URL names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simwasm.protobuf import Field, Message, Scalar, Schema, read

TEXT, BYTES, BOOL, INT, DOUBLE = Scalar.TEXT, Scalar.BYTES, Scalar.BOOL, Scalar.INT, Scalar.DOUBLE

NULL = Message(Schema("null", {}))
"""A value that is there and is nothing; it cannot be written down."""


def _value(message: Message) -> Any:
    """What a `google.protobuf.Value` holds."""
    for name in ("number_value", "string_value", "bool_value", "struct_value", "list_value"):
        if name in message.values:
            return message.values[name]
    return NULL


def _as_value(value: Any) -> Message:
    kinds = ((bool, "bool_value"), ((int, float), "number_value"), (str, "string_value"),
             (Mapping, "struct_value"), ((tuple, list), "list_value"))  # fmt: skip
    name = next((name for kind, name in kinds if isinstance(value, kind)), "null_value")
    return Message(VALUE, {name: 0 if name == "null_value" else value})


_value_fields: dict[str, Field] = {}
VALUE: Schema = Schema("google.protobuf.Value", _value_fields, _value, _as_value)
_ENTRY = Schema("entry", {"key": Field(1, TEXT), "value": Field(2, VALUE)})
STRUCT: Schema = Schema(
    "google.protobuf.Struct",
    {"fields": Field(1, _ENTRY, map=True)},
    lambda message: message.get("fields"),
    lambda value: Message(STRUCT, {"fields": value}),
)
LIST: Schema = Schema(
    "google.protobuf.ListValue",
    {"values": Field(1, VALUE, repeated=True)},
    lambda message: message.get("values"),
    lambda value: Message(LIST, {"values": value}),
)
_value_fields.update(
    null_value=Field(1, INT, chosen=True),
    number_value=Field(2, DOUBLE, chosen=True),
    string_value=Field(3, TEXT, chosen=True),
    bool_value=Field(4, BOOL, chosen=True),
    struct_value=Field(5, STRUCT, chosen=True),
    list_value=Field(6, LIST, chosen=True),
)


def _wrapper(name: str, kind: Scalar) -> Schema:
    return Schema(
        f"google.protobuf.{name}Value", {"value": Field(1, kind)}, lambda message: message.get("value")
    )


WRAPPERS = tuple(
    _wrapper(name, kind)
    for name, kind in (("Bool", BOOL), ("Bytes", BYTES), ("Double", DOUBLE), ("Int32", INT), ("Int64", INT),
                       ("String", TEXT), ("UInt32", INT), ("UInt64", INT))
)  # fmt: skip
ANY = Schema("google.protobuf.Any", {"type_url": Field(1, TEXT), "value": Field(2, BYTES)})


def _map(kind: Schema) -> Field:
    return Field(1, Schema("entry", {"key": Field(1, TEXT), "value": Field(2, kind)}), map=True)


METADATA = Schema(
    "envoy.config.core.v3.Metadata",
    {
        "filter_metadata": _map(STRUCT),
        "typed_filter_metadata": Field(2, _map(ANY).kind, map=True),
    },
)
LOCALITY = Schema(
    "envoy.config.core.v3.Locality",
    {"region": Field(1, TEXT), "zone": Field(2, TEXT), "sub_zone": Field(3, TEXT)},
)
_VERSION = Schema(
    "envoy.type.v3.SemanticVersion",
    {"major_number": Field(1, INT), "minor_number": Field(2, INT), "patch": Field(3, INT)},
)
_BUILD = Schema(
    "envoy.config.core.v3.BuildVersion", {"version": Field(1, _VERSION), "metadata": Field(2, STRUCT)}
)
_EXTENSION = Schema(
    "envoy.config.core.v3.Extension",
    {
        "name": Field(1, TEXT),
        "category": Field(2, TEXT),
        "version": Field(4, _BUILD),
        "disabled": Field(5, BOOL),
        "type_urls": Field(6, TEXT, repeated=True),
    },
)
NODE = Schema(
    "envoy.config.core.v3.Node",
    {
        "id": Field(1, TEXT),
        "cluster": Field(2, TEXT),
        "metadata": Field(3, STRUCT),
        "locality": Field(4, LOCALITY),
        "user_agent_name": Field(6, TEXT),
        "user_agent_version": Field(7, TEXT),
        "user_agent_build_version": Field(8, _BUILD),
        "extensions": Field(9, _EXTENSION, repeated=True),
        "client_features": Field(10, TEXT, repeated=True),
        "listening_addresses": Field(11, Schema("envoy.config.core.v3.Address", {}), repeated=True),
        "dynamic_parameters": Field(
            12,
            Schema("entry", {"key": Field(1, TEXT), "value": Field(2, Schema("ContextParams", {}))}),
            map=True,
        ),
    },
)

BY_NAME = {schema.name: schema for schema in (VALUE, STRUCT, LIST, *WRAPPERS, METADATA, LOCALITY, NODE)}
"""The schemas that a declared property can have."""

_BUILT = {"revision.sha": "9e5580933739775e8bce696a57a2e1bc99368f23", "revision.status": "Clean",
          "build.type": "RELEASE", "ssl.version": "BoringSSL"}  # fmt: skip


def node(version: str, id: str = "", cluster: str = "", metadata: Mapping[str, Any] | None = None) -> Message:
    """What a proxy tells of itself; a real one lists all of its extensions, too."""
    major, _, minor = version.partition(".")
    built = Message(
        _BUILD,
        {
            "version": Message(_VERSION, {"major_number": int(major), "minor_number": int(minor or 0)}),
            "metadata": _BUILT,
        },
    )
    told = read(STRUCT, Message(STRUCT, {"fields": metadata}).encode()) if metadata else {}
    given = {"id": id, "cluster": cluster, **({"metadata": told} if told else {})}
    return Message(NODE, {**given, "user_agent_name": "envoy", "user_agent_build_version": built})
