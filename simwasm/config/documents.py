"""The documents of a configuration: which reader takes which, and what they are together.

Rules: a list of Kubernetes (`kind: List`) is what is in it; a document that no reader knows is told; a configuration
that deploys no plugin is an error that says what would.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from simwasm.config.deployment import Deployment
from simwasm.config.fields import Fields, kubernetes, shown
from simwasm.config.istio_wasm_plugin import GROUP, KIND, read_wasm_plugin
from simwasm.config.tree import Node
from simwasm.errors import ConfigError

_NO_PLUGIN = f"has no {KIND} in it (kind: {KIND}, apiVersion: {GROUP}/v1alpha1)"


def deployed(documents: tuple[Node, ...], where: str, listener: str) -> Deployment:
    """What documents deploy together."""
    told: list[str] = []
    ranked = []
    for node in _each(documents):
        kind, group = kind_of(node)
        if kind == KIND and group in ("", GROUP):
            ranked.append(read_wasm_plugin(node, kubernetes(told)))
        else:
            told.append(f"{node.place}: {shown(kind or 'this')} configures no plugin")
    if not ranked:
        raise ConfigError(f"{where}: {_NO_PLUGIN}")
    return Deployment(
        tuple(each.deployed for each in sorted(ranked, key=lambda each: each[:2])), (), tuple(told)
    )


def _each(documents: Iterable[Node]) -> Iterator[Node]:
    """The documents, and in place of lists what is in them."""
    waiting = list(reversed(tuple(documents)))
    while waiting:
        node = waiting.pop()
        items = (node.entries or {}).get("items")
        kind, _ = kind_of(node)
        if node.items is not None:
            waiting += reversed(node.items)
        elif kind.endswith("List") and items is not None and items.node.items is not None:
            waiting += reversed(items.node.items)
        else:
            yield node


def kind_of(node: Node) -> tuple[str, str]:
    """A resource's kind, and its group without the version."""
    entries = node.entries or {}
    kind, version = (entries[name].node.text if name in entries else "" for name in ("kind", "apiVersion"))
    return kind, version.rpartition("/")[0]


def metadata_of(node: Node, told: list[str]) -> Fields:
    """A resource's metadata; an empty one where there is none."""
    found = (node.entries or {}).get("metadata")
    return Fields(found.node if found else Node(node.place, entries={}), "metadata", None, kubernetes(told))
