"""The properties that a context can ask for at a stop: their values, how they are written down, and why not."""

from __future__ import annotations

from dataclasses import dataclass

from simwasm.abi.status import Refusal
from simwasm.exchange import Headers
from simwasm.host.context import Context
from simwasm.host.filter_state import PREFIX
from simwasm.host.headers import HeaderMap
from simwasm.host.properties import PROPERTIES, find
from simwasm.host.property_reasons import not_written, why_not
from simwasm.host.property_values import serialise

Value = str | bytes | int | bool | Headers | None

_KINDS = {
    "string": "text",
    "int": "integer",
    "uint": "integer",
    "bool": "bool",
    "timestamp": "time in ns",
    "duration": "duration in ns",
    "map": "map",
}
"""What the types of CEL are called here."""


@dataclass(frozen=True, slots=True)
class PropertyState:
    """A property. `why` says why there is no value now; it is empty where there is one."""

    path: tuple[str, ...]
    kind: str
    value: Value
    raw: bytes
    """As `proxy_get_property` gives it."""
    why: str = ""
    own: bool = False
    """A plugin has set it."""

    @property
    def name(self) -> str:
        return ".".join(self.path)


def properties(context: Context) -> tuple[PropertyState, ...]:
    """What plugins set, then all that are known."""
    return (*_own(context), *(_known(context, path) for path in PROPERTIES))


def property_at(context: Context, path: tuple[str, ...]) -> PropertyState:
    """Any property, a single header of `request.headers` too."""
    if path in PROPERTIES:
        return _known(context, path)
    found = find(context, path)
    if isinstance(found, Refusal):
        return PropertyState(path, "", None, b"", found.reason)
    return PropertyState(path, "bytes", found, found)


def _own(context: Context) -> tuple[PropertyState, ...]:
    state = context.stream.state if context.stream is not None else {}
    return tuple(
        PropertyState(_path_of(key), "bytes", found.value or b"", found.value or b"", own=True)
        for key, found in state.items()
    )


def _path_of(key: str) -> tuple[str, ...]:
    """The path by which a plugin asks for something in filter state."""
    return tuple(key.removeprefix(PREFIX).split("\0")) if key.startswith(PREFIX) else ("filter_state", key)


def _known(context: Context, path: tuple[str, ...]) -> PropertyState:
    row = PROPERTIES[path]
    value = row.find(context)
    if value is None:
        return PropertyState(path, "", None, b"", f"not available now: {why_not(context, path)}")
    raw = serialise(value)
    if raw is None:
        return PropertyState(path, "", None, b"", not_written(path))
    if row.kind == "message":
        return PropertyState(path, "bytes", raw, raw)
    return PropertyState(
        path, _KINDS[row.kind], value.entries if isinstance(value, HeaderMap) else value, raw
    )
