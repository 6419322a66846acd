"""A plugin's life in a test: its session, the streams that are open, and what has ended.

Rules: nothing is started before it has to be, so that servers and faults can be said first; time passes only while a
stream is waited for or where a test says so; what is due at this instant is done before the test goes on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

from simwasm.answers import Clusters
from simwasm.conversation import Conversation
from simwasm.engines.engine import Engine
from simwasm.errors import InputError, SimwasmError
from simwasm.exchange import Exchange
from simwasm.host.faults import Fault
from simwasm.host.outcome import LogLine
from simwasm.host.ports import Answer, AskCluster, Callout, Service
from simwasm.host.profile import ENVOY, Profile
from simwasm.host.stream import Stream
from simwasm.plugin import Plugin
from simwasm.recipe import Recipe
from simwasm.session import DEFAULT_FUEL, Session
from simwasm.testing import shared
from simwasm.testing.logs import Logs, line
from simwasm.testing.owners import Owners
from simwasm.testing.problems import Problems
from simwasm.testing.record import Record
from simwasm.testing.result import Result
from simwasm.testing.servers import Servers
from simwasm.testing.trace import Entry, Setting, Trace
from simwasm.trace.event import Observer
from simwasm.wasm.rewrite import Limits

if TYPE_CHECKING:
    from simwasm.testing.instead import Instead

STARTED_NS = 1_767_225_600_000_000_000
"""When virtual time begins: the first second of 2026."""

MOST_JOBS = 2_000_000
"""How many things may be done while time passes at a test's wish."""

_MISFITS = {
    True: "is loaded as a network filter, which requests never meet; connect() opens a connection",
    False: "is loaded for HTTP, and never meets connections; load_plugin(…, network=True) is for those",
}


@dataclass(frozen=True)
class Setup:
    """What a plugin, or a chain of several, is loaded with."""

    plugins: tuple[Plugin, ...]
    """In the order in which they run."""
    engine: Engine
    profile: Profile = ENVOY
    limits: Limits = field(default_factory=Limits)
    fuel: int | None = DEFAULT_FUEL
    workers: int = 1
    faults: tuple[Fault, ...] = ()
    clusters: Clusters = field(default_factory=lambda: Clusters({}))
    """Those that were given as options."""
    started_ns: int = STARTED_NS
    recipe: Recipe | None = None
    """What all this was read from."""

    @property
    def name(self) -> str:
        """The plugin's name, or those of all in the chain."""
        return ", ".join(plugin.name for plugin in self.plugins)

    @property
    def network(self) -> bool:
        """Whether connections pass here, not requests."""
        return self.plugins[0].network

    def vm_id(self, what: str) -> str:
        """The vm_id of the plugins, whose `what` is wanted."""
        found = {plugin.vm_id for plugin in self.plugins}
        if len(found) > 1:
            raise InputError(
                f"{what}: the plugins {self.name} have several vm_ids: load one by name=… to see its own"
            )
        return found.pop()


class Flow:
    """An exchange that was begun, and what became of it."""

    def __init__(self, exchange: Exchange, stream: Stream) -> None:
        self.exchange = exchange
        self.stream = stream
        self.result: Result | None = None
        """None while it has not ended."""


