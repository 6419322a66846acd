"""The host that Google's plugin tester is for a plugin: callbacks one after the other, with no proxy around them.

Plugin, engine and linking are those of every session; what differs from Envoy is answered here. Rules, that tester's:

- a header map is there during its own headers callback only, whatever the callback returns; a body is the chunk at
  hand, is never kept, and may be edited anywhere;
- a local reply can be sent from headers callbacks and from that of the request's body; its headers and body take the
  place of the phase's, and the plugin may go on changing them;
- properties of a stream are those of the test; the time stands still;
- lines that were logged belong to the context that logged them, and are forgotten when its next phase begins.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from simwasm.abi.enums import BufferType, HeadersAction, MapType, Status
from simwasm.abi.pairs import Pairs
from simwasm.abi.status import Refusal
from simwasm.abi.table import Abi
from simwasm.engines.engine import Engine
from simwasm.engines.fuel import Fuel
from simwasm.errors import Trap
from simwasm.exchange import Headers
from simwasm.host.buffers import LARGEST
from simwasm.host.clock import Clock
from simwasm.host.context import Context
from simwasm.host.outcome import LogLine
from simwasm.host.ports import Guest
from simwasm.host.profile import Profile
from simwasm.host.vm import Vm
from simwasm.link import Handlers
from simwasm.plugin import Plugin
from simwasm.session import Session
from simwasm.suites.google.headers import CaselessMap
from simwasm.suites.google.suite import Env
from simwasm.trace.event import Observer

_GO_ON = (HeadersAction.CONTINUE, HeadersAction.CONTINUE_AND_END_STREAM)
_REPLYING = ("proxy_on_request_headers", "proxy_on_response_headers", "proxy_on_request_body")
_BODIES = {
    "proxy_on_request_body": BufferType.HTTP_REQUEST_BODY,
    "proxy_on_response_body": BufferType.HTTP_RESPONSE_BODY,
}
_MAPS = {
    "proxy_on_request_headers": MapType.HTTP_REQUEST_HEADERS,
    "proxy_on_response_headers": MapType.HTTP_RESPONSE_HEADERS,
}


class Reply:
    """A local reply, beyond its headers and body."""

    __slots__ = ("status", "grpc_status", "details")

    def __init__(self, status: int, grpc_status: int, details: str) -> None:
        self.status = status
        self.grpc_status = grpc_status
        self.details = details


@dataclass(slots=True)
class Result:
    """What came of a phase."""

    headers: Headers = ()
    body: bytes = b""
    action: int = HeadersAction.CONTINUE
    """What a headers callback gave back; STOP_ALL_AND_WATERMARK for a local reply."""
    reply: Reply | None = None
    logs: tuple[str, ...] = ()

    @property
    def goes_on(self) -> bool:
        return self.action in _GO_ON


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


@dataclass(slots=True)
class _Logs:
    """The lines of the present phase, by context."""

    lines: dict[int, list[str]] = field(default_factory=dict)

    def of(self, context: Context) -> tuple[str, ...]:
        return tuple(self.lines.get(context.id, ()))


class Stage:
    """A plugin in a VM of its own, and one stream through it."""

    def __init__(
        self,
        plugin: Plugin,
        env: Env,
        properties: Headers,
        *,
        engine: Engine,
        observers: Sequence[Observer] = (),
    ) -> None:
        self._session = Session(
            [plugin],
            engine=engine,
            observers=observers,
            profile=Profile(log_level=env.log_level),
            on_log=self._logged,
            between=self,
        )
        self._session.proxy.clock = FrozenClock(env.now_ns)
        self._properties = properties
        self._logs = _Logs()
        self._stream: StageStream | None = None
        self._with_end = plugin.abi is not Abi.V0_1_0

    # The plugin's life.

    def start(self) -> tuple[str, ...]:
        """Start the plugin; the lines that its root logged."""
        self._session.start()
        assert self.vm.root is not None
        return self._logs.of(self.vm.root)

    def open(self) -> Result:
        """Begin the stream."""
        self._stream = stream = StageStream(self.vm)
        self.vm.tell(stream, "proxy_on_context_create", stream.root.id)
        return Result(logs=self._logs.of(stream))

    def headers(self, function: str, headers: CaselessMap) -> Result:
        """Play a headers callback; nothing happens once the plugin has replied."""
        stream = self._begin(function)
        if stream.replied:
            return Result()
        stream.headers, stream.map_type = headers, _MAPS[function]
        arguments = (len(headers), False) if self._with_end else (len(headers),)
        action = self._call(stream, function, *arguments)
        stream.map_type = None
        if stream.reply is not None:
            action = HeadersAction.STOP_ALL_AND_WATERMARK
        return Result(stream.headers.entries, stream.body, action, stream.reply, self._logs.of(stream))

    def body(self, function: str, chunk: bytes, end: bool) -> Result:
        """Play a body callback with one chunk; nothing happens once the plugin has replied."""
        stream = self._begin(function)
        if stream.replied:
            return Result()
        stream.body = chunk
        self._call(stream, function, len(chunk), end)
        return Result(body=stream.body, logs=self._logs.of(stream))

    def close(self) -> Result:
        """End the stream."""
        assert self._stream is not None
        stream = self._stream
        self._logs.lines.clear()
        for function in ("proxy_on_log", "proxy_on_done", "proxy_on_delete"):
            self.vm.tell(stream, function)
        result = Result(logs=self._logs.of(stream))
        self.vm.forget(stream)
        return result

    def stop(self) -> None:
        """End the plugin."""
        self._session.stop()

    def leave(self) -> None:
        """Let go of the guest."""
        self._session.close()

    @property
    def vm(self) -> Vm:
        return self._session.proxy.vms[-1]

    @property
    def failed(self) -> Trap | None:
        """Why the plugin is not called any more."""
        return self.vm.failed

    def logged(self) -> tuple[str, ...]:
        """Every line of the present phase."""
        return tuple(line for lines in self._logs.lines.values() for line in lines)

    def _begin(self, function: str) -> StageStream:
        assert self._stream is not None
        stream = self._stream
        self._logs.lines.pop(stream.id, None)
        if not stream.replied:
            stream.callback, stream.reply, stream.body, stream.headers = function, None, b"", CaselessMap()
        return stream

    def _call(self, stream: StageStream, function: str, *args: int) -> int:
        result = self.vm.tell(stream, function, *args)
        return HeadersAction.CONTINUE if result is None else int(result)

    def _logged(self, line: LogLine) -> None:
        """Keep what the plugin says; what the host says, and what nobody said, is not looked at."""
        vm = self.vm
        context = vm.context
        if context is None or (vm.gate is not None and vm.gate.shut):
            return
        prefix = f"{context.log_name}: "
        if line.text.startswith(prefix):
            self._logs.lines.setdefault(context.id, []).append(line.text.removeprefix(prefix))

    # Between guest and host.

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
            "proxy_get_configuration": lambda: self.vm.plugin.config,
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
        context = self.vm.context
        if not isinstance(context, StageStream):
            raise Refusal(Status.UNIMPLEMENTED, "only a stream can do that")
        return context

    def _map(self, kind: MapType) -> CaselessMap:
        stream = self._acting()
        if stream.map_type is not kind:
            raise Refusal(Status.BAD_ARGUMENT, f"{kind.name} is not available here, only in its headers callback")
        return stream.headers

    def _header(self, kind: MapType, key: str) -> str | Refusal:
        value = self._map(kind).get(key)
        return value if value is not None else Refusal(Status.NOT_FOUND, f"there is no header `{key}`")

    def _buffer(self, kind: BufferType) -> bytes:
        context = self.vm.context
        if kind is BufferType.PLUGIN_CONFIGURATION and context is not None:
            return self.vm.plugin.config
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
        context = self.vm.context
        name = ".".join(part for part in path if part)
        if not isinstance(context, StageStream):
            return b"" if name == "plugin_root_id" else Refusal(Status.UNIMPLEMENTED, "a stream has properties")
        for known, value in self._properties:
            if known == name:
                return value.encode("utf-8", "surrogateescape")
        return Refusal(Status.NOT_FOUND, f"the test names no property `{name}`")

    def _reply(
        self, status: int, details: str, body: bytes, headers: Pairs, grpc_status: int
    ) -> Refusal | None:
        stream = self._acting()
        if stream.callback not in _REPLYING:
            return Refusal(Status.BAD_ARGUMENT, "a reply can be sent from headers callbacks and the request's body")
        stream.reply = Reply(status, grpc_status % (1 << 32), details)
        stream.replied = True
        stream.body = body if _BODIES.get(stream.callback) is None else stream.body
        stream.headers.assign(())
        for name, value in headers:
            stream.headers.replace(name, value)
        return None


def _refuse(*args: object) -> Refusal:
    return Refusal(Status.UNIMPLEMENTED, "that tester has nothing that could be told so")
