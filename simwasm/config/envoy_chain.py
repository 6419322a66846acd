"""A chain of Envoy's filters: which of them are Wasm plugins, in their order, and which are others.

Rules, Envoy's: a filter says its type, whatever it is called; the HTTP filters of a connection manager stand where it
stands; one that is disabled is not run, and one whose configuration comes from elsewhere (ECDS) is looked for by name.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from simwasm.config.any_value import typed
from simwasm.config.deployment import Deployed
from simwasm.config.envoy_wasm import HTTP, NETWORK, read_wasm
from simwasm.config.fields import Fields, Reader, shown, wrong
from simwasm.config.tree import Node

MANAGER = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_FILTER = ("name", "typed_config", "config_discovery")
_HTTP_FILTER = (*_FILTER, "is_optional", "disabled")
_TERMINAL = frozenset(
    (
        MANAGER,
        "envoy.extensions.filters.http.router.v3.Router",
        "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
    )
)
"""Filters that end a chain."""
_OF_MANAGER = frozenset("@type stat_prefix statPrefix codec_type codecType http_filters httpFilters".split())
_OF_LISTENER = frozenset(
    "@type name address filter_chains filterChains default_filter_chain defaultFilterChain traffic_direction "
    "trafficDirection".split()
)
"""Fields that are looked at, or that mean nothing for a plugin."""
_MOST_NAMES = 12
_SHORT = "envoy.extensions.filters."


class Chain(NamedTuple):
    """A chain as it is written."""

    listener: str
    name: str
    network: tuple[Node, ...] = ()
    http: tuple[Node, ...] = ()
    around: Node | None = None
    """The listener."""

    @property
    def title(self) -> str:
        """What it is called in messages."""
        name = "/".join(shown(each) for each in (self.listener, self.name) if each)
        return f"listener {name}" if self.listener else name or "the filters"


class Read(NamedTuple):
    """What a chain has in it."""

    chain: Chain
    plugins: tuple[Deployed, ...]
    names: tuple[str, ...]
    """What the plugins' filters are called, by which routes know them."""
    others: tuple[str, ...]
    """The types of filters that are not simulated."""
    seen: tuple[Node, ...]
    """The typed configurations that were read."""
    ignored: tuple[str, ...]
    """What is not looked at of all that is around the filters."""
    told: tuple[str, ...]
    """What there is to tell of the filters."""


class Filter(NamedTuple):
    """One filter."""

    name: str
    type: str
    config: Node
    written: Node
    disabled: bool


def read_chain(chain: Chain, extensions: Mapping[str, Node], reader: Reader) -> Read:
    """The plugins of a chain and its other filters; what there is to tell waits until the chain is chosen."""
    reader, ignored = replace(reader, told=[]), replace(reader, told=[])
    if chain.around is not None:
        _tell_ignored(chain.around, "the listener", _OF_LISTENER, ignored)
    filters = tuple(_filters(chain, extensions, reader))
    _tell_order(filters, reader)
    found = [(each.name, _plugin(each, network, reader)) for each, network in filters]
    others = []
    for each, _ in filters:
        if each.type == MANAGER:
            _tell_ignored(each.config, "the HTTP connection manager", _OF_MANAGER, ignored)
        if not each.disabled and each.type not in (NETWORK, HTTP, *_TERMINAL):
            others.append(each.type.removeprefix(_SHORT))
    return Read(
        chain,
        tuple(plugin for _, plugin in found if plugin is not None),
        tuple(name for name, plugin in found if plugin is not None),
        tuple(dict.fromkeys(others)),
        tuple(each.written for each, _ in filters),
        tuple(ignored.told),
        tuple(reader.told),
    )


