"""Shared data and queues."""

from __future__ import annotations

from functools import partial

from simwasm.abi.enums import Status
from simwasm.abi.status import Refusal
from simwasm.host.calls.topic import calls
from simwasm.host.vm import Vm


def proxy_get_shared_data(vm: Vm, key: str) -> tuple[bytes, int] | Refusal:
    found = vm.proxy.shared_data.get(vm.plugin.vm_id, key)
    return found or Refusal(Status.NOT_FOUND, f"nothing is shared under `{key}`")


def proxy_set_shared_data(vm: Vm, key: str, value: bytes, cas: int) -> Refusal | None:
    return vm.proxy.shared_data.set(vm.plugin.vm_id, key, value, cas)


def proxy_register_shared_queue(vm: Vm, name: str) -> int:
    """The root of whoever asks is told of every item, later."""
    assert vm.root is not None
    root = vm.root

    def notify(queue: int) -> None:
        vm.proxy.clock.soon(partial(vm.tell, root, "proxy_on_queue_ready", queue))

    return vm.proxy.queues.register(vm.plugin.vm_id, name, notify)


def proxy_resolve_shared_queue(vm: Vm, vm_id: str, name: str) -> int | Refusal:
    return vm.proxy.queues.resolve(vm_id or vm.plugin.vm_id, name)


def proxy_enqueue_shared_queue(vm: Vm, id: int, value: bytes) -> Refusal | None:
    return vm.proxy.queues.enqueue(id, value)


def proxy_dequeue_shared_queue(vm: Vm, id: int) -> bytes | Refusal:
    return vm.proxy.queues.dequeue(id)


CALLS = calls(
    proxy_get_shared_data,
    proxy_set_shared_data,
    proxy_register_shared_queue,
    proxy_resolve_shared_queue,
    proxy_enqueue_shared_queue,
    proxy_dequeue_shared_queue,
)
