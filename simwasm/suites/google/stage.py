"""A plugin on the stage of Google's plugin tester: its callbacks one after the other, with no proxy around them.

Plugin, engine and linking are those of every session. Rules, that tester's: a phase is one callback, whatever the one
before gave back; after a local reply no phase is played; lines that were logged belong to the context that logged them,
and are forgotten when its next phase begins.
"""

from __future__ import annotations

from dataclasses import dataclass

from simwasm.abi.enums import HeadersAction, MapType
from simwasm.abi.table import Abi
from simwasm.engines.engine import Engine
from simwasm.errors import Trap
from simwasm.exchange import Headers
from simwasm.host.context import Context
from simwasm.host.outcome import LogLine
from simwasm.host.profile import Profile
from simwasm.host.vm import Vm
from simwasm.plugin import Plugin
from simwasm.session import Session
from simwasm.suites.google.headers import CaselessMap
from simwasm.suites.google.host import Calls, FrozenClock, Reply, StageStream
from simwasm.suites.google.suite import Env
from simwasm.testing import shared
from simwasm.testing.trace import Entry, Setting, Trace

_GO_ON = (HeadersAction.CONTINUE, HeadersAction.CONTINUE_AND_END_STREAM)
_MAPS = {
    "proxy_on_request_headers": MapType.HTTP_REQUEST_HEADERS,
    "proxy_on_response_headers": MapType.HTTP_RESPONSE_HEADERS,
}


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


class Stage:
    """A plugin in a VM of its own, and one stream through it."""

    def __init__(self, plugin: Plugin, env: Env, properties: Headers, *, engine: Engine) -> None:
        self._engine = engine
        self._events: list[Entry] = []
        self._session = Session(
            [plugin],
            engine=engine,
            observers=(self._events.append,),
            profile=Profile(log_level=env.log_level),
            on_log=self._logged,
            between=Calls(lambda: self.vm, properties),
            programs=shared.program,
        )
        self._session.proxy.clock = FrozenClock(env.now_ns)
        self._lines: dict[int, list[str]] = {}
        """What was logged, by context; a stream's lines are those of the present phase."""
        self._stream: StageStream | None = None
        self._with_end = plugin.abi is not Abi.V0_1_0

    @property
    def trace(self) -> Trace:
        """Everything that has crossed the ABI."""
        proxy, engine = self._session.proxy, self._engine
        return Trace(self._events, Setting(proxy.plugins, proxy.profile, proxy.clock.now, engine.name))

    @property
    def row(self) -> int | None:
        """The row that the trace ends with so far, from 1."""
        return len(self.trace.rows) if self._events else None

    # The plugin's life.

    def start(self) -> tuple[str, ...]:
        """Start the plugin; the lines that its root logged."""
        self._session.start()
        assert self.vm.root is not None
        return self._logs(self.vm.root)

    def open(self) -> Result:
        """Begin the stream."""
        self._stream = stream = StageStream(self.vm)
        self.vm.tell(stream, "proxy_on_context_create", stream.root.id)
        return Result(logs=self._logs(stream))

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
        return Result(stream.headers.entries, stream.body, action, stream.reply, self._logs(stream))

    def body(self, function: str, chunk: bytes, end: bool) -> Result:
        """Play a body callback with one chunk; nothing happens once the plugin has replied."""
        stream = self._begin(function)
        if stream.replied:
            return Result()
        stream.body = chunk
        self._call(stream, function, len(chunk), end)
        return Result(body=stream.body, logs=self._logs(stream))

    def end(self) -> Result:
        """End the stream."""
        assert self._stream is not None
        stream = self._stream
        self._lines.clear()
        for function in ("proxy_on_log", "proxy_on_done", "proxy_on_delete"):
            self.vm.tell(stream, function)
        result = Result(logs=self._logs(stream))
        self.vm.forget(stream)
        return result

    def stop(self) -> None:
        """End the plugin."""
        self._session.stop()

    def close(self) -> None:
        """Let go of the guest; what it did stays known."""
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
        return tuple(line for lines in self._lines.values() for line in lines)

    def _logs(self, context: Context) -> tuple[str, ...]:
        return tuple(self._lines.get(context.id, ()))

    def _begin(self, function: str) -> StageStream:
        assert self._stream is not None
        stream = self._stream
        self._lines.pop(stream.id, None)
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
            self._lines.setdefault(context.id, []).append(line.text.removeprefix(prefix))
