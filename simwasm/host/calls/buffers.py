"""Buffers: bodies, configurations, the answers of callouts."""

from __future__ import annotations

from simwasm.abi.enums import BufferType, Status
from simwasm.abi.status import Refusal
from simwasm.host.buffers import Buffer
from simwasm.host.calls.topic import calls
from simwasm.host.vm import Vm

WHEN = {
    BufferType.PLUGIN_CONFIGURATION: "it can only be read in proxy_on_configure, and when the root context is created",
    BufferType.HTTP_CALL_RESPONSE_BODY: "it can only be read in proxy_on_http_call_response",
}


def _buffer(vm: Vm, kind: BufferType) -> Buffer:
    if vm.context is None:
        raise Refusal(Status.BAD_ARGUMENT, "there is no context yet: buffers belong to callbacks")
    found = vm.context.buffer(kind)
    if found is None:
        raise Refusal(Status.NOT_FOUND, f"{kind.name} is not available here: {WHEN[kind]}")
    return found


def proxy_get_buffer_bytes(vm: Vm, kind: BufferType, start: int, size: int) -> bytes:
    return _buffer(vm, kind).read(start, size)


def proxy_get_buffer_status(vm: Vm, kind: BufferType) -> tuple[int, int]:
    return len(_buffer(vm, kind)), 0


def proxy_set_buffer_bytes(vm: Vm, kind: BufferType, start: int, size: int, data: bytes) -> Refusal | None:
    return _buffer(vm, kind).write(start, size, data)


def proxy_get_configuration(vm: Vm) -> bytes:
    """0.1.0's way to the configuration."""
    assert vm.root is not None
    found = vm.root.buffers.get(BufferType.PLUGIN_CONFIGURATION)
    return found.data if found is not None else vm.plugin.vm_config


CALLS = calls(
    proxy_get_buffer_bytes, proxy_get_buffer_status, proxy_set_buffer_bytes, proxy_get_configuration
)
