"""Asking other services by gRPC: unary calls, and streams of messages."""

from __future__ import annotations

import base64

from simwasm.abi.enums import Status
from simwasm.abi.pairs import Pairs
from simwasm.abi.status import Refusal, Remark
from simwasm.exchange import Chunk, Message, to_bytes
from simwasm.host import grpc
from simwasm.host.calls.callouts import acting_root, is_empty, known_clusters
from simwasm.host.calls.topic import calls
from simwasm.host.context import RootContext
from simwasm.host.grpc_call import Conversation, framed
from simwasm.host.grpc_service import Target, read_target
from simwasm.host.headers import HeaderMap
from simwasm.host.ports import NO_HOST, Callout
from simwasm.host.vm import GRPC_CALL, GRPC_STREAM, Vm

_KINDS = 4
_DIGITS = 100_000_000
"""The number in `grpc-timeout` has eight digits at most."""
_RESERVED = ("host",)


def proxy_grpc_call(
    vm: Vm, service_config: bytes, service: str, method: str, metadata: Pairs, message: bytes, timeout_ms: int
) -> int | Refusal | Remark:
    root = acting_root(vm)
    target = _target(vm, service_config)
    id = vm.next_call_id(GRPC_CALL)
    request = _request(target, service, method, metadata, _timeout(timeout_ms))
    if timeout_ms:
        request.put("x-envoy-expected-rq-timeout-ms", str(timeout_ms))
    asked = Message(request.entries, (Chunk(framed(message)),))
    call = Callout(id, target.cluster, asked, timeout_ms)
    return _begun(root, target, grpc.begin(root, call, stream=False, message=message, largest=target.largest))


def proxy_grpc_stream(
    vm: Vm, service_config: bytes, service: str, method: str, metadata: Pairs
) -> int | Refusal | Remark:
    root = acting_root(vm)
    target = _target(vm, service_config)
    id = vm.next_call_id(GRPC_STREAM)
    request = _request(target, service, method, metadata, None)
    call = Callout(id, target.cluster, Message(request.entries), 0)
    return _begun(root, target, grpc.begin(root, call, stream=True, largest=target.largest))


def _target(vm: Vm, service_config: bytes) -> Target:
    target = read_target(service_config)
    if target.nobody:
        raise Refusal(
            Status.BAD_ARGUMENT,
            "upstream: this GrpcService names neither envoy_grpc nor google_grpc; the real Envoy aborts here",
        )
    if target.named and target.cluster not in vm.proxy.clusters:
        raise Refusal(
            Status.PARSE_FAILURE,
            f"upstream: neither a GrpcService message nor the name of a cluster; known are {known_clusters(vm)}",
        )
    return target


def _request(target: Target, service: str, method: str, metadata: Pairs, timeout: str | None) -> HeaderMap:
    """The headers of a call, in Envoy's order; metadata in binary travels in base64, behind the rest, one
    value of each name."""
    for name, _ in target.metadata:
        if name[:1] == ":" or name.lower() in _RESERVED:
            raise Refusal(Status.BAD_ARGUMENT, f"upstream: initial_metadata cannot have `{name}`")
    request = HeaderMap(request=True)
    for name, value in (
        (":method", "POST"),
        (":path", f"/{service}/{method}"),
        (":authority", target.authority or target.cluster),
        (":scheme", "http"),
        ("te", "trailers"),
        *((("grpc-timeout", timeout),) if timeout else ()),
        ("content-type", "application/grpc"),
        *((name, value) for name, value in target.metadata if value),
        *metadata,
    ):
        request.add(name, value)
    for name in dict.fromkeys(name for name, _ in request if name[-4:] == "-bin"):
        request.replace(name, base64.b64encode(to_bytes(request.get(name) or "")).decode())
    request.put("x-envoy-internal", "true")
    return request


def _timeout(milliseconds: int) -> str:
    """A timeout as gRPC writes it."""
    return f"{milliseconds}m" if milliseconds < _DIGITS else f"{milliseconds // 1000}S"


def _begun(root: RootContext, target: Target, talk: Conversation) -> int | Refusal | Remark:
    """Have the cluster asked, or say why it cannot be."""
    vm, id = root.vm, talk.call.id
    if target.google:
        grpc.fail_soon(root, talk)
        return Remark(id, "google_grpc is not simulated: the call fails as if nobody listened there")
    if target.cluster not in vm.proxy.clusters:
        grpc.end_later(root, talk, grpc.UNAVAILABLE, "Cluster not available")
        return Refusal(
            Status.INTERNAL_FAILURE,
            f"upstream: there is no cluster `{target.cluster}`, which proxy_on_grpc_close tells as well; "
            f"known are {known_clusters(vm)}",
        )
    if is_empty(vm, target.cluster):
        grpc.fail_at_once(root, talk, NO_HOST)
        return Refusal(
            Status.INTERNAL_FAILURE,
            f"upstream: the cluster `{target.cluster}` has no healthy host, which proxy_on_grpc_close tells as well",
        )
    grpc.ask_soon(root, talk)
    return id


def _talk(vm: Vm, id: int, kinds: tuple[int, ...]) -> Conversation:
    """The call of that number, if it is of one of these kinds."""
    names = {GRPC_CALL: "gRPC calls", GRPC_STREAM: "gRPC streams"}
    if id % _KINDS not in kinds:
        numbers = " and ".join(f"{names[kind]} have {kind + 4}, {kind + 8}, …" for kind in kinds)
        raise Refusal(Status.BAD_ARGUMENT, f"call_id: {id} is another kind's number: {numbers}")
    found = vm.in_flight.get(id)
    if not isinstance(found, Conversation):
        raise Refusal(
            Status.NOT_FOUND,
            f"call_id: there is no gRPC call {id}: it never was, or it has ended or was closed",
        )
    return found


def proxy_grpc_send(vm: Vm, id: int, message: bytes, end_of_stream: bool) -> None | Remark:
    root = acting_root(vm)
    talk = _talk(vm, id, (GRPC_STREAM,))
    if talk.over or talk.ended:
        why = "the service has ended it" if talk.over else "the plugin has ended its side of it"
        return Remark(None, f"nothing is sent on stream {id}: {why}")
    grpc.say(root, talk, message, end_of_stream)
    return None


def proxy_grpc_close(vm: Vm, id: int) -> None:
    root = acting_root(vm)
    talk = _talk(vm, id, (GRPC_CALL, GRPC_STREAM))
    if talk.over or not talk.stream:
        _forget(vm, talk)
        return
    talk.closed = True
    if not talk.ended:
        grpc.say(root, talk, None, True)


def proxy_grpc_cancel(vm: Vm, id: int) -> None:
    _forget(vm, _talk(vm, id, (GRPC_CALL, GRPC_STREAM)))


def _forget(vm: Vm, talk: Conversation) -> None:
    talk.give_up()
    del vm.in_flight[talk.call.id]


CALLS = calls(proxy_grpc_call, proxy_grpc_stream, proxy_grpc_send, proxy_grpc_close, proxy_grpc_cancel)
