"""What a plugin is told that calls a function it is not allowed: capability restriction.

Rules, Envoy's: without a list everything is allowed; the functions of the ABI proper fail, those of WASI are not
implemented; a callback that is not allowed is as if it were not exported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from simwasm.abi.enums import Errno, LogLevel, Status
from simwasm.abi.status import Refusal
from simwasm.abi.table import WASI_FUNCTIONS
from simwasm.host.vm import Vm

_WASI = frozenset(row.name for row in WASI_FUNCTIONS)


def is_allowed(vm: Vm, name: str) -> bool:
    """Whether a VM may call this function, or be called by it."""
    allowed = vm.plugin.allowed
    return not allowed or name in allowed or not (name.startswith("proxy_") or name in _WASI)


def refusals(vm: Vm, names: Iterable[str]) -> dict[str, Callable[..., Any]]:
    """What answers in the place of functions that are not allowed."""
    return {name: partial(_refuse, vm, name) for name in names if not is_allowed(vm, name)}


def _refuse(vm: Vm, name: str, *args: object) -> Refusal | None:
    wasi = name in _WASI
    kind = "WASI" if wasi else "proxy-wasm"
    vm.proxy.log(LogLevel.ERROR, f"Attempted call to restricted {kind} capability: {name}")
    if name == "proc_exit":
        return None
    return Refusal(
        Errno.NOTCAPABLE if wasi else Status.INTERNAL_FAILURE,
        f"{name} is not among the capabilities that this plugin is restricted to",
    )
