"""What the names of an expression stand for at a stop: headers, bodies, arguments, properties, shared data, memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from simwasm.abi.enums import BufferType, MapType
from simwasm.debug.activations import Activation, Variable
from simwasm.debug.arguments import Reader
from simwasm.debug.state import MetricState, State
from simwasm.debug.tape import Tape
from simwasm.engines.engine import Activation as Raw
from simwasm.errors import ExpressionError
from simwasm.exchange import Headers
from simwasm.trace.event import Entered, Left, Trapped

LARGEST = 1 << 20
"""How many bytes, characters or items a value may have."""
_WINDOW = 1 << 20


@dataclass(frozen=True, slots=True)
class Scope:
    """What an expression reads from: the host, the call of the row one is on, and the guest's memory."""

    state: State | None = None
    entered: Entered | None = None
    ended: Left | Trapped | None = None
    """How that call ended, if that may be told."""
    memory: Reader | None = None
    activation: Activation | None = None
    """The function of the plugin that one stands in."""
    globals: tuple[Variable, ...] = ()
    """The plugin's globals that can change."""
    raw: Raw | None = None
    """The same function as its engine tells of it: enough for who asks for locals and operands by number."""

    @property
    def names(self) -> frozenset[str]:
        """What the plugin's author calls variables and locals there."""
        active = self.activation
        return (
            frozenset()
            if active is None
            else frozenset(each.name for each in (*active.variables, *active.locals))
        )


def scope_at(state: State, tape: Tape, position: int, memory: Reader | None = None) -> Scope:
    """What can be read when one stands at a position; a result that is on tape is known before it is there."""
    if not position:
        return Scope(state, memory=memory)
    entered, event = tape.entered(position), tape.at(position)
    end = tape.end_of(position) if isinstance(event, Entered) else position
    ended = tape.at(end) if end else None
    assert not isinstance(ended, Entered)
    return Scope(state, entered, ended, memory)


class Parts:
    """Something whose parts have names: `headers.request`, `args.key`, `shared["k"]`."""

    def __init__(self, name: str, parts: Mapping[str, Any], *, strict: bool, whole: Any = None) -> None:
        self.name = name
        self.parts = parts
        self.strict = strict
        """A name that is not there is a mistake, and not None."""
        self.whole = whole
        """Where its parts are not all there is to it: what is shown."""

    def get(self, key: Any) -> Any:
        """The part of that name."""
        if not isinstance(key, str):
            raise ExpressionError(f'`{self.name}` is asked by a name, as in {self.name}["…"]')
        if key in self.parts:
            return self.parts[key]
        if not self.strict:
            return None
        raise ExpressionError(f"there is no `{key}` in `{self.name}`{near(key, self.parts)}")

    def __len__(self) -> int:
        return len(self.parts)


class HeaderParts(Parts):
    """A header map: a name in any case gives its first value, a number the entry at that place."""

    def __init__(self, name: str, entries: Headers) -> None:
        first = dict(reversed(entries))
        super().__init__(name, {key: first[key] for key, _ in entries}, strict=False, whole=entries)
        self.entries = entries

    def get(self, key: Any) -> Any:
        return (
            self.entries[key]
            if isinstance(key, int)
            else super().get(key.lower() if isinstance(key, str) else key)
        )

    def __len__(self) -> int:
        return len(self.entries)


class MemoryParts:
    """The guest's memory: `memory[address]` is a byte, `memory[address:size]` so many of them."""

    def __init__(self, reader: Reader | None) -> None:
        self._reader = reader

    def size(self) -> int:
        return self._known().size()

    def read(self, at: Any, size: Any) -> bytes:
        """Bytes at an address."""
        reader = self._known()
        if not isinstance(at, int) or not isinstance(size, int):
            raise ExpressionError("an address and a size are whole numbers, as in memory[0x2f40:16]")
        if size > LARGEST:
            raise ExpressionError(f"{size:,} bytes are more than an expression may read ({LARGEST:,})")
        if not 0 <= at <= at + size <= reader.size():
            raise ExpressionError(
                f"{size:,} bytes at 0x{at & (1 << 64) - 1:x} lie outside the memory of {reader.size():,} bytes"
            )
        return reader.read(at, size)

    def until_nul(self, at: Any) -> bytes:
        """The bytes before the next NUL."""
        end = self.find(b"\0", at)
        if end is None:
            raise ExpressionError(f"no NUL follows address 0x{at:x}")
        return self.read(at, end - at)

    def find(self, wanted: bytes, start: Any = 0) -> int | None:
        """The first address of these bytes, from a start on."""
        reader = self._known()
        if not wanted:
            raise ExpressionError("what is to be found has no bytes")
        if not isinstance(start, int) or not 0 <= start <= reader.size():
            raise ExpressionError(f"the start lies outside the memory of {reader.size():,} bytes")
        for at in range(start, reader.size(), _WINDOW):
            size = min(_WINDOW + len(wanted) - 1, reader.size() - at)
            place = reader.read(at, size).find(wanted)
            if place >= 0:
                return at + place
        return None

    def _known(self) -> Reader:
        if self._reader is None:
            raise ExpressionError("there is no memory here: no plugin runs at this row")
        return self._reader


