"""Envoy's clusters: their names, where their endpoints are, and how they are spoken to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from simwasm.config.deployment import ClusterAt
from simwasm.config.fields import Fields, Reader, shown, wrong
from simwasm.config.tree import Node

_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_HTTP2 = "http2_protocol_options"
_MOST_ADDRESSES = 100


def read_cluster(node: Node, endpoints: Mapping[str, Node], reader: Reader) -> ClusterAt:
    """One cluster; endpoints that came on their own are found by its name."""
    cluster = Fields(node, "a cluster", None, reader)
    name = cluster.text("name")
    if not name:
        wrong(node, "the cluster's `name` is missing: a plugin calls it by its name")
    service = cluster.fields("eds_cluster_config", "`eds_cluster_config`", None)
    known = (service.text("service_name") if service is not None else "") or name
    assigned = cluster.get("load_assignment") or endpoints.get(known)
    found = tuple(addresses(assigned, reader)) if assigned is not None else ()
    return ClusterAt(name, found[:_MOST_ADDRESSES], _is_http2(cluster), node.place)


def addresses(assignment: Node, reader: Reader) -> Iterator[str]:
    """`host:port` of each endpoint."""
    for group in Fields(assignment, "`load_assignment`", None, reader).items("endpoints"):
        for node in Fields(group, "`endpoints`", None, reader).items("lb_endpoints"):
            endpoint = Fields(node, "`lb_endpoints`", None, reader).fields("endpoint", "`endpoint`", None)
            address = endpoint.fields("address", "`address`", None) if endpoint is not None else None
            socket = (
                address.fields("socket_address", "`socket_address`", None) if address is not None else None
            )
            if socket is not None:
                yield _address(socket)


def _address(socket: Fields) -> str:
    host, port = socket.text("address"), socket.whole("port_value", 0, 65535)
    if not host:
        wrong(socket.node, "`socket_address` has no `address`")
    return f"[{host}]:{port or 0}" if ":" in host else f"{host}:{port or 0}"


def _is_http2(cluster: Fields) -> bool:
    if cluster.has(_HTTP2):
        return True
    for name, entry in cluster.map("typed_extension_protocol_options"):
        if name == _OPTIONS:
            options = Fields(entry.node, shown(name), None, cluster.reader)
            explicit = options.fields("explicit_http_config", "`explicit_http_config`", None)
            return explicit is not None and explicit.has(_HTTP2)
    return False
