"""The exchanges that are open at a stop: the two directions of each, and where its plugins stand in them."""

from __future__ import annotations

from dataclasses import dataclass

from simwasm.debug.state_pending import Numbers
from simwasm.host.lane import Held, Lane
from simwasm.host.stream import Stream


@dataclass(frozen=True, slots=True)
class StationState:
    """A plugin's place in a direction."""

    vm: str
    context: int
    """0 while the plugin has no context for the exchange."""
    held: Held
    headers_passed: bool
    ended: bool
    """It was told that this is the end."""
    buffering: bool
    """It paused in a body callback: the next one sees everything since."""
    plugin: str
    """Whose place it is: plugins may share a VM."""
    stops_on_headers: bool
    """Whether its Pause in a headers callback lets body and trailers come to it (not Envoy's default)."""


@dataclass(frozen=True, slots=True)
class LaneState:
    """A direction of an exchange."""

    request: bool
    begun: bool
    complete: bool
    """The whole message has come in."""
    aborted: bool
    """A local reply took over."""
    received: int
    """How many body bytes have come in."""
    sent: int
    """How many have left the last plugin."""
    buffered: int
    trailers: bool
    """There are trailers."""
    calls: int
    """How many callbacks of this direction are running."""
    stations: tuple[StationState, ...]
    """In the order in which plugins are asked."""

    @property
    def name(self) -> str:
        return "request" if self.request else "response"

    @property
    def held(self) -> StationState | None:
        """The plugin that holds this direction back."""
        return next((station for station in self.stations if station.held is not Held.NOTHING), None)


@dataclass(frozen=True, slots=True)
class StreamState:
    """An exchange that is open."""

    exchange: int
    """Its number on the tape, from 1; 0 where it is not known."""
    label: str
    started_ns: int
    request: LaneState
    response: LaneState
    asked: bool
    """The upstream has been asked."""
    replied: bool
    """The host or a plugin answers in the upstream's place."""
    ended: bool
    status: str
    """The response's status, as far as there is one."""
    details: str
    idle_due_ns: int | None
    """When it is ended if nothing happens to it."""

    @property
    def contexts(self) -> tuple[tuple[str, int], ...]:
        """The contexts that plugins have for it."""
        return tuple((station.vm, station.context) for station in self.request.stations if station.context)

    @property
    def held(self) -> tuple[LaneState, StationState] | None:
        """Who holds it back, and in which direction."""
        over = self.replied or self.response.complete
        for lane in (self.response, self.request):
            station = lane.held
            if station is not None and not lane.aborted and not (lane.request and over):
                return lane, station
        return None


def open_stream(stream: Stream, numbers: Numbers) -> StreamState:
    """What is known of an exchange."""
    response = stream.response.headers
    return StreamState(
        numbers.get(stream, 0),
        stream.exchange.label,
        stream.started,
        _lane(stream.request, stream.router.sent),
        _lane(stream.response, stream.sent),
        stream.router.asked is not None,
        stream.replied,
        stream.ended,
        (response.get(":status") or "") if response is not None else "",
        stream.details,
        stream.idle_due,
    )


def _lane(lane: Lane, sent: int) -> LaneState:
    buffered = len(lane.buffer) if lane.buffer is not None else 0
    stations = tuple(
        StationState(
            station.filter.vm.name,
            station.filter.id,
            station.held,
            station.headers_passed,
            station.ended,
            lane in station.filter.buffering,
            station.filter.root.plugin.name,
            station.filter.root.plugin.stop_iteration_on_headers,
        )
        for station in lane.stations
    )
    return LaneState(
        lane.request, lane.headers is not None, lane.complete, lane.aborted, lane.received, sent, buffered,
        lane.trailers is not None, lane.calls, stations,
    )  # fmt: skip
