"""A scenario through the simulated host, told as an `Account`."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from simwasm.abi.enums import LogLevel
from simwasm.abi.table import Side
from simwasm.conversation import Conversation
from simwasm.engines.engine import Engine
from simwasm.exchange import Exchange, Message
from simwasm.host.access_log import flags
from simwasm.host.clock import SECOND
from simwasm.host.outcome import LogLine, Outcome
from simwasm.host.ports import Answer, Callout, Failure, Heard, Piece, Service
from simwasm.host.profile import ENVOY
from simwasm.host.proxy import Proxy
from simwasm.host.vm import Vm
from simwasm.parity.account import (
    TICK,
    Account,
    Inside,
    Scenario,
    Seen,
    as_bytes,
    as_heard,
    growth,
    nobody_listens,
    nobody_there,
    on_wire,
    paced,
    taken,
)
from simwasm.parity.client import End
from simwasm.parity.log import Crossing, Direction, PluginLog, Record, plugin_logs
from simwasm.session import Session
from simwasm.trace.event import Entered, Event, Left
from simwasm.wasm.module import Kind, ValType

_MASKS = {ValType.I32: 0xFFFFFFFF, ValType.I64: 0xFFFFFFFFFFFFFFFF}
_LEVELS = {LogLevel.WARN: "warning"}
_THREAD = 0
_FOREVER = 3600 * SECOND


def simulate(scenario: Scenario, engine: Engine) -> Account:
    """Run a scenario and tell what everyone saw."""
    notes = _Notes(scenario)
    session = Session(
        scenario.plugins,
        engine=engine,
        observers=[notes.crossed],
        clusters=_clusters(scenario),
        ask_upstream=notes.ask_upstream,
        ask_cluster=notes.ask_cluster,
        profile=replace(
            ENVOY, buffer_limit=scenario.buffer_limit or ENVOY.buffer_limit, routes=scenario.routes
        ),
        now_ns=scenario.started_ns,
        on_log=notes.logged,
    )
    notes.vms = session.proxy.vms
    session.start()
    start = notes.inside()
    counters = _counters(session.proxy)
    exchanges = tuple(notes.seen(_play(session, exchange)) for exchange in scenario.exchanges)
    counted = growth(counters, _counters(session.proxy))
    session.stop()
    return Account(scenario.started_ns, start, exchanges, notes.inside(), counted)


def _counters(proxy: Proxy) -> dict[str, int]:
    """Counters and gauges by the names that Envoy's statistics have."""
    metrics = proxy.metrics.by_name.values()
    own = {f"wasmcustom.{metric.name}": metric.value for metric in metrics if not metric.samples}
    return own | proxy.metrics.events


def _clusters(scenario: Scenario) -> dict[str, bool]:
    """Every cluster, and whether it has a host."""
    asked = {name: script is not nobody_there for name, script in scenario.clusters.items()}
    return asked | dict.fromkeys(scenario.services, True)


def _play(session: Session, exchange: Exchange) -> Outcome:
    """Run one exchange, and whatever is still under way when it has ended."""
    (outcome,) = tuple(session.replay([exchange]))
    return outcome


