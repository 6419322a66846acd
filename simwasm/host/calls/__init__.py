"""What the host answers: one function for each host function of the ABI, named like it.

The first argument is the VM that asks, the others are the decoded parameters. A function gives back what goes into
the out parameters (a tuple where there are several), or a `Refusal`, or a `Remark`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simwasm.host.calls import (
    buffers,
    callouts,
    dns,
    foreign,
    grpc,
    headers,
    logs,
    metrics,
    properties,
    shared,
    streams,
    wasi,
)
from simwasm.host.calls.restricted import refusals
from simwasm.host.vm import Vm

Handler = Callable[..., Any]

_TOPICS = (buffers, callouts, dns, foreign, grpc, headers, logs, metrics, properties, shared, streams, wasi)
HANDLERS: dict[str, Handler] = {name: handler for topic in _TOPICS for name, handler in topic.CALLS.items()}

_AS_TOLD: dict[str, Handler] = {"proxy_get_property": properties.proxy_get_property_as_told}


def bound(vm: Vm) -> dict[str, Handler]:
    """Every handler with its VM tied in; what the VM may not call is refused."""
    handlers = HANDLERS if vm.proxy.told is None else HANDLERS | _AS_TOLD
    return {name: handler.__get__(vm) for name, handler in handlers.items()} | refusals(vm, HANDLERS)
