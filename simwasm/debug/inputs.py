"""Everything that decides a run: the same inputs give the same events, whenever and however often they run."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from simwasm.engines.find import engine
from simwasm.exchange import Exchange
from simwasm.host.faults import Fault
from simwasm.host.outcome import LogLine
from simwasm.host.ports import AskCluster, AskUpstream
from simwasm.host.profile import ENVOY, Profile
from simwasm.plugin import Plugin, digest_of
from simwasm.session import DEFAULT_FUEL, Between, Session, nobody, recorded
from simwasm.trace.event import Observer
from simwasm.trace.vm_names import plugin_of
from simwasm.wasm.rewrite import Limits


@dataclass(frozen=True, slots=True)
class Inputs:
    """Plugins, traffic, and the rules of the world around them."""

    plugins: tuple[Plugin, ...]
    exchanges: tuple[Exchange, ...] = ()
    engine: str | None = None
    """wasmer, wasmtime or python; None takes the best that loads."""
    clusters: Collection[str] = ()
    ask_upstream: AskUpstream = recorded
    ask_cluster: AskCluster = nobody
    profile: Profile = ENVOY
    limits: Limits = field(default_factory=Limits)
    fuel: int | None = DEFAULT_FUEL
    faults: tuple[Fault, ...] = ()
    workers: int = 1
    together: bool = False
    """Run exchanges by their recorded times instead of one after the other."""

    def session(
        self,
        *,
        observers: Sequence[Observer],
        between: Between,
        ask_upstream: AskUpstream | None = None,
        ask_cluster: AskCluster | None = None,
        on_log: Callable[[LogLine], None] | None = None,
    ) -> Session:
        """A session of these inputs, not started; somebody else may answer in the place of upstream and clusters."""
        return Session(
            self.plugins,
            engine=engine(self.engine),
            workers=self.workers,
            observers=observers,
            clusters=self.clusters,
            ask_upstream=ask_upstream or self.ask_upstream,
            ask_cluster=ask_cluster or self.ask_cluster,
            profile=self.profile,
            now_ns=self.now_ns,
            on_log=on_log,
            limits=self.limits,
            fuel=self.fuel,
            faults=self.faults,
            between=between,
        )

    def plugin_in(self, vm: str) -> Plugin | None:
        """The plugin whose code runs in a VM of that name; the first one where several share it."""
        found = plugin_of(vm, [plugin.name for plugin in self.plugins])
        return None if found is None else self.plugins[found]

    @property
    def sha256(self) -> str:
        """The digest of the plugin, or of the chain."""
        return digest_of(self.plugins)

    def since(self, before: Inputs) -> str:
        """What has become of the plugins, read again, in words."""
        if self.sha256 != before.sha256:
            return "was rebuilt"
        return "is the same as before" if self.plugins == before.plugins else "is configured otherwise"

    @property
    def now_ns(self) -> int:
        """When virtual time begins: with the first exchange."""
        return self.exchanges[0].started_ns if self.exchanges else 0
