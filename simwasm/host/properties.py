"""The property tree: what `proxy_get_property` finds, and how it is written down.

One row a property: a path, and a function of the context that gives a value or None where there is none now. Rules,
Envoy's: strings are raw; integers, times and durations are eight bytes, little-endian; a boolean is one byte; a map is
header pairs; a whole subtree cannot be read.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct

from simwasm.abi.enums import MapType, Status
from simwasm.abi.pairs import encode_pairs
from simwasm.abi.status import Refusal
from simwasm.exchange import Connection, decimal, to_bytes
from simwasm.host.context import Context
from simwasm.host.headers import HeaderMap
from simwasm.host.stream import Stream

Value = str | bytes | int | bool | HeaderMap | None

_U64 = Struct("<Q")
_M64 = 0xFFFFFFFFFFFFFFFF


def serialise(value: str | bytes | int | bool | HeaderMap) -> bytes:
    """Write a value as the host does."""
    if isinstance(value, str):
        return to_bytes(value)
    if isinstance(value, bytes):
        return value
    if isinstance(value, bool):
        return b"\1" if value else b"\0"
    if isinstance(value, int):
        return _U64.pack(value & _M64)
    joined: dict[str, str] = {}
    for name, entry in value.entries:
        joined[name] = f"{joined[name]},{entry}" if name in joined else entry
    return encode_pairs(tuple(joined.items()))


def _map(kind: MapType) -> Callable[[Context], HeaderMap | None]:
    return lambda context: context.maps.get(kind)


_REQUEST, _RESPONSE = _map(MapType.HTTP_REQUEST_HEADERS), _map(MapType.HTTP_RESPONSE_HEADERS)
_RESPONSE_TRAILERS = _map(MapType.HTTP_RESPONSE_TRAILERS)


def _header(headers: Callable[[Context], HeaderMap | None], name: str) -> Callable[[Context], Value]:
    def find(context: Context) -> Value:
        found = headers(context)
        return found.get(name) if found is not None else None

    return find


def _url_path(context: Context) -> Value:
    path = _header(_REQUEST, ":path")(context)
    return path.partition("?")[0] if isinstance(path, str) else None


def _query(context: Context) -> Value:
    path = _header(_REQUEST, ":path")(context)
    return path.partition("?")[2] if isinstance(path, str) else None


def _stream(find: Callable[[Stream], Value]) -> Callable[[Context], Value]:
    return lambda context: find(context.stream) if context.stream is not None else None


def _connection(find: Callable[[Connection], Value]) -> Callable[[Context], Value]:
    return _stream(lambda stream: find(stream.exchange.connection))


def _tls(name: str) -> Callable[[Context], Value]:
    return _connection(lambda connection: getattr(connection.tls, name) or None if connection.tls else None)


def _port(address: str) -> int | None:
    return decimal(address.rpartition(":")[2])


def _status(context: Context) -> Value:
    value = _header(_RESPONSE, ":status")(context)
    return decimal(value) if isinstance(value, str) else None


def _size(context: Context) -> Value:
    length = _header(_REQUEST, "content-length")(context)
    if isinstance(length, str):
        return decimal(length)
    return context.stream.received if context.stream is not None else None


def _total(
    headers: Callable[[Context], HeaderMap | None], body: Callable[[Stream], int]
) -> Callable[[Context], Value]:
    def find(context: Context) -> Value:
        found = headers(context)
        before = found.byte_size() if found is not None else 0
        return before + body(context.stream) if context.stream is not None else None

    return find


def _bytes_of(headers: Callable[[Context], HeaderMap | None]) -> Callable[[Context], Value]:
    def find(context: Context) -> Value:
        found = headers(context)
        return found.byte_size() if found is not None else None

    return find


PROPERTIES: dict[tuple[str, ...], Callable[[Context], Value]] = {
    ("request", "path"): _header(_REQUEST, ":path"),
    ("request", "url_path"): _url_path,
    ("request", "query"): _query,
    ("request", "host"): _header(_REQUEST, ":authority"),
    ("request", "scheme"): _header(_REQUEST, ":scheme"),
    ("request", "method"): _header(_REQUEST, ":method"),
    ("request", "referer"): _header(_REQUEST, "referer"),
    ("request", "useragent"): _header(_REQUEST, "user-agent"),
    ("request", "id"): _header(_REQUEST, "x-request-id"),
    ("request", "headers"): _REQUEST,
    ("request", "headers_bytes"): _bytes_of(_REQUEST),
    ("request", "protocol"): _connection(lambda connection: connection.protocol),
    ("request", "size"): _size,
    ("request", "total_size"): _total(_REQUEST, lambda stream: stream.received),
    ("request", "time"): _stream(lambda stream: stream.started),
    ("request", "duration"): _stream(
        lambda stream: stream.proxy.clock.now - stream.started if stream.ended else None
    ),
    ("response", "code"): _status,
    ("response", "code_details"): _stream(lambda stream: stream.details or None),
    ("response", "flags"): _stream(lambda stream: 0),
    ("response", "headers"): _RESPONSE,
    ("response", "headers_bytes"): _bytes_of(_RESPONSE),
    ("response", "trailers"): _RESPONSE_TRAILERS,
    ("response", "size"): _stream(lambda stream: stream.sent),
    ("response", "total_size"): _total(_RESPONSE, lambda stream: stream.sent),
    ("connection", "id"): _connection(lambda connection: connection.id),
    ("connection", "mtls"): _connection(
        lambda connection: connection.tls is not None and connection.tls.mtls
    ),
    ("connection", "requested_server_name"): _connection(lambda connection: connection.requested_server_name),
    ("source", "address"): _connection(lambda connection: connection.source),
    ("source", "port"): _connection(lambda connection: _port(connection.source)),
    ("destination", "address"): _connection(lambda connection: connection.destination),
    ("destination", "port"): _connection(lambda connection: _port(connection.destination)),
    ("xds", "cluster_name"): _stream(lambda stream: stream.proxy.profile.cluster),
    ("xds", "route_name"): _stream(lambda stream: stream.proxy.profile.route),
    ("xds", "listener_direction"): _stream(lambda stream: 0),
    ("xds", "cluster_metadata"): _stream(lambda stream: b""),
    ("xds", "node", "id"): lambda context: "",
    ("metadata",): _stream(lambda stream: b""),
    ("plugin_name",): lambda context: context.vm.plugin.name,
    ("plugin_root_id",): lambda context: context.vm.plugin.root_id,
    ("plugin_vm_id",): lambda context: context.vm.plugin.vm_id,
    ("connection_id",): _connection(lambda connection: connection.id),
    **{
        ("connection", name): _tls(name)
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
}
_ROOTS = frozenset(path[0] for path in PROPERTIES if len(path) > 1) | {
    "upstream", "metadata", "filter_state", "upstream_filter_state",
}  # fmt: skip
_GONE = ("node", "cluster_name", "route_name", "listener_direction", "listener_metadata", "cluster_metadata",
         "upstream_host_metadata")  # fmt: skip


def find(context: Context, path: tuple[str, ...]) -> bytes | Refusal:
    """The bytes of a property, or why there are none."""
    if path and not path[-1]:
        path = path[:-1]
    shown = ".".join(path)
    if not path:
        return Refusal(Status.SERIALIZATION_FAILURE, "the path is empty")
    if path in PROPERTIES:
        value = PROPERTIES[path](context)
        if value is None:
            return Refusal(Status.NOT_FOUND, f"`{shown}` has no value here: {why_not(context, path)}")
        return serialise(value)
    if len(path) == 3 and path[1] in ("headers", "trailers") and path[:2] in PROPERTIES:
        headers = PROPERTIES[path[:2]](context)
        values = headers.all(path[2]) if isinstance(headers, HeaderMap) else []
        if values:
            return to_bytes(",".join(values))
        return Refusal(Status.NOT_FOUND, f"`{shown}` has no value here: {why_not(context, path)}")
    if len(path) == 1 and path[0] in _ROOTS:
        return Refusal(Status.SERIALIZATION_FAILURE, f"`{shown}` is a whole subtree: name a field of it")
    state = (
        context.stream.state.get(f"wasm.{path[0]}") if context.stream is not None and len(path) == 1 else None
    )
    if state is not None:
        return state
    if path[0] in _GONE:
        return Refusal(Status.NOT_FOUND, f"`{path[0]}` is gone since Envoy 1.33: ask for `xds.{path[0]}`")
    return Refusal(Status.NOT_FOUND, f"there is no property `{shown}`")


def why_not(context: Context, path: tuple[str, ...]) -> str:
    """Say why a property has no value."""
    if context.stream is None:
        return "this context has no stream"
    if path == ("request", "duration"):
        return "it is known once the exchange has ended"
    if path == ("response", "code_details"):
        return "nothing has answered yet"
    if path[0] == "request" and MapType.HTTP_REQUEST_HEADERS in context.maps:
        return "the request does not have it"
    if path[0] == "response" and MapType.HTTP_RESPONSE_HEADERS in context.maps:
        return "the response does not have it"
    if path[0] == "request":
        return "the request's headers are there in proxy_on_request_headers, until it returns Continue, and in on_log"
    if path[0] == "response":
        return "the response's headers are there in proxy_on_response_headers, until it returns Continue, and in on_log"
    return "the exchange does not have it"
