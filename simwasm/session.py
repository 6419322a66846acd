"""A run: plugins in an engine, a proxy that wants things done, and whoever watches.

The only file that knows engine, host and observers. It performs the commands that the proxy yields: calls the guest,
asks the upstream, asks the clusters of callouts. The last two are functions that the caller gives.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any

from simwasm.engines.engine import Engine, Memory
from simwasm.engines.fuel import Fuel
from simwasm.engines.load import load
from simwasm.engines.memory import LinearMemory
from simwasm.errors import Trap
from simwasm.exchange import Exchange, Message, response
from simwasm.host.calls import bound
from simwasm.host.commands import Callback, Callout, Failure, Finished, Steps, Upstream
from simwasm.host.outcome import LogLine, Outcome
from simwasm.host.profile import ENVOY, Profile
from simwasm.host.proxy import Proxy
from simwasm.host.vm import Vm
from simwasm.link import Caller, Link, Wire, check
from simwasm.plugin import Plugin
from simwasm.trace.event import Observer
from simwasm.wasm.module import Kind
from simwasm.wasm.rewrite import Limits

Answer = Message | Failure
AskUpstream = Callable[[Exchange, Message], Answer]
AskCluster = Callable[[Callout], Answer]

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
        self.proxy = Proxy(clusters=clusters, profile=profile, now_ns=now_ns, on_log=on_log)
        self._engine = engine
        self._wire = Wire(observers) if observers else None
        self._ask_upstream = ask_upstream
        self._ask_cluster = ask_cluster
        self._limits = limits if fuel is None or fuel >= limits.slice else replace(limits, slice=fuel)
        self._budget = fuel
        self._callers: dict[Vm, dict[str, Caller]] = {}
        self._fuels: dict[Vm, Fuel] = {}
        self._plugins = tuple(plugins)

    def start(self) -> None:
        """Link and start every plugin; one that does not start is a `PluginError`."""
        for plugin in self._plugins:
            check(plugin)
        for plugin in self._plugins:
            self._instantiate(plugin)
        for _ in self._drive(self.proxy.start()):
            pass

    def _instantiate(self, plugin: Plugin) -> None:
        functions = [export.name for export in plugin.module.exports if export.kind is Kind.FUNCTION]
        vm = self.proxy.add(plugin, functions)
        link = Link(vm, bound(vm), self._wire)
        fuel = Fuel(self._budget, self._limits.slice)
        started: list[Memory] = []
        memory = LinearMemory(lambda: started[0].view() if started else memoryview(bytearray()))
        instance = load(self._engine, plugin.wasm, self._limits).start(link.imports(memory), fuel)
        started.append(instance.memory)
        self._callers[vm] = callers = link.callers(instance.exports)
        self._fuels[vm] = fuel
        fuel.renew()
        link.start(callers)

    def replay(self, exchanges: Iterable[Exchange], *, together: bool = False) -> Iterator[Outcome]:
        """Run exchanges and give what became of each."""
        return self._drive(self.proxy.run(exchanges, together=together))

    def stop(self) -> None:
        """Tell the plugins that the worker stops."""
        for _ in self._drive(self.proxy.stop()):
            pass

    def _drive(self, steps: Steps[None]) -> Iterator[Outcome]:
        """Perform what the proxy wants until it is done; give each outcome as it comes."""
        callers, fuels = self._callers, self._fuels
        send, throw = steps.send, steps.throw
        answer: Any = None
        try:
            while True:
                command = send(answer)
                while command.__class__ is Callback:
                    vm, function, args = command
                    fuels[vm].renew()
                    try:
                        answer = callers[vm][function](*args)
                    except Trap as trap:
                        command = throw(trap)
                    else:
                        command = send(answer)
                answer = None
                if isinstance(command, Finished):
                    yield command.outcome
                elif isinstance(command, Upstream):
                    answer = self._ask_upstream(command.exchange, command.request)
                elif isinstance(command, Callout):
                    answer = self._ask_cluster(command)
        except StopIteration:
            return

    def __enter__(self) -> Session:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.stop()
