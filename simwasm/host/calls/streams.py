"""Steering: local replies, continue, close, timers, whom to act for.

What changes a stream is not done here but handed to `vm.later`, as in the real host.
"""

from __future__ import annotations

import re
from functools import partial

from simwasm.abi.enums import Status, StreamType
from simwasm.abi.pairs import Pairs
from simwasm.abi.status import Refusal, Remark
from simwasm.host.calls.topic import calls
from simwasm.host.filters import StreamContext
from simwasm.host.network_filters import NetworkContext
from simwasm.host.vm import Vm

_SPACE = re.compile(r"\s")


def proxy_send_local_response(
    vm: Vm, status: int, details: str, body: bytes, headers: Pairs, grpc_status: int
) -> None | Remark:
    context = vm.context
    vm.stopped = True  # whoever asks
    if not isinstance(context, StreamContext):
        vm.later(_send_nothing)
        return Remark(
            None, "nothing is sent: this is a root context; choose the stream by proxy_set_effective_context"
        )
    if isinstance(context, NetworkContext):
        return Remark(None, "nothing is sent: this is a connection, which has no responses")
    vm.later(
        partial(
            context.stream.local_reply,
            status,
            body,
            [(name.lower(), value) for name, value in headers],
            details=_SPACE.sub("_", details),
            grpc_status=grpc_status if 0 <= grpc_status <= 16 else None,
        )
    )
    return None


def _send_nothing() -> None:
    """What becomes of a root context's local reply; a stream that runs meanwhile is stopped all the same."""


def _continue(vm: Vm, request: bool) -> None | Remark:
    context = vm.context
    if not isinstance(context, StreamContext):
        return Remark(
            None,
            "nothing continues: this is a root context; choose the stream by proxy_set_effective_context",
        )
    context.forget_request()
    vm.later(partial(context.stream.resume, context, request))
    return None


def proxy_continue_request(vm: Vm) -> None | Remark:
    return _continue(vm, True)


def proxy_continue_response(vm: Vm) -> None | Remark:
    return _continue(vm, False)


def proxy_continue_stream(vm: Vm, stream: StreamType) -> None | Remark | Refusal:
    if stream is StreamType.UPSTREAM:
        return Refusal(Status.UNIMPLEMENTED, "the host cannot continue an upstream connection")
    context = vm.context
    if isinstance(context, NetworkContext):
        if stream is not StreamType.DOWNSTREAM:
            return Remark(None, "nothing continues: this is a connection, not an HTTP stream")
        vm.later(partial(context.stream.resume_reading, context))
        return None
    if stream is StreamType.DOWNSTREAM:
        return Remark(None, "this is an HTTP stream: there is no downstream connection to continue")
    return _continue(vm, stream is StreamType.HTTP_REQUEST)


def proxy_close_stream(vm: Vm, stream: StreamType) -> None | Remark:
    context = vm.context
    if not isinstance(context, StreamContext):
        return Remark(None, "nothing is closed: this is a root context")
    if isinstance(context, NetworkContext):
        if stream in (StreamType.HTTP_REQUEST, StreamType.HTTP_RESPONSE):
            return Remark(None, "nothing is closed: this is a connection, not an HTTP stream")
        vm.later(context.stream.finish_and_close)
        return None
    if stream in (StreamType.DOWNSTREAM, StreamType.UPSTREAM):
        return Remark(None, "nothing is closed: this is an HTTP stream, not a connection")
    vm.later(partial(context.stream.reset, "wasm_close_stream"))
    return None


def proxy_clear_route_cache(vm: Vm) -> None:
    """The router looks for the route again anyway, so there is nothing to be seen of it."""


def proxy_set_tick_period_milliseconds(vm: Vm, period: int) -> None:
    assert vm.root is not None
    vm.root.set_period(period)


def proxy_set_effective_context(vm: Vm, id: int) -> Refusal | None:
    found = vm.contexts.get(id) if id else vm.current
    if found is None:
        return Refusal(
            Status.BAD_ARGUMENT, f"there is no context {id}: it never was, or its stream has ended"
        )
    vm.context = found
    return None


def proxy_done(vm: Vm) -> Refusal | None:
    root = vm.root
    if root is None or not root.waiting:
        return Refusal(Status.NOT_FOUND, "no context waits: proxy_on_done has not returned false")
    vm.later(root.delete)
    return None


CALLS = calls(
    proxy_send_local_response,
    proxy_continue_request,
    proxy_continue_response,
    proxy_continue_stream,
    proxy_close_stream,
    proxy_clear_route_cache,
    proxy_set_tick_period_milliseconds,
    proxy_set_effective_context,
    proxy_done,
)
