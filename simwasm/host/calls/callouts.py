"""Asking other services by HTTP, and how the last callout ended."""

from __future__ import annotations

from collections.abc import Mapping

from simwasm.abi.enums import Status
from simwasm.abi.pairs import Pairs
from simwasm.abi.status import Refusal, Remark
from simwasm.exchange import Chunk, Message
from simwasm.host import edge
from simwasm.host.callouts import send
from simwasm.host.calls.topic import calls
from simwasm.host.context import RootContext
from simwasm.host.headers import HeaderMap
from simwasm.host.ports import Callout
from simwasm.host.vm import HTTP_CALL, Vm

_PSEUDO = (":method", ":path", ":authority")


def acting_root(vm: Vm) -> RootContext:
    """The root that callouts of this moment belong to."""
    if vm.root is None:
        raise Refusal(Status.INTERNAL_FAILURE, "there is no root context yet")
    return vm.root


def known_clusters(vm: Vm) -> str:
    """The names of the clusters, to be told."""
    return ", ".join(f"`{cluster}`" for cluster in sorted(vm.proxy.clusters)) or "none at all"


def is_empty(vm: Vm, cluster: str) -> bool:
    """Whether a cluster has no host that could be asked."""
    known = vm.proxy.clusters
    return isinstance(known, Mapping) and not known[cluster]


def proxy_http_call(
    vm: Vm, cluster: str, headers: Pairs, body: bytes, trailers: Pairs, timeout_ms: int
) -> int | Refusal | Remark:
    root = acting_root(vm)
    if timeout_ms >= 1 << 31:
        return Refusal(Status.BAD_ARGUMENT, f"timeout_ms: {timeout_ms - (1 << 32)} is negative")
    if cluster not in vm.proxy.clusters:
        reason = f"there is no cluster `{cluster}`; known are {known_clusters(vm)}"
        return Refusal(Status.BAD_ARGUMENT, reason)
    request = HeaderMap(request=True)
    request.assign(headers)
    for name in _PSEUDO:
        if request.get(name) is None:
            return Refusal(
                Status.BAD_ARGUMENT,
                f"`{name}` is missing: proxy_http_call needs `:method`, `:path` and `:authority`",
            )
    if body:
        request.put("content-length", str(len(body)))
    _by_the_router(request, timeout_ms)
    headers = edge.request_on_wire(request, bool(body))
    message = Message(headers, (Chunk(body),) if body else ())
    id = vm.next_call_id(HTTP_CALL)
    if is_empty(vm, cluster):
        reason = f"upstream: the cluster `{cluster}` has no healthy host; no answer follows"
        return Refusal(Status.INTERNAL_FAILURE, reason)
    send(root, Callout(id, cluster, message, timeout_ms))
    return (
        Remark(id, "the trailers are not sent: Envoy's client sends none with a callout") if trailers else id
    )


def _by_the_router(request: HeaderMap, timeout_ms: int) -> None:
    """Add what the router adds to every callout."""
    request.put("x-envoy-internal", "true")
    if timeout_ms:
        request.put("x-envoy-expected-rq-timeout-ms", str(timeout_ms))


def proxy_get_status(vm: Vm) -> tuple[int, str]:
    return acting_root(vm).status


CALLS = calls(proxy_http_call, proxy_get_status)
