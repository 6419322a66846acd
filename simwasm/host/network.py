"""One TCP connection on its way: the filter manager of a listener with Envoy's TCP proxy behind the plugins.

Rules, as in the real host:

- the client is not read from before the TCP proxy has its upstream; it asks for one when every plugin has let the
  connection pass;
- bytes from the client wait in one buffer of the connection's, and every read offers all of it to the chain from its
  beginning; `continue_stream` offers it to those behind;
- bytes from the upstream wait in one of their own, and pass the chain the other way round. Nothing continues them: they
  are offered again with the next ones;
- what a plugin closes is closed at once if nothing is left to be sent to the client, otherwise when that is sent.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, cast

from simwasm.abi.enums import PeerType
from simwasm.conversation import Close, Conversation, Piece, Side
from simwasm.exchange import Chunk, Header, Message
from simwasm.host.buffers import Buffer
from simwasm.host.clock import MILLISECOND
from simwasm.host.filters import StreamContext
from simwasm.host.headers import HeaderMap
from simwasm.host.lane import Held, Lane
from simwasm.host.network_filters import NetworkContext
from simwasm.host.network_parts import DownstreamLane, TcpProxy, UpstreamLane
from simwasm.host.stream import Stream

if TYPE_CHECKING:
    from simwasm.host.proxy import Proxy

LINGER_NS = 10 * MILLISECOND
"""How long a client listens on when everything is said, before it ends its side."""

CLUSTER = "upstream"

_HELD_CLIENT = "paused the connection and nobody resumed it"
_HELD_UPSTREAM = "paused what the upstream said, which goes on only when more comes"

REFUSED, RESET = "upstream_connection_failure", "upstream_remote_reset"
"""Why a connection has ended, in the words that the access log's flags go by."""


