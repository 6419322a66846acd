"""Documents that configure no plugin: what each kind does, and what configures a plugin today.

Much that was written about Istio's plugins tells of fields that never were, or are no more: they are recognised by what
is in them, and answered by a WasmPlugin with the names and addresses that were meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from simwasm.config.fields import shown
from simwasm.config.tree import Entry, Node, Place
from simwasm.trace.text import printable

NO_PLUGIN = (
    "nothing in it configures a plugin: that is what a WasmPlugin does (apiVersion: extensions.istio.io/v1alpha1), an "
    "EnvoyFilter with a Wasm filter, or Envoy's own configuration with one"
)
_ROUTES = "routes requests, and cannot choose plugins: a WasmPlugin says by its selector where it runs"
_RUNS = "runs pods, and configures no plugin: a WasmPlugin selects them by their labels"
_KINDS: Mapping[str, str] = {
    "IstioOperator": "installs Istio, and configures no plugin",
    "VirtualService": _ROUTES,
    **dict.fromkeys(("HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute"), _ROUTES),
    "Gateway": "opens ports, and configures no plugin; a WasmPlugin can name it in `targetRefs` or select its pods",
    "ProxyConfig": "sets the proxy's threads and environment variables, which a plugin sees by `valueFrom: HOST`, and "
    "configures none",
    **dict.fromkeys(("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Pod"), _RUNS),
    "ConfigMap": "holds files, and configures no plugin; a configuration of Envoy in it has to be a file of its own",
    "Secret": "holds secrets; docker's own login is used here to fetch images",
    "Telemetry": "configures logs and metrics, and no plugin",
    "Kustomization": "is a recipe for configurations: `kubectl kustomize` makes them",
    "EnvoyExtensionPolicy": "is Envoy Gateway's, which is not read here: a WasmPlugin can say the same",
    "WasmPlugin": "is not Istio's (apiVersion: extensions.istio.io/v1alpha1), and not read here",
    **dict.fromkeys(
        ("TrafficExtension", "ExtensionFilter"), "is not read here: a WasmPlugin can say the same"
    ),
}
_OTHER = "configures no plugin"
_MOUNTS = "sidecar.istio.io/userVolume"
_META = "ISTIO_META_"
_LONGEST = 200
_MOST_KINDS = 10
_MEANT = frozenset(("name", "url"))
_NO_NAME = re.compile("[^a-z0-9]+")


class Remark(NamedTuple):
    """One field that does not do what somebody hoped."""

    place: Place
    text: str
    values: Mapping[str, str] = {}
    """What of it belongs into a WasmPlugin."""


def explained(nodes: Iterable[Node], alone: bool) -> list[str]:
    """What documents do that deploy nothing; if they are alone, what would deploy a plugin, with their values."""
    nodes = tuple(nodes)
    texts = [] if alone else _counted(nodes)
    values: dict[str, str] = {}
    for node in nodes:
        texts += [f"{node.place}: {_what(node)}"] if alone else []
        for remark in _remarks(node):
            texts += [f"{remark.place}: {remark.text}"] if remark.text else []
            values = {**remark.values, **values}
    if alone and not values.keys().isdisjoint(_MEANT):
        texts.append("What configures this plugin today:\n" + _example(values))
    return texts


def _counted(nodes: tuple[Node, ...]) -> list[str]:
    """Documents beside a plugin, in one line: there may be a whole application."""
    if not nodes:
        return []
    kinds = list(dict.fromkeys(_text(node, "kind") or "without a kind" for node in nodes))
    names = ", ".join(map(shown, kinds[:_MOST_KINDS])) + (", …" if len(kinds) > _MOST_KINDS else "")
    what = "another document configures" if len(nodes) == 1 else f"{len(nodes)} other documents configure"
    return [f"{nodes[0].place}: {what} no plugin: {names}"]


def _what(node: Node) -> str:
    if node.entries is None:
        return f"is {node.kind}, and no configuration"
    kind = _text(node, "kind")
    if not kind:
        return "has no `kind`, and is nothing of Envoy's that is known here: no plugin is in it"
    return f"{_article(kind)} {shown(kind)} {_KINDS.get(kind, _OTHER)}"


def _article(kind: str) -> str:
    return "an" if kind[:1] in "AEIOU" or kind.startswith("HTTP") else "a"


def _remarks(node: Node) -> Iterator[Remark]:
    mesh = _at(node, "spec", "meshConfig") or _at(node, "meshConfig") or node
    yield from _providers(mesh)
    yield from _metadata(_at(mesh, "defaultConfig", "proxyMetadata"))
    yield from _metadata(_at(node, "spec", "environmentVariables"))
    for route in _items(_at(node, "spec", "http")):
        yield from _route(route)
    yield from _annotations(_at(node, "metadata", "annotations"))
    yield from _annotations(_at(node, "spec", "template", "metadata", "annotations"))


def _providers(mesh: Node) -> Iterator[Remark]:
    """Providers of extensions, among which Wasm never was."""
    for provider in _items(_at(mesh, "extensionProviders")):
        wasm = _entry(provider, "wasm")
        if wasm is not None:
            values = {"name": _text(provider, "name"), "url": _text(wasm.node, "url")}
            yield Remark(
                wasm.place, "`extensionProviders` are for authorization, tracing and access logs: Istio knows no "
                "provider `wasm`, and loads no plugin by it", {name: value for name, value in values.items() if value}
            )  # fmt: skip


def _metadata(variables: Node | None) -> Iterator[Remark]:
    """Variables of the proxy that are thought to switch something on."""
    for name, entry in (variables.entries or {}).items() if variables is not None else ():
        if "wasm" in name.lower() and not name.startswith(_META):
            yield Remark(
                entry.place, f"{shown(name)} is a variable of the proxy's environment, which nothing looks at: Wasm "
                "needs not to be enabled"
            )  # fmt: skip


def _route(route: Node) -> Iterator[Remark]:
    wasm = _entry(route, "wasm")
    if wasm is not None:
        named = _text(wasm.node, "pluginName") or _text(wasm.node, "name")
        yield Remark(
            wasm.place, "a VirtualService has no field `wasm`: Kubernetes refuses it, or drops it",
            {"name": named} if named else {},
        )  # fmt: skip
    for part in ("request", "response"):
        for change in ("add", "set"):
            headers = _at(route, "headers", part, change)
            for name, entry in (headers.entries or {}).items() if headers is not None else ():
                if "wasm" in name.lower():
                    yield Remark(
                        entry.place, f"this adds a header {shown(name)} to each {part}, and does nothing else: no "
                        "plugin runs because of it", {"name": entry.node.text}
                    )  # fmt: skip
    service = _text(_at(_first(_at(route, "route")), "destination"), "host")
    if service:
        yield Remark(
            route.place, f"the pods behind {shown(service)} are selected by their labels", {"app": service}
        )


def _annotations(found: Node | None) -> Iterator[Remark]:
    for name, entry in (found.entries or {}).items() if found is not None else ():
        if name.startswith(_MOUNTS):
            yield Remark(
                entry.place, f"{shown(name)} brings files into the proxy: a WasmPlugin finds them by url: "
                "file:///path; here --module names the file"
            )  # fmt: skip


def _example(values: Mapping[str, str]) -> str:
    """A WasmPlugin with these values."""
    name, url, app = (
        printable(values.get(key, "")[:_LONGEST]).replace("\n", " ") for key in ("name", "url", "app")
    )
    name = _NO_NAME.sub("-", name.lower()).strip("-") or "my-plugin"
    url = f"file://{url}" if url.startswith("/") else url
    lines = [
        "  apiVersion: extensions.istio.io/v1alpha1",
        "  kind: WasmPlugin",
        "  metadata:",
        f"    name: {name}",
        "  spec:",
        *(
            ("    selector:", "      matchLabels:", f"        app: {app}  # the labels of the pods behind it")
            if app
            else ()
        ),
        f"    url: {url or 'oci://REGISTRY/NAME:TAG'}",
        "    pluginConfig: {}  # what the plugin gets, as JSON",
    ]
    return "\n".join(lines)


def _entry(node: Node | None, name: str) -> Entry | None:
    return (node.entries or {}).get(name) if node is not None else None


def _at(node: Node | None, *path: str) -> Node | None:
    """What is at a path, if it is there."""
    for name in path:
        found = _entry(node, name)
        node = found.node if found is not None else None
    return node


def _text(node: Node | None, name: str) -> str:
    found = _entry(node, name)
    return found.node.text if found is not None and found.node.is_scalar else ""


def _items(node: Node | None) -> list[Node]:
    return (node.items or []) if node is not None else []


def _first(node: Node | None) -> Node | None:
    return next(iter(_items(node)), None)
