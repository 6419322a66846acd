"""The proxy: workers with plugins in their VMs, exchanges through them, and the time in which it happens.

Everything that could differ between two runs enters here as an argument: plugins, exchanges, seed, the start of time,
and what answers for guests, upstream and clusters.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import islice
from random import Random
from typing import Protocol

from simwasm.abi.enums import LogLevel, PeerType
from simwasm.conversation import Conversation
from simwasm.errors import Trap, TrapKind
from simwasm.exchange import Connection, Exchange
from simwasm.host.clock import Clock
from simwasm.host.dns import knows_nobody
from simwasm.host.faults import Faults
from simwasm.host.metrics import Metrics
from simwasm.host.network import Tcp
from simwasm.host.network_filters import NetworkContext
from simwasm.host.outcome import LogLine, Outcome
from simwasm.host.ports import AskCluster, AskUpstream, Resolve
from simwasm.host.profile import ENVOY, Profile
from simwasm.host.shared import Queues, SharedData
from simwasm.host.stream import Stream
from simwasm.host.vm import Vm
from simwasm.host.worker import Worker, shares
from simwasm.plugin import Plugin

AT_ONE_INSTANT = 100_000
FOR_ONE_EXCHANGE = 1_000_000
"""How many jobs there may be: a millisecond's tick until a stream is idle for too long makes 300,000."""


AHEAD = 2_048
"""How many exchanges are read before they are due, where they run by their recorded times."""
CONNECTIONS = 10_000
"""How many connections are remembered: one of which nothing was heard for so long is opened anew."""

Told = Mapping[tuple[str, ...], object]
"""Properties by their paths: values to give in the place of what the host would; None stands for no value."""

_NO_CONNECTION = Connection()
"""What stands for a connection that nobody has told anything of."""


class Guests(Protocol):
    """Who makes the guests of VMs."""

    def load(self, vm: Vm) -> None:
        """Give a VM its guest and run the module's own start."""
        ...

    def unload(self, vm: Vm) -> None:
        """Take a guest away that is not called any more."""
        ...


