"""Properties."""

from __future__ import annotations

from simwasm.abi.enums import Status
from simwasm.abi.status import Refusal
from simwasm.host import properties
from simwasm.host.calls.topic import calls
from simwasm.host.vm import Vm


def proxy_get_property(vm: Vm, path: tuple[str, ...]) -> bytes | Refusal:
    if vm.context is None:
        return Refusal(Status.NOT_FOUND, "there is no context yet")
    return properties.find(vm.context, path)


def proxy_set_property(vm: Vm, path: tuple[str, ...], value: bytes) -> Refusal | None:
    stream = vm.context.stream if vm.context is not None else None
    if stream is None:
        return Refusal(Status.NOT_FOUND, "this context has no stream, and a property belongs to one")
    stream.state["wasm." + "\0".join(path)] = value
    return None


CALLS = calls(proxy_get_property, proxy_set_property)
