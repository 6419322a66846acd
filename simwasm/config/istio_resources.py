"""Istio's resources among the documents of a configuration: which are of those that make plugins, and which count.

Rules: of resources with the same name the last one counts, as when they are applied; a version that Kubernetes does
not have of them is told; a proxy has the plugins of its own namespace and of the root namespace, so more are told.
"""

from __future__ import annotations

from collections.abc import Iterable

from simwasm.config import istio_envoy_filter as filters
from simwasm.config import istio_wasm_plugin as wasm
from simwasm.config.fields import shown
from simwasm.config.tree import Node

_VERSIONS = {wasm.KIND: (wasm.GROUP, wasm.VERSION), filters.KIND: (filters.GROUP, filters.VERSION)}
_MOST_NAMES = 10


def kind_of(node: Node) -> tuple[str, str]:
    """A resource's kind, and its group without the version."""
    entries = node.entries or {}
    kind, version = (entries[name].node.text if name in entries else "" for name in ("kind", "apiVersion"))
    return kind, version.rpartition("/")[0]


def known_kind(node: Node) -> str:
    """The kind of a resource that makes plugins; nothing for all else."""
    kind, group = kind_of(node)
    return kind if kind in _VERSIONS and group in ("", _VERSIONS[kind][0]) else ""


def counting(documents: Iterable[Node], where: str, told: list[str]) -> list[Node]:
    """The documents without the resources that others replace."""
    documents = tuple(documents)
    resources = [(node, known_kind(node), *_named(node)) for node in documents if known_kind(node)]
    last = {(kind, namespace, name): node for node, kind, namespace, name in resources}
    replaced = set[int]()
    for node, kind, namespace, name in resources:
        _tell_version(node, kind, told)
        by = last[kind, namespace, name]
        if name and by is not node:
            replaced.add(id(node))
            told.append(
                f"{node.place}: the {kind} {shown(name)} is left out: what is at {by.place} has its name, and "
                "replaces it"
            )
    _tell_namespaces({namespace for _, _, namespace, _ in resources}, where, told)
    return [node for node in documents if id(node) not in replaced]


def _named(node: Node) -> tuple[str, str]:
    """A resource's namespace and name."""
    metadata = (node.entries or {}).get("metadata")
    found = (metadata.node.entries or {}) if metadata is not None else {}
    namespace, name = (found[each].node.text if each in found else "" for each in ("namespace", "name"))
    return namespace, name


def _tell_version(node: Node, kind: str, told: list[str]) -> None:
    """Tell of a resource that Kubernetes does not know like this."""
    wanted = "/".join(_VERSIONS[kind])
    version = (node.entries or {}).get("apiVersion")
    if version is None:
        told.append(
            f"{node.place}: `apiVersion: {wanted}` is missing: Kubernetes refuses a {kind} without it"
        )
    elif version.node.text != wanted:
        told.append(
            f"{version.place}: Kubernetes has no {kind} of {shown(version.node.text)}: write `apiVersion: {wanted}`"
        )


def _tell_namespaces(found: set[str], where: str, told: list[str]) -> None:
    """Tell of plugins that no proxy has together."""
    apart = sorted(found - {"", wasm.ROOT_NAMESPACE})
    if len(apart) > 1:
        names = ", ".join(map(shown, apart[:_MOST_NAMES])) + (", …" if len(apart) > _MOST_NAMES else "")
        told.append(
            f"{where}: plugins of the namespaces {names} run as one chain here; in the cluster a proxy has those of "
            f"its own namespace and of {wasm.ROOT_NAMESPACE}: --name chooses one plugin"
        )
