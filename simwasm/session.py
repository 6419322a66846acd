"""A run: plugins in an engine, the proxy that calls them, and whoever watches.

The only file that knows engine, host and observers. It starts a guest for every plugin and gives it to the proxy as a
table of functions; what answers for the upstream and for the clusters of callouts the caller brings along.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Protocol

from simwasm.abi.codec import Gate
from simwasm.abi.table import ALLOCATORS
from simwasm.engines.engine import Engine, Instance, Program
from simwasm.engines.fuel import Fuel, FuelState
from simwasm.engines.load import load
from simwasm.engines.memory import LinearMemory
from simwasm.engines.unwind import unwinding
from simwasm.errors import Trap
from simwasm.exchange import Exchange, Message, response
from simwasm.host.calls import bound
from simwasm.host.dns import knows_nobody
from simwasm.host.faults import Fault, Faults
from simwasm.host.outcome import LogLine, Outcome
from simwasm.host.ports import Answer, AskCluster, AskUpstream, Callout, Failure, Guest, Resolve
from simwasm.host.profile import ENVOY, Profile
from simwasm.host.proxy import AHEAD, Proxy, Told
from simwasm.host.vm import Vm
from simwasm.link import Handlers, Link, Wire, check
from simwasm.plugin import Plugin
from simwasm.trace.event import Observer
from simwasm.wasm.rewrite import FUEL, Limits

Programs = Callable[[Engine, bytes, Limits], Program]
"""Where compiled modules come from."""

DEFAULT_FUEL = 1_000_000_000
"""Instructions that one callback may take before it counts as an endless loop."""


def recorded(exchange: Exchange, request: Message) -> Answer:
    """Answer as the recorded upstream did; 200 without a body where nothing is recorded."""
    return exchange.response if exchange.response is not None else response(200)


def nobody(callout: Callout) -> Answer:
    """Answer for a cluster that is known but has no script."""
    return Failure("connection refused: no answer is scripted")


class Between(Protocol):
    """Who stands between guests and host and may answer in the place of either."""

    def handlers(self, handlers: Handlers) -> Handlers:
        """Functions to call in place of those that answer host calls."""
        ...

    def guest(self, guest: Guest, vm: Vm, /) -> Guest:
        """Functions to call in place of the callbacks of a VM's guest."""
        ...

    def fuelled(self, number: int, fuel: Fuel, /) -> None:
        """The VM of that number, from 0, is about to start with this fuel."""
        ...


class Started:
    """A VM that was started: what the host knows of it, its fuel and its instance."""

    def __init__(self, vm: Vm, fuel: Fuel) -> None:
        self.vm = vm
        self.fuel = fuel
        self.instance: Instance | None = None
        self.twin: Twin | None = None
        """The same VM in another engine, if somebody wanted that."""

    def close(self) -> None:
        """Let go of the instance; engines keep what they use out of the garbage collector's sight."""
        if self.instance is not None:
            self.instance.close()
            self.instance = None
        if self.twin is not None:
            self.twin.close()
            self.twin = None

    def burnt(self) -> int:
        """The fuel burnt so far; none while the instance is being made."""
        left = None if self.instance is None else self.instance.get_global(FUEL)
        return self.fuel.burnt(left) if isinstance(left, int) else 0

    def look(self) -> memoryview:
        """The memory as it is now; none while the instance is being made."""
        return memoryview(bytearray()) if self.instance is None else self.instance.memory.view()


class Twin(Started):
    """A VM's guest in another engine than the run's: to take the other's place for a callback.

    It has the VM and the fuel of the other one. Its state is that of a guest of which only `start` ran.
    """

    def __init__(self, started: Started) -> None:
        super().__init__(started.vm, started.fuel)
        self.gate: Gate | None = None
        """The gate of its host functions."""
        self.calls: Guest = {}
        """Its callbacks, with nobody in between."""
        self.guest: Guest = {}
        """Its callbacks, as the VM calls them."""


