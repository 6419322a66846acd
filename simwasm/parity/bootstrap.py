"""Envoy's configuration for one run: a listener with the plugins, an upstream, and whatever clusters plugins call.

It is built as plain data, since Envoy reads JSON. Ports are 0: the kernel picks them and the admin endpoint tells.
Trailers are let through on both sides, since plugins have callbacks for them. All else is Envoy's default.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import NamedTuple, Union

from simwasm.host.profile import ENVOY
from simwasm.host.routes import Route
from simwasm.plugin import FailPolicy, Plugin

Json = Union[None, bool, int, float, str, "list[Json]", "dict[str, Json]"]
Address = tuple[str, int]


class Cluster(NamedTuple):
    """Where a cluster is, and how it is spoken to."""

    address: Address | None
    """None for a cluster without any host."""
    http2: bool = False


UPSTREAM = "upstream"
STAT_PREFIX = "ingress"

_TYPE = "type.googleapis.com/"
_HTTP = _TYPE + "envoy.extensions.filters.http."

ACCESS_LOG_FIELDS = {
    "authority_for": "%REQ(:AUTHORITY)%",
    "bytes_received": "%BYTES_RECEIVED%",
    "bytes_sent": "%BYTES_SENT%",
    "connection_termination_details": "%CONNECTION_TERMINATION_DETAILS%",
    "downstream_local_address": "%DOWNSTREAM_LOCAL_ADDRESS%",
    "downstream_remote_address": "%DOWNSTREAM_REMOTE_ADDRESS%",
    "duration": "%DURATION%",
    "istio_policy_status": "%DYNAMIC_METADATA(istio.mixer:status)%",
    "method": "%REQ(:METHOD)%",
    "path": "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
    "protocol": "%PROTOCOL%",
    "request_id": "%REQ(X-REQUEST-ID)%",
    "requested_server_name": "%REQUESTED_SERVER_NAME%",
    "response_code": "%RESPONSE_CODE%",
    "response_code_details": "%RESPONSE_CODE_DETAILS%",
    "response_flags": "%RESPONSE_FLAGS%",
    "route_name": "%ROUTE_NAME%",
    "start_time": "%START_TIME%",
    "trace_id": "%REQ(X-B3-TRACEID)%",
    "upstream_cluster": "%UPSTREAM_CLUSTER_RAW%",
    "upstream_host": "%UPSTREAM_HOST%",
    "upstream_local_address": "%UPSTREAM_LOCAL_ADDRESS%",
    "upstream_response_time": "%RESPONSE_DURATION%",
    "upstream_service_time": "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%",
    "upstream_transport_failure_reason": "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
    "user_agent": "%REQ(USER-AGENT)%",
    "x_forwarded_for": "%REQ(X-FORWARDED-FOR)%",
}


class TapForm(str, Enum):
    """How tap files are written."""

    BYTES = "JSON_BODY_AS_BYTES"
    STRING = "JSON_BODY_AS_STRING"
    BINARY = "PROTO_BINARY"
    DELIMITED = "PROTO_BINARY_LENGTH_DELIMITED"
    TEXT = "PROTO_TEXT"


ADMIN_TAP = "tap"
"""What the admin endpoint `/tap` calls the tap without a folder."""


@dataclass(frozen=True, slots=True)
class Tap:
    """Record every exchange into a folder, one file each, as it is before the first plugin."""

    folder: Path | None
    """None for the admin endpoint, which says what it wants when it is asked."""
    form: TapForm = TapForm.BYTES
    limit: int = 1 << 20
    """Bytes of a body beyond which it is cut and marked `truncated`."""
    streamed: bool = False
    """In segments, as headers and pieces of bodies pass."""
    details: bool = False
    """With the times of headers, and both connections; for taps that are not streamed."""


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """Everything one Envoy is started with."""

    plugins: tuple[Plugin, ...]
    upstream: Address
    clusters: Mapping[str, Cluster] = field(default_factory=dict)
    access_log: Path | None = None
    taps: tuple[Tap, ...] = ()
    socket_taps: tuple[Tap, ...] = ()
    """What records the bytes of the connections of clients."""
    buffer_limit: int | None = None
    """Bytes a connection may buffer before Envoy pushes back or gives up; None for Envoy's own megabyte."""
    http_manager: Mapping[str, Json] = field(default_factory=dict)
    """More fields of the HTTP connection manager, such as `use_remote_address`."""
    route: Mapping[str, Json] = field(default_factory=dict)
    """More fields of the routes' actions, such as `timeout`."""
    routes: tuple[Route, ...] = ENVOY.routes
    """In the order in which they are tried."""

    def as_json(self) -> dict[str, Json]:
        """Return the configuration file."""
        clusters = {UPSTREAM: Cluster(self.upstream), **self.clusters}
        return {
            "admin": {"address": _address(("127.0.0.1", 0))},
            "static_resources": {
                "listeners": [self._listener()],
                "clusters": [self._cluster(name, cluster) for name, cluster in clusters.items()],
            },
        }

    def _listener(self) -> dict[str, Json]:
        manager = "envoy.filters.network.http_connection_manager"
        if any(plugin.network for plugin in self.plugins):
            chain: dict[str, Json] = {"filters": self._network_filters()}
        else:
            chain = {"filters": [{"name": manager, "typed_config": self._http_manager()}]}
        if self.socket_taps:
            chain["transport_socket"] = _socket(self.socket_taps)
        listener: dict[str, Json] = {"name": "listener", "address": _address(("127.0.0.1", 0))}
        return {**listener, "filter_chains": [chain], **self._limits()}

    def _network_filters(self) -> list[Json]:
        """The filters of TCP connections, and the proxy behind them."""
        kind = "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"
        proxy: Json = {
            "@type": _TYPE + kind,
            "stat_prefix": STAT_PREFIX,
            "cluster": UPSTREAM,
            "access_log": [_access_log(self.access_log)] if self.access_log else [],
        }
        tcp: Json = {"name": "envoy.filters.network.tcp_proxy", "typed_config": proxy}
        return [*(_wasm(plugin) for plugin in self.plugins if plugin.network), tcp]

    def _http_manager(self) -> dict[str, Json]:
        kind = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
        return {
            "@type": _TYPE + kind,
            "stat_prefix": STAT_PREFIX,
            "http_protocol_options": {"enable_trailers": True},
            "access_log": [_access_log(self.access_log)] if self.access_log else [],
            "route_config": {"name": "local_route", "virtual_hosts": [self._virtual_host()]},
            "http_filters": self._filters(),
            **self.http_manager,
        }

    def _virtual_host(self) -> dict[str, Json]:
        return {"name": "all", "domains": ["*"], "routes": [self._route(route) for route in self.routes]}

    def _route(self, route: Route) -> Json:
        action: dict[str, Json] = {"cluster": route.cluster, **self.route}
        return {"name": route.name, "match": {"prefix": route.prefix}, "route": action}

    def _filters(self) -> list[Json]:
        taps = [_tap(tap) for tap in self.taps]
        router = _filter("envoy.filters.http.router", "router.v3.Router", {})
        return [*taps, *(_wasm(plugin) for plugin in self.plugins), router]

    def _cluster(self, name: str, cluster: Cluster) -> dict[str, Json]:
        protocol: Json = (
            {"http2_protocol_options": {}}
            if cluster.http2
            else {"http_protocol_options": {"enable_trailers": True}}
        )
        options: Json = {
            "@type": _TYPE + "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": protocol,
        }
        hosts: list[Json] = []
        if cluster.address is not None:
            hosts.append({"endpoint": {"address": _address(cluster.address)}})
        return {
            "name": name,
            "type": "STATIC",
            "connect_timeout": "1s",
            "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": hosts}]},
            "typed_extension_protocol_options": {
                "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": options
            },
            **self._limits(),
        }

    def _limits(self) -> dict[str, Json]:
        return {} if self.buffer_limit is None else {"per_connection_buffer_limit_bytes": self.buffer_limit}


