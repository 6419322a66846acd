"""Contexts: whom the plugin talks about. A root for the plugin itself, a stream (`filters.py`) for each exchange.

Rule: a header map or buffer is there while Envoy holds a pointer to it, that is during the callbacks it belongs to;
`maps` and `buffers` are those pointers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simwasm.abi.enums import BufferType, LogLevel, MapType
from simwasm.host.buffers import Buffer
from simwasm.host.clock import MILLISECOND, Timer
from simwasm.host.expressions import Expressions
from simwasm.host.filter_state import Declared
from simwasm.host.headers import HeaderMap
from simwasm.plugin import Plugin

if TYPE_CHECKING:
    from simwasm.host.stream import Stream
    from simwasm.host.vm import Vm

NOWHERE = Buffer(writable=False, why="this buffer is not available in this callback")
"""What is read where there is nothing to be read: no bytes."""


class Context:
    """What roots and streams share."""

    __slots__ = ("vm", "id", "root", "maps", "buffers", "logging", "stream", "declared")

    stream: Stream | None
    declared: dict[str, Declared]
    """The properties that were declared in it; a stream's are made only for the first of them."""
    root: RootContext
    """The plugin's own context, which is its own root."""

    def __init__(self, vm: Vm) -> None:
        self.vm = vm
        self.stream = None
        self.logging = False
        """Whether this is the time of `proxy_on_log`, when nothing can be written."""
        self.id = vm.next_context_id()
        vm.contexts[self.id] = self
        self.maps: dict[MapType, HeaderMap] = {}
        self.buffers: dict[BufferType, Buffer] = {}

    def writable_map(self, kind: MapType) -> HeaderMap | None:
        """The map for writing, if there is one now."""
        return self.maps.get(kind)

    def readable_map(self, kind: MapType) -> HeaderMap | None:
        """The map for reading, if there is one now."""
        found = self.maps.get(kind)
        return found if found is not None else self.root.answer.get(kind)

    def may_write(self, kind: MapType) -> bool:
        """Whether there is a map for writing now; asking changes nothing."""
        return self.maps.get(kind) is not None

    def buffer(self, kind: BufferType) -> Buffer | None:
        """The buffer; None means NOT_FOUND, which only some kinds can be."""
        found = self.buffers.get(kind)
        if found is not None:
            return found
        return self.root.buffer_of_root(kind)

    def log(self, level: LogLevel, text: str) -> None:
        """Write one log line, with the prefix Envoy gives it."""
        self.vm.proxy.log(level, f"{self.log_name}: {text}", self.stream)

    @property
    def log_name(self) -> str:
        return self.root.own_log_name


class RootContext(Context):
    """The plugin's own context: configuration, timer, and the answers to its callouts."""

    __slots__ = (
        "plugin", "own_log_name", "stream_log_name", "expressions", "answer", "status", "waiting", "_timer", "_period",
    )  # fmt: skip

    def __init__(self, vm: Vm, plugin: Plugin) -> None:
        super().__init__(vm)
        self.root = self
        self.plugin = plugin
        _, self.own_log_name, self.stream_log_name = log_names(plugin)
        vm.roots.append(self)
        self.declared = {}
        self.expressions = Expressions()
        self.answer: dict[MapType, HeaderMap] = {}
        """The maps of the callout's answer, during its callback."""
        self.status: tuple[int, str] = (0, "")
        self.waiting = False
        self._timer: Timer | None = None
        self._period = 0

    def buffer_of_root(self, kind: BufferType) -> Buffer | None:
        found = self.buffers.get(kind)
        if found is not None and kind is not BufferType.FOREIGN_FUNCTION_ARGUMENTS:  # given to the root alone
            return found
        if kind is BufferType.VM_CONFIGURATION:
            return Buffer(self.vm.plugin.vm_config, writable=False, why="a configuration cannot be written")
        if kind in (BufferType.PLUGIN_CONFIGURATION, BufferType.HTTP_CALL_RESPONSE_BODY):
            return None
        return NOWHERE

    def configured(self, function: str, size: int) -> object:
        """Call a callback during which the plugin's configuration can be read."""
        self.buffers[BufferType.PLUGIN_CONFIGURATION] = Buffer(
            self.plugin.config, writable=False, why="a configuration cannot be written"
        )
        result = self.vm.call(self, function, size)
        del self.buffers[BufferType.PLUGIN_CONFIGURATION]
        self.vm.settle()
        return result

    @property
    def ticks(self) -> tuple[int, int | None]:
        """How many milliseconds are between ticks (0: none), and when the next one is due, if it is."""
        return self._period, self._timer.due if self._timer is not None and self._period else None

    def set_period(self, milliseconds: int) -> None:
        """Have this context ticked; 0 stops it."""
        if self._timer:
            self._timer.cancel()
        self._period = milliseconds
        if milliseconds:
            self._timer = self.vm.proxy.clock.after(milliseconds * MILLISECOND, self._tick, idle=True)

    def _tick(self) -> None:
        self._timer = None
        self.vm.tell(self, "proxy_on_tick")
        if self._period and self._timer is None and not self.vm.failed:
            self._timer = self.vm.proxy.clock.after(self._period * MILLISECOND, self._tick, idle=True)

    def close(self) -> None:
        """The worker stops: done, then delete unless the plugin asks to wait."""
        self.set_period(0)
        done = self.vm.tell(self, "proxy_on_done")
        if done is False:
            self.waiting = True
            return
        self.delete()

    def delete(self) -> None:
        self.waiting = False
        self.vm.tell(self, "proxy_on_delete")
        self.vm.forget(self)


def log_names(plugin: Plugin) -> tuple[str, str, str]:
    """What its log lines begin with: those of nobody, of its root context, of a stream."""
    of_root = plugin.root_id, plugin.vm_id
    return _log_name(), _log_name(*of_root), _log_name(plugin.name, *of_root)


def _log_name(*parts: str) -> str:
    return " ".join(part for part in ("wasm log", *parts) if part)
