"""Whose rules the host plays by: a named, versioned set of settings that every trace records."""

from __future__ import annotations

from dataclasses import dataclass

from simwasm.abi.enums import LogLevel
from simwasm.host.clock import SECOND


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
    cluster: str = "upstream"
    route: str = "default"
    seed: int = 0


ENVOY = Profile()