class Tcp(Stream):
    """A connection in the making."""

    __slots__ = (
        "_next", "_blocked", "_arrived", "_arrived_end", "_pending", "_write_end", "_closing",
        "_closed", "_client_heard_end", "_said_upstream_end", "_lingers", "_pieces", "_silent",
    )  # fmt: skip

    exchange: Conversation
    router: TcpProxy

    def __init__(self, proxy: Proxy, talk: Conversation, live: bool = False) -> None:
        super().__init__(proxy, talk, live)
        self.request = DownstreamLane(self)
        self.response = UpstreamLane(self)
        self.router = TcpProxy(self)
        self._pieces = list(talk.pieces)
        self._next = 0
        self._silent = False
        """All is said that was to be said so far, and more may come."""
        self._blocked = False
        """The upstream is to say something, and is not connected yet."""
        self._arrived = b""
        """What has come from the client and was not read yet."""
        self._arrived_end = False
        self._pending = b""
        """What waits to be sent to the client."""
        self._write_end = False
        self._closing = False
        self._closed = False
        self._client_heard_end = False
        self._said_upstream_end = False
        self._lingers = False

    # The connection begins.

    def begin(self) -> None:
        """The client has connected: the plugins hear of it, and what it says follows."""
        self.started = self.proxy.clock.now
        self.proxy.begun[self] = None
        self.filters = filters = self.proxy.worker_of(self.exchange).network_filters(self)
        for lane, order in ((self.request, filters), (self.response, filters[::-1])):
            lane.lead_through(order)
            lane.headers, lane.buffer = HeaderMap(request=lane.request), Buffer()
        self._to_client.headers = ()
        self.wait()
        self._say()
        self._offer(0)

    # What the two sides say.

    def _say(self) -> None:
        """Have the next piece said when it is due."""
        if self._next < len(self._pieces):
            self.later(self._pieces[self._next].after_ns, self._piece)
        elif self._live:
            self._silent = True
        elif not self._lingers:
            self._lingers = True
            self.later(LINGER_NS, self._all_said)

    def say(self, piece: Piece) -> None:
        """Have something said on a connection that is live, behind what was said."""
        self._pieces.append(piece)
        self._break_silence()

    def end(self) -> None:
        """Have nothing more said on a connection that is live."""
        self._live = False
        self._break_silence()

    @property
    def sent_by_client(self) -> Message:
        """What the client has said."""
        said = (Chunk(piece.data) for piece in self._pieces if piece.side is Side.CLIENT and piece.data)
        return Message((), tuple(said))

    def _break_silence(self) -> None:
        if self._silent:
            self._silent = False
            self._say()

    def _piece(self) -> None:
        piece = self._pieces[self._next]
        if self._closed or self.ended:
            return
        if piece.side is Side.UPSTREAM and not self.router.connected:
            self._blocked = True
            return
        self.wait()
        self._next += 1
        if piece.side is Side.CLIENT:
            self._from_client(piece)
        else:
            self._from_upstream(piece)
        self._say()

    def _all_said(self) -> None:
        """Everything is said: whoever has not ended does so, the client first."""
        if self._closed or self.ended:
            return
        if not self._arrived_end:
            self._from_client(Piece(Side.CLIENT, close=Close.END))
        self._upstream_ends_too()

    def _upstream_ends_too(self) -> None:
        """An upstream that has nothing left to say ends when it hears the client's end."""
        done = self._next == len(self._pieces) and self._lingers
        if done and self.router.heard_end and not self._said_upstream_end:
            self.later(0, partial(self._from_upstream, Piece(Side.UPSTREAM, close=Close.END)))

    # From the client to the upstream.

    def _from_client(self, piece: Piece) -> None:
        self._arrived += piece.data
        self._arrived_end = self._arrived_end or piece.close is Close.END
        if self.router.connected:
            self._read(reset=piece.close is Close.RESET)

    def _read(self, reset: bool = False) -> None:
        """Read what has come, and offer it to the chain."""
        lane = self.request
        if self._closed or self._closing:
            return
        data, self._arrived = self._arrived, b""
        end = self._arrived_end and not lane.complete
        if data or end:
            assert lane.buffer is not None
            lane.buffer.data += data
            lane.received += len(data)
            self.received += len(data)
            lane.complete = lane.complete or end
            self._offer(0)
        if reset or self._both_ended:
            self._close(PeerType.REMOTE)

    def _offer(self, start: int) -> None:
        """Offer the connection, and what waits in its buffer, to the filters from one on."""
        lane = self.request
        data = lane.buffer
        assert data is not None
        for station in lane.stations[start:]:
            if self._closed or self._closing:
                return
            filter = _network(station.filter)
            lane.calls += 1
            if not station.headers_passed:
                station.headers_passed = True
                passes = filter.new_connection()
            else:
                passes = True
            if passes and not self._closed and not self._closing and (data.data or lane.complete):
                station.ended = lane.complete
                passes = filter.downstream_data(data, lane.complete)
            lane.calls -= 1
            self._stand(lane, filter, passes)
            if not passes:
                return
        self._to_proxy(data)

    def _stand(self, lane: Lane, filter: NetworkContext, passes: bool) -> None:
        """Note whether a filter holds a direction back, for whoever looks."""
        for station in lane.stations:
            if station.filter is filter:
                station.held = Held.NOTHING if passes else Held.BEHIND

    def resume_reading(self, filter: NetworkContext) -> None:
        """Carry out `continue_stream`, at once."""
        self.wait()
        for station in self.request.stations:
            if station.filter is filter and not self._closed and not self._closing:
                station.held = Held.NOTHING
                self._offer(station.index + 1)

    def _to_proxy(self, data: Buffer) -> None:
        router = self.router
        if self._closed or self._closing:
            return
        if not router.reached:
            router.asked = Message(())
            self.later(0, self._connect)
        if router.connected and (data.data or self.request.complete):
            router.heard.add(data.take())
            if self.request.complete and not router.heard_end:
                router.heard_end = True
                if self._said_upstream_end:
                    self.later(0, self.finish_and_close)
                self._upstream_ends_too()

    def _connect(self) -> None:
        if self._closed or self.ended:
            return
        if self.exchange.refused:
            self.details = REFUSED
            self.router.asked = None
            self._close(PeerType.LOCAL)
            return
        self.router.connected = True
        self.later(0, self._read)
        if self._blocked:
            self._blocked = False
            self.later(0, self._piece)

    # From the upstream to the client.

    def _from_upstream(self, piece: Piece) -> None:
        lane = self.response
        if self._closed or self.ended or self._said_upstream_end:
            return
        assert lane.buffer is not None
        lane.buffer.data += piece.data
        lane.received += len(piece.data)
        self._said_upstream_end = lane.complete = piece.close is not Close.NO
        if piece.data or piece.close is Close.END:
            self._pass_back(lane.buffer, piece.close is Close.END)
        if piece.close is Close.RESET:
            self.details = RESET
        over = piece.close is Close.RESET or (self._said_upstream_end and self.router.heard_end)
        if over:
            self.finish_and_close()

    def _pass_back(self, data: Buffer, end: bool) -> None:
        lane = self.response
        if self._closed or self._closing or self._write_end:
            return
        for station in lane.stations:
            filter = _network(station.filter)
            station.ended = end
            lane.calls += 1
            passes = filter.upstream_data(data, end)
            lane.calls -= 1
            self._stand(lane, filter, passes)
            if not passes or self._closed or self._closing:
                return
        self._write_end = end
        if data.data or end:
            self._pending += data.take()
            self.later(0, self._flush)

    def _flush(self) -> None:
        if self._closed:
            return
        self._send()
        if self._closing or self._both_ended:
            self._close(PeerType.LOCAL)

    def _send(self) -> None:
        data, self._pending = self._pending, b""
        self._to_client.add(data)

    # The end.

    @property
    def _both_ended(self) -> bool:
        return self.request.complete and self._write_end and not self._pending

    def fail(self) -> None:
        """The VM of a plugin has failed."""
        self.finish_and_close()

    def finish_and_close(self) -> None:
        """Close the connection once everything is sent that is on its way to the client."""
        if self._closed or self._closing:
            return
        if self._pending:
            self._closing = True
        else:
            self._close(PeerType.LOCAL)

    def _close(self, peer: PeerType) -> None:
        if self._closed:
            return
        self._send()
        self._closed = True
        for filter in self.filters:
            _network(filter).close_downstream(peer)
        self._finish()

    def _expire(self) -> None:
        self.waiting = self.held_by() or "neither client nor upstream ends the connection"
        self._closed = True
        self._finish()

    def held_by(self) -> str:
        """Say which plugin holds which direction."""
        for lane, what in ((self.request, _HELD_CLIENT), (self.response, _HELD_UPSTREAM)):
            for station in lane.stations:
                if station.held is not Held.NOTHING:
                    return f"{station.filter.root.plugin.name} {what}"
        return ""

    def _finish(self) -> None:
        """The connection is over: what the upstream has received by now is all it gets."""
        router = self.router
        router.asked = router.heard.message() if router.reached else None
        super()._finish()

    def _end(self) -> None:
        parts = self.filters, self.request, self.response, self.router
        super()._end()
        if self.waiting:  # it is still there, and closed when the worker stops
            self.filters, self.request, self.response, self.router = parts

    # What only HTTP has.

    @property
    def told_details(self) -> str | None:
        """A connection has no response."""
        return None

    @property
    def protocol(self) -> str | None:
        """Nobody knows what is spoken."""
        return None

    @property
    def cluster(self) -> str | None:
        """The TCP proxy's, once it has the connection."""
        return CLUSTER if self.router.reached else None

    @property
    def virtual_host(self) -> str | None:
        """There is none."""
        return None

    @property
    def transport_failure(self) -> str | None:
        """None is known."""
        return ""

    def local_reply(self, status: int, body: bytes, headers: Iterable[Header], *, details: str,
                    grpc_status: int | None = None, direct: bool = False) -> None:  # fmt: skip
        """A connection has no responses."""

    def resume(self, filter: StreamContext, request: bool) -> None:
        """A connection has no requests to continue."""


def _network(filter: StreamContext) -> NetworkContext:
    return cast("NetworkContext", filter)
