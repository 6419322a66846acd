"""Istio's EnvoyFilter: what its patches say, and what its validation refuses.

Rules: what a patch says of workloads, ports and versions is not looked at here; the filter that it stands beside is
known by today's name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from simwasm.config.fields import Fields, Reader, wrong
from simwasm.config.istio_wasm_plugin import ROOT_NAMESPACE
from simwasm.config.tree import Node, Place

KIND, GROUP, VERSION = "EnvoyFilter", "networking.istio.io", "v1alpha3"
_SPEC = ("workloadSelector", "targetRefs", "configPatches", "priority")
_PATCHED: dict[str, None] = dict.fromkeys(
    (
        *("LISTENER", "FILTER_CHAIN", "NETWORK_FILTER", "HTTP_FILTER", "ROUTE_CONFIGURATION", "VIRTUAL_HOST"),
        *("HTTP_ROUTE", "CLUSTER", "EXTENSION_CONFIG", "BOOTSTRAP", "LISTENER_FILTER"),
    )
)
FILTERS = ("NETWORK_FILTER", "HTTP_FILTER")
_OPERATIONS: dict[str, None] = dict.fromkeys(
    ("MERGE", "ADD", "REMOVE", "INSERT_BEFORE", "INSERT_AFTER", "INSERT_FIRST", "REPLACE")
)
_CONTEXTS = ("ANY", "SIDECAR_INBOUND", "SIDECAR_OUTBOUND", "GATEWAY", "WAYPOINT")
_LISTENER = ("portNumber", "portName", "name", "listenerFilter", "filterChain")
_CHAIN = ("name", "sni", "transportProtocol", "applicationProtocols", "destinationPort", "filter")
_MATCH = ("context", "proxy", "listener", "routeConfiguration", "cluster", "waypoint")
MANAGER_NAME, ROUTER = "envoy.filters.network.http_connection_manager", "envoy.filters.http.router"
_OLD_NAMES = {
    "envoy.http_connection_manager": MANAGER_NAME,
    "envoy.tcp_proxy": "envoy.filters.network.tcp_proxy",
    "envoy.router": ROUTER,
    **{
        f"envoy.{name}": f"envoy.filters.http.{name}"
        for name in ("cors", "fault", "ext_authz", "grpc_web", "lua")
    },
}


@dataclass(frozen=True)
class Patch:
    """One patch of one resource."""

    apply_to: str
    operation: str
    context: str
    version: str
    anchor: str
    """The filter that it stands beside, replaces or removes."""
    value: Node | None
    place: Place


class Ranked(NamedTuple):
    """A resource's patches, and what decides about its place among others."""

    rank: tuple[Any, ...]
    patches: tuple[Patch, ...]


def read_envoy_filter(node: Node, reader: Reader) -> Ranked:
    """The patches of one resource."""
    resource = Fields(node, f"an {KIND}", ("apiVersion", "kind", "metadata", "spec", "status"), reader)
    metadata = resource.fields("metadata", "metadata", None)
    spec = resource.fields("spec", f"an {KIND}'s spec", _SPEC)
    if spec is None:
        wrong(node, f"an {KIND} needs a `spec` with `configPatches`")
    if "filters" in (spec.node.entries or {}):
        reader.tell(
            spec.node,
            "`filters` is an old form that Istio reads no more: each is one of `configPatches` today",
        )
    for name in ("workloadSelector", "targetRefs"):
        if spec.has(name):
            reader.tell(
                spec.at(name),
                f"`{name}` is not looked at: simwasm runs the plugin on all traffic that it is given",
            )
    said = [
        metadata.text(name) if metadata is not None else ""
        for name in ("name", "namespace", "creationTimestamp")
    ]
    name, namespace, created = said
    priority = spec.whole("priority", -(1 << 31), (1 << 31) - 1) or 0
    rank = (priority, namespace != ROOT_NAMESPACE, created, f"{name}.{namespace or 'default'}")
    return Ranked(rank, tuple(_patch(each, reader) for each in spec.items("configPatches")))


def _patch(node: Node, reader: Reader) -> Patch:
    fields = Fields(node, "a patch", ("applyTo", "match", "patch"), reader)
    apply_to = _needed(fields, "applyTo", _PATCHED)
    patch = fields.fields("patch", "`patch`", ("operation", "value", "filterClass"))
    if patch is None:
        wrong(node, "`patch` is missing: it says what is put where")
    operation = _needed(patch, "operation", _OPERATIONS)
    if patch.has("filterClass"):
        reader.tell(
            patch.at("filterClass"),
            "`filterClass` does nothing in Istio: `match` and `operation` say the place",
        )
    value = patch.get("value")
    if value is None and operation != "REMOVE":
        wrong(patch.node, f"`value` is missing: {operation} needs one")
    match = fields.fields("match", "`match`", _MATCH)
    context = (
        match.one_of("context", dict(zip(_CONTEXTS, _CONTEXTS, strict=True)), "ANY")
        if match is not None
        else "ANY"
    )
    proxy = match.fields("proxy", "`proxy`", ("proxyVersion", "metadata")) if match is not None else None
    version = proxy.text("proxyVersion") if proxy is not None else ""
    if proxy is not None and proxy.has("metadata"):
        reader.tell(proxy.at("metadata"), "`metadata` of the proxy is not looked at: the patch is run")
    listener = match.fields("listener", "`listener`", _LISTENER) if match is not None else None
    anchor = _anchor(listener, apply_to) if listener is not None else ""
    return Patch(apply_to, operation, context, version, anchor, value, node.place)


def _needed(fields: Fields, name: str, known: Mapping[str, object]) -> str:
    if not fields.has(name):
        wrong(fields.node, f"`{name}` is missing; it is one of {', '.join(known)}")
    fields.one_of(name, known, None)
    return fields.text(name)


def _anchor(listener: Fields, apply_to: str) -> str:
    """The filter that a match names: the inner one for HTTP."""
    chain = listener.fields("filterChain", "`filterChain`", _CHAIN)
    outer = chain.fields("filter", "`filter`", ("name", "subFilter")) if chain is not None else None
    _tell_ignored(listener, "listener", _LISTENER[:-1])
    if chain is not None:
        _tell_ignored(chain, "filter chain", _CHAIN[:-1])
    if outer is None:
        return ""
    name = _today(outer.text("name"))
    if not name:
        wrong(outer.node, "`filter` has no `name` to match")
    inner = outer.fields("subFilter", "`subFilter`", ("name",))
    if inner is None:
        return name if apply_to == "NETWORK_FILTER" else ""
    if apply_to != "HTTP_FILTER":
        wrong(inner.node, "`subFilter` can be used with applyTo: HTTP_FILTER only")
    if name != MANAGER_NAME:
        wrong(outer.at("name"), f"`subFilter` needs the `filter` to be {MANAGER_NAME}")
    if not inner.text("name"):
        wrong(inner.node, "`subFilter` has no `name` to match")
    return _today(inner.text("name"))


def _tell_ignored(fields: Fields, what: str, names: Iterable[str]) -> None:
    for name in names:
        if fields.has(name):
            fields.reader.tell(
                fields.at(name),
                f"`{name}` of the {what} is not looked at: simwasm has one {what}, with all traffic",
            )


def _today(name: str) -> str:
    return _OLD_NAMES.get(name, name)
