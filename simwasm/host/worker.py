"""A worker of the proxy's: a thread of Envoy's, with VMs of its own and a slot for every plugin of the chain.

Rules, as in the real host:

- plugins are started in the order of the chain, and stopped in the other; a VM is made when the first plugin needs it;
- plugins with the same code, vm_id, VM configuration, environment and capabilities share a VM that has not failed;
- once a VM has failed, the fail policy of each plugin says what becomes of its requests. One that reloads is started
  anew by the first request that comes late enough, and what its guest knew is gone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simwasm.errors import PluginError, Trap
from simwasm.host.clock import MILLISECOND
from simwasm.host.context import RootContext
from simwasm.host.filters import StreamContext
from simwasm.host.network_filters import NetworkContext
from simwasm.host.vm import Vm
from simwasm.plugin import FailPolicy, Plugin

if TYPE_CHECKING:
    from simwasm.host.network import Tcp
    from simwasm.host.proxy import Proxy
    from simwasm.host.stream import Stream

_OPEN = (FailPolicy.FAIL_OPEN, FailPolicy.FAIL_OPEN_AT_ONCE)


class Slot:
    """A plugin's place in a worker's chain: who it is now, and since when."""

    def __init__(self, worker: Worker, plugin: Plugin) -> None:
        self.worker = worker
        self.plugin = plugin
        self.root = worker.started(plugin)
        self._tried_ns = worker.proxy.clock.now

    def filter(self, stream: Stream) -> StreamContext | None:
        """The plugin's part in an exchange that begins; None if the exchange goes round it."""
        if self.root.vm.failed is not None and self._goes_round():
            return None
        return StreamContext(self.root, stream)

    def network_filter(self, stream: Tcp) -> NetworkContext | None:
        """The plugin's part in a connection that begins; None if the connection goes round it."""
        if self.root.vm.failed is not None and self._goes_round():
            return None
        return NetworkContext(self.root, stream)

    def _goes_round(self) -> bool:
        """The VM has failed: start it anew if that is wanted, or say that nothing is to pass it."""
        if self.plugin.fail_policy is FailPolicy.FAIL_RELOAD:
            self._reload()
        return self.plugin.fail_policy in _OPEN

    def _reload(self) -> None:
        """Start the plugin anew, if that was not tried just now."""
        now, proxy = self.worker.proxy.clock.now, self.worker.proxy
        if now - self._tried_ns < self.plugin.reload_after_ms * MILLISECOND:
            proxy.metrics.happened(self.plugin.name, "vm_reload_backoff")
            return
        self._tried_ns = now
        try:
            self.root = self.worker.started(self.plugin)
        except PluginError:
            proxy.metrics.happened(self.plugin.name, "vm_reload_failure")
        else:
            proxy.metrics.happened(self.plugin.name, "vm_reload_success")
        self.worker.sweep()


class Worker:
    """One of the threads that requests are spread over."""

    def __init__(self, proxy: Proxy, number: int) -> None:
        self.proxy = proxy
        self.number = number
        """Which worker of the proxy's it is, from 1."""
        self.vms: list[Vm] = []
        self.slots: list[Slot] = []
        self.of_http: list[Slot] = []
        """Those of plugins that stand in the way of HTTP; the others are filters of connections."""

    def start(self) -> None:
        """Start every plugin; one that does not start is an error."""
        for plugin in self.proxy.plugins:
            self.slots.append(slot := Slot(self, plugin))
            if not plugin.network:
                self.of_http.append(slot)

    def started(self, plugin: Plugin) -> RootContext:
        """A plugin in its VM, started there if it was not."""
        vm = self._vm(plugin)
        found = vm.root_of(plugin)
        if found is not None:
            return found
        root = RootContext(vm, plugin)
        root.configured("proxy_on_context_create", 0)
        trap, vm.failed = vm.failed, None  # Envoy calls the next one all the same
        started = vm.tell(root, "proxy_on_vm_start", len(plugin.vm_config))
        _assert_started(root, "proxy_on_vm_start", started, "Failed to start base Wasm")
        vm.failed = trap
        if trap is not None:
            return root
        configured = root.configured("proxy_on_configure", len(plugin.config))
        _assert_started(root, "proxy_on_configure", configured, "Failed to configure base Wasm plugin")
        return root

    def _vm(self, plugin: Plugin) -> Vm:
        """The VM that a plugin runs in, made and loaded if there is none."""
        for vm in self.vms:
            if vm.failed is None and shares(vm.plugin, plugin):
                return vm
        vm = self.proxy.new_vm(plugin, self.number)
        self.vms.append(vm)
        try:
            self.proxy.guests.load(vm)
        except Trap as trap:
            raise trap.during(f"{plugin.name}: Failed to initialize Wasm code") from trap
        return vm

    def sweep(self) -> None:
        """Let go of VMs that no plugin runs in any more."""
        used = {slot.root.vm for slot in self.slots}
        for vm in self.vms:
            if vm not in used:
                self.proxy.let_go(vm)
        self.vms = [vm for vm in self.vms if vm in used]

    def filters(self, stream: Stream) -> list[StreamContext]:
        """The chain for an exchange that begins."""
        found = [slot.filter(stream) for slot in self.of_http]
        return [filter for filter in found if filter is not None]

    def network_filters(self, stream: Tcp) -> list[StreamContext]:
        """The chain for a connection that begins."""
        found = [slot.network_filter(stream) for slot in self.slots if slot.plugin.network]
        return [filter for filter in found if filter is not None]

    def stop(self) -> None:
        """Tell every plugin that the worker ends, the last of the chain first."""
        for root in reversed(tuple(dict.fromkeys(slot.root for slot in self.slots))):
            root.close()


def shares(one: Plugin, other: Plugin) -> bool:
    """Whether two plugins run in the same VM."""
    return _vm_key(one) == _vm_key(other)


def _vm_key(plugin: Plugin) -> tuple[object, ...]:
    return plugin.vm_id, plugin.vm_config, plugin.env, plugin.allowed, plugin.wasm


def _assert_started(root: RootContext, function: str, answer: object, complaint: str) -> None:
    plugin, trap = root.plugin, root.vm.failed
    if trap is not None:
        raise trap.during(f"{plugin.name}: {complaint}")
    if answer is False:
        raise PluginError(
            f"{plugin.name}: {complaint}: {function} returned false. Look at what the plugin logged, and at its "
            f"configuration ({len(plugin.config)} bytes)"
        )
