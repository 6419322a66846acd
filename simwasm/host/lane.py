"""One direction of one exchange: how headers, body and trailers travel through the filters.

Envoy's filter manager, reduced to what a filter can observe. Each filter has a `Station`, which remembers whether the
filter let things pass. Rules:

- STOP holds back what comes behind this filter; the filter itself goes on being asked about body and trailers, and
  the first of those that continues sends everything held back on its way;
- STOP_ALL keeps even body and trailers from the filter until it is told to continue, and then it is asked about them;
- there is one buffer for each direction; over its limit the exchange is refused, unless the filter asked for
  back-pressure.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from simwasm.abi.enums import Action, BufferType, DataAction, HeadersAction, MapType
from simwasm.host.buffers import Buffer
from simwasm.host.filters import StreamContext
from simwasm.host.headers import HeaderMap

if TYPE_CHECKING:
    from simwasm.host.pieces import Delivery
    from simwasm.host.stream import Stream


class Held(Enum):
    """What a station holds back."""

    NOTHING = "passing"
    BEHIND = "stopped"
    ALL = "stopped for everything, buffering"
    ALL_WATERMARK = "stopped for everything, with back-pressure"


_HELD = {
    HeadersAction.CONTINUE: Held.NOTHING,
    HeadersAction.PAUSE: Held.BEHIND,
    HeadersAction.STOP_ALL_AND_BUFFER: Held.ALL,
    HeadersAction.STOP_ALL_AND_WATERMARK: Held.ALL_WATERMARK,
}
_STOPPED_ALL = (Held.ALL, Held.ALL_WATERMARK)

# An enum looks its members up by a function of its own on Python 3.10, so what is asked for all the time has a name.
_NOTHING, _BEHIND, _ALL_WATERMARK = Held.NOTHING, Held.BEHIND, Held.ALL_WATERMARK
_DATA_CONTINUE, _CONTINUE = DataAction.CONTINUE, Action.CONTINUE


class Station:
    """A filter's place in a lane."""

    __slots__ = ("filter", "index", "held", "headers_passed", "ended", "resuming")

    def __init__(self, filter: StreamContext, index: int) -> None:
        self.filter = filter
        self.index = index
        self.held = _NOTHING
        self.headers_passed = False
        self.ended = False
        self.resuming = False
        """It was stopped for everything and is continuing: body and trailers start with this filter."""


