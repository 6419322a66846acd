"""What of Envoy's a document is: a bootstrap, a dump of its admin port, a listener, a cluster, or a filter alone.

Rules: a document is known by the names in it, since only some say their type; several make up one proxy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from simwasm.config.any_value import TYPE
from simwasm.config.envoy_chain import MANAGER, Chain
from simwasm.config.envoy_wasm import HTTP, NETWORK
from simwasm.config.fields import Fields, Reader
from simwasm.config.tree import Entry, Node

_EXTENSION = "envoy.config.core.v3.TypedExtensionConfig"


@dataclass
class Proxy:
    """The pieces of one proxy's configuration."""

    reader: Reader
    chains: list[Chain] = field(default_factory=list)
    clusters: list[Node] = field(default_factory=list)
    extensions: dict[str, Node] = field(default_factory=dict)
    """Configurations of filters that are found by the filters' names."""
    endpoints: dict[str, Node] = field(default_factory=dict)
    """Endpoints that came on their own, by their clusters' names."""
    bootstraps: list[Node] = field(default_factory=list)
    """What a dump has of the bootstrap, which matters if the dump has no listeners."""


Take = Callable[[Node, Proxy], None]


def shape_of(node: Node) -> Take | None:
    """How a document is taken; none if it is nothing of Envoy's."""
    names = frozenset(map(_snake, node.entries or ()))
    if not names or {"kind", "api_version"} <= names:
        return None
    kind = _type(node)
    if kind in _BY_TYPE:
        return _BY_TYPE[kind]
    return next((take for fits, take in _BY_NAMES if fits(node, names)), None)


def _type(node: Node) -> str:
    found = (node.entries or {}).get(TYPE)
    return found.node.text.rpartition("/")[2] if found is not None else ""


def _snake(name: str) -> str:
    """A field's name as protobuf has it: `vmConfig` is `vm_config`."""
    return "".join(f"_{each.lower()}" if each.isupper() else each for each in name)


def _inside(node: Node, name: str, proxy: Proxy) -> Node | None:
    return Fields(node, "the configuration", None, proxy.reader).get(name)


def _bootstrap(node: Node, proxy: Proxy) -> None:
    bootstrap = Fields(node, "the bootstrap", None, proxy.reader)
    if bootstrap.has("dynamic_resources"):
        at = bootstrap.at("dynamic_resources")
        proxy.reader.tell(
            at, "what a server configures (`dynamic_resources`) is not known here: /config_dump has it"
        )
    resources = bootstrap.fields("static_resources", "`static_resources`", None)
    if resources is not None:
        for each in resources.items("listeners"):
            _listener(each, proxy)
        proxy.clusters += resources.items("clusters")


def _listener(node: Node, proxy: Proxy) -> None:
    listener = Fields(node, "a listener", None, proxy.reader)
    name = listener.text("name") or _port(listener)
    default = listener.get("default_filter_chain")
    for each in (*listener.items("filter_chains"), *(() if default is None else (default,))):
        _filter_chain(each, proxy, name, node)


def _port(listener: Fields) -> str:
    """A name for a listener that has none."""
    address = listener.fields("address", "`address`", None)
    socket = address.fields("socket_address", "`socket_address`", None) if address is not None else None
    return (
        f"{socket.text('address')}_{socket.whole('port_value', 0, 65535) or 0}" if socket is not None else ""
    )


def _filter_chain(node: Node, proxy: Proxy, listener: str = "", around: Node | None = None) -> None:
    chain = Fields(node, "a filter chain", None, proxy.reader)
    proxy.chains.append(Chain(listener, chain.text("name"), tuple(chain.items("filters")), around=around))


def _manager(node: Node, proxy: Proxy) -> None:
    items = Fields(node, "the HTTP connection manager", None, proxy.reader).items("http_filters")
    _add_alone(proxy, http=tuple(items))


def _filter(node: Node, proxy: Proxy) -> None:
    config = _inside(node, "typed_config", proxy)
    kind = _wasm_type(config) if config is not None else ""
    if kind in (NETWORK, MANAGER):
        _add_alone(proxy, network=(node,))
    else:
        _add_alone(proxy, http=(node,))


def _add_alone(proxy: Proxy, network: tuple[Node, ...] = (), http: tuple[Node, ...] = ()) -> None:
    """Filters without a listener are one chain, as they follow each other."""
    before = next((each for each in proxy.chains if not each.listener and not each.name), None)
    if before is None:
        proxy.chains.append(Chain("", "", network, http))
    else:
        at = proxy.chains.index(before)
        proxy.chains[at] = before._replace(network=before.network + network, http=before.http + http)


def _wasm_type(node: Node) -> str:
    found = (node.entries or {}).get("type_url") or (node.entries or {}).get("typeUrl")
    return found.node.text.rpartition("/")[2] if found is not None else _type(node)


def _wasm(node: Node, proxy: Proxy) -> None:
    """A Wasm filter's configuration, as if it stood in a filter."""
    kind = _type(node) or HTTP
    typed = {
        TYPE: Entry(
            node.place,
            Node(node.place, f"type.googleapis.com/{kind}", f"type.googleapis.com/{kind}", quoted=True),
        )
    }
    whole = Node(node.place, entries={**typed, **(node.entries or {})})
    _filter(Node(node.place, entries={"typed_config": Entry(node.place, whole)}), proxy)


