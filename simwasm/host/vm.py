"""What the host knows of one VM: its contexts, who is current, and what waits for the call to end.

Rules, as in the real host:

- plugins with the same code, vm_id and VM configuration share a VM, each with a root of its own;
- context ids count from 1 and are never used twice; the first root comes first;
- `context` is whom host calls act for: the current context, or the effective one until the call ends;
- what a plugin asks for during a call (a local reply, to continue, to close) waits in one queue for the whole VM and
  is carried out when that call has returned, whichever stream asked;
- after a trap nothing is called any more.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, Any

from simwasm.abi.codec import Gate
from simwasm.abi.enums import LogLevel
from simwasm.errors import Trap
from simwasm.host.metrics import MetricIds
from simwasm.host.ports import Guest
from simwasm.plugin import Plugin
from simwasm.trace.envoy_text import failed, trap_text

if TYPE_CHECKING:
    from simwasm.host.callouts import Flight
    from simwasm.host.context import Context, RootContext
    from simwasm.host.grpc_call import Conversation
    from simwasm.host.proxy import Proxy

Deed = Callable[[], None]

HTTP_CALL, GRPC_CALL, GRPC_STREAM = 0, 1, 2
_CALL_ID_STEP = 4


class Vm:
    """One VM: a guest, and the roots of the plugins in it."""

    def __init__(self, proxy: Proxy, plugin: Plugin, name: str) -> None:
        self.proxy = proxy
        self.plugin = plugin
        """The plugin it was made for, whose code, vm_id, VM configuration, environment and capabilities it has."""
        self.name = name
        """What it is called wherever people look: like no other VM of the run."""
        self.guest: Guest = {}
        self.gate: Gate | None = None
        """Shut while the module starts and while its allocator runs, when it acts for nobody."""
        self.calls = 0
        """How many callbacks there have been: each has a budget of its own."""
        self.contexts: dict[int, Context] = {}
        self.context: Context | None = None
        self.current: Context | None = None
        self.roots: list[RootContext] = []
        """The plugins in it, in the order in which they were started."""
        self.failed: Trap | None = None
        self.stopped = False
        """The plugin sent a local reply during this call, so the iteration stops whatever it returns."""
        self.metrics = MetricIds(proxy.metrics)
        self.deeds: deque[Deed] = deque()
        """What waits for the current call to return; a local reply is always among it when `stopped`."""
        self.in_flight: dict[int, Flight | Conversation] = {}
        """The callouts that have not been answered and the streams that were not closed, by their numbers."""
        self.names_asked = 1
        """The number of the name that was looked up last; Envoy begins with 2."""
        self._ids = count(1)
        self._call_ids = [0, 0, 0]

    @property
    def root(self) -> RootContext | None:
        """The root of whoever host calls act for; the first one while nobody acts."""
        context = self.context
        if context is not None:
            return context.root
        return self.roots[0] if self.roots else None

    def root_of(self, plugin: Plugin) -> RootContext | None:
        """The root that a plugin has here; one that is told apart by nothing Envoy looks at has the same."""
        key = _key(plugin)
        return next((root for root in self.roots if _key(root.plugin) == key), None)

    def next_context_id(self) -> int:
        return next(self._ids)

    def next_call_id(self, kind: int) -> int:
        """The next number for an HTTP call (4, 8, …), a gRPC call (5, 9, …) or a gRPC stream (6, 10, …)."""
        self._call_ids[kind] += _CALL_ID_STEP
        return self._call_ids[kind] + kind

    def later(self, deed: Deed) -> None:
        """Have something done when the current call has returned."""
        self.deeds.append(deed)

    def call(self, context: Context, function: str, *args: int) -> Any:
        """Call an export for a context: its result, or None where there is no such export or it trapped."""
        callback = self.guest.get(function)
        if callback is None or self.failed is not None:
            return None
        current, acting = self.current, self.context
        self.current = self.context = context
        self.calls += 1
        try:
            result = callback(context.id, *args)
            return result if self.failed is None else None
        except Trap as trap:
            self.fail(function, trap)
            return None
        finally:
            self.current, self.context = current, acting

    def tell(self, context: Context, function: str, *args: int) -> Any:
        """Call an export and carry out what was asked for during the call; its result."""
        result = self.call(context, function, *args)
        if self.deeds:
            self.settle()
        return result

    def settle(self) -> None:
        """Carry out what was asked for during the call that has just returned."""
        self.stopped = False
        deeds = self.deeds
        while deeds:
            deeds.popleft()()

    def fail(self, function: str, trap: Trap) -> None:
        """Note that the guest trapped; every later call is skipped."""
        self.proxy.traps += self.failed is None
        self.failed = trap
        self.proxy.log(LogLevel.ERROR, failed(function) + trap_text(trap))

    def forget(self, context: Context) -> None:
        """A context ends; whoever acted for it acts for the current one again."""
        self.contexts.pop(context.id, None)
        if self.context is context:
            self.context = self.current


def _key(plugin: Plugin) -> tuple[object, ...]:
    """What tells the plugins of a VM apart."""
    return plugin.name, plugin.root_id, plugin.config