class Lane:
    """A direction: its message on the way, and the filters in the order they are asked."""

    __slots__ = (
        "stream", "stations", "headers", "trailers", "buffer", "complete", "aborted", "streaming", "full", "blocked",
        "calls", "received",
    )  # fmt: skip

    request: bool
    on_headers: str
    on_body: str
    on_trailers: str
    headers_type: MapType
    trailers_type: MapType
    body_type: BufferType

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.stations: list[Station] = []
        self.headers: HeaderMap | None = None
        self.trailers: HeaderMap | None = None
        self.buffer: Buffer | None = None
        self.complete = False
        """The whole message has come in."""
        self.aborted = False
        """A local reply took over, or a reset: this direction is not iterated any further."""
        self.streaming = False
        """A filter asked for back-pressure: what is too much stays with the sender."""
        self.full = False
        self.blocked: Delivery | None = None
        """What comes in again once there is room."""
        self.calls = 0
        """How many filter callbacks of this direction are running."""
        self.received = 0
        """How many body bytes have come in."""

    def lead_through(self, filters: list[StreamContext]) -> None:
        """Have the message pass these filters."""
        self.stations = [Station(filter, index) for index, filter in enumerate(filters)]

    @property
    def held(self) -> bool:
        """Whether any filter holds this direction back."""
        return any(station.held is not _NOTHING for station in self.stations)

    # What comes in, from the codec or the router.

    def receive_headers(self, headers: HeaderMap, end: bool) -> None:
        self.headers = headers
        self.complete = end
        return self._headers(0, end)

    def receive_data(self, data: bytes, end: bool) -> None:
        self.complete = self.complete or end
        self.received += len(data)
        return self._data(0, Buffer(data), end)

    def receive_trailers(self, trailers: HeaderMap) -> None:
        self.trailers = trailers
        self.complete = True
        return self._trailers(0)

    # The iteration, from one station to the end.

    def _headers(self, start: int, end: bool) -> None:
        for station in self.stations[start:] if start else self.stations:
            station.ended = end
            self.calls += 1
            status = station.filter.headers(self, end)
            self.calls -= 1
            if self.aborted:
                self.stream.send_prepared_reply()
                return
            station.held = _HELD[status]
            if station.held is not _NOTHING:
                return
            station.headers_passed = True
        self.stream.leave_headers(self, end)

    def _data(self, start: int, data: Buffer, end: bool) -> None:
        if self.stream.closed(self):
            return
        trailers_before = self.trailers is not None
        added_by: int | None = None
        for station in self.stations[start:]:
            if station.held in _STOPPED_ALL:
                self.streaming = station.held is _ALL_WATERMARK
                self.keep(data)
                return
            if station.ended:
                return
            station.ended = end and self.trailers is None
            self.calls += 1
            status = station.filter.data(self, data, station.ended)
            self.calls -= 1
            if self.aborted:
                self.stream.send_prepared_reply()
                return
            if not trailers_before and added_by is None and self.trailers is not None:
                end, added_by = False, station.index
            if not self._after_data(station, status, data):
                break
        else:
            self.stream.leave_data(self, data.take(), end and self.trailers is None)
        if added_by is not None:
            self._trailers(added_by + 1)

    def _trailers(self, start: int) -> None:
        if self.stream.closed(self):
            return
        for station in self.stations[start:]:
            if station.held in _STOPPED_ALL:
                return
            self.calls += 1
            status = station.filter.trailers(self)
            self.calls -= 1
            if self.aborted:
                self.stream.send_prepared_reply()
                return
            if status is not _CONTINUE:
                if station.held is _NOTHING:
                    station.held = _BEHIND
                return
            if station.held is _BEHIND:
                self.resume(station)
                return
        self.stream.leave_trailers(self)

    def _after_data(self, station: Station, status: DataAction, data: Buffer) -> bool:
        """Act on a body status; say whether the chunk goes on to the next filter."""
        if status is _DATA_CONTINUE:
            if station.held is not _BEHIND:
                return True
            self.keep(data)
            self.resume(station)
            return False
        station.held = _BEHIND
        if status in (DataAction.PAUSE, DataAction.STOP_AND_WATERMARK):
            self.streaming = status is DataAction.STOP_AND_WATERMARK
            self.keep(data)
        elif self.complete and self.trailers is None and self.buffer is None:
            self.buffer = Buffer()
        return False

    def keep(self, data: Buffer) -> None:
        """Put a chunk behind what is buffered."""
        if data is self.buffer:
            return
        if self.buffer is None:
            self.buffer = Buffer()
        self.buffer.data += data.take()
        if len(self.buffer) > self.stream.proxy.profile.buffer_limit:
            if self.streaming:
                self.full = True
            else:
                self.stream.too_large(self)

    def resume(self, station: Station) -> None:
        """Send on what a station held back."""
        if self.stream.closed(self):
            return
        station.resuming = station.held in _STOPPED_ALL
        station.held = _NOTHING
        behind = station.index + 1
        here = station.index if station.resuming else behind
        if not station.headers_passed:
            station.headers_passed = True
            self._headers(behind, self.complete and self.buffer is None and self.trailers is None)
        trailers_before = self.trailers is not None
        if self.buffer is not None:
            data, self.buffer = self.buffer, None
            self.full = False
            if self.blocked is not None:
                self.blocked.go_on()
            self._data(here, data, self.complete and not trailers_before)
        if trailers_before:
            self._trailers(here)
        station.resuming = False

    def resume_for(self, filter: StreamContext) -> None:
        """Send on what this filter held back."""
        for station in self.stations:
            if station.filter is filter:
                self.resume(station)


class RequestLane(Lane):
    """From the client to the upstream."""

    __slots__ = ()

    request = True
    on_headers = "proxy_on_request_headers"
    on_body = "proxy_on_request_body"
    on_trailers = "proxy_on_request_trailers"
    headers_type = MapType.HTTP_REQUEST_HEADERS
    trailers_type = MapType.HTTP_REQUEST_TRAILERS
    body_type = BufferType.HTTP_REQUEST_BODY


class ResponseLane(Lane):
    """From the upstream to the client."""

    __slots__ = ()

    request = False
    on_headers = "proxy_on_response_headers"
    on_body = "proxy_on_response_body"
    on_trailers = "proxy_on_response_trailers"
    headers_type = MapType.HTTP_RESPONSE_HEADERS
    trailers_type = MapType.HTTP_RESPONSE_TRAILERS
    body_type = BufferType.HTTP_RESPONSE_BODY