class Life:
    """What happens to one plugin."""

    def __init__(self, setup: Setup, observers: Collection[Observer] = ()) -> None:
        self.setup = setup
        self.faults = list(setup.faults)
        self.record = Record()
        self.owners = Owners(self.record)
        self.servers = Servers(setup.clusters)
        self.ended: list[Result] = []
        """What became of everything that has ended, in that order."""
        self.told: dict[tuple[str, ...], object] = {}
        """What is said of properties."""
        self.over = False
        self._observers = tuple(observers)
        self._instead: Instead | None = None
        self._session: Session | None = None
        self._failed: SimwasmError | None = None
        self._flows: list[Flow] = []

    @cached_property
    def problems(self) -> Problems:
        """What the lints say, if somebody asks."""
        return Problems(self)

    @property
    def started_ns(self) -> int:
        """When virtual time began."""
        return self.setup.started_ns

    def begin_at(self, started_ns: int) -> None:
        """Say when virtual time begins."""
        self.setup = replace(self.setup, started_ns=started_ns)

    def say_instead(self, function: str, answer: object, values: tuple[object, ...], nth: int) -> None:
        """Put something in the place of a call; there is none yet."""
        from simwasm.testing.instead import Instead  # for those who want that

        self._instead = self._instead or Instead(plugin.abi for plugin in self.setup.plugins)
        self._instead.say(function, answer, values, nth)

    def missed(self) -> Iterator[str]:
        """What a test has asked for, and what never happened."""
        done = None if self._session is None else self._session.proxy.faults
        for fault in self.faults if self._session is None else done.missed if done else ():
            yield f"the fault {fault.text}"
        for function in self._instead.waiting if self._instead else ():
            yield f"what is said instead of {function}"

    @property
    def begun(self) -> bool:
        """Whether the plugin was started."""
        return self._session is not None

    @property
    def session(self) -> Session:
        """The session, started."""
        if self._failed is not None:
            raise self._failed
        if self._session is None:
            self._session = self._start()
        return self._session

    def running(self) -> Session:
        """The session, if things can still happen."""
        if self.over:
            raise InputError("the plugin was closed, so nothing can happen any more; load it again")
        return self.session

    def _start(self) -> Session:
        setup, instead = self.setup, self._instead
        observers: list[Observer] = [self.record, *self._observers]
        session = Session(
            setup.plugins,
            engine=setup.engine,
            workers=setup.workers,
            observers=[instead.heard(observers)] if instead else observers,
            between=instead.between() if instead else None,
            clusters=self.servers.clusters,
            ask_upstream=self.servers.ask_upstream,
            ask_cluster=self.servers.ask_cluster,
            profile=setup.profile,
            now_ns=setup.started_ns,
            on_log=self.record.log,
            limits=setup.limits,
            fuel=setup.fuel,
            faults=self.faults,
            programs=shared.program,
            told=self.told,
        )
        self.record.of(session)
        session.proxy.ask_cluster = partial(_noted, self.record, session.proxy.ask_cluster)
        self._session = session
        try:
            session.start()
        except SimwasmError as error:
            self._failed, self._session = error, None
            session.close()
            raise
        return session

    def close(self) -> None:
        """End it; the plugin is told, if it was ever started."""
        if self.over:
            return
        self.over = True
        if self._session is not None:
            try:
                self._session.stop()
            finally:
                self._session.close()

    # What happens.

    def open(self, exchange: Exchange, *, live: bool = False) -> Flow:
        """Begin an exchange when it is due; a live one is said piece by piece."""
        network = self.setup.network
        if isinstance(exchange, Conversation) is not network:
            raise InputError(f"{self.setup.name} {_MISFITS[network]}")
        flow = Flow(exchange, self.running().proxy.open(exchange, live=live))
        self._flows.append(flow)
        return flow

    def wait(self, flows: Iterable[Flow]) -> None:
        """Have things happen until these have ended, and what is due by then."""
        self._until_ended(flows)
        self.settle()

    def _until_ended(self, flows: Iterable[Flow]) -> None:
        proxy = self.running().proxy
        waiting = list(flows)
        while waiting:
            if waiting[-1].result is not None:
                waiting.pop()
            elif proxy.step():
                self._collect()
            else:
                return

    def replay(self, exchanges: Sequence[Exchange], *, together: bool) -> list[Result]:
        """Have exchanges happen as a session does: one after the other, or all of them by their times."""
        flows: list[Flow] = []
        for group in [exchanges] if together else [[each] for each in exchanges]:
            begun = [self.open(exchange) for exchange in group]
            self._until_ended(begun)
            flows += begun
        self.settle()
        return [flow.result for flow in flows if flow.result is not None]

    def advance(self, nanoseconds: int) -> None:
        """Do what is due until then, and leave the clock there."""
        proxy = self.running().proxy
        at = proxy.clock.now + nanoseconds
        for _ in range(MOST_JOBS):
            busy = proxy.step_until(at)
            self._collect()
            if not busy:
                return
        raise InputError(
            f"advance: {MOST_JOBS:,} things were done and more are due by then, since a tick comes often: "
            "let less time pass at once"
        )

    def settle(self) -> None:
        """Do what is due at this instant."""
        proxy = self.running().proxy
        while not proxy.clock.waits() and proxy.step():
            self._collect()
        self._collect()

    def _collect(self) -> None:
        for outcome in self.session.proxy.ended_now():
            self.record.finished(outcome)
            for flow in self._flows:
                if flow.exchange is outcome.exchange:
                    flow.result = Result(self, flow.stream, outcome)
                    self.ended.append(flow.result)
                    self._flows.remove(flow)
                    break

    # What is made of it.

    def logs(self, lines: Iterable[LogLine]) -> Logs:
        """Lines for a test."""
        return Logs(line(each, self.started_ns) for each in lines)

    def trace(self, entries: list[Entry]) -> Trace:
        """Entries for a test."""
        setup = self.setup
        setting = Setting(setup.plugins, setup.profile, setup.started_ns, setup.engine.name)
        return Trace(entries, setting, lambda: Trace(self.record.entries(), setting))


def _noted(record: Record, ask: AskCluster, callout: Callout) -> Answer | Service:
    """Note what a cluster answers, or a fault in its place."""
    found = ask(callout)
    record.asks(callout, found)
    return found
