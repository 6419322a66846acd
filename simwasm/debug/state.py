"""Everything one can see of the host at a stop, as values: they stay true when the run goes on.

It is read from the host's live objects while the plugin's thread stands still. Rules: reading changes nothing; what the
plugin cannot reach now is told all the same, with the reason why it cannot.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from operator import attrgetter

from simwasm.abi.enums import BufferType, MapType
from simwasm.abi.table import ALLOCATORS, Side
from simwasm.debug.state_lanes import LaneState, StationState, StreamState, open_stream
from simwasm.debug.state_maps import Access, BodyState, Change, MapState, bodies, changes, maps
from simwasm.debug.state_pending import CalloutState, Deed, Due, TickState, callouts, deeds, due, ticks
from simwasm.debug.state_properties import PropertyState, properties
from simwasm.debug.state_shared import (
    MetricState,
    QueueState,
    SharedState,
    VmState,
    metrics,
    queues,
    shared,
    vms,
)
from simwasm.debug.tape import Tape
from simwasm.host.context import Context
from simwasm.host.proxy import Proxy
from simwasm.host.stream import Stream
from simwasm.trace.event import Entered

SHOWN_STREAMS = 100
"""How many open exchanges are told of."""


@dataclass(frozen=True, slots=True)
class Where:
    """The call that one stands in."""

    vm: str = ""
    context: int = 0
    acting: int = 0
    """The context that host calls act for: another one after `proxy_set_effective_context`."""
    root: bool = False
    """Whether it acts for the plugin itself and for no exchange."""
    callback: str = ""
    """The innermost callback that runs, or has just returned."""
    call: str = ""
    """The host call that runs, or has just returned."""
    returned: bool = False
    """That callback has returned, or trapped; what comes of it has not happened yet."""
    exchange: int = 0
    label: str = ""


@dataclass(frozen=True, slots=True)
class State:
    """The host at a stop. Header maps, bodies and properties are those of the context that is acted for."""

    position: int
    now_ns: int
    where: Where
    vms: tuple[VmState, ...] = ()
    """The chain of plugins."""
    maps: tuple[MapState, ...] = ()
    bodies: tuple[BodyState, ...] = ()
    properties: tuple[PropertyState, ...] = ()
    streams: tuple[StreamState, ...] = ()
    """The exchanges that have begun and are open, in their order."""
    waiting: int = 0
    """How many exchanges have yet to begin, or are left out of `streams`."""
    callouts: tuple[CalloutState, ...] = ()
    ticks: tuple[TickState, ...] = ()
    deeds: tuple[Deed, ...] = ()
    due: tuple[Due, ...] = ()
    shared: tuple[SharedState, ...] = ()
    queues: tuple[QueueState, ...] = ()
    metrics: tuple[MetricState, ...] = ()
    buffer_limit: int = 0
    """How many bytes of a body may be held back."""

    def map(self, kind: MapType) -> MapState | None:
        """A header map."""
        return next((map for map in self.maps if map.kind is kind), None)

    def body(self, kind: BufferType) -> BodyState | None:
        """A buffer."""
        return next((body for body in self.bodies if body.kind is kind), None)

    def vm(self, name: str) -> VmState | None:
        """A plugin's VM."""
        return next((vm for vm in self.vms if vm.name == name), None)

    @property
    def stream(self) -> StreamState | None:
        """The exchange that is acted for."""
        key = (self.where.vm, self.where.acting)
        return next((stream for stream in self.streams if key in stream.contexts), None)


def read(proxy: Proxy, tape: Tape, position: int) -> State:
    """Read all of it, standing at a position of a tape."""
    begun = [stream for stream in proxy.open_streams if stream.request.headers is not None]
    numbers = _numbers(tape, position, begun)
    context = acting(proxy, tape, position)
    return State(
        position,
        proxy.clock.now,
        _where(tape, position, context, numbers),
        vms(proxy),
        maps(context) if context is not None else (),
        bodies(context) if context is not None else (),
        properties(context) if context is not None else (),
        tuple(open_stream(stream, numbers) for stream in begun[:SHOWN_STREAMS]),
        len(proxy.open_streams) - min(len(begun), SHOWN_STREAMS),
        callouts(proxy, numbers),
        ticks(proxy),
        deeds(proxy, numbers),
        due(proxy, numbers),
        shared(proxy),
        queues(proxy),
        metrics(proxy),
        proxy.profile.buffer_limit,
    )


def acting(proxy: Proxy, tape: Tape, position: int) -> Context | None:
    """The context that host calls act for at a position, if it is there."""
    if not position:
        return None
    entered = tape.entered(position)
    vm = next((vm for vm in proxy.vms if vm.name == entered.vm), None)
    if vm is None:
        return None
    found = vm.context if vm.context is not None else vm.contexts.get(entered.context)
    ended = found is not None and found.stream is not None and found.stream not in proxy.open_streams
    return None if ended else found  # a plugin that has failed keeps the context it failed in


def _where(tape: Tape, position: int, context: Context | None, numbers: dict[Stream, int]) -> Where:
    calls = [tape.entered(at) for at in tape.calls_at(position)]
    if not calls:
        return Where()
    innermost = calls[-1]
    callbacks = [call for call in calls if _is_callback(call)] or calls
    stream = context.stream if context is not None else None
    return Where(
        innermost.vm,
        callbacks[-1].context,
        context.id if context is not None else innermost.context,
        context is not None and context is context.root,
        callbacks[-1].function.name,
        innermost.function.name if innermost.function.side is Side.HOST else "",
        callbacks[-1] is innermost and not isinstance(tape.at(position), Entered),
        numbers.get(stream, 0) if stream is not None else 0,
        stream.exchange.label if stream is not None else "",
    )


def _is_callback(call: Entered) -> bool:
    return call.function.side is Side.PLUGIN and call.function.name not in ALLOCATORS


def _numbers(tape: Tape, position: int, streams: list[Stream]) -> dict[Stream, int]:
    """The numbers of open exchanges: the last of those that had begun by now."""
    missing = {id(stream.exchange): stream for stream in streams}
    found: dict[Stream, int] = {}
    begun = bisect_right(tape.spans, position, key=_FIRST)
    for index in range(begun - 1, -1, -1):
        if not missing:
            break
        stream = missing.pop(id(tape.spans[index].exchange), None)
        if stream is not None:
            found[stream] = index + 1
    return found


_FIRST = attrgetter("first")


__all__ = [
    "Access", "BodyState", "CalloutState", "Change", "Deed", "Due", "LaneState", "MapState", "MetricState",
    "PropertyState", "QueueState", "SharedState", "State", "StationState", "StreamState", "TickState", "VmState",
    "Where", "acting", "changes", "read",
]  # fmt: skip