def _address(address: Address) -> dict[str, Json]:
    host, port = address
    return {"socket_address": {"address": host, "port_value": port}}


def _filter(name: str, kind: str, config: dict[str, Json]) -> dict[str, Json]:
    return {"name": name, "typed_config": {"@type": _HTTP + kind, **config}}


def _wasm(plugin: Plugin) -> dict[str, Json]:
    config: dict[str, Json] = {
        "name": plugin.name,
        "root_id": plugin.root_id,
        "vm_config": _vm(plugin),
        "allow_on_headers_stop_iteration": plugin.stop_iteration_on_headers,
        **_fail_policy(plugin),
        **_restriction(plugin.allowed),
        **_bytes("configuration", plugin.config),
    }
    if plugin.network:
        kind = _TYPE + "envoy.extensions.filters.network.wasm.v3.Wasm"
        return {"name": plugin.name, "typed_config": {"@type": kind, "config": config}}
    return _filter(plugin.name, "wasm.v3.Wasm", {"config": config})


def _fail_policy(plugin: Plugin) -> dict[str, Json]:
    if plugin.fail_policy is FailPolicy.FAIL_OPEN_AT_ONCE:
        return {"fail_open": True}
    backoff: Json = {"backoff": {"base_interval": f"{plugin.reload_after_ms / 1000}s"}}
    return {
        "failure_policy": plugin.fail_policy.value,
        **({"reload_config": backoff} if plugin.fail_policy is FailPolicy.FAIL_RELOAD else {}),
    }


