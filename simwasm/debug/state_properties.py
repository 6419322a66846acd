"""The properties that a context can ask for at a stop: their values, how they are written down, and why not."""

from __future__ import annotations

from dataclasses import dataclass

from simwasm.abi.status import Refusal
from simwasm.exchange import Headers
from simwasm.host.context import Context
from simwasm.host.headers import HeaderMap
from simwasm.host.properties import PROPERTIES, find, serialise, why_not

Value = str | bytes | int | bool | Headers | None

_PREFIX = "wasm."
_TIMES: dict[tuple[str, ...], str] = {
    ("request", "time"): "time in ns",
    ("request", "duration"): "duration in ns",
}
_KINDS = ((bool, "bool"), (int, "integer"), (str, "text"), (bytes, "bytes"), (HeaderMap, "map"))


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
        PropertyState(tuple(key.removeprefix(_PREFIX).split("\0")), "bytes", value, value, own=True)
        for key, value in state.items()
    )


def _known(context: Context, path: tuple[str, ...]) -> PropertyState:
    value = PROPERTIES[path](context)
    if value is None:
        return PropertyState(path, "", None, b"", f"not available now: {why_not(context, path)}")
    kind = _TIMES.get(path) or next(name for type, name in _KINDS if isinstance(value, type))
    shown = value.entries if isinstance(value, HeaderMap) else value
    return PropertyState(path, kind, shown, serialise(value))
