"""Why a property has no value, in words: when it has one, what it is called today, or what stands in the way."""

from __future__ import annotations

from simwasm.abi.enums import MapType
from simwasm.host.context import Context
from simwasm.host.filter_state import PREFIX

Path = tuple[str, ...]

GONE = {
    "node": "xds.node",
    "cluster_name": "xds.cluster_name",
    "cluster_metadata": "xds.cluster_metadata",
    "route_name": "xds.route_name",
    "route_metadata": "xds.route_metadata",
    "listener_direction": "xds.listener_direction",
    "listener_metadata": "xds.listener_metadata",
    "upstream_host_metadata": "xds.upstream_host_metadata",
}
"""What top-level names are called since Envoy 1.33."""

_FIELDS: dict[str, tuple[str, ...]] = {}
"""The fields of each subtree; `fields` fills it once."""

_WHEN: dict[Path, str] = {
    ("request", "duration"): "it is known once the exchange has ended",
    ("response", "code"): "nothing has answered yet",
    ("response", "code_details"): "nothing has answered yet",
    ("response", "grpc_status"): "nothing has answered yet",
    ("response", "backend_latency"): "it is known once the upstream's whole response has arrived",
    ("connection", "termination_details"): "Envoy has not ended the connection",
    ("connection", "transport_failure_reason"): "the connection's transport has not failed",
}
_UPSTREAM = "the router has not taken the request yet: it does when the last filter lets the headers go"
_SIDES = {
    "request": (MapType.HTTP_REQUEST_HEADERS, "proxy_on_request_headers"),
    "response": (MapType.HTTP_RESPONSE_HEADERS, "proxy_on_response_headers"),
}


def no_value(context: Context, path: Path) -> str:
    """Say why a known property has no value here."""
    return f"`{'.'.join(path)}` has no value here: {why_not(context, path)}"


def why_not(context: Context, path: Path) -> str:
    """Say why a property has no value."""
    if context.stream is None:
        return "this context has no stream"
    told = _WHEN.get(path)
    if told is not None:
        return told
    if path[0] in _SIDES:
        return _why_no_header(context, path)
    if path[0] == "connection":
        return _why_no_tls(context, path)
    if path[0] in ("upstream", "upstream_filter_state") or path[:2] == ("xds", "upstream_host_metadata"):
        return _UPSTREAM if not context.stream.router.reached else _no_field(path)
    if path[0] == "filter_state":
        return f"filter state has nothing called `{path[1]}`" if len(path) > 1 else "there is none"
    if path[0] == "xds" and context.stream.route is None:
        return "no route fits the request"
    return _no_field(path)


def _why_no_header(context: Context, path: Path) -> str:
    kind, callback = _SIDES[path[0]]
    if path[1:2] and path[1] not in fields(path[0]):
        return _no_field(path)
    if kind in context.maps:
        if path[1:] == ("size",):
            return "its content-length is no number"
        return f"the {path[0]} does not have it"
    return f"the {path[0]}'s headers are there in {callback}, until it returns Continue, and in on_log"


def _why_no_tls(context: Context, path: Path) -> str:
    assert context.stream is not None
    if path[1:2] and path[1] not in fields("connection"):
        return _no_field(path)
    return (
        "the connection has no TLS" if context.stream.exchange.connection.tls is None else "its TLS has none"
    )


def _no_field(path: Path) -> str:
    """Say that there is no such field, and what is near it."""
    names = fields(path[0])
    if len(path) > 1 and names and path[1] not in names:
        from difflib import get_close_matches  # only a plugin that is wrong needs it

        near = get_close_matches(path[1], names, 1)
        return f"`{path[0]}` has no field `{path[1]}`" + (f"; is it `{path[0]}.{near[0]}`?" if near else "")
    return (
        f"`{'.'.join(path[:-1])}` has no `{path[-1]}`" if len(path) > 1 else "the exchange does not have it"
    )


def fields(tree: str) -> tuple[str, ...]:
    """What a subtree has."""
    if not _FIELDS:
        from simwasm.host.properties import PROPERTIES  # the table names this module's functions

        for path in PROPERTIES:
            if len(path) > 1:
                _FIELDS[path[0]] = tuple(dict.fromkeys((*_FIELDS.get(path[0], ()), path[1])))
    return _FIELDS.get(tree, ())


def not_written(path: Path) -> str:
    """Say why there is a value that cannot be written down."""
    shown = ".".join(path)
    if len(path) == 1:
        names = fields(path[0])
        named = f", such as `{path[0]}.{names[0]}`" if names else ""
        return f"`{shown}` is a whole subtree: name a field of it{named}"
    return f"`{shown}` is there, but it is no value that can be written down"


def unknown(context: Context, path: Path) -> str:
    """Say that nobody knows this name, or what it is called today."""
    name = path[0]
    if name in GONE:
        return f"`{'.'.join(path)}` is gone since Envoy 1.33: ask for `{'.'.join((GONE[name], *path[1:]))}`"
    state = context.stream.state if context.stream is not None else {}
    if PREFIX + name in state:
        return f"`{name}` was set by a plugin and is bytes: it has no `{path[-1]}`"
    if PREFIX + "\0".join(path) in state:
        return (
            f"`{'.'.join(path)}` was set under one name with NULs in it, and a path is looked up part by part: set and "
            f"ask for a name of one part"
        )
    if name == "wasm" and len(path) > 1:
        return f"what a plugin sets is asked for without the prefix: `{'.'.join(path[1:])}`"
    return f"there is no property `{'.'.join(path)}`"
