"""Header maps: where one is there, and what is said where it is not."""

from __future__ import annotations

from simwasm.abi.enums import MapType, Status
from simwasm.abi.pairs import Pairs
from simwasm.abi.status import Refusal, Remark
from simwasm.abi.table import Abi
from simwasm.host.calls.topic import calls
from simwasm.host.context import Context
from simwasm.host.headers import HeaderMap
from simwasm.host.vm import Vm

_WHEN = {
    MapType.HTTP_REQUEST_HEADERS: "in proxy_on_request_headers, until it returns Continue, and in proxy_on_log",
    MapType.HTTP_REQUEST_TRAILERS: "in proxy_on_request_trailers",
    MapType.HTTP_RESPONSE_HEADERS: "in proxy_on_response_headers, until it returns Continue, and in proxy_on_log",
    MapType.HTTP_RESPONSE_TRAILERS: "in proxy_on_response_trailers and in proxy_on_log",
    MapType.GRPC_CALL_INITIAL_METADATA: "in proxy_on_grpc_receive_initial_metadata",
    MapType.GRPC_CALL_TRAILING_METADATA: "in proxy_on_grpc_receive_trailing_metadata",
    MapType.HTTP_CALL_RESPONSE_HEADERS: "in proxy_on_http_call_response",
    MapType.HTTP_CALL_RESPONSE_TRAILERS: "in proxy_on_http_call_response",
}
READ_ONLY = frozenset(kind for kind in MapType if kind >= MapType.GRPC_CALL_INITIAL_METADATA)


MOST_HEADERS = 10_000
"""How many headers a plugin may add to a map; names are looked for one by one."""


def _context(vm: Vm) -> Context:
    if vm.context is None:
        raise Refusal(
            Status.BAD_ARGUMENT, "there is no context yet: header maps belong to a stream's callbacks"
        )
    return vm.context


def absent(kind: MapType) -> str:
    """Say that a map is not there, and when it is."""
    return f"{kind.name} is not available here; it is there {_WHEN[kind]}"


def _read(vm: Vm, kind: MapType) -> HeaderMap:
    found = _context(vm).readable_map(kind)
    if found is None:
        raise Refusal(Status.BAD_ARGUMENT, absent(kind))
    return found


def _write(vm: Vm, kind: MapType) -> HeaderMap:
    if kind in READ_ONLY:
        raise Refusal(Status.BAD_ARGUMENT, f"{kind.name} cannot be written")
    context = _context(vm)
    found = context.writable_map(kind)
    if found is None or context.logging:
        raise Refusal(
            Status.BAD_ARGUMENT, "nothing can be written in proxy_on_log" if found else absent(kind)
        )
    return found


def proxy_get_header_map_size(vm: Vm, kind: MapType) -> int:
    return _write(vm, kind).byte_size()


def proxy_get_header_map_pairs(vm: Vm, kind: MapType) -> Pairs | Remark:
    found = _context(vm).readable_map(kind)
    if found is None:
        return Remark((), f"empty, since {absent(kind)}")
    return found.entries


def proxy_set_header_map_pairs(vm: Vm, kind: MapType, pairs: Pairs) -> None | Remark:
    _write(vm, kind).assign(pairs)
    return None if pairs else Remark(None, "the list is empty or malformed, so every header is gone")


def proxy_get_header_map_value(vm: Vm, kind: MapType, key: str) -> str | Refusal | Remark:
    context = vm.context
    found = None
    if context is not None:
        found = context.maps.get(kind) or context.readable_map(kind)
    if found is None:
        if context is not None and context.logging:
            return _missing(vm, f"{kind.name} does not exist")
        return Refusal(Status.BAD_ARGUMENT, absent(kind))
    value = found.get(key)
    if value is None:
        return _missing(vm, f"there is no header `{key}`")
    return value


def _missing(vm: Vm, reason: str) -> Refusal | Remark:
    if vm.plugin.abi is Abi.V0_1_0:
        return Remark("", f"{reason}; ABI 0.1.0 gives an empty value for it")
    return Refusal(Status.NOT_FOUND, reason)


def proxy_add_header_map_value(vm: Vm, kind: MapType, key: str, value: str) -> Refusal | None:
    found = _write(vm, kind)
    if len(found) >= MOST_HEADERS:
        return Refusal(
            Status.INTERNAL_FAILURE, f"the map has {MOST_HEADERS:,} headers, as many as it may here"
        )
    found.add(key, value)
    return None


def proxy_replace_header_map_value(vm: Vm, kind: MapType, key: str, value: str) -> None:
    _write(vm, kind).replace(key, value)


def proxy_remove_header_map_value(vm: Vm, kind: MapType, key: str) -> None | Remark:
    removed = _write(vm, kind).remove(key)
    return None if removed else Remark(None, f"there was no header `{key}`")


CALLS = calls(
    proxy_get_header_map_size,
    proxy_get_header_map_pairs,
    proxy_set_header_map_pairs,
    proxy_get_header_map_value,
    proxy_add_header_map_value,
    proxy_replace_header_map_value,
    proxy_remove_header_map_value,
)
