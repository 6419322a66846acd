"""The property tree: what `proxy_get_property` finds.

One row a property: a path, what it gives for a context (None where there is no value now), and its type in CEL, which
`expr_evaluate` needs. What lies deeper (one header, a field of a message) is found step by step from there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from simwasm.abi.enums import MapType, Status
from simwasm.abi.status import Refusal
from simwasm.exchange import Connection, decimal
from simwasm.host import edge
from simwasm.host.access_log import flag_bits
from simwasm.host.context import Context
from simwasm.host.filter_state import PREFIX, State
from simwasm.host.headers import HeaderMap
from simwasm.host.messages import LOCALITY, METADATA, NULL, node
from simwasm.host.property_reasons import no_value, not_written, unknown
from simwasm.host.property_values import TREE, Value, part, serialise
from simwasm.host.routes import Route
from simwasm.host.stream import Stream
from simwasm.protobuf import Message

Path = tuple[str, ...]
Find = Callable[[Context], Value]


class Property(NamedTuple):
    """What a path gives, and the type of it."""

    find: Find
    kind: str = "string"


_NO_HEADERS = HeaderMap()
_NO_METADATA, _NO_LOCALITY = Message(METADATA), Message(LOCALITY)


def _stream(find: Callable[[Stream], Value]) -> Find:
    return lambda context: find(context.stream) if context.stream is not None else None


def _connection(find: Callable[[Connection], Value]) -> Find:
    return _stream(lambda stream: find(stream.exchange.connection))


def _map(kind: MapType) -> Find:
    """A map; one that is not there now is empty, as long as there is a stream."""

    def find(context: Context) -> Value:
        found = context.maps.get(kind)
        return found if found is not None or context.stream is None else _NO_HEADERS

    return find


def _header(kind: MapType, name: str) -> Find:
    def find(context: Context) -> Value:
        found = context.maps.get(kind)
        return found.get(name) if found is not None else None

    return find


def _bytes(context: Context, *kinds: MapType) -> int:
    return sum(found.byte_size() for kind in kinds if (found := context.maps.get(kind)) is not None)


_REQUEST, _RESPONSE = MapType.HTTP_REQUEST_HEADERS, MapType.HTTP_RESPONSE_HEADERS
_TRAILERS = MapType.HTTP_RESPONSE_TRAILERS
_content_length = _header(_REQUEST, "content-length")


def _some_path(context: Context) -> str | None:
    """The path; without `:path` it is empty as long as there are headers."""
    found = context.maps.get(_REQUEST)
    return None if found is None else found.get(":path") or ""


def _url_path(context: Context) -> Value:
    path = _some_path(context)
    return path if path is None else path.partition("?")[0]


def _query(context: Context) -> Value:
    path = _some_path(context)
    return path if path is None else path.partition("?")[2].partition("#")[0]


def _size(context: Context) -> Value:
    length = _content_length(context)
    if length is None:
        return context.stream.received if context.stream is not None else None
    return _signed(length)


def _signed(text: str) -> int | None:
    """A whole number as Envoy reads it here: spaces round it and a sign are allowed, 64 bits are the limit."""
    text = text.strip(" \t\n\v\f\r")
    found = decimal(text[1:] if text[:1] in ("-", "+") else text)
    if found is None:
        return None
    number = -found if text[0] == "-" else found
    return number if -(1 << 63) <= number < 1 << 63 else None


def _total(body: Callable[[Stream], int], *kinds: MapType) -> Find:
    def find(context: Context) -> Value:
        return body(context.stream) + _bytes(context, *kinds) if context.stream is not None else None

    return find


def _duration(stream: Stream) -> Value:
    return stream.proxy.clock.now - stream.started if stream.ended else None


def _latency(stream: Stream) -> Value:
    router = stream.router
    return stream.proxy.clock.now - router.asked_ns if router.answer and stream.response.complete else None


def _grpc_status(context: Context) -> Value:
    """What the trailers or headers say, or else what the HTTP status stands for."""
    for kind in (_TRAILERS, _RESPONSE):
        found = context.maps.get(kind)
        told = decimal(found.get("grpc-status")) if found is not None else None
        if told is not None:
            return told
    code = context.stream.status if context.stream is not None else None
    return None if code is None else edge.grpc_status_of(code)


def _upstream(find: Callable[[Stream], Value]) -> Find:
    """What is known once the router has taken the request."""
    return _stream(lambda stream: find(stream) if stream.router.reached else None)


def _route(find: Callable[[Route], Value]) -> Find:
    return _stream(lambda stream: find(stream.route) if stream.route is not None else None)


def _cluster(find: Callable[[str], Value]) -> Find:
    return _stream(lambda stream: find(stream.cluster) if stream.cluster is not None else None)


def _tls(name: str) -> Find:
    return _connection(lambda connection: getattr(connection.tls, name) or None if connection.tls else None)


def _port(address: str) -> int | None:
    return decimal(address.rpartition(":")[2])


def _node(context: Context) -> Value:
    profile = context.vm.proxy.profile
    return node(profile.version, profile.node_id, profile.node_cluster, profile.node_metadata)


def _always(value: Value) -> Find:
    return _stream(lambda stream: value)


_BY_TREE: dict[str, dict[str, Property]] = {
    "request": {
        "path": Property(_header(_REQUEST, ":path")),
        "url_path": Property(_url_path),
        "query": Property(_query),
        "host": Property(_header(_REQUEST, ":authority")),
        "scheme": Property(_header(_REQUEST, ":scheme")),
        "method": Property(_header(_REQUEST, ":method")),
        "referer": Property(_header(_REQUEST, "referer")),
        "useragent": Property(_header(_REQUEST, "user-agent")),
        "id": Property(_header(_REQUEST, "x-request-id")),
        "headers": Property(_map(_REQUEST), "map"),
        "headers_bytes": Property(_total(lambda stream: 0, _REQUEST), "int"),
        "protocol": Property(_stream(lambda stream: stream.protocol)),
        "size": Property(_size, "int"),
        "total_size": Property(_total(lambda stream: stream.received, _REQUEST), "int"),
        "time": Property(_stream(lambda stream: stream.started), "timestamp"),
        "duration": Property(_stream(_duration), "duration"),
    },
    "response": {
        "code": Property(_stream(lambda stream: stream.status), "int"),
        "code_details": Property(_stream(lambda stream: stream.told_details)),
        "flags": Property(_stream(lambda stream: flag_bits(stream.details)), "int"),
        "grpc_status": Property(_grpc_status, "int"),
        "headers": Property(_map(_RESPONSE), "map"),
        "headers_bytes": Property(_total(lambda stream: 0, _RESPONSE), "int"),
        "trailers": Property(_map(_TRAILERS), "map"),
        "size": Property(_stream(lambda stream: stream.sent), "int"),
        "total_size": Property(_total(lambda stream: stream.sent, _RESPONSE, _TRAILERS), "int"),
        "backend_latency": Property(_stream(_latency), "duration"),
    },
    "connection": {
        "id": Property(_connection(lambda connection: connection.id), "uint"),
        "mtls": Property(
            _connection(lambda connection: connection.tls is not None and connection.tls.mtls), "bool"
        ),
        "requested_server_name": Property(_connection(lambda connection: connection.requested_server_name)),
        "termination_details": Property(_always(None)),
        "transport_failure_reason": Property(_always(None)),
        **{
            name: Property(_tls(name))
            for name in (
                "tls_version",
                "subject_local_certificate",
                "subject_peer_certificate",
                "uri_san_local_certificate",
                "uri_san_peer_certificate",
                "dns_san_local_certificate",
                "dns_san_peer_certificate",
                "sha256_peer_certificate_digest",
            )
        },
    },
    "source": {
        "address": Property(_connection(lambda connection: connection.source)),
        "port": Property(_connection(lambda connection: _port(connection.source)), "int"),
    },
    "destination": {
        "address": Property(_connection(lambda connection: connection.destination)),
        "port": Property(_connection(lambda connection: _port(connection.destination)), "int"),
    },
    "upstream": {
        "address": Property(_upstream(lambda stream: stream.proxy.profile.upstream)),
        "port": Property(_upstream(lambda stream: _port(stream.proxy.profile.upstream)), "int"),
        "local_address": Property(_upstream(lambda stream: stream.proxy.profile.upstream_local)),
        "locality": Property(_upstream(lambda stream: _NO_LOCALITY), "message"),
        "transport_failure_reason": Property(_stream(lambda stream: stream.transport_failure)),
        "cx_pool_ready_duration": Property(_upstream(lambda stream: 0), "duration"),
        "request_attempt_count": Property(_stream(lambda stream: int(stream.router.reached)), "uint"),
        "num_endpoints": Property(_cluster(lambda name: 1), "uint"),
    },
    "xds": {
        "node": Property(_node, "message"),
        "cluster_name": Property(_cluster(lambda name: name)),
        "cluster_metadata": Property(_cluster(lambda name: _NO_METADATA), "message"),
        "route_name": Property(_route(lambda route: route.name)),
        "route_metadata": Property(_route(lambda route: _NO_METADATA), "message"),
        "virtual_host_name": Property(_stream(lambda stream: stream.virtual_host)),
        "virtual_host_metadata": Property(
            _stream(lambda stream: None if stream.virtual_host is None else _NO_METADATA), "message"
        ),
        "upstream_host_metadata": Property(_upstream(lambda stream: NULL), "message"),
        "upstream_host_locality_metadata": Property(_upstream(lambda stream: NULL), "message"),
        "listener_direction": Property(_stream(lambda stream: stream.proxy.profile.direction), "int"),
        "listener_metadata": Property(_always(_NO_METADATA), "message"),
        "filter_chain_name": Property(_always("")),
    },
}
PROPERTIES: dict[Path, Property] = {
    **{(tree, name): row for tree, rows in _BY_TREE.items() for name, row in rows.items()},
    ("xds", "node", "id"): Property(lambda context: context.vm.proxy.profile.node_id),
    ("xds", "node", "cluster"): Property(lambda context: context.vm.proxy.profile.node_cluster),
    ("metadata",): Property(_always(_NO_METADATA), "message"),
    ("plugin_name",): Property(lambda context: context.root.plugin.name),
    ("plugin_root_id",): Property(lambda context: context.root.plugin.root_id),
    ("plugin_vm_id",): Property(lambda context: context.vm.plugin.vm_id),
    ("connection_id",): Property(_connection(lambda connection: connection.id), "uint"),
}
TREES = frozenset(_BY_TREE) | {"filter_state", "upstream_filter_state"}


def find(context: Context, path: Path) -> bytes | Refusal:
    """The bytes of a property, or why there are none."""
    row = PROPERTIES.get(path)
    if row is None:
        return _find_deep(context, path)
    value = row.find(context)
    if value is None:
        return Refusal(Status.NOT_FOUND, no_value(context, path))
    written = serialise(value)
    return Refusal(Status.SERIALIZATION_FAILURE, not_written(path)) if written is None else written


def told(context: Context, path: Path) -> bytes | Refusal | None:
    """The bytes of a property of which whoever runs the proxy has said something; None if that is not so."""
    found = told_value(context, path)
    if found is NOT_TOLD:
        return None
    if found is None:
        return Refusal(Status.NOT_FOUND, f"`{'.'.join(path)}` was said to have no value")
    written = serialise(found)
    return Refusal(Status.SERIALIZATION_FAILURE, not_written(path)) if written is None else written


def told_value(context: Context, path: Path) -> Value:
    """What was said of a property, or of something that it is inside of; `NOT_TOLD` for nothing."""
    said = context.vm.proxy.told
    for size in range(len(path), 0, -1) if said else ():
        if said is not None and path[:size] in said:
            return _inside(said[path[:size]], path[size:])
    return NOT_TOLD


NOT_TOLD = object()


def _find_deep(context: Context, path: Path) -> bytes | Refusal:
    """A property that has no row of its own."""
    if path and not path[-1]:
        path = path[:-1]
    if not path:
        return Refusal(Status.SERIALIZATION_FAILURE, "the path is empty")
    value = value_at(context, path)
    if value is None:
        known = path[0] in TREES or path[:1] in PROPERTIES
        return Refusal(Status.NOT_FOUND, no_value(context, path) if known else unknown(context, path))
    written = serialise(value)
    return Refusal(Status.SERIALIZATION_FAILURE, not_written(path)) if written is None else written


def value_at(context: Context, path: Path) -> Value:
    """The value that a path leads to; None where there is none."""
    if (said := told_value(context, path)) is not NOT_TOLD:
        return said
    row = PROPERTIES.get(path[:2])
    if row is not None:
        return _inside(row.find(context), path[2:])
    row = PROPERTIES.get(path[:1])
    if row is not None:
        return _inside(row.find(context), path[1:])
    if path[0] in TREES:
        return _of_tree(context, path)
    state = context.stream.state.get(PREFIX + path[0]) if context.stream is not None else None
    if not isinstance(state, State):
        return None
    return state.value if len(path) == 1 else _inside(state.inside(), path[1:])


def _of_tree(context: Context, path: Path) -> Value:
    """A subtree as a whole, or something in filter state."""
    stream = context.stream
    if path[0] == "upstream_filter_state":
        return TREE if stream is not None and stream.router.reached and len(path) == 1 else None
    if path == ("xds",):
        return TREE
    if stream is None:
        return None
    if len(path) == 1:
        return TREE
    found = stream.state.get(path[1]) if path[0] == "filter_state" else None
    return _inside(found.inside(), path[2:]) if found is not None else None


def _inside(value: Value, steps: Path) -> Value:
    for step in steps:
        if value is None:
            return None
        value = part(value, step)
    return value
