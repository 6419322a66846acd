"""Everything that decides a run: the same inputs give the same events, whenever and however often they run."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from simwasm.exchange import Exchange
from simwasm.host.ports import AskCluster, AskUpstream
from simwasm.host.profile import ENVOY, Profile
from simwasm.plugin import Plugin
from simwasm.session import DEFAULT_FUEL, nobody, recorded
from simwasm.wasm.rewrite import Limits


@dataclass(frozen=True, slots=True)
class Inputs:
    """Plugins, traffic, and the rules of the world around them."""

    plugins: tuple[Plugin, ...]
    exchanges: tuple[Exchange, ...] = ()
    engine: str | None = None
    """wasmer or wasmtime; None takes the best that loads."""
    clusters: Collection[str] = ()
    ask_upstream: AskUpstream = recorded
    ask_cluster: AskCluster = nobody
    profile: Profile = ENVOY
    limits: Limits = field(default_factory=Limits)
    fuel: int | None = DEFAULT_FUEL
    together: bool = False
    """Run exchanges by their recorded times instead of one after the other."""

    @property
    def now_ns(self) -> int:
        """When virtual time begins: with the first exchange."""
        return self.exchanges[0].started_ns if self.exchanges else 0
