"""Envoy's own configuration: the chain of filters that is meant, its plugins, and the clusters that they may call.

Rules: simwasm runs one chain, so of several with plugins one has to be chosen, unless all have the same plugins;
filters that are not Wasm are told, and so is Wasm that stands elsewhere (access loggers, sinks of statistics, services
of the proxy).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from simwasm.config.any_value import TYPE
from simwasm.config.deployment import Deployed, Deployment, ModuleAt
from simwasm.config.envoy_chain import Read, read_chain
from simwasm.config.envoy_clusters import read_cluster
from simwasm.config.envoy_shapes import Proxy, gather
from simwasm.config.envoy_wasm import HTTP, NETWORK
from simwasm.config.fields import Reader, shown
from simwasm.config.tree import Node, Place
from simwasm.errors import ConfigError

_ELSEWHERE = {
    "envoy.extensions.access_loggers.wasm.v3.WasmAccessLog": "an access logger",
    "envoy.extensions.stat_sinks.wasm.v3.Wasm": "a sink of statistics",
    "envoy.extensions.wasm.v3.WasmService": "a service of the proxy as a whole",
    HTTP: "a filter somewhere else",
    NETWORK: "a filter somewhere else",
}
_MOST_NAMES = 10
_MOST_TOLD = 20
_PER_ROUTE = frozenset(("typed_per_filter_config", "typedPerFilterConfig"))


def read_envoy(documents: Iterable[Node], where: str, reader: Reader, listener: str = "") -> Deployment:
    """What documents of Envoy's deploy."""
    documents = tuple(documents)
    proxy = Proxy(reader)
    gather(documents, proxy)
    found = [read_chain(each, proxy.extensions, reader) for each in proxy.chains]
    chosen = _chosen(found, where, reader, listener)
    if chosen is not None:
        reader.told.extend((*chosen.ignored, *chosen.told))
        _tell_others(chosen, reader)
        _tell_routes(documents, chosen, reader)
    else:
        reader.told.extend(list(dict.fromkeys(text for each in found for text in each.told))[:_MOST_TOLD])
    _tell_elsewhere(documents, found, reader)
    plugins = chosen.plugins if chosen is not None else ()
    clusters = tuple(read_cluster(each, proxy.endpoints, reader) for each in proxy.clusters)
    return Deployment(plugins, clusters, tuple(reader.told))


def _chosen(found: list[Read], where: str, reader: Reader, listener: str) -> Read | None:
    """The chain that is meant; none if no chain has a plugin."""
    if listener:
        named = [each for each in found if listener in (each.chain.listener, each.chain.name)]
        if not named:
            raise ConfigError(f"{where}: has no listener called {shown(listener)}; {_names(found)}")
        found = named
    found = [each for each in found if each.plugins]
    if not found:
        return None
    first, *rest = found
    others = [each for each in rest if _same(each) != _same(first)]
    if others:
        raise ConfigError(
            f"{where}: {len(others) + 1} chains of filters have plugins that differ: choose one by --listener NAME; "
            f"{_names(found)}"
        )
    if rest:
        reader.told.append(
            f"{where}: {first.chain.title} is run; {len(rest)} other chains have the same plugins"
        )
    return first


def _same(read: Read) -> tuple[Deployed, ...]:
    """What plugins are without where they are written."""
    nowhere = Place()
    return tuple(
        replace(each, place=nowhere, module=ModuleAt(*each.module[:-1], place=nowhere))
        for each in read.plugins
    )


def _names(found: Iterable[Read]) -> str:
    names = dict.fromkeys(name for each in found for name in (each.chain.listener, each.chain.name) if name)
    shown_ones = ", ".join(shown(name) for name in list(names)[:_MOST_NAMES])
    return (
        f"there are {shown_ones}{', …' if len(names) > _MOST_NAMES else ''}" if names else "none has a name"
    )


def _tell_others(read: Read, reader: Reader) -> None:
    if read.others:
        names = ", ".join(map(shown, read.others))
        node = (*read.chain.network, *read.chain.http)[0]
        reader.tell(node, f"{read.chain.title}: filters that are not simulated: {names}")


def _tell_routes(documents: Iterable[Node], read: Read, reader: Reader) -> None:
    """Tell of routes that switch a plugin off, or give it another configuration."""
    said: dict[str, list[Place]] = {name: [] for name in read.names}
    for node in _mappings(documents):
        for written in _PER_ROUTE & (node.entries or {}).keys():
            for name, entry in ((node.entries or {})[written].node.entries or {}).items():
                if name in said:
                    said[name].append(entry.place)
    for name, places in said.items():
        if places:
            reader.tell(
                places[0],
                f"routes say of the filter {shown(name)} what it does there ({len(places)} × "
                "`typed_per_filter_config`): not looked at, the plugin runs for every request",
            )


def _tell_elsewhere(documents: Iterable[Node], found: Iterable[Read], reader: Reader) -> None:
    """Tell of Wasm that is in no chain."""
    in_chains = {id(node) for each in found for node in each.seen}
    for node in _typed(documents):
        if id(node) in in_chains:
            continue
        kind = _type(node)
        if kind in _ELSEWHERE:
            reader.tell(node, f"{_ELSEWHERE[kind]} is written in Wasm here, which simwasm does not run")


def _typed(documents: Iterable[Node]) -> Iterator[Node]:
    """Every mapping that says its type."""
    return (node for node in _mappings(documents) if TYPE in (node.entries or {}))


def _mappings(documents: Iterable[Node]) -> Iterator[Node]:
    """Every mapping, in the order of the file."""
    waiting, seen = list(reversed(tuple(documents))), set[int]()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if node.entries is not None:
            yield node
            waiting += (entry.node for entry in reversed(node.entries.values()))
        waiting += reversed(node.items or [])


def _type(node: Node) -> str:
    entries = node.entries or {}
    found = entries.get("type_url") or entries.get("typeUrl") or entries[TYPE]
    return found.node.text.rpartition("/")[2]
