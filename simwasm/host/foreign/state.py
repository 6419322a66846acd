"""`declare_property` and `set_envoy_filter_state`: filter state with a type, and what parts of Envoy look for in it."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address

from simwasm.abi.enums import Status
from simwasm.abi.status import Refusal, Remark
from simwasm.exchange import decimal, to_bytes
from simwasm.host.filter_state import Declared, Fields, Kind, Object
from simwasm.host.foreign.arguments import read
from simwasm.host.vm import Vm
from simwasm.protobuf import Field, Scalar, Schema

_DECLARE = Schema(
    "DeclarePropertyArguments",
    {
        "name": Field(1, Scalar.TEXT),
        "readonly": Field(2, Scalar.BOOL),
        "type": Field(3, Scalar.INT),
        "schema": Field(4, Scalar.BYTES),
        "span": Field(5, Scalar.INT),
    },
)
_SET = Schema(
    "SetEnvoyFilterStateArguments",
    {"path": Field(1, Scalar.TEXT), "value": Field(2, Scalar.TEXT), "span": Field(3, Scalar.INT)},
)
_SPANS = (0, 1, 2)


def declare_property(vm: Vm, arguments: bytes) -> bytes | Refusal | Remark:
    """Say of what type a property will be, and whether it is written once; not for the effective context."""
    given = read(_DECLARE, arguments)
    context = vm.current
    assert context is not None
    if getattr(context, "declared", None) is None:
        context.declared = {}
    name = given.get("name")
    if name in context.declared:
        return Refusal(Status.BAD_ARGUMENT, f"`{name}` has been declared before")
    kind = Kind(given.get("type")) if given.get("type") in Kind.__members__.values() else Kind.BYTES
    schema = given.get("schema").decode("utf-8", "replace")
    context.declared[name] = Declared(given.get("readonly"), kind, schema, _span(given.get("span")))
    if context is not context.root:
        return Remark(
            b"", "it has no effect: proxy_set_property looks at what the root declared, in proxy_on_configure"
        )
    return b""


def set_envoy_filter_state(vm: Vm, arguments: bytes) -> bytes | Refusal | Remark:
    """Make an object of one of Envoy's kinds out of a text, for the effective context."""
    given = read(_SET, arguments)
    path, value = given.get("path"), given.get("value")
    context = vm.context
    if context is None or context.stream is None:
        return Refusal(
            Status.NOT_FOUND, "this context has no stream; choose one by proxy_set_effective_context"
        )
    make = OBJECTS.get(path)
    if make is None:
        return Refusal(Status.NOT_FOUND, f"path: Envoy has no kind of object called `{path}`")
    made = make(value)
    if made is None:
        return Refusal(Status.BAD_ARGUMENT, f"value: `{value}` is no `{path}`")
    span = _span(given.get("span"))
    old = context.stream.state.get(path)
    if old is not None and old.span != span:
        return Remark(b"", f"nothing changes: there is a `{path}` of another life span")
    context.stream.state[path] = made._replace(span=span)
    return b""


def _span(number: int) -> int:
    return number if number in _SPANS else 0


Make = Callable[[str], "Object | None"]

_TRUE, _FALSE = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")


def _text(value: str) -> Object:
    return Object(to_bytes(value))


def _some_text(value: str) -> Object | None:
    return Object(to_bytes(value)) if value else None


def _number(value: str) -> Object | None:
    number = decimal(value.strip())
    return Object(str(number).encode()) if number is not None and number < 1 << 32 else None


def _flag(value: str) -> Object | None:
    low = value.lower()
    return Object(b"true" if low in _TRUE else b"false") if low in (*_TRUE, *_FALSE) else None


def _only_true(value: str) -> Object:
    return Object(b"true" if value == "true" else b"false")


def _silent(value: str) -> Object:
    return Object(None)


def _never(value: str) -> None:
    return None


def _ip(value: str) -> Object | None:
    try:
        found = ip_address(value)
    except ValueError:
        return None
    return Object(f"[{found}]:0".encode() if found.version == 6 else f"{found}:0".encode())


def _address(value: str) -> Object | None:
    host, colon, port = value.rpartition(":")
    bracketed = host[:1] == "[" and host[-1:] == "]"
    number = decimal(port)
    try:
        found = ip_address(host[1:-1] if bracketed else host)
    except ValueError:
        return None
    if not colon or number is None or number > 0xFFFF or bracketed != (found.version == 6):
        return None
    return Object(to_bytes(value), Fields(ip=str(found), port=number))


OBJECTS: dict[str, Make] = {
    "envoy.ai.llm_protocol.request": _never,
    "envoy.ai.model.request": _some_text,
    "envoy.bool": _flag,
    "envoy.filters.listener.original_dst.local_ip": _address,
    "envoy.filters.listener.original_dst.remote_ip": _address,
    "envoy.hashable_string": _text,
    "envoy.network.application_protocols": _silent,
    "envoy.network.ip": _ip,
    "envoy.network.transport_socket.http_11_proxy.info": _never,
    "envoy.network.transport_socket.original_dst_address": _address,
    "envoy.network.upstream_server_name": _text,
    "envoy.network.upstream_subject_alt_names": _text,
    "envoy.ratelimit.hits_addend": _number,
    "envoy.router.debug_config": _silent,
    "envoy.string": _text,
    "envoy.tcp_proxy.cluster": _text,
    "envoy.tcp_proxy.disable_tunneling": _only_true,
    "envoy.tcp_proxy.per_connection_idle_timeout_ms": _number,
    "envoy.upstream.dynamic_host": _text,
    "envoy.upstream.dynamic_port": _number,
}
"""The kinds of object that Envoy can make, and how each reads its text."""