class _Notes:
    """What happened since it was last asked about."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self.vms: list[Vm] = []
        self._modules: dict[str, dict[str, str]] = {}
        self._calls: list[Crossing] = []
        self._open: list[tuple[int, Entered]] = []
        self._logs: list[PluginLog] = []
        self._upstream: list[Message] = []
        self._callouts: list[tuple[str, Message]] = []
        self._heard: list[tuple[str, Heard]] = []

    def crossed(self, event: Event) -> None:
        """Note a call when it begins, and how it ended when it ends."""
        if isinstance(event, Entered):
            self._open.append((len(self._calls), event))
            if not self._ticking():
                self._calls.append(self._begun(event))
            return
        compared = not self._ticking()
        at, entered = self._open.pop()
        if compared:
            self._calls[at] = _ended(self._calls[at], entered, event)

    def _ticking(self) -> bool:
        """Whether the innermost call is inside a tick."""
        return any(entered.function.name == TICK for _, entered in self._open[:-1])

    def _begun(self, event: Entered) -> Crossing:
        function, depth = event.function, len(self._open) - 1
        words = zip(event.words, function.type.params, strict=True)
        plain = tuple(int(word) & _MASKS[kind] for word, kind in words)
        if function.side is Side.PLUGIN:
            return Crossing(Direction.TO_PLUGIN, "", function.name, plain, None, None, depth, _THREAD)
        module = self._modules_of(event.vm)[function.name]
        return Crossing(Direction.TO_HOST, module, function.name, plain, None, None, depth, _THREAD)

    def _modules_of(self, vm: str) -> dict[str, str]:
        """Under which module the plugin in a VM imports each function."""
        if vm not in self._modules:
            plugin = next(each.plugin for each in self.vms if each.name == vm)
            imports = plugin.module.imported(Kind.FUNCTION)
            self._modules[vm] = {item.name: item.module for item in imports}
        return self._modules[vm]

    def logged(self, line: LogLine) -> None:
        """Note a line, if a plugin wrote it."""
        if self._open and self._open[0][1].function.name == TICK:
            return
        level = _LEVELS.get(line.level, line.level.name.lower())
        self._logs += plugin_logs([Record(_THREAD, level, "wasm", line.text)])

    def ask_upstream(self, exchange: Exchange, request: Message) -> Answer:
        arrived = taken(on_wire(Message(request.headers) if exchange.early else request))
        if arrived is None:
            return Failure("timeout", _FOREVER)
        self._upstream.append(arrived)
        answer = self._scenario.upstream(exchange, request)
        return paced(answer) if isinstance(answer, Message) else answer

    def ask_cluster(self, callout: Callout) -> Answer | Service:
        service = self._scenario.services.get(callout.cluster)
        if service is not None:
            self._heard.append((callout.cluster, Heard(callout.request.headers)))
            return partial(self._hear, len(self._heard) - 1, service)
        script = self._scenario.clusters[callout.cluster]
        if script is not nobody_listens:
            self._callouts.append((callout.cluster, on_wire(callout.request)))
        answer = script(callout.request)
        return paced(answer) if isinstance(answer, Message) else answer

    def _hear(self, number: int, service: Service, heard: Heard) -> tuple[Piece, ...]:
        self._heard[number] = (self._heard[number][0], heard)
        return service(heard)

    def _called(self) -> tuple[tuple[str, Message], ...]:
        """What each cluster was asked since this was last called."""
        found = (*self._callouts, *((name, as_heard(heard)) for name, heard in self._heard))
        self._callouts.clear()
        self._heard.clear()
        return found

    def inside(self) -> Inside:
        """What happened in the plugin, once."""
        found = Inside(tuple(self._calls), tuple(self._logs))
        self._calls.clear()
        self._logs.clear()
        return found

    def seen(self, outcome: Outcome) -> Seen:
        """What everyone saw of the exchange that has ended."""
        if isinstance(outcome.exchange, Conversation):
            return self._talked(outcome)
        client, end = _got(outcome)
        logged = "" if end is End.TIMEOUT else f"{outcome.code} {flags(outcome)} {outcome.details}"
        asked, called = tuple(self._upstream), self._called()
        found = Seen(outcome.exchange, end, client, asked, called, self.inside(), logged)
        self._upstream.clear()
        return found

    def _talked(self, outcome: Outcome) -> Seen:
        """What everyone saw of a TCP connection."""
        hangs = bool(outcome.waiting)
        upstream = as_bytes(outcome.request.data if outcome.request is not None else None)
        client = as_bytes(outcome.response.data)[0] if outcome.response is not None and not hangs else None
        logged = "" if hangs else f"0 {flags(outcome)}"
        end = End.TIMEOUT if hangs else End.COMPLETE
        return Seen(outcome.exchange, end, client, upstream, self._called(), self.inside(), logged)


def _got(outcome: Outcome) -> tuple[Message | None, End]:
    """What the client got and how that ended."""
    if outcome.waiting:
        return None, End.TIMEOUT
    if outcome.response is None or outcome.reset:
        return outcome.response and on_wire(outcome.response), End.RESET
    whole = taken(on_wire(outcome.response), outcome.exchange.request.header(":method"))
    return whole, End.COMPLETE if whole is not None else End.TIMEOUT


def _ended(call: Crossing, entered: Entered, event: Event) -> Crossing:
    result, trap = None, None
    if isinstance(event, Left):
        kinds = entered.function.type.results
        result = int(event.result) & _MASKS[kinds[0]] if kinds else None
    else:
        trap = str(event.trap)  # type: ignore[union-attr]  # what is not left is trapped
    return replace(call, result=result, trap=trap)
