"""Properties."""

from __future__ import annotations

from simwasm.abi.enums import Status
from simwasm.abi.status import Refusal
from simwasm.host import properties
from simwasm.host.calls.topic import calls
from simwasm.host.filter_state import PREFIX, Declared, State
from simwasm.host.vm import Vm

_UNDECLARED = Declared()


def proxy_get_property(vm: Vm, path: tuple[str, ...]) -> bytes | Refusal:
    if vm.context is None:
        return Refusal(Status.NOT_FOUND, "there is no context yet")
    return properties.find(vm.context, path)


def proxy_set_property(vm: Vm, path: tuple[str, ...], value: bytes) -> Refusal | None:
    context = vm.context
    if context is None or context.stream is None:
        return Refusal(Status.NOT_FOUND, "this context has no stream, and a property belongs to one")
    name = "\0".join(path)
    declared = context.root.declared.get(name, _UNDECLARED)
    state = context.stream.state
    if declared.readonly and PREFIX + name in state:
        return Refusal(Status.BAD_ARGUMENT, f"`{name}` was declared read-only and has been set before")
    state[PREFIX + name] = State(value, declared)
    return None


def proxy_get_property_as_told(vm: Vm, path: tuple[str, ...]) -> bytes | Refusal:
    """What somebody has said of a property, otherwise what the host knows."""
    if vm.context is not None and (said := properties.told(vm.context, path)) is not None:
        return said
    return proxy_get_property(vm, path)


CALLS = calls(proxy_get_property, proxy_set_property)