class Proxy:
    """An Envoy, as far as a plugin can tell: its workers, and what they share."""

    def __init__(
        self,
        plugins: Iterable[Plugin] = (),
        *,
        guests: Guests,
        ask_upstream: AskUpstream,
        ask_cluster: AskCluster,
        resolve: Resolve = knows_nobody,
        workers: int = 1,
        clusters: Collection[str] = (),
        profile: Profile = ENVOY,
        now_ns: int = 0,
        on_log: Callable[[LogLine], None] | None = None,
        faults: Faults | None = None,
        told: Told | None = None,
    ) -> None:
        self.plugins = tuple(plugins)
        """The chain, in its order."""
        self.guests = guests
        self.faults = faults
        """What is to go wrong; None for nothing."""
        self.ask_upstream = faults.upstream(ask_upstream) if faults else ask_upstream
        self.ask_cluster = faults.cluster(ask_cluster) if faults else ask_cluster
        self.resolve = resolve
        self.told = told
        """The properties that whoever runs it says; None if nobody ever will."""
        self.profile = profile
        self.clusters = clusters
        self.clock = Clock(now_ns)
        self.random = Random(profile.seed)
        self.metrics = Metrics()
        self.shared_data = SharedData()
        self.queues = Queues()
        self.vms: list[Vm] = []
        """All that are in use, on every worker, in the order in which they were made."""
        self.traps = 0
        """How many VMs have failed."""
        self.workers = [Worker(self, number) for number in range(1, workers + 1)]
        self.open_streams: dict[Stream, None] = {}
        """In the order in which they were opened."""
        self.begun: dict[Stream, None] = {}
        """Streams whose idle timeout is not watched yet: most end before time passes."""
        self._connections: dict[Connection, Worker] = {}
        self.left_open: list[NetworkContext] = []
        """Those of connections that hang: nobody ends them before the workers stop."""
        self._turn = 0
        self._names: dict[str, int] = {}
        """How many VMs there were of each name."""
        self._outcomes: deque[Outcome] = deque()
        self._on_log = on_log
        self._left = AT_ONE_INSTANT
        """How many jobs until they are counted, which costs more than many a job."""
        self._instant = -1
        """When they were counted, if no exchange has ended since."""
        self._rounds = 0
        """How often they were counted since the last exchange ended."""

    def new_vm(self, plugin: Plugin, worker: int) -> Vm:
        """A VM for a plugin and all that share it, still without a guest."""
        inside = dict.fromkeys(each.name for each in self.plugins if shares(each, plugin))
        name = " + ".join(inside) + (f"@{worker}" if worker > 1 else "")
        self._names[name] = count = self._names.get(name, 0) + 1
        vm = Vm(self, plugin, name if count == 1 else f"{name}#{count}")
        self.vms.append(vm)
        return vm

    def let_go(self, vm: Vm) -> None:
        """Forget a VM that nobody uses any more."""
        self.vms.remove(vm)
        self.guests.unload(vm)

    def worker_of(self, exchange: Exchange) -> Worker:
        """The worker that an exchange's connection belongs to; they take turns."""
        if len(self.workers) == 1:
            return self.workers[0]
        connection = exchange.connection
        worker = None if connection == _NO_CONNECTION else self._connections.pop(connection, None)
        if worker is None:
            worker = self.workers[self._turn % len(self.workers)]
            self._turn += 1
        self._connections[connection] = worker
        if len(self._connections) > CONNECTIONS:
            del self._connections[next(iter(self._connections))]
        return worker

    def log(self, level: LogLevel, text: str, stream: Stream | None = None) -> None:
        """Write one line of the proxy's log, if it is loud enough."""
        if level < self.profile.log_level:
            return
        line = LogLine(self.clock.now, level, text)
        if stream is not None:
            stream.logs.append(line)
        if self._on_log is not None:
            self._on_log(line)

    def start(self) -> None:
        """Start every plugin on every worker; a plugin that does not start is an error."""
        for worker in self.workers:
            worker.start()

    def open(self, exchange: Exchange, *, live: bool = False) -> Stream:
        """Begin an exchange when it is due, at once if that is past; a live one is said piece by piece."""
        stream = (
            Tcp(self, exchange, live) if isinstance(exchange, Conversation) else Stream(self, exchange, live)
        )
        self.open_streams[stream] = None
        wait = exchange.started_ns - self.clock.now
        if wait > 0:
            self.clock.after(wait, stream.begin)
        else:
            self.clock.soon(stream.begin)
        return stream

    def ended(self, stream: Stream, outcome: Outcome) -> None:
        """An exchange has ended; `run` gives its outcome."""
        del self.open_streams[stream]
        self.begun.pop(stream, None)
        self._rounds, self._instant = 0, -1
        self._outcomes.append(outcome)

    def ended_now(self) -> Iterable[Outcome]:
        """The outcomes that nobody was given yet; nothing, most of the time."""
        if not self._outcomes:
            return ()
        found = tuple(self._outcomes)
        self._outcomes.clear()
        return found

    def step(self) -> bool:
        """Do what is due next; say whether there was anything."""
        if not self.clock.ready and self.clock.waits():
            self._time_passes()
        job = self.clock.next()
        if job is None:
            return False
        self._left -= 1
        if not self._left:
            self._count()
        job()
        return True

    def step_until(self, at: int) -> bool:
        """Do what is due next if it is due by then; otherwise it becomes that late, and nothing was done."""
        clock = self.clock
        if clock.waits():
            self._time_passes()
        due = clock.due()
        if due is not None and due <= at:
            return self.step()
        clock.now = max(clock.now, at)
        return False

    def _time_passes(self) -> None:
        """Nothing is left to do at this instant: from now on streams can be idle for too long."""
        for stream in self.begun:
            stream.watch_idle()
        self.begun.clear()

    def _count(self) -> None:
        """Many jobs were done. If no exchange ended and time stands still, or goes on and on, it is without end."""
        stands, self._instant = self.clock.now == self._instant, self.clock.now
        self._left = AT_ONE_INSTANT
        self._rounds += 1
        begun = any(stream.request.headers is not None for stream in self.open_streams)
        if stands or (begun and self._rounds * AT_ONE_INSTANT > FOR_ONE_EXCHANGE):
            self._stop_the_busiest()

    def _stop_the_busiest(self) -> None:
        """Stop the plugin that was called most often."""
        self._rounds = 0
        running = [vm for vm in self.vms if vm.failed is None]
        if running:
            busiest = max(running, key=lambda vm: vm.calls)
            detail = "the plugin is called back without end: by its own callouts, queues or ticks?"
            busiest.fail("the event loop", Trap(TrapKind.OTHER, detail=detail))

    def run(
        self, exchanges: Iterable[Exchange], *, together: bool = False, ahead: int = AHEAD
    ) -> Iterator[Outcome]:
        """Run exchanges, each when the one before has ended, or all of them by their recorded times.

        What became of each is given as soon as it ends. Together, so many are read ahead of time, at least 1.
        """
        if together:
            yield from self._together(iter(exchanges), ahead)
        else:
            for exchange in exchanges:
                self.open(exchange)
                yield from self._until_ended()
        until = self.clock.now + self.profile.idle_timeout_ns  # a plugin may ask again with every answer
        while self.clock.busy and self.clock.now <= until and self.step():
            pass

    def _together(self, exchanges: Iterator[Exchange], ahead: int) -> Iterator[Outcome]:
        """Open exchanges before they are due: more are read when half of those that were read last have begun."""
        starts = self._opened(exchanges, ahead)
        while starts or self.open_streams:
            middle = starts[len(starts) // 2] if starts else None
            while self.open_streams and not self._may_read_on(middle, ahead):
                self.step()
                yield from self.ended_now()
            starts = self._opened(exchanges, max(ahead // 2, 1)) if starts else starts

    def _may_read_on(self, middle: int | None, ahead: int) -> bool:
        """Whether it is time for more exchanges: everything due at that instant is done, and not too many are open."""
        clock = self.clock
        return (
            middle is not None
            and clock.now >= middle
            and clock.waits()
            and len(self.open_streams) <= 2 * ahead
        )

    def _opened(self, exchanges: Iterator[Exchange], count: int) -> list[int]:
        """Open the next exchanges, so many if there are; when they are due, in order."""
        starts = []
        for exchange in islice(exchanges, count):
            self.open(exchange)
            starts.append(exchange.started_ns)
        return sorted(starts)

    def _until_ended(self) -> Iterator[Outcome]:
        while self.open_streams:
            self.step()
            yield from self.ended_now()

    def stop(self) -> None:
        """Stop the workers: connections are closed, and every root context is told."""
        for context in self.left_open:
            context.close_downstream(PeerType.LOCAL)
        self.left_open.clear()
        for worker in self.workers:
            worker.stop()