def _plugin(each: Filter, network: bool, reader: Reader) -> Deployed | None:
    """The plugin that a filter is; none for others."""
    if each.disabled:
        reader.tell(each.written, f"the filter {shown(each.name)} is disabled and left out")
        return None
    if each.type == (NETWORK if network else HTTP):
        return read_wasm(each.config, each.name, network, reader)
    if each.type in (NETWORK, HTTP):
        place, other = ("TCP connections", "HTTP") if network else ("HTTP", "TCP connections")
        wrong(each.config, f"{shown(each.name)} is a filter for {other} among those for {place}")
    if ".wasm." in each.type:
        wrong(each.config, f"{shown(each.type)} is no type of a filter today: a Wasm filter is a {HTTP}")
    return None


def _tell_order(filters: Iterable[tuple[Filter, bool]], reader: Reader) -> None:
    """Tell which filters are behind one that ends a chain."""
    ends: dict[bool, str] = {}
    for each, network in filters:
        if network in ends:
            reader.tell(each.written, behind_the_last(each.name, ends[network]))
        if each.type in _TERMINAL:
            ends[network] = each.name


def behind_the_last(name: str, last: str) -> str:
    """That a filter is where Envoy wants none."""
    return (
        f"the filter {shown(name)} stands behind {shown(last)}, which has to be the last: Envoy refuses this"
    )


def _filters(chain: Chain, extensions: Mapping[str, Node], reader: Reader) -> Iterator[tuple[Filter, bool]]:
    """The filters in their order, and whether each is for connections."""
    for node in chain.network:
        found = filter_of(node, _FILTER, extensions, reader)
        if found is None:
            continue
        yield found, True
        if found.type == MANAGER:
            for inner in http_filters(found.config, reader):
                yield from _http(inner, extensions, reader)
    for node in chain.http:
        yield from _http(node, extensions, reader)


def _tell_ignored(node: Node, what: str, matters: Collection[str], reader: Reader) -> None:
    """Tell which fields of a message are not looked at, in one line."""
    names = [name for name in node.entries or () if name not in matters]
    if names:
        shown_ones = ", ".join(map(shown, names[:_MOST_NAMES])) + (", …" if len(names) > _MOST_NAMES else "")
        reader.tell(node, f"{what}'s {shown_ones}: not looked at here")


def _http(node: Node, extensions: Mapping[str, Node], reader: Reader) -> Iterator[tuple[Filter, bool]]:
    found = filter_of(node, _HTTP_FILTER, extensions, reader)
    if found is not None:
        yield found, False


def http_filters(manager: Node, reader: Reader) -> list[Node]:
    """The HTTP filters of a connection manager."""
    return Fields(manager, "the HTTP connection manager", None, reader).items("http_filters")


def filter_of(
    node: Node, known: Collection[str], extensions: Mapping[str, Node], reader: Reader
) -> Filter | None:
    """A filter, if it runs and its configuration is there."""
    fields = Fields(node, "a filter", known, reader)
    name = fields.text("name")
    disabled = "disabled" in known and fields.flag("disabled")
    written = fields.get("typed_config") or _discovered(fields, name, extensions)
    if written is None and not fields.has("config_discovery"):
        reader.tell(
            node,
            f"the filter {shown(name)} has no `typed_config`, and is passed over: Envoy knows a filter by its type",
        )
    if written is None:
        return None
    found = typed(written, reader)
    return Filter(name, found.type, found.node, written, disabled)


def _discovered(fields: Fields, name: str, extensions: Mapping[str, Node]) -> Node | None:
    """The configuration of a filter that is found by its name."""
    source = fields.fields("config_discovery", "`config_discovery`", None)
    if source is None:
        return None
    found, default = extensions.get(name), source.get("default_config")
    is_wasm = any(each.endswith((HTTP, NETWORK)) for each in source.texts("type_urls"))
    if found is None and (is_wasm or default is None):
        what = "Wasm filter" if is_wasm else "filter"
        doing = "its default is run" if default is not None else "left out; a whole /config_dump has it, too"
        fields.reader.tell(
            fields.node, f"the {what} {shown(name)} is configured elsewhere (config_discovery): {doing}"
        )
    return found or default
