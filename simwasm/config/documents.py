"""The documents of a configuration: which reader takes which, and what they are together.

Rules: a list of Kubernetes (`kind: List`) is what is in it; a document that no reader knows is told; a configuration
that deploys no plugin is an error that says what would.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from simwasm.config import istio_envoy_filter as filters
from simwasm.config import istio_wasm_plugin as wasm
from simwasm.config.deployment import Deployment
from simwasm.config.envoy_config import read_envoy
from simwasm.config.envoy_shapes import shape_of
from simwasm.config.explained import NO_PLUGIN, explained
from simwasm.config.fields import envoy, kubernetes
from simwasm.config.istio_chain import chained
from simwasm.config.istio_resources import counting, kind_of, known_kind
from simwasm.config.tree import Node
from simwasm.errors import ConfigError


def deployed(documents: tuple[Node, ...], where: str, listener: str) -> Deployment:
    """What documents deploy together."""
    told: list[str] = []
    plugins, patches, of_envoy, others = [], [], [], []
    for node in counting(_each(documents), where, told):
        kind = known_kind(node)
        if kind == wasm.KIND:
            plugins.append(wasm.read_wasm_plugin(node, kubernetes(told)))
        elif kind == filters.KIND:
            patches.append(filters.read_envoy_filter(node, kubernetes(told)))
        elif shape_of(node) is not None:
            of_envoy.append(node)
        else:
            others.append(node)
    of_istio = chained(plugins, patches, told, listener)
    found = read_envoy(of_envoy, where, envoy(told), "" if patches and not of_envoy else listener)
    running = (*of_istio.plugins, *found.plugins)
    why = explained(others, not running)
    if not running:
        raise ConfigError("\n".join([f"{where}: {NO_PLUGIN}", *told, *why]))
    return Deployment(running, (*of_istio.clusters, *found.clusters), (*told, *why))


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
