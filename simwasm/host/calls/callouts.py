"""Asking other services, by HTTP and by gRPC."""

from __future__ import annotations

from simwasm.abi.enums import Status
from simwasm.abi.pairs import Pairs
from simwasm.abi.status import Refusal
from simwasm.exchange import Chunk, Message, to_text
from simwasm.host import edge
from simwasm.host.callouts import send
from simwasm.host.calls.topic import calls
from simwasm.host.context import RootContext
from simwasm.host.headers import HeaderMap
from simwasm.host.ports import Callout
from simwasm.host.vm import GRPC_CALL, HTTP_CALL, Vm

_PSEUDO = (":method", ":path", ":authority")


def _root(vm: Vm) -> RootContext:
    if vm.root is None:
        raise Refusal(Status.INTERNAL_FAILURE, "there is no root context yet")
    return vm.root


def _known_cluster(vm: Vm, name: str, status: Status) -> None:
    if name not in vm.proxy.clusters:
        known = ", ".join(f"`{cluster}`" for cluster in sorted(vm.proxy.clusters)) or "none at all"
        raise Refusal(status, f"there is no cluster `{name}`; known are {known}")


def proxy_http_call(
    vm: Vm, cluster: str, headers: Pairs, body: bytes, trailers: Pairs, timeout_ms: int
) -> int | Refusal:
    root = _root(vm)
    if timeout_ms >= 1 << 31:
        return Refusal(Status.BAD_ARGUMENT, f"timeout_ms: {timeout_ms - (1 << 32)} is negative")
    _known_cluster(vm, cluster, Status.BAD_ARGUMENT)
    request = HeaderMap(request=True)
    request.assign(headers)
    for name in _PSEUDO:
        if request.get(name) is None:
            return Refusal(
                Status.BAD_ARGUMENT,
                f"`{name}` is missing: proxy_http_call needs `:method`, `:path` and `:authority`",
            )
    if body:
        request.replace("content-length", str(len(body)))
    _by_the_router(request, timeout_ms)
    headers = edge.request_on_wire(request, bool(body or trailers))
    message = Message(headers, (Chunk(body),) if body else (), trailers)
    id = vm.next_call_id(HTTP_CALL)
    send(root, Callout(id, cluster, message, timeout_ms), grpc=False)
    return id


def proxy_grpc_call(
    vm: Vm, service_config: bytes, service: str, method: str, metadata: Pairs, message: bytes, timeout_ms: int
) -> int | Refusal:
    root = _root(vm)
    cluster = _cluster_of(service_config)
    _known_cluster(vm, cluster, Status.PARSE_FAILURE)
    request = HeaderMap(
        [
            (":method", "POST"),
            (":path", f"/{service}/{method}"),
            (":authority", cluster),
            (":scheme", "http"),
        ],
        request=True,
    )
    request.add("te", "trailers")
    if timeout_ms:
        request.add("grpc-timeout", f"{timeout_ms}m")
    request.add("content-type", "application/grpc")
    for name, value in metadata:
        request.add(name, value)
    _by_the_router(request, timeout_ms)
    framed = b"\0" + len(message).to_bytes(4, "big") + message
    id = vm.next_call_id(GRPC_CALL)
    send(root, Callout(id, cluster, Message(request.entries, (Chunk(framed),)), timeout_ms), grpc=True)
    return id


def _by_the_router(request: HeaderMap, timeout_ms: int) -> None:
    """Add what the router adds to every callout."""
    request.add("x-envoy-internal", "true")
    if timeout_ms:
        request.put("x-envoy-expected-rq-timeout-ms", str(timeout_ms))


def _cluster_of(service_config: bytes) -> str:
    """The cluster that a `GrpcService` message names (`envoy_grpc.cluster_name`), or else the bytes as a name."""
    head = service_config[:4]
    if len(head) == 4 and head[0] == head[2] == 0x0A and head[1] <= len(service_config) - 2:
        return to_text(service_config[4 : 4 + head[3]])
    return to_text(service_config)


def _no_streams(vm: Vm, *args: object) -> Refusal:
    return Refusal(Status.UNIMPLEMENTED, "gRPC streams are not simulated; unary proxy_grpc_call is")


def proxy_grpc_cancel(vm: Vm, id: int) -> Refusal:
    return Refusal(Status.NOT_FOUND, f"there is no gRPC call {id} to cancel")


def proxy_get_status(vm: Vm) -> tuple[int, str]:
    return _root(vm).status


def proxy_call_foreign_function(vm: Vm, name: str, arguments: bytes) -> Refusal:
    return Refusal(Status.NOT_FOUND, f"the host has no foreign function `{name}`")


def envoy_resolve_dns(vm: Vm, name: str) -> Refusal:
    return Refusal(Status.UNIMPLEMENTED, "names are not resolved in the simulated host")


CALLS = {
    "proxy_grpc_stream": _no_streams,
    "proxy_grpc_send": _no_streams,
    "proxy_grpc_close": proxy_grpc_cancel,
    **calls(
        proxy_http_call, proxy_grpc_call, proxy_grpc_cancel, proxy_get_status, proxy_call_foreign_function,
        envoy_resolve_dns,
    ),
}  # fmt: skip
