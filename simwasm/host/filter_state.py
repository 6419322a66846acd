"""Filter state: what plugins, and Envoy itself, keep for an exchange under a key.

Rules, as in the real host: what a plugin sets by `proxy_set_property` is bytes, unless its root declared the property
before; one that was declared read-only is written once; asked for as a whole it is always its bytes, and only on the
way to a field of it a message.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, NamedTuple

from simwasm.host.messages import BY_NAME, NULL
from simwasm.protobuf import Broken, read

PREFIX = "wasm."
"""What the keys of plugins begin with."""


class Kind(IntEnum):
    """What a property was declared to hold."""

    BYTES = 0
    TEXT = 1
    FLATBUFFERS = 2
    MESSAGE = 3


class Declared(NamedTuple):
    """What a root said of a property before it was set."""

    readonly: bool = False
    kind: Kind = Kind.BYTES
    schema: str = ""
    """For a message the URL of its type."""
    span: int = 0
    """How long it lives: with the filter chain, the request or the connection."""


class State(NamedTuple):
    """A value of a plugin's."""

    value: bytes
    declared: Declared = Declared()

    @property
    def span(self) -> int:
        return self.declared.span

    def inside(self) -> Any:
        """The value on the way to one of its fields, and for an expression."""
        kind = self.declared.kind
        if kind is Kind.TEXT:
            return self.value.decode("utf-8", "surrogateescape")
        if kind is Kind.BYTES:
            return self.value
        schema = BY_NAME.get(self.declared.schema.rpartition("/")[2]) if kind is Kind.MESSAGE else None
        try:
            return NULL if schema is None else read(schema, self.value)
        except Broken:
            return NULL


class Fields(dict[str, "str | int"]):
    """What can be asked of an object; as a whole it is written down as if there were nothing."""


class Object(NamedTuple):
    """A value of Envoy's own, made from a text by `set_envoy_filter_state`."""

    value: bytes | None
    """As it is written down; None for one that cannot be."""
    fields: Fields | None = None
    span: int = 0

    def inside(self) -> Any:
        return self.value if self.fields is None else self.fields
