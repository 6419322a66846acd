"""TCP connections from what a tap on a transport socket saw: the bytes that Envoy read and wrote, without TLS.

A tap stands on one side of Envoy and does not say on which. Rules that live here: it is the client's side unless
Envoy's own port is one that the kernel picks and the other one is not, as on a connection to an upstream; who closed
the connection is not recorded, so the client ends it, as in every conversation that does not tell.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from simwasm.conversation import Close, Conversation, Piece, Side, conversation
from simwasm.exchange import Connection
from simwasm.traffic.envoy_tap_exchange import CUT, Connections
from simwasm.traffic.envoy_tap_pieces import Body, Peers, SocketEvent, SocketTrace
from simwasm.traffic.envoy_tap_streams import MOST_HELD, MOST_OPEN, Tell

_PICKED = 32_768
_MOST_EVENTS = 100_000
"""Of all connections that are open."""


class Sockets:
    """The connections that are open."""

    def __init__(self, connections: Connections, tell: Tell) -> None:
        self._open: dict[str, SocketTrace] = {}
        self._events: dict[str, list[SocketEvent]] = {}
        self._connections = connections
        self._tell = tell
        self._held = self._kept = 0

    def take(self, trace: SocketTrace) -> Iterator[Conversation]:
        """Add a trace or a segment of one; what has ended by it comes out."""
        if trace.whole:
            yield self._conversation(trace)
            return
        begun = self._open.pop(trace.stream, trace)
        self._open[trace.stream] = begun._replace(peers=begun.peers or trace.peers)
        self._events.setdefault(trace.stream, []).extend(trace.events)
        self._kept += len(trace.events)
        self._held += _size(trace.events)
        if any(event.closed for event in trace.events):
            yield self._ended(trace.stream)
        while self._open and (
            len(self._open) > MOST_OPEN or self._held > MOST_HELD or self._kept > _MOST_EVENTS
        ):
            yield self._ended(next(iter(self._open)))

    def rest(self) -> Iterator[Conversation]:
        """Everything that is open when the file ends."""
        while self._open:
            yield self._ended(next(iter(self._open)))

    def _ended(self, stream: str) -> Conversation:
        begun, events = self._open.pop(stream), tuple(self._events.pop(stream))
        self._kept -= len(events)
        self._held -= _size(events)
        return self._conversation(begun._replace(events=events))

    def _conversation(self, trace: SocketTrace) -> Conversation:
        events = trace.events
        peers = trace.peers or next((event.peers for event in events if event.peers), Peers())
        turned = _is_upstream(peers)
        started = events[0].at_ns if events else 0
        found = conversation(
            trace.stream,
            _pieces(events, started, turned),
            started_ns=started,
            connection=Connection() if turned else self._connections.socket(trace.stream, peers),
        )
        bodies = (said for event in events for said in (event.read, event.written) if said)
        if trace.truncated or any(said.truncated for said in bodies):
            self._tell(CUT, trace.stream)
            return replace(found, partial=True)
        return found


def _size(events: tuple[SocketEvent, ...]) -> int:
    return sum(len(said.data) for event in events for said in (event.read, event.written) if said)


def _is_upstream(peers: Peers) -> bool:
    return _port(peers.local) >= _PICKED > _port(peers.remote) > 0


def _port(address: str) -> int:
    return int(address.rpartition(":")[2] or 0)


def _pieces(events: tuple[SocketEvent, ...], started: int, turned: bool) -> Iterator[Piece]:
    reader, writer = (Side.UPSTREAM, Side.CLIENT) if turned else (Side.CLIENT, Side.UPSTREAM)
    before = started
    for event in events:
        close = Close.END if event.ended else Close.NO
        for side, said, ends in ((reader, event.read, Close.NO), (writer, event.written, close)):
            if _says(said) or ends is not Close.NO:
                yield Piece(side, said.data if said else b"", max(0, event.at_ns - before), ends)
                before = max(before, event.at_ns)


def _says(said: Body | None) -> bool:
    return said is not None and bool(said.data)
