"""The proxy: plugins in their VMs, exchanges through them, and the time in which it happens.

Everything that could differ between two runs enters here as an argument: plugins, exchanges, seed, the start of time,
and what answers for guests, upstream and clusters.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from random import Random

from simwasm.abi.enums import LogLevel
from simwasm.errors import PluginError, Trap, TrapKind
from simwasm.exchange import Exchange
from simwasm.host.clock import Clock
from simwasm.host.context import RootContext
from simwasm.host.metrics import Metrics
from simwasm.host.outcome import LogLine, Outcome
from simwasm.host.ports import AskCluster, AskUpstream
from simwasm.host.profile import ENVOY, Profile
from simwasm.host.shared import Queues, SharedData
from simwasm.host.stream import Stream
from simwasm.host.vm import Vm
from simwasm.plugin import Plugin

AT_ONE_INSTANT = 100_000
FOR_ONE_EXCHANGE = 1_000_000
"""How many jobs there may be: a millisecond's tick until a stream is idle for too long makes 300,000."""


class Proxy:
    """One Envoy worker, as far as a plugin can tell."""

    def __init__(
        self,
        *,
        ask_upstream: AskUpstream,
        ask_cluster: AskCluster,
        clusters: Collection[str] = (),
        profile: Profile = ENVOY,
        now_ns: int = 0,
        on_log: Callable[[LogLine], None] | None = None,
    ) -> None:
        self.ask_upstream = ask_upstream
        self.ask_cluster = ask_cluster
        self.profile = profile
        self.clusters = clusters
        self.clock = Clock(now_ns)
        self.random = Random(profile.seed)
        self.metrics = Metrics()
        self.shared_data = SharedData()
        self.queues = Queues()
        self.vms: list[Vm] = []
        self.open_streams: dict[Stream, None] = {}
        """In the order in which they were opened."""
        self._outcomes: deque[Outcome] = deque()
        self._on_log = on_log
        self._left = AT_ONE_INSTANT
        """How many jobs until they are counted, which costs more than many a job."""
        self._instant = -1
        """When they were counted, if no exchange has ended since."""
        self._rounds = 0
        """How often they were counted since the last exchange ended."""

    def add(self, plugin: Plugin) -> Vm:
        """Put a plugin at the end of the chain; its `guest` has to be there before `start`."""
        vm = Vm(self, plugin)
        self.vms.append(vm)
        return vm

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
        """Start every plugin; a plugin that does not is an error."""
        for vm in self.vms:
            root = RootContext(vm)
            vm.tell(root, "proxy_on_context_create", 0)
            started = vm.tell(root, "proxy_on_vm_start", len(vm.plugin.vm_config))
            _started(vm, "proxy_on_vm_start", started, "Failed to start base Wasm")
            configured = root.configure("proxy_on_configure")
            _started(vm, "proxy_on_configure", configured, "Failed to configure base Wasm plugin")

    def open(self, exchange: Exchange) -> Stream:
        """Begin an exchange when it is due, at once if that is past."""
        stream = Stream(self, exchange)
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
            for stream in self.open_streams:
                stream.watch_idle()
        job = self.clock.next()
        if job is None:
            return False
        self._left -= 1
        if not self._left:
            self._count()
        job()
        return True

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

    def run(self, exchanges: Iterable[Exchange], *, together: bool = False) -> Iterator[Outcome]:
        """Run exchanges, each when the one before has ended, or all of them by their recorded times.

        What became of each is given as soon as it ends.
        """
        groups = [list(exchanges)] if together else ([exchange] for exchange in exchanges)
        for group in groups:
            for exchange in group:
                self.open(exchange)
            yield from self._until_ended()
        until = self.clock.now + self.profile.idle_timeout_ns  # a plugin may ask again with every answer
        while self.clock.busy and self.clock.now <= until and self.step():
            pass

    def _until_ended(self) -> Iterator[Outcome]:
        while self.open_streams:
            self.step()
            yield from self.ended_now()

    def stop(self) -> None:
        """Stop the worker: every root context is told."""
        for vm in self.vms:
            if vm.root is not None:
                vm.root.close()


def _started(vm: Vm, function: str, answer: object, complaint: str) -> None:
    if vm.failed is not None:
        raise vm.failed
    if answer is False:
        raise PluginError(
            f"{vm.plugin.name}: {complaint}: {function} returned false. Look at what the plugin logged, and at its "
            f"configuration ({len(vm.plugin.config)} bytes)"
        )