class Session:
    """Plugins, started; exchanges run through them one after the other."""

    def __init__(
        self,
        plugins: Sequence[Plugin],
        *,
        engine: Engine,
        workers: int = 1,
        observers: Sequence[Observer] = (),
        clusters: Collection[str] = (),
        ask_upstream: AskUpstream = recorded,
        ask_cluster: AskCluster = nobody,
        resolve: Resolve = knows_nobody,
        profile: Profile = ENVOY,
        now_ns: int = 0,
        on_log: Callable[[LogLine], None] | None = None,
        limits: Limits = Limits(),  # noqa: B008  # it is frozen
        fuel: int | None = DEFAULT_FUEL,
        faults: Sequence[Fault] = (),
        between: Between | None = None,
        programs: Programs = load,
        told: Told | None = None,
    ) -> None:
        self.proxy = Proxy(
            plugins,
            guests=self,
            workers=workers,
            ask_upstream=ask_upstream,
            ask_cluster=ask_cluster,
            resolve=resolve,
            clusters=clusters,
            profile=profile,
            now_ns=now_ns,
            on_log=on_log,
            faults=Faults(faults) if faults else None,
            told=told,
        )
        self.wire = Wire(observers) if observers else None
        self.started: list[Started] = []
        """The VMs, in the order in which they were made; without an instance once they are not used any more."""
        self._between = between
        self._programs = programs
        self._engine = engine
        self._limits = limits if fuel is None or fuel >= limits.slice else replace(limits, slice=fuel)
        self._budget = fuel

    def start(self) -> None:
        """Link and start every plugin; one that does not start is a `PluginError`."""
        for plugin in self.proxy.plugins:
            check(plugin)
        self.proxy.start()

    def load(self, vm: Vm) -> None:
        """Start a VM's guest."""
        fuel = _FuelByCall(vm, self._budget, self._limits.slice)
        if self._between:
            self._between.fuelled(len(self.started), fuel)
        started = Started(vm, fuel)
        self.started.append(started)
        link = self.linked(started)
        vm.calls += 1
        link.start(vm.guest)

    def unload(self, vm: Vm) -> None:
        """Let go of a VM's guest; who was started keeps its number."""
        for started in self.started:
            if started.vm is vm:
                started.close()

    def linked(self, started: Started) -> Link:
        """Load a plugin's module and tie it to its VM, in place of the instance that was there."""
        vm, between = started.vm, self._between
        started.close()
        link, guest = self._joined(started, self._engine)
        vm.guest = between.guest(guest, vm) if between else guest
        return link

    def twin(self, started: Started, engine: Engine) -> Twin:
        """Load the module of a VM in another engine too; the VM goes on as it is."""
        vm, fuel, gate = started.vm, started.fuel.state(), started.vm.gate
        made = Twin(started)
        try:
            _, made.calls = self._joined(made, engine)
            made.guest = self._between.guest(made.calls, vm) if self._between else made.calls
            made.gate = vm.gate
        finally:
            vm.gate = gate
            started.fuel.restore(fuel)
        return made

    def _joined(self, started: Started, engine: Engine) -> tuple[Link, Guest]:
        """Load a module and join it to the host; what to start it with, and its callbacks."""
        vm, between = started.vm, self._between
        handlers: Handlers = bound(vm)
        faults = self.proxy.faults
        if faults is not None:
            handlers = faults.handlers(handlers)
        link = Link(vm, between.handlers(handlers) if between else handlers, self.wire)
        memory = LinearMemory(started.look)
        program = self._programs(engine, vm.plugin.wasm, self._limits)
        imports = link.imports(memory)
        try:
            started.instance = program.start(unwinding(imports) if between else imports, started.fuel)
        except Trap as trap:
            raise trap.during("Failed to create new Wasm instance") from trap
        started.instance.memory.follow(memory.renew)
        exports = started.instance.exports
        return link, link.callers(exports if faults is None else faults.exports(exports, ALLOCATORS))

    def burnt(self, vm: str) -> int:
        """The fuel that a VM has burnt since it was started, by its name; none while it is being made."""
        return next((it.burnt() for it in reversed(self.started) if it.vm.name == vm), 0)

    def replay(
        self, exchanges: Iterable[Exchange], *, together: bool = False, ahead: int = AHEAD
    ) -> Iterator[Outcome]:
        """Run exchanges and give what became of each; together, so many are read before they are due."""
        return self.proxy.run(exchanges, together=together, ahead=ahead)

    def stop(self) -> None:
        """Tell the plugins that the worker stops."""
        self.proxy.stop()

    def close(self) -> None:
        """Let go of the guests."""
        for started in self.started:
            started.close()
        self.started.clear()

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

    def state(self) -> FuelState:
        return (*super().state(), self._call)

    def restore(self, state: FuelState) -> None:
        super().restore(state[:-1])
        self._call = state[-1]
