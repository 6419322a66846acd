"""What Google's plugin tester answers in another way than Envoy: headers, bodies, properties, local replies, the time.

Rules, that tester's:

- a header map is there during its own headers callback only, whatever the callback returns; a body is the chunk at
  hand, is never kept, and may be edited anywhere;
- a local reply can be sent from headers callbacks and from that of the request's body; its headers and body take the
  place of the phase's, and the plugin may go on changing them;
- properties of a stream are those of the test; the time stands still;
- streams cannot be continued or closed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simwasm.abi.enums import BufferType, MapType, Status
from simwasm.abi.pairs import Pairs
from simwasm.abi.status import Refusal
from simwasm.engines.fuel import Fuel
from simwasm.exchange import Headers, to_bytes
from simwasm.host.buffers import LARGEST
from simwasm.host.clock import Clock
from simwasm.host.context import Context
from simwasm.host.ports import Guest
from simwasm.host.vm import Vm
from simwasm.link import Handlers
from simwasm.suites.google.headers import CaselessMap

_REPLYING = ("proxy_on_request_headers", "proxy_on_response_headers", "proxy_on_request_body")
_BODIES = {
    "proxy_on_request_body": BufferType.HTTP_REQUEST_BODY,
    "proxy_on_response_body": BufferType.HTTP_RESPONSE_BODY,
}


class Reply:
    """A local reply, beyond its headers and body."""

    __slots__ = ("status", "grpc_status", "details")

    def __init__(self, status: int, grpc_status: int, details: str) -> None:
        self.status = status
        self.grpc_status = grpc_status
        self.details = details


class StageStream(Context):
    """A stream of that tester's."""

    __slots__ = ("map_type", "headers", "callback", "body", "reply", "replied")

    def __init__(self, vm: Vm) -> None:
        super().__init__(vm)
        assert vm.root is not None
        self.root = vm.root
        self.map_type: MapType | None = None
        self.headers = CaselessMap()
        self.callback = ""
        """The phase, or the last one."""
        self.body = b""
        self.reply: Reply | None = None
        """The reply that this phase sent."""
        self.replied = False
        """Whether any phase did."""


class FrozenClock(Clock):
    """A clock that stands still; that tester has no other one for how long it runs."""

    def read(self) -> int:
        return self.now

    def monotonic(self) -> int:
        return self.now


class Calls:
    """Stands between guest and host, and answers in the host's place."""

    def __init__(self, vm: Callable[[], Vm], properties: Headers) -> None:
        self._vm = vm
        self._properties = properties

    def guest(self, guest: Guest, vm: Vm) -> Guest:
        return guest

    def fuelled(self, number: int, fuel: Fuel) -> None:
        """Its fuel is nobody's business here."""

    def handlers(self, handlers: Handlers) -> Handlers:
        """The host calls that this host answers in its own way."""
        own: dict[str, Callable[..., Any]] = {
            "proxy_get_header_map_size": lambda kind: len(self._map(kind)),
            "proxy_get_header_map_pairs": lambda kind: self._map(kind).entries,
            "proxy_set_header_map_pairs": lambda kind, pairs: self._map(kind).assign(pairs),
            "proxy_get_header_map_value": self._header,
            "proxy_add_header_map_value": lambda kind, key, value: self._map(kind).add(key, value),
            "proxy_replace_header_map_value": lambda kind, key, value: self._map(kind).replace(key, value),
            "proxy_remove_header_map_value": lambda kind, key: self._map(kind).remove(key),
            "proxy_get_buffer_bytes": lambda kind, start, size: self._buffer(kind)[start : start + size],
            "proxy_get_buffer_status": lambda kind: (len(self._buffer(kind)), 0),
            "proxy_set_buffer_bytes": self._write,
            "proxy_get_property": self._property,
            "proxy_set_property": _refuse,
            "proxy_send_local_response": self._reply,
            "proxy_continue_stream": _refuse,
            "proxy_continue_request": _refuse,
            "proxy_continue_response": _refuse,
            "proxy_close_stream": _refuse,
        }
        return {**handlers, **own}

    def _acting(self) -> StageStream:
        """The stream that the plugin acts for."""
        context = self._vm().context
        if not isinstance(context, StageStream):
            raise Refusal(Status.UNIMPLEMENTED, "only a stream can do that")
        return context

    def _map(self, kind: MapType) -> CaselessMap:
        stream = self._acting()
        if stream.map_type is not kind:
            raise Refusal(
                Status.BAD_ARGUMENT, f"{kind.name} is not available here, only in its headers callback"
            )
        return stream.headers

    def _header(self, kind: MapType, key: str) -> str | Refusal:
        value = self._map(kind).get(key)
        return value if value is not None else Refusal(Status.NOT_FOUND, f"there is no header `{key}`")

    def _buffer(self, kind: BufferType) -> bytes:
        context = self._vm().context
        if kind is BufferType.PLUGIN_CONFIGURATION and context is not None:
            return self._vm().plugin.config
        if isinstance(context, StageStream) and _BODIES.get(context.callback) is kind:
            return context.body
        raise Refusal(Status.NOT_FOUND, f"{kind.name} is not available here")

    def _write(self, kind: BufferType, start: int, size: int, data: bytes) -> Refusal | None:
        old = self._buffer(kind)
        if kind is BufferType.PLUGIN_CONFIGURATION:
            return Refusal(Status.BAD_ARGUMENT, "a configuration cannot be written")
        if len(old) + len(data) > LARGEST:
            return Refusal(Status.INTERNAL_FAILURE, f"a buffer may have {LARGEST:,} bytes here")
        self._acting().body = old[:start] + data + old[start + size :]
        return None

    def _property(self, path: tuple[str, ...]) -> bytes | Refusal:
        context = self._vm().context
        name = ".".join(part for part in path if part)
        if not isinstance(context, StageStream):
            return (
                to_bytes(context.root.plugin.root_id)
                if context is not None and name == "plugin_root_id"
                else Refusal(Status.UNIMPLEMENTED, "only a stream has properties here, beside plugin_root_id")
            )
        for known, value in self._properties:
            if known == name:
                return to_bytes(value)
        return Refusal(Status.NOT_FOUND, f"the test names no property `{name}`")

    def _reply(
        self, status: int, details: str, body: bytes, headers: Pairs, grpc_status: int
    ) -> Refusal | None:
        stream = self._acting()
        if stream.callback not in _REPLYING:
            return Refusal(
                Status.BAD_ARGUMENT, "a reply can be sent from headers callbacks and the request's body"
            )
        stream.reply = Reply(status, grpc_status % (1 << 32), details)
        stream.replied = True
        stream.body = body if _BODIES.get(stream.callback) is None else stream.body
        stream.headers.assign(())
        for name, value in headers:
            stream.headers.replace(name, value)
        return None


def _refuse(*args: object) -> Refusal:
    return Refusal(Status.UNIMPLEMENTED, "that tester has nothing that could be told so")