def near(name: str, known: Iterable[str]) -> str:
    """Which names are like one that is not known, or which there are."""
    names = list(known)
    found = get_close_matches(name, names, n=3) or names[:8]
    return f"; there is {', '.join(f'`{each}`' for each in found)}" if found else ""


MAPS = {
    "request": MapType.HTTP_REQUEST_HEADERS,
    "request_trailers": MapType.HTTP_REQUEST_TRAILERS,
    "response": MapType.HTTP_RESPONSE_HEADERS,
    "response_trailers": MapType.HTTP_RESPONSE_TRAILERS,
    "callout": MapType.HTTP_CALL_RESPONSE_HEADERS,
    "callout_trailers": MapType.HTTP_CALL_RESPONSE_TRAILERS,
}
BODIES = {
    "request": BufferType.HTTP_REQUEST_BODY,
    "response": BufferType.HTTP_RESPONSE_BODY,
    "callout": BufferType.HTTP_CALL_RESPONSE_BODY,
    "grpc": BufferType.GRPC_CALL_MESSAGE,
    "config": BufferType.PLUGIN_CONFIGURATION,
    "vm_config": BufferType.VM_CONFIGURATION,
}


def _state(scope: Scope) -> State:
    if scope.state is None:
        raise ExpressionError(
            "the host cannot be looked at here: stop at a row first. A trace without its plugin does not tell"
        )
    return scope.state


def _headers(scope: Scope) -> Parts:
    found = {}
    for name, kind in MAPS.items():
        map = _state(scope).map(kind)
        found[name] = HeaderParts(f"headers.{name}", map.entries if map is not None else ())
    return Parts("headers", found, strict=True)


def _bodies(scope: Scope) -> Parts:
    found = {}
    for name, kind in BODIES.items():
        body = _state(scope).body(kind)
        found[name] = b"" if body is None else body.data if body.read.allowed else body.buffered
    return Parts("body", found, strict=True)


def _args(scope: Scope) -> Parts:
    if scope.entered is None:
        raise ExpressionError("there are no arguments here: no call is on this row")
    function = scope.entered.function
    found = {param.name: value for param, value in zip(function.inputs, scope.entered.args, strict=False)}
    if isinstance(scope.ended, Left):
        found.update(
            (param.name, value) for param, value in zip(function.outputs, scope.ended.values, strict=False)
        )
    return Parts("args", found, strict=True)


def _result(scope: Scope) -> Any:
    if isinstance(scope.ended, Left):
        return scope.ended.result
    raise ExpressionError("there is no result here: the call has not returned, or it trapped")


def _properties(scope: Scope) -> Parts:
    found: dict[str, Any] = {}
    for property in reversed(_state(scope).properties):
        value: Any = property.value
        if property.kind == "map" and isinstance(value, tuple):
            found.update((f"{property.name}.{name}", text) for name, text in reversed(value))
            value = HeaderParts(property.name, value)
        found[property.name] = value
    return Parts("property", dict(reversed(found.items())), strict=False)


def _values(what: str, give: Callable[[Activation], tuple[Variable, ...]]) -> Callable[[Scope], Any]:
    def values(scope: Scope) -> tuple[Any, ...]:
        if scope.raw is not None and scope.activation is None:
            return scope.raw.locals if what == "locals" else scope.raw.stack
        if scope.activation is None:
            raise ExpressionError(f"there are no {what} here: step to an instruction")
        found = give(scope.activation)
        if not found and scope.activation.why:
            raise ExpressionError(f"there are no {what} here: {scope.activation.why}")
        return tuple(each.value for each in found)

    return values


def _globals(scope: Scope) -> dict[int, Any]:
    return {int(each.slot[1:]): each.value for each in scope.globals}


def _shared(scope: Scope) -> Parts:
    state = _state(scope)
    vm = state.vm(state.where.vm)
    id = vm.vm_id if vm is not None else ""
    return Parts("shared", {each.key: each.value for each in state.shared if each.vm_id == id}, strict=False)


def _metrics(scope: Scope) -> Parts:
    return Parts("metric", {each.name: _metric(each) for each in _state(scope).metrics}, strict=False)


def _metric(metric: MetricState) -> int | tuple[int, ...]:
    return metric.samples or metric.value


NAMES: dict[str, Callable[[Scope], Any]] = {
    "headers": _headers,
    "body": _bodies,
    "args": _args,
    "result": _result,
    "property": _properties,
    "shared": _shared,
    "metric": _metrics,
    "memory": lambda scope: MemoryParts(scope.memory),
    "local": _values("locals", lambda active: active.locals),
    "stack": _values("operands", lambda active: active.stack),
    "globals": _globals,
    "call": lambda scope: scope.entered.function.name if scope.entered is not None else None,
    "callback": lambda scope: _state(scope).where.callback,
    "plugin": lambda scope: _state(scope).where.vm,
    "context": lambda scope: _state(scope).where.acting,
    "exchange": lambda scope: _state(scope).where.exchange,
    "position": lambda scope: _state(scope).position,
    "now": lambda scope: _state(scope).now_ns,
    "true": lambda scope: True,
    "false": lambda scope: False,
    "none": lambda scope: None,
}
"""What a bare name stands for."""