def _plugin(node: Node, proxy: Proxy) -> None:
    _wasm(Node(node.place, entries={"config": Entry(node.place, node)}), proxy)


def _extension(node: Node, proxy: Proxy) -> None:
    extension = Fields(node, "an extension's configuration", None, proxy.reader)
    config = extension.get("typed_config")
    if config is not None:
        proxy.extensions[extension.text("name")] = config


def _several(name: str) -> Take:
    def take(node: Node, proxy: Proxy) -> None:
        gather(Fields(node, f"`{name}`", None, proxy.reader).items(name), proxy)

    return take


def _dumped(lists: Iterable[str], path: tuple[str, ...], take: Take) -> Take:
    """Take what a dump of the admin port has in lists, at a path inside of each entry."""

    def taken(node: Node, proxy: Proxy) -> None:
        dump = Fields(node, "the dump", None, proxy.reader)
        for name in lists:
            for entry in dump.items(name):
                found: Node | None = entry
                for step in path if name.startswith("dynamic_listeners") else path[-1:]:
                    found = _inside(found, step, proxy) if found is not None else None
                if found is not None:
                    take(found, proxy)

    return taken


def _cluster(node: Node, proxy: Proxy) -> None:
    proxy.clusters.append(node)


def _endpoints(node: Node, proxy: Proxy) -> None:
    name = Fields(node, "endpoints", None, proxy.reader).text("cluster_name")
    proxy.endpoints[name] = node


def _dumped_bootstrap(node: Node, proxy: Proxy) -> None:
    """A bootstrap in a dump, whose listeners and clusters are dumped once more on their own."""
    found = _inside(node, "bootstrap", proxy)
    if found is not None:
        proxy.bootstraps.append(found)


def gather(nodes: Iterable[Node], proxy: Proxy) -> None:
    """Take what is Envoy's of several documents."""
    for node in nodes:
        take = shape_of(node)
        if take is not None:
            take(node, proxy)
    if not proxy.chains:
        while proxy.bootstraps:
            _bootstrap(proxy.bootstraps.pop(), proxy)


_ADMIN = "envoy.admin.v3."
_BY_TYPE: dict[str, Take] = {
    "envoy.config.bootstrap.v3.Bootstrap": _bootstrap,
    "envoy.config.listener.v3.Listener": _listener,
    "envoy.config.cluster.v3.Cluster": _cluster,
    "envoy.config.endpoint.v3.ClusterLoadAssignment": _endpoints,
    MANAGER: _manager,
    HTTP: _wasm,
    NETWORK: _wasm,
    _EXTENSION: _extension,
    f"{_ADMIN}BootstrapConfigDump": _dumped_bootstrap,
    f"{_ADMIN}ListenersConfigDump": _dumped(
        ("static_listeners", "dynamic_listeners"), ("active_state", "listener"), _listener
    ),
    f"{_ADMIN}ClustersConfigDump": _dumped(
        ("static_clusters", "dynamic_active_clusters"), ("cluster",), _cluster
    ),
    f"{_ADMIN}EcdsConfigDump": _dumped(("ecds_filters",), ("ecds_filter",), _extension),
    f"{_ADMIN}EndpointsConfigDump": _dumped(
        ("static_endpoint_configs", "dynamic_endpoint_configs"), ("endpoint_config",), _endpoints
    ),
}
_Fits = Callable[[Node, frozenset[str]], bool]


def _has(*wanted: str) -> _Fits:
    """Whether a document has one of these names."""
    return lambda node, names: any(name in names for name in wanted)


def _has_typed(name: str) -> _Fits:
    """Whether a document has a list of messages that say their types."""

    def fits(node: Node, names: frozenset[str]) -> bool:
        found = (node.entries or {}).get(name)
        items = (found.node.items if found is not None else None) or []
        return any(TYPE in (each.entries or {}) for each in items[:1])

    return fits


def _has_inside(name: str, wanted: str) -> _Fits:
    """Whether a document has a mapping with that name in it."""

    def fits(node: Node, names: frozenset[str]) -> bool:
        found = (node.entries or {}).get(name)
        return found is not None and wanted in map(_snake, found.node.entries or ())

    return fits


_BY_NAMES: tuple[tuple[_Fits, Take], ...] = (
    (_has_typed("configs"), _several("configs")),
    (_has_typed("resources"), _several("resources")),
    (_has("static_resources", "dynamic_resources", "bootstrap_extensions"), _bootstrap),
    (_has("filter_chains", "default_filter_chain"), _listener),
    (_has("http_filters"), _manager),
    (_has_inside("admin", "address"), _bootstrap),
    (_has("load_assignment", "eds_cluster_config", "lb_policy", "cluster_type", "connect_timeout"), _cluster),
    (_has("cluster_name"), _endpoints),
    (_has("typed_config", "config_discovery"), _filter),
    (_has("filters"), _filter_chain),
    (_has("vm_config"), _plugin),
    (_has_inside("config", "vm_config"), _wasm),
)
"""What documents are known by that do not say their type; the first that fits."""
