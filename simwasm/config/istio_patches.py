"""Patches of EnvoyFilters, applied to a proxy's chain of filters as Istio's control plane applies them.

Rules, Istio's: resources are applied by priority, the smaller first, then those of the root namespace, the older, and
by name; patches in the order in which they are written. A filter is put before or after one that is there by name;
without a name INSERT_BEFORE is INSERT_FIRST, and INSERT_AFTER is ADD. Of contexts (inbound, outbound, gateway) one is
run, and of versions of the proxy the last one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

from simwasm.config.any_value import TYPE
from simwasm.config.deployment import ClusterAt, Deployed
from simwasm.config.envoy_chain import Chain, behind_the_last, read_chain
from simwasm.config.envoy_clusters import read_cluster
from simwasm.config.envoy_wasm import HTTP, NETWORK
from simwasm.config.fields import Fields, Reader, envoy_in_istio, shown
from simwasm.config.istio_envoy_filter import FILTERS, MANAGER_NAME, ROUTER, Patch, Ranked
from simwasm.config.tree import Entry, Node

_MOST_SHOWN = 60


class Slot(NamedTuple):
    """One filter of the chain: Istio's own by its name, a WasmPlugin, or what a patch has put there."""

    name: str
    plugin: Deployed | None = None
    node: Node | None = None


class Patched(NamedTuple):
    """What a proxy has after all patches."""

    plugins: tuple[Deployed, ...]
    clusters: tuple[ClusterAt, ...]


def patched(
    http: list[Slot], network: list[Slot], ranked: Iterable[Ranked], told: list[str], context: str
) -> Patched:
    """The chains after all patches, and the clusters that patches add."""
    reader = envoy_in_istio(told)
    patches = [patch for each in sorted(ranked, key=lambda each: each.rank) for patch in each.patches]
    patches = _of_one_version(_of_one_context(patches, told, context), told)
    extensions = _extensions(patches, reader)
    clusters = []
    for patch in patches:
        if patch.apply_to == "HTTP_FILTER":
            http = _applied(http, patch, ROUTER, told)
        elif patch.apply_to == "NETWORK_FILTER":
            network = _applied(network, patch, MANAGER_NAME, told)
        elif patch.apply_to == "CLUSTER" and patch.operation == "ADD" and patch.value is not None:
            clusters.append(read_cluster(patch.value, {}, reader))
        elif patch.apply_to != "EXTENSION_CONFIG":
            told.append(f"{patch.place}: a patch of {patch.apply_to} is no filter, and passed over")
    plugins = [*_plugins(network, True, extensions, reader), *_plugins(http, False, extensions, reader)]
    return Patched(tuple(plugins), tuple(clusters))


def _of_one_context(patches: list[Patch], told: list[str], wanted: str) -> list[Patch]:
    """Without those for other traffic: inbound, outbound and a gateway's are never one."""
    contexts = dict.fromkeys(
        each.context for each in patches if each.context != "ANY" and each.apply_to in FILTERS
    )
    chosen = wanted if wanted in contexts else next(iter(contexts), "ANY")
    if wanted and wanted not in contexts and patches:
        there = ", ".join(contexts) or "ANY alone"
        told.append(f"{patches[0].place}: no patch is for {shown(wanted)} (--listener): they are for {there}")
    for other in contexts:
        if other != chosen:
            place = next(each.place for each in patches if each.context == other)
            why = f"as those for {chosen} are run (--listener {other} runs them)"
            told.append(f"{place}: patches for {other} are left out, {why}")
    return [each for each in patches if each.context in ("ANY", chosen) or each.apply_to not in FILTERS]


def _of_one_version(patches: list[Patch], told: list[str]) -> list[Patch]:
    """Without those for other versions of the proxy: the last one that is named is taken for today's."""
    versions = list(dict.fromkeys(each.version for each in patches if each.version))
    for other in versions[:-1]:
        place = next(each.place for each in patches if each.version == other)
        told.append(
            f"{place}: patches for proxyVersion {shown(other)} are left out, as those for {shown(versions[-1])} are run"
        )
    for version in versions[-1:]:
        place = next(each.place for each in patches if each.version == version)
        told.append(
            f"{place}: proxyVersion {shown(version)} is not compared with any version: the patch is run"
        )
    return [each for each in patches if each.version in ("", *versions[-1:])]


def _extensions(patches: Iterable[Patch], reader: Reader) -> dict[str, Node]:
    """The configurations that filters find by their names."""
    found: dict[str, Node] = {}
    for patch in patches:
        if patch.apply_to == "EXTENSION_CONFIG" and patch.value is not None:
            if patch.operation != "ADD":
                reader.tell(
                    patch.place,
                    f"Istio only adds configurations of extensions: {patch.operation} does nothing",
                )
                continue
            extension = Fields(patch.value, "an extension's configuration", ("name", "typed_config"), reader)
            config = extension.get("typed_config")
            if config is not None:
                found[extension.text("name")] = config
    return found


