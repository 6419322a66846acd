"""Who wrote this: the calls that made a header, a body, a property, a shared value or a metric what it is.

Rules: only calls that were carried out count; standing on a host call, it has not been; every plugin of the chain has a
hand in the same maps, so all of them count; what no call wrote has an origin: the client, the upstream, or Envoy. In
a trace file a value may be unknown: it is told as `?`, and a call whose key is unknown has written nothing.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from simwasm.abi.enums import BufferType, MapType, MetricType
from simwasm.abi.table import Side
from simwasm.debug.tape import Span, Tape
from simwasm.exchange import Headers, Message, to_text
from simwasm.host.headers import HeaderMap
from simwasm.host.metrics import U64
from simwasm.trace.event import Entered, Left
from simwasm.trace.text import call_text

_REQUEST = (MapType.HTTP_REQUEST_HEADERS, MapType.HTTP_REQUEST_TRAILERS)
_TRAILERS = (MapType.HTTP_REQUEST_TRAILERS, MapType.HTTP_RESPONSE_TRAILERS)
_LOCAL = "proxy_send_local_response"
_UNKNOWN = "?"


class Write(NamedTuple):
    """One change, and who made it."""

    position: int
    """Of the call that wrote; of where it was seen first, if none did."""
    row: int
    """The row of that call; -1 if there is none."""
    by: str
    """The plugin, or "client", "upstream", "Envoy"."""
    call: str
    """The call in words; empty if there is none."""
    old: str | None = None
    """What was there before; None for nothing, or if it is not known."""
    new: str | None = None


class _Call(NamedTuple):
    """A host call that was carried out."""

    position: int
    entered: Entered
    ended: Left

    @builtins.property  # there is a function of that name below
    def args(self) -> dict[str, Any]:
        function = self.entered.function
        return {param.name: value for param, value in zip(function.inputs, self.entered.args, strict=False)}


def _calls(tape: Tape, first: int, position: int, *names: str) -> Iterator[_Call]:
    """The calls of these functions that have ended well, as somebody sees it who stands at a position."""
    events: list[Any] = tape.events
    for at in range(first, min(position, len(events)) + 1):
        event = events[at - 1]
        if event.__class__ is Left and not event.result:
            entered = events[event.opened - 1]
            if entered.function.name in names:
                yield _Call(event.opened, entered, event)


def _by(tape: Tape, call: _Call, old: str | None, new: str | None) -> Write:
    text = call_text(call.entered.function, call.entered.args)
    return Write(call.position, tape.rows.at(call.position), call.entered.vm, text, old, new)


def exchange_at(tape: Tape, position: int) -> Span | None:
    """The exchange that is dealt with at a position."""
    if not 0 < position <= len(tape):
        return None
    for opened in reversed(tape.calls_at(position)):
        if (span := tape.span_of(tape.entered(opened))) is not None:
            return span
    return tape.span_at(position)


def header(tape: Tape, position: int, map: MapType, name: str) -> tuple[Write, ...]:
    """Who wrote a header of the exchange at a position; newest first."""
    span = exchange_at(tape, position)
    return () if span is None else _HeaderStory(tape, span, map, name).told(position)


class _HeaderStory:
    """What happened to a header: the map is followed from one moment that was seen to the next."""

    def __init__(self, tape: Tape, span: Span, map: MapType, name: str) -> None:
        self._tape, self._span, self._map, self._name = tape, span, map, name.lower()
        self._now: HeaderMap | None = None
        self._replied: _Call | None = None
        self._writes: list[Write] = []

    def told(self, position: int) -> tuple[Write, ...]:
        tape = self._tape
        for at in range(self._span.first, min(position, len(tape)) + 1):
            maps = tape.seen.get(at)
            event = tape.events[at - 1]
            if maps is not None and tape.span_of(tape.entered(at)) is self._span:
                self._see(at, dict(maps).get(self._map))
            elif isinstance(event, Left) and not event.result:
                entered = tape.entered(at)
                if entered.function.side is Side.HOST and tape.span_of(entered) is self._span:
                    self._call(_Call(event.opened, entered, event))
        return tuple(reversed(self._writes))

    def _value(self) -> str | None:
        return ", ".join(self._now.all(self._name)) if self._now and self._now.all(self._name) else None

    def _see(self, at: int, entries: Headers | None) -> None:
        """The map was seen as it really is; what changed since came from outside of the plugins."""
        if entries is None:
            return
        first, old = self._now is None, self._value()
        self._now = HeaderMap(request=self._map in _REQUEST)
        for name, value in entries:
            self._now.append(name, value)
        new = self._value()
        if new == old:
            return
        replied = self._replied if self._map is MapType.HTTP_RESPONSE_HEADERS else None
        if replied is not None and any(name.lower() == self._name for name, _ in _reply(replied)):
            self._writes.append(_by(self._tape, replied, old, new))
        else:
            self._writes.append(Write(at, -1, self._origin(new) if first else "Envoy", "", old, new))

    def _origin(self, value: str | None) -> str:
        exchange = self._span.exchange
        request = self._map in _REQUEST
        message: Message | None = exchange.request if request else exchange.response
        if message is None or (not request and self._replied is not None):
            return "Envoy"
        sent = HeaderMap(message.trailers if self._map in _TRAILERS else message.headers, request=request)
        return ("client" if request else "upstream") if ", ".join(sent.all(self._name)) == value else "Envoy"

    def _call(self, call: _Call) -> None:
        if call.entered.function.name == _LOCAL:
            self._replied = call
            if self._map is MapType.HTTP_RESPONSE_HEADERS:
                self._now = HeaderMap() if self._now is None else self._now
            return
        meant, change = _CHANGES.get(call.entered.function.name, ("", None))
        args = call.args
        if change is None or args["map_type"] is not self._map or args[meant] is None:
            return
        old = self._value()
        if self._now is None:
            self._now = HeaderMap(request=self._map in _REQUEST)
        change(self._now, args)
        new = self._value()
        key = args.get("key")
        if new != old or (isinstance(key, str) and key.lower() == self._name):
            self._writes.append(_by(self._tape, call, old, new))


_CHANGES: dict[str, tuple[str, Callable[[HeaderMap, dict[str, Any]], object]]] = {
    "proxy_add_header_map_value": ("key", lambda map, args: map.add(args["key"], _or_unknown(args["value"]))),
    "proxy_replace_header_map_value": (
        "key", lambda map, args: map.replace(args["key"], _or_unknown(args["value"])),
    ),
    "proxy_remove_header_map_value": ("key", lambda map, args: map.remove(args["key"])),
    "proxy_set_header_map_pairs": ("pairs", lambda map, args: map.assign(args["pairs"])),
}  # fmt: skip
"""What the calls that write do to a map, and which argument has to be known for it."""


def _or_unknown(value: str | None) -> str:
    return _UNKNOWN if value is None else value


def _reply(call: _Call) -> Headers:
    """The headers that a local response was asked to have."""
    args = call.args
    status = args["status_code"]
    return ((":status", _UNKNOWN if status is None else str(status)), *(args["headers"] or ()))


def _bytes(value: bytes | None) -> str:
    return _UNKNOWN if value is None else to_text(value)


_BODIES = {
    BufferType.HTTP_REQUEST_BODY: ("proxy_on_request_body", "client"),
    BufferType.HTTP_RESPONSE_BODY: ("proxy_on_response_body", "upstream"),
}


def body(tape: Tape, position: int, buffer: BufferType) -> tuple[Write, ...]:
    """Who wrote a body of the exchange at a position, and when pieces of it arrived; newest first."""
    span = exchange_at(tape, position)
    if span is None:
        return ()
    found = [
        _by(tape, call, None, _bytes(call.args["bytes"]))
        for call in _calls(tape, span.first, position, "proxy_set_buffer_bytes")
        if call.args["buffer_type"] is buffer and tape.span_of(call.entered) is span
    ]
    replies = [
        _by(tape, call, None, _bytes(call.args["body"]))
        for call in _calls(tape, span.first, position, _LOCAL)
        if buffer is BufferType.HTTP_RESPONSE_BODY and tape.span_of(call.entered) is span
    ]
    arrived = () if replies else _arrivals(tape, span, position, *_BODIES.get(buffer, ("", "")))
    return tuple(sorted((*found, *replies, *arrived), key=lambda write: write.position, reverse=True))


def _arrivals(tape: Tape, span: Span, position: int, callback: str, origin: str) -> Iterator[Write]:
    for at in range(span.first, min(position, len(tape)) + 1):
        event = tape.events[at - 1]
        if isinstance(event, Entered) and event.function.name == callback and tape.span_of(event) is span:
            size = event.args[1]
            told = _UNKNOWN if size is None else f"{size:,}"
            yield Write(at, tape.rows.at(at), origin, "", None, f"{told} bytes")


def property(tape: Tape, position: int, path: str | tuple[str, ...]) -> tuple[Write, ...]:
    """Who wrote a property of the exchange at a position; newest first. A path may be joined by dots."""
    span = exchange_at(tape, position)
    wanted = path if isinstance(path, str) else ".".join(path)
    if span is None:
        return ()
    calls = (
        call
        for call in _calls(tape, span.first, position, "proxy_set_property")
        if ".".join(call.args["path"] or ()) == wanted and tape.span_of(call.entered) is span
    )
    return _one_by_one(tape, calls)


def shared(tape: Tape, position: int, key: str) -> tuple[Write, ...]:
    """Who wrote a shared value, in the whole run up to a position; newest first."""
    calls = (call for call in _calls(tape, 1, position, "proxy_set_shared_data") if call.args["key"] == key)
    return _one_by_one(tape, calls)


def _one_by_one(tape: Tape, calls: Iterator[_Call]) -> tuple[Write, ...]:
    """Each call writes its `value` over that of the one before."""
    found: list[Write] = []
    for call in calls:
        old = found[-1].new if found else None
        found.append(_by(tape, call, old, _bytes(call.args["value"])))
    return tuple(reversed(found))


def metric(tape: Tape, position: int, name: str) -> tuple[Write, ...]:
    """Who changed a metric, in the whole run up to a position; newest first."""
    known: dict[tuple[str, int], MetricType] = {}
    values: dict[MetricType, int] = {}
    found: list[Write] = []
    names = ("proxy_define_metric", "proxy_increment_metric", "proxy_record_metric")
    for call in _calls(tape, 1, position, *names):
        args = call.args
        if "name" in args:
            if args["name"] == name and None not in (call.ended.values or (None,)):
                known[call.entered.vm, call.ended.values[0]] = args["metric_type"]
            continue
        type = known.get((call.entered.vm, args["metric_id"]))
        change: int | None = args["delta"] if "delta" in args else args["value"]
        if type is None or change is None:
            continue
        old = values.get(type)
        adds = "delta" in args or type is MetricType.COUNTER
        values[type] = new = ((old or 0) + change) & U64 if adds else change
        found.append(_by(tape, call, None if old is None else str(old), str(new)))
    return tuple(reversed(found))
