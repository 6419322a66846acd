"""What plugins share, count and keep at a stop: shared data, queues, metrics, and the VMs themselves."""

from __future__ import annotations

from dataclasses import dataclass

from simwasm.abi.enums import MetricType
from simwasm.host.metrics import Metric
from simwasm.host.proxy import Proxy
from simwasm.host.vm import Vm


@dataclass(frozen=True, slots=True)
class VmState:
    """A plugin's VM."""

    name: str
    abi: str
    root_id: str
    vm_id: str
    fail_policy: str
    calls: int
    """How many callbacks there have been."""
    contexts: tuple[int, ...]
    failed: str
    """The trap that ended it, in words; empty while it runs."""
    acting: int
    """The context that host calls act for now; 0 for none."""
    stopped: bool
    """It has sent a local reply in the call that runs now."""
    stops_on_headers: bool
    """Whether Pause in a headers callback lets body and trailers come to the plugin (not Envoy's default)."""


@dataclass(frozen=True, slots=True)
class SharedState:
    """A shared value, and its number (CAS), which every write changes."""

    vm_id: str
    key: str
    value: bytes
    cas: int


@dataclass(frozen=True, slots=True)
class QueueState:
    """A shared queue and what is in it, oldest first."""

    id: int
    vm_id: str
    name: str
    items: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class MetricState:
    """A statistic. A histogram has samples and no value; `ids` are the numbers by which plugins know it."""

    kind: MetricType
    name: str
    value: int
    samples: tuple[int, ...]
    ids: tuple[tuple[str, int], ...]


def vms(proxy: Proxy) -> tuple[VmState, ...]:
    """The chain, in its order."""
    return tuple(map(_vm, proxy.vms))


def _vm(vm: Vm) -> VmState:
    plugin = vm.plugin
    return VmState(
        vm.name,
        plugin.abi.value,
        ", ".join(dict.fromkeys(root.plugin.root_id for root in vm.roots)),
        plugin.vm_id,
        plugin.fail_policy.value,
        vm.calls,
        tuple(vm.contexts),
        str(vm.failed) if vm.failed is not None else "",
        vm.context.id if vm.context is not None else 0,
        vm.stopped,
        plugin.stop_iteration_on_headers,
    )


def shared(proxy: Proxy) -> tuple[SharedState, ...]:
    """Every shared value."""
    return tuple(SharedState(*entry) for entry in proxy.shared_data.all())


def queues(proxy: Proxy) -> tuple[QueueState, ...]:
    """Every queue."""
    return tuple(
        QueueState(queue.id, vm_id, name, tuple(queue.items)) for vm_id, name, queue in proxy.queues.all()
    )


def metrics(proxy: Proxy) -> tuple[MetricState, ...]:
    """Every statistic, in the order in which they were defined."""
    ids: dict[int, list[tuple[str, int]]] = {}
    for vm in proxy.vms:
        for number, metric in vm.metrics.all():
            ids.setdefault(id(metric), []).append((vm.name, number))
    return tuple(_metric(metric, tuple(ids.get(id(metric), ()))) for metric in proxy.metrics.by_name.values())


def _metric(metric: Metric, ids: tuple[tuple[str, int], ...]) -> MetricState:
    return MetricState(metric.type, metric.name, metric.value, tuple(metric.samples), ids)
