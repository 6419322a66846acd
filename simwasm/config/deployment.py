"""What a configuration deploys: plugins in the order in which they run, and the clusters that they may call.

    found = read_deployment("wasmplugin.yaml")
    found.plugins[0].plugin(wasm)

A file holds documents of any kinds: each reader takes those that it knows (`istio_*`, `envoy_*`); what configures no
plugin is answered with what does. Rules: order is the proxy's, not the file's; what a reader ignores or does not know
is told with its place, and what the proxy or its control plane would refuse is an error.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from simwasm.config.tree import Node, Place, read_trees, trees_of
from simwasm.plugin import FailPolicy, Plugin

_NOWHERE = Place()


class ModuleAt(NamedTuple):
    """Where a module is; one of `url`, `path` and `inline` says it."""

    url: str = ""
    """An address: file://, oci://, http(s)://; without one of these an image."""
    path: str = ""
    """A file, from the folder of the configuration."""
    inline: bytes = b""
    sha256: str = ""
    pull: str = ""
    """`IfNotPresent` or `Always`, if somebody says so."""
    place: Place = _NOWHERE


class ClusterAt(NamedTuple):
    """A cluster that callouts can go to."""

    name: str
    addresses: tuple[str, ...] = ()
    """`host:port` of its endpoints."""
    http2: bool = False
    place: Place = _NOWHERE


@dataclass(frozen=True)
class Deployed:
    """One plugin, as its proxy is told about it; its module may be elsewhere."""

    name: str
    module: ModuleAt
    config: bytes = b""
    vm_config: bytes = b""
    root_id: str = ""
    vm_id: str = ""
    env: tuple[tuple[str, str], ...] = ()
    host_env: tuple[str, ...] = ()
    """Variables that the proxy's own environment decides about."""
    fail_policy: FailPolicy = FailPolicy.FAIL_CLOSED
    reload_after_ms: int = 1000
    stop_iteration_on_headers: bool = False
    allowed: frozenset[str] = frozenset()
    network: bool = False
    place: Place = _NOWHERE
    without: str = ""
    """What the proxy does if it cannot get the module."""

    def plugin(self, wasm: bytes, folder: Path | None = None, host: Mapping[str, str] = os.environ) -> Plugin:
        """The plugin, with its module and the environment of its proxy."""
        found = {name: host[name] for name in self.host_env if name in host}
        return Plugin(
            self.name,
            wasm,
            config=self.config,
            vm_config=self.vm_config,
            root_id=self.root_id,
            vm_id=self.vm_id,
            fail_policy=self.fail_policy,
            reload_after_ms=self.reload_after_ms,
            env={**dict(self.env), **found},
            stop_iteration_on_headers=self.stop_iteration_on_headers,
            allowed=self.allowed,
            network=self.network,
            folder=folder,
        )


@dataclass(frozen=True)
class Deployment:
    """What a configuration is, all in all."""

    plugins: tuple[Deployed, ...]
    """In the order in which they run."""
    clusters: tuple[ClusterAt, ...] = ()
    told: tuple[str, ...] = ()
    """What is ignored and why it does not matter here, and what is not known, each with its place."""


def read_deployment(path: str | Path, text: str | None = None, *, listener: str = "") -> Deployment:
    """What a file deploys; a text is read in place of the file's if it is given."""
    documents = read_trees(path) if text is None else trees_of(text, str(path))
    return deployment_of(documents, str(path), listener=listener)


def deployment_of(documents: Iterable[Node], where: str, *, listener: str = "") -> Deployment:
    """What documents deploy together."""
    from simwasm.config.documents import deployed  # which knows all readers, and they know the values here

    return deployed(tuple(documents), where, listener)