def _restriction(allowed: frozenset[str]) -> dict[str, Json]:
    names: Json = {name: {} for name in sorted(allowed)}
    return {"capability_restriction_config": {"allowed_capabilities": names}} if allowed else {}


def _vm(plugin: Plugin) -> dict[str, Json]:
    env: dict[str, Json] = dict(plugin.env)
    return {
        "runtime": "envoy.wasm.runtime.v8",
        "vm_id": plugin.vm_id,
        "code": {"local": {"inline_bytes": base64.b64encode(plugin.wasm).decode()}},
        "environment_variables": {"key_values": env},
        **_bytes("configuration", plugin.vm_config),
    }


def _bytes(name: str, value: bytes) -> dict[str, Json]:
    if not value:
        return {}
    kind = _TYPE + "google.protobuf.BytesValue"
    return {name: {"@type": kind, "value": base64.b64encode(value).decode()}}


def _access_log(path: Path) -> dict[str, Json]:
    fields: dict[str, Json] = dict(ACCESS_LOG_FIELDS)
    kind = _TYPE + "envoy.extensions.access_loggers.file.v3.FileAccessLog"
    config: Json = {"@type": kind, "path": str(path), "log_format": {"json_format": fields}}
    return {"name": "envoy.access_loggers.file", "typed_config": config}


def _tap(tap: Tap) -> dict[str, Json]:
    details: dict[str, Json] = {
        "record_headers_received_time": True,
        "record_downstream_connection": True,
        "record_upstream_connection": True,
    }
    common: dict[str, Json] = {"common_config": _tapping(tap)}
    return _filter("envoy.filters.http.tap", "tap.v3.Tap", {**common, **(details if tap.details else {})})


def _tapping(tap: Tap) -> dict[str, Json]:
    if tap.folder is None:
        return {"admin_config": {"config_id": ADMIN_TAP}}
    sink: Json = {
        "format": tap.form.value,
        "file_per_tap": {"path_prefix": str(tap.folder.absolute() / "tap")},
    }
    output: Json = {
        "sinks": [sink],
        "max_buffered_rx_bytes": tap.limit,
        "max_buffered_tx_bytes": tap.limit,
        "streaming": tap.streamed,
    }
    return {"static_config": {"match": {"any_match": True}, "output_config": output}}


def _socket(taps: tuple[Tap, ...]) -> dict[str, Json]:
    """Plain sockets inside taps, one in the other."""
    kinds = _TYPE + "envoy.extensions.transport_sockets."
    socket: dict[str, Json] = {
        "name": "envoy.transport_sockets.raw_buffer",
        "typed_config": {"@type": kinds + "raw_buffer.v3.RawBuffer"},
    }
    for tap in taps:
        config: Json = {
            "@type": kinds + "tap.v3.Tap",
            "common_config": _tapping(tap),
            "transport_socket": socket,
        }
        socket = {"name": "envoy.transport_sockets.tap", "typed_config": config}
    return socket
