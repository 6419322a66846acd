"""Logs and time."""

from __future__ import annotations

from simwasm.abi.enums import LogLevel
from simwasm.host.calls.topic import calls
from simwasm.host.vm import Vm


def say(vm: Vm, level: LogLevel, message: str) -> None:
    """Write a line for whoever the guest acts for."""
    if vm.context is None or (vm.gate is not None and vm.gate.shut):
        vm.proxy.log(level, f"wasm log: {message}")
    else:
        vm.context.log(level, message)


def proxy_log(vm: Vm, level: LogLevel, message: str) -> None:
    say(vm, level, message)


def proxy_get_log_level(vm: Vm) -> LogLevel:
    return vm.proxy.profile.log_level


def proxy_get_current_time_nanoseconds(vm: Vm) -> int:
    return vm.proxy.clock.read()


CALLS = calls(proxy_log, proxy_get_log_level, proxy_get_current_time_nanoseconds)
