"""Whose rules the host plays by: a named, versioned set of settings that every trace records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from simwasm.abi.enums import LogLevel
from simwasm.host.clock import SECOND
from simwasm.host.routes import Route


@dataclass(frozen=True, slots=True)
class Profile:
    """Envoy's defaults, where a plugin can tell."""

    name: str = "envoy"
    version: str = "1.40"
    log_level: LogLevel = LogLevel.TRACE
    buffer_limit: int = 1 << 20
    """`per_connection_buffer_limit_bytes`"""
    route_timeout_ns: int = 15 * SECOND
    idle_timeout_ns: int = 300 * SECOND
    routes: tuple[Route, ...] = (Route("/", "default", "upstream"),)
    """In the order in which they are tried."""
    virtual_host: str = "all"
    upstream: str = "127.0.0.1:50001"
    """The address of the upstream's one endpoint."""
    upstream_local: str = "127.0.0.1:50002"
    """The proxy's own end of the connection to it."""
    direction: int = 0
    """The listener's: 1 is inbound, 2 outbound."""
    node_id: str = ""
    node_cluster: str = ""
    node_metadata: Mapping[str, Any] = field(default_factory=dict)
    """What the proxy tells of itself in `xds.node`."""
    seed: int = 0


ENVOY = Profile()
