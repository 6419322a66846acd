"""Who can resume what a plugin has paused, and how an exchange stands, on one line.

A paused direction goes on when its plugin says so, and a plugin speaks only when it is called. So what can resume it is
what calls the plugin: an answer to a callout, a tick, an item in a queue, the rest of the message, another exchange.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from simwasm.debug.state import State
from simwasm.debug.state_lanes import LaneState, StationState, StreamState
from simwasm.debug.state_pending import CalloutState
from simwasm.host.lane import Held

_UNITS = ((60_000_000_000, "min"), (1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "µs"), (1, "ns"))


def lasting(ns: int) -> str:
    """A stretch of time in words: `12 ms`, `1.5 s`, `5 min`."""
    size, unit = next((entry for entry in _UNITS if ns >= entry[0]), _UNITS[-1])
    return f"{ns / size:.3g} {unit}"


class Waiting(NamedTuple):
    """What a paused direction waits for; `short` are a few words of it."""

    short: str
    text: str
    hopeless: bool = False
    """Nobody can resume it."""


class _Hold(NamedTuple):
    """A direction that a plugin holds back."""

    state: State
    stream: StreamState | None
    lane: LaneState | None
    vm: str
    context: int
    asked: bool
    """Whether the plugin is asked about what comes next in this direction."""


def waiting(
    state: State,
    stream: StreamState | None,
    lane: LaneState | None,
    vm: str,
    context: int,
    *,
    asked: bool | None = None,
) -> Waiting:
    """What may resume a direction that a plugin holds back, the likeliest first.

    `asked` says whether the plugin is asked about what comes next, where it does not hold the direction yet.
    """
    if asked is None:
        asked = lane is not None and not _shut(lane, vm, context)
    hold = _Hold(state, stream, lane, vm, context, asked)
    found = [each for callers in _CALLERS for each in callers(hold)]
    if found:
        return Waiting(found[0].short, "; ".join(each.text for each in found))
    ends = ""
    if stream is not None and stream.idle_due_ns is not None:
        ends = f"; the exchange ends with the idle timeout in {lasting(max(0, stream.idle_due_ns - state.now_ns))}"
    return Waiting("nobody", f"no callout is in flight, no tick is set: NOBODY can resume it{ends}", True)


def _asked_for(hold: _Hold) -> Iterator[Waiting]:
    """What the plugin has asked for, and what it may ask for while it runs."""
    state, vm = hold.state, hold.vm
    number = hold.stream.exchange if hold.stream is not None else 0
    for deed in state.deeds:
        if deed.what == "resume" and (deed.vm, deed.context) == (vm, hold.context):
            if hold.lane is not None and deed.request is hold.lane.request:
                yield Waiting(
                    "a callback to return", "it was told to continue, and does when the callback has returned"
                )
        elif deed.exchange == number and deed.what in ("local_reply", "reset"):
            yield Waiting(
                "a callback to return", f"{deed.text} is carried out when the callback has returned"
            )
    if state.where.vm == vm and not state.where.returned:
        name = state.where.callback
        yield Waiting(f"{name} to do it", f"{name}, which runs now, can do it")


def _events(hold: _Hold) -> Iterator[Waiting]:
    """Answers to callouts, its own first, ticks, and items in queues."""
    state, vm = hold.state, hold.vm
    calls = [call for call in state.callouts if call.vm == vm]
    for call in sorted(calls, key=lambda call: call.context != hold.context):
        yield _callout(state, call, own=call.context == hold.context)
    for tick in state.ticks:
        if tick.vm == vm and tick.due_ns is not None:
            yield Waiting("a tick", f"the next tick is due in {lasting(max(0, tick.due_ns - state.now_ns))}")
    if any(
        due.what.startswith("proxy_on_queue_ready") and due.what.endswith(f" of `{vm}`") for due in state.due
    ):
        yield Waiting("a queue", "an item waits in a queue of the plugin")


def _traffic(hold: _Hold) -> Iterator[Waiting]:
    """The rest of the message, and other exchanges."""
    lane, state = hold.lane, hold.state
    if lane is not None and hold.asked and not lane.complete:
        yield Waiting(
            f"more of the {lane.name}", f"more of the {lane.name} comes, and the plugin is asked about it"
        )
    if state.waiting or any(other is not hold.stream and not other.ended for other in state.streams):
        yield Waiting("another exchange", "a callback of another exchange that is open could do it")


_CALLERS = (_asked_for, _events, _traffic)


def _shut(lane: LaneState, vm: str, context: int) -> bool:
    """Whether the plugin is not even asked about what comes next."""
    held = (station.held for station in lane.stations if (station.vm, station.context) == (vm, context))
    return any(each in (Held.ALL, Held.ALL_WATERMARK) for each in held)


def coming(state: State, call: CalloutState) -> str:
    """When something comes on a callout."""
    if call.due_ns is not None:
        what = "next piece" if call.stream else "answer"
        return f"{what} due in {lasting(max(0, call.due_ns - state.now_ns))}"
    return "nothing is on its way" if call.sent else "it is sent when the callback has returned"


def _callout(state: State, call: CalloutState, *, own: bool) -> Waiting:
    whose = "" if own else f", asked by context {call.context}"
    kind = "stream" if call.stream else "callout"
    return Waiting(
        f"{'stream' if call.stream else 'call'} {call.id}",
        f"{kind} {call.id} to `{call.cluster}` is in flight ({coming(state, call)}{whose})",
    )


def status(state: State, stream: StreamState) -> str:
    """How an exchange stands: `PAUSED in request headers by `auth`, waiting for call 4`."""
    held = stream.held
    if stream.ended:
        return " ".join(
            filter(None, ("ENDED", stream.status, f"({stream.details})" if stream.details else ""))
        )
    if held is None or held[0].calls:
        return _on_its_way(state, stream)
    lane, station = held
    who = waiting(state, stream, lane, station.vm, station.context)
    part = f"{lane.name} {_part(lane, station)}"
    if who.hopeless:
        return f"PAUSED in {part} by `{station.plugin}`: {who.text}"
    return f"PAUSED in {part} by `{station.plugin}`, waiting for {who.short}"


def _part(lane: LaneState, station: StationState) -> str:
    if not station.headers_passed and not station.buffering:
        return "headers"
    return "trailers" if lane.trailers and not station.ended else "body"


def _on_its_way(state: State, stream: StreamState) -> str:
    running = next((lane for lane in (stream.response, stream.request) if lane.calls), None)
    details = f" ({stream.details})" if stream.details else ""
    if running is not None and state.stream is stream and state.where.callback:
        return f"{running.name} in `{state.where.vm}`: {state.where.callback}"
    if stream.replied:
        return " ".join(filter(None, ("ANSWERED", stream.status, "by a local reply"))) + details
    if stream.response.begun:
        return f"response {stream.status} on its way to the client"
    if stream.asked:
        return "waiting for the upstream"
    return "request on its way" if stream.request.complete else "request coming in"
