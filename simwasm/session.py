"""A run: plugins in an engine, the proxy that calls them, and whoever watches.

The only file that knows engine, host and observers. It starts a guest for every plugin and gives it to the proxy as a
table of functions; what answers for the upstream and for the clusters of callouts the caller brings along.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from types import TracebackType

from simwasm.engines.engine import Engine, Instance
from simwasm.engines.fuel import Fuel
from simwasm.engines.load import load
from simwasm.engines.memory import LinearMemory
from simwasm.exchange import Exchange, Message, response
from simwasm.host.calls import bound
from simwasm.host.outcome import LogLine, Outcome
from simwasm.host.ports import Answer, AskCluster, AskUpstream, Callout, Failure
from simwasm.host.profile import ENVOY, Profile
from simwasm.host.proxy import Proxy
from simwasm.host.vm import Vm
from simwasm.link import Link, Wire, check
from simwasm.plugin import Plugin
from simwasm.trace.event import Observer
from simwasm.wasm.rewrite import Limits

DEFAULT_FUEL = 1_000_000_000
"""Instructions that one callback may take before it counts as an endless loop."""


def recorded(exchange: Exchange, request: Message) -> Answer:
    """Answer as the recorded upstream did; 200 without a body where nothing is recorded."""
    return exchange.response if exchange.response is not None else response(200)


def nobody(callout: Callout) -> Answer:
    """Answer for a cluster that is known but has no script."""
    return Failure("connection refused: no answer is scripted")


class Session:
    """Plugins, started; exchanges run through them one after the other."""

    def __init__(
        self,
        plugins: Sequence[Plugin],
        *,
        engine: Engine,
        observers: Sequence[Observer] = (),
        clusters: Collection[str] = (),
        ask_upstream: AskUpstream = recorded,
        ask_cluster: AskCluster = nobody,
        profile: Profile = ENVOY,
        now_ns: int = 0,
        on_log: Callable[[LogLine], None] | None = None,
        limits: Limits = Limits(),  # noqa: B008  # it is frozen
        fuel: int | None = DEFAULT_FUEL,
    ) -> None:
        self.proxy = Proxy(
            ask_upstream=ask_upstream,
            ask_cluster=ask_cluster,
            clusters=clusters,
            profile=profile,
            now_ns=now_ns,
            on_log=on_log,
        )
        self._engine = engine
        self._wire = Wire(observers) if observers else None
        self._limits = limits if fuel is None or fuel >= limits.slice else replace(limits, slice=fuel)
        self._budget = fuel
        self._plugins = tuple(plugins)
        self._instances: list[Instance] = []

    def start(self) -> None:
        """Link and start every plugin; one that does not start is a `PluginError`."""
        for plugin in self._plugins:
            check(plugin)
        for plugin in self._plugins:
            self._instantiate(plugin)
        self.proxy.start()

    def _instantiate(self, plugin: Plugin) -> None:
        vm = self.proxy.add(plugin)
        link = Link(vm, bound(vm), self._wire)
        fuel = _FuelByCall(vm, self._budget, self._limits.slice)
        instances = self._instances
        place = len(instances)
        memory = LinearMemory(
            lambda: instances[place].memory.view() if place < len(instances) else _nothing()
        )
        instances.append(load(self._engine, plugin.wasm, self._limits).start(link.imports(memory), fuel))
        vm.guest = guest = link.callers(instances[place].exports)
        vm.calls += 1
        link.start(guest)

    def replay(self, exchanges: Iterable[Exchange], *, together: bool = False) -> Iterator[Outcome]:
        """Run exchanges and give what became of each."""
        return self.proxy.run(exchanges, together=together)

    def stop(self) -> None:
        """Tell the plugins that the worker stops."""
        self.proxy.stop()

    def close(self) -> None:
        """Let go of the guests; engines keep what they use out of the garbage collector's sight."""
        for instance in self._instances:
            instance.close()
        self._instances.clear()

    def __enter__(self) -> Session:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.stop()
        self.close()


class _FuelByCall(Fuel):
    """Fuel that is renewed with every callback; found out only when some is asked for, which is rare."""

    def __init__(self, vm: Vm, budget: int | None, slice: int) -> None:
        super().__init__(budget, slice)
        self._vm = vm
        self._call = 0

    def slice(self) -> int:
        if self._call != self._vm.calls:
            self._call = self._vm.calls
            self.renew()
        return super().slice()


def _nothing() -> memoryview:
    """The memory of a guest that has not started."""
    return memoryview(bytearray())