def _applied(slots: list[Slot], patch: Patch, last: str, told: list[str]) -> list[Slot]:
    """A chain after a patch."""
    names = [slot.name for slot in slots]
    if patch.anchor and patch.anchor not in names and patch.operation != "ADD":
        told.append(
            f"{patch.place}: no filter {shown(patch.anchor)} is known here: {_INSTEAD[patch.operation]}"
        )
        if _INSTEAD[patch.operation] == _NOTHING:
            return slots
        patch = replace(patch, anchor=last, operation="INSERT_BEFORE")
    if patch.operation in _PUT and patch.value is not None:
        return _PUT[patch.operation](slots, _slot(patch.value), patch.anchor)
    if not patch.anchor:
        return slots
    if patch.operation == "REMOVE":
        return [slot for slot in slots if slot.name != patch.anchor]
    told.append(f"{patch.place}: MERGE into {shown(patch.anchor)} is not simulated, and passed over")
    return slots


_ENDS = frozenset((ROUTER, MANAGER_NAME, "envoy.filters.network.tcp_proxy"))
"""After these a chain has nothing."""
_LAST = "it is put before the last one"
_NOTHING = "the patch does nothing"
_INSTEAD = {
    **dict.fromkeys(("INSERT_BEFORE", "INSERT_AFTER", "INSERT_FIRST"), _LAST),
    **dict.fromkeys(("REPLACE", "REMOVE", "MERGE"), _NOTHING),
}


def _slot(value: Node) -> Slot:
    name = (value.entries or {}).get("name")
    return Slot(name.node.text[:_MOST_SHOWN] if name is not None else "", node=value)


def _before(slots: list[Slot], new: Slot, anchor: str) -> list[Slot]:
    at = next((at for at, slot in enumerate(slots) if slot.name == anchor), 0) if anchor else 0
    return [*slots[:at], new, *slots[at:]]


def _after(slots: list[Slot], new: Slot, anchor: str) -> list[Slot]:
    at = (
        next((at for at, slot in enumerate(slots) if slot.name == anchor), len(slots) - 1)
        if anchor
        else len(slots) - 1
    )
    return [*slots[: at + 1], new, *slots[at + 1 :]]


def _in_place(slots: list[Slot], new: Slot, anchor: str) -> list[Slot]:
    at = next((at for at, slot in enumerate(slots) if slot.name == anchor), None)
    return slots if at is None else [*slots[:at], new, *slots[at + 1 :]]


_PUT: dict[str, Callable[[list[Slot], Slot, str], list[Slot]]] = {
    "INSERT_BEFORE": _before,
    "INSERT_AFTER": _after,
    "INSERT_FIRST": lambda slots, new, anchor: [new, *slots],
    "ADD": lambda slots, new, anchor: [*slots, new],
    "REPLACE": _in_place,
}


def _plugins(
    slots: Iterable[Slot], network: bool, extensions: Mapping[str, Node], reader: Reader
) -> list[Deployed]:
    """The plugins of a chain; other filters of patches are told."""
    found: list[Deployed] = []
    end = ""
    for slot in slots:
        if slot.plugin is not None:
            found.append(slot.plugin)
        elif slot.node is None:
            end = slot.name if slot.name in _ENDS else end
        else:
            if end:
                reader.tell(slot.node, behind_the_last(slot.name, end))
            node = _of_today(slot.node, NETWORK if network else HTTP, reader)
            chain = Chain("", "", network=(node,)) if network else Chain("", "", http=(node,))
            read = read_chain(chain, extensions, reader)
            reader.told.extend(read.told)
            found += read.plugins
            if read.others:
                reader.tell(node, f"the filter {shown(slot.name)} is no Wasm, and passed over")
    return found


def _of_today(node: Node, kind: str, reader: Reader) -> Node:
    """A filter with `config`, as it was written before, with `typed_config` in its place."""
    entries = node.entries or {}
    config = entries.get("config")
    inner = (config.node.entries or {}) if config is not None else {}
    if config is None or "typed_config" in entries or "config" not in inner:
        return node
    reader.tell(
        config.place,
        f'`config` is not known to Envoy any more: write `typed_config` with "@type": type.googleapis.com/{kind}',
    )
    text = f"type.googleapis.com/{kind}"
    typed = {TYPE: Entry(config.place, Node(config.place, text, text, quoted=True)), **inner}
    kept = {name: entry for name, entry in entries.items() if name != "config"}
    return replace(
        node, entries={**kept, "typed_config": Entry(config.place, replace(config.node, entries=typed))}
    )
