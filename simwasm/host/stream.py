"""One exchange on its way: connection manager and router around the two lanes of filters.

The scheduler runs one job of a stream at a time to its end: request pieces as they arrived, the upstream's answer,
timeouts. Rules, Envoy's:

- a local reply goes through the response filters if no response has begun, replaces the response silently while its
  headers are still held, and can only cut the stream off after that;
- once a whole response has come in, what is left of the request is not looked at.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from simwasm.abi.enums import MapType
from simwasm.exchange import Exchange, Header, Message, decimal, first
from simwasm.host import edge
from simwasm.host.clock import Job, Timer
from simwasm.host.filter_state import Object, State
from simwasm.host.filters import StreamContext
from simwasm.host.headers import HeaderMap
from simwasm.host.lane import Held, Lane, RequestLane, ResponseLane
from simwasm.host.outcome import LogLine, Outcome, Taken
from simwasm.host.pieces import Assembly, Delivery, Feed
from simwasm.host.router import Router
from simwasm.host.routes import Route, choose

if TYPE_CHECKING:
    from simwasm.host.proxy import Proxy


_BAD_REQUEST = 400
_TAKEN = partial(tuple.__new__, Taken)
"""`Taken._make` without a call of Python's."""


class Stream:
    """An exchange in the making."""

    __slots__ = (
        "proxy", "exchange", "started", "filters", "request", "response", "ended", "actions", "logs", "details",
        "code", "waiting", "state", "received", "router", "route", "_prepared", "_local", "_bad", "_reset",
        "_to_client", "_grpc", "_idle", "_last", "_live", "feed",
    )  # fmt: skip

    def __init__(self, proxy: Proxy, exchange: Exchange, live: bool = False) -> None:
        self.proxy = proxy
        self.exchange = exchange
        self.started = proxy.clock.now
        self.filters: list[StreamContext] = []
        self.request = RequestLane(self)
        self.response = ResponseLane(self)
        self.ended = False
        self.actions: list[tuple[str, str, Any]] = []
        self.logs: list[LogLine] = []
        self.details = ""
        self.code = 0
        """The status that the access log tells, which need not have left the proxy."""
        self.waiting = ""
        self.state: dict[str, State | Object] = {}
        """Filter state, by key: what plugins share along the chain."""
        self.route: Route | None = None
        """The one that was looked up last."""
        self._prepared: tuple[HeaderMap, bytes] | None = None
        self._local = False
        self._bad = False
        """A local reply says that the request is bad, so its connection is closed."""
        self._reset = ""
        self.router = Router(self)
        self._to_client = Assembly()
        self._grpc = False
        self._idle: Timer | None = None
        self._last = self.started
        self.received = 0
        self._live = live
        """What comes behind the headers is said while it is under way."""
        self.feed: Feed | None = None
        """By whom it is said, once the headers have come."""

    @property
    def sent_by_client(self) -> Message:
        """The request as its client has sent it, or has until now if it is said piece by piece."""
        asked, feed = self.exchange.request, self.feed
        return asked if feed is None else asked._replace(body=tuple(feed.said), trailers=feed.trailers)

    @property
    def sent(self) -> int:
        """How many body bytes the client has received."""
        return self._to_client.size

    @property
    def status(self) -> int | None:
        """The response's status as the proxy knows it: an answer's own until it has gone out."""
        out = self._to_client.headers
        if out is not None:
            return decimal(first(out, ":status"))
        if self.response.headers is None:
            return None
        answer = self.router.answer if not self._local else None
        return decimal(
            answer.header(":status") if answer is not None else self.response.headers.get(":status")
        )

    @property
    def told_details(self) -> str | None:
        """`response_code_details` as far as they are known."""
        if self._prepared is not None:
            return None
        return self.details or ("via_upstream" if self.response.headers is not None else None)

    @property
    def protocol(self) -> str | None:
        """What is spoken, if that is known."""
        return self.exchange.connection.protocol

    @property
    def cluster(self) -> str | None:
        """Where it goes, once that is known."""
        return self.route.cluster if self.route is not None else None

    @property
    def virtual_host(self) -> str | None:
        """The name of what is asked, if it has one."""
        return self.proxy.profile.virtual_host

    @property
    def transport_failure(self) -> str | None:
        """Why the upstream could not be spoken to; empty if it could."""
        return "" if self.router.reached else None

    # The request comes in.

    def begin(self) -> None:
        """The request's headers arrive and the chain is made for it; its body follows as it was recorded."""
        self.started = self.proxy.clock.now
        self.proxy.begun[self] = None
        self.filters = filters = self.proxy.worker_of(self.exchange).filters(self)
        self.request.lead_through(filters)
        self.response.lead_through(filters[::-1])
        message = self.exchange.request
        connection = self.exchange.connection
        headers = edge.request_for_filters(message.headers, connection, self.proxy.random)
        self._grpc = edge.is_grpc(headers)
        self.route = choose(self.proxy.profile.routes, headers)
        self.wait()
        if self._live:
            self.feed = Feed(self, self.request)
            self.request.receive_headers(headers, False)
            return
        end = not message.body and not message.trailers
        if self.proxy.faults is not None:
            message, cut, leaves = self.proxy.faults.sent(message)
        else:
            cut, leaves = "", False
        if not end:
            Delivery(self, self.request, message, connection.protocol, cut, leaves).start()
        elif leaves:
            self.later(0, self.leave)
        self.request.receive_headers(headers, end)

    # What leaves the last filter of a lane: a request to the router, a response to the client.

    def leave_headers(self, lane: Lane, end: bool) -> None:
        assert lane.headers is not None
        if lane.request:
            self.router.headers(lane.headers, end)
        else:
            self._answer_headers(lane.headers, end)

    def leave_data(self, lane: Lane, data: bytes, end: bool) -> None:
        if lane.request:
            self.router.data(data, end)
            return
        self._to_client.add(data)
        if end:
            self._finish()

    def leave_trailers(self, lane: Lane) -> None:
        if lane.request:
            self.router.trailers(lane.trailers)
            return
        self._to_client.trailers = lane.trailers
        self._finish()

    def _answer_headers(self, headers: HeaderMap, end: bool) -> None:
        code = decimal(headers.get(":status"))
        if code is None:
            details = "filter_removed_required_response_headers{missing_required_header:_:status}"
            self.response.headers = None
            return self.local_reply(
                502, b"missing required header: :status", (), details=details, direct=True
            )
        self.code = code
        self._begin_answer(headers, not end)
        if end:
            self._finish()
        return None

    def _begin_answer(self, headers: HeaderMap, has_body: bool) -> None:
        """Send the response's headers; a client that has not said everything is not listened to any longer."""
        connection = self.exchange.connection
        closes = (not self.request.complete or self._bad) and connection.protocol.startswith("HTTP/1")
        edge.conclude(headers, self.proxy.clock.now, closes=closes)
        self._to_client.headers = edge.response_on_wire(
            headers, connection, has_body=has_body, head=self._head
        )

    @property
    def _head(self) -> bool:
        return self.exchange.request.header(":method") == "HEAD"

    def local_reply(self, status: int, body: bytes, headers: Iterable[Header], *, details: str,
                    grpc_status: int | None = None, direct: bool = False) -> None:  # fmt: skip
        """Answer in the upstream's place, by one of three ways: filtered, unfiltered, or cut off."""
        if self.ended or self._prepared is not None:
            return None
        for lane in (self.request, self.response):
            if lane.calls:
                lane.aborted = True
                break
        self.details = details
        reply, content = edge.local_reply(status, body, headers, grpc=self._grpc, grpc_status=grpc_status)
        if self._to_client.headers is not None:
            return self.reset("local reply after response headers")
        self._local = True
        self._bad = status == _BAD_REQUEST
        self.code = status
        if self.response.headers is not None or direct:
            self._answer_directly(reply, content)
        else:
            self._prepared = reply, content
            if not self.request.aborted:
                return self.send_prepared_reply()
        return None

    def send_prepared_reply(self) -> None:
        """Send the local reply that a filter asked for, now that its callback has returned."""
        if self._prepared is None:
            return
        (headers, body), self._prepared = self._prepared, None
        end = self._head or not body
        self.response.receive_headers(headers, end)
        if not end and not self.ended:
            self.response.receive_data(body, True)

    def _answer_directly(self, headers: HeaderMap, body: bytes) -> None:
        self.response.aborted = True
        self.response.complete = True
        self.response.headers = headers
        self._begin_answer(headers, bool(body))
        if body and not self._head:
            self._to_client.add(body)
        self._finish()

    def too_large(self, lane: Lane) -> None:
        """More was buffered than a connection may."""
        if lane.request:
            return self.local_reply(413, b"Payload Too Large", (), details="request_payload_too_large")
        if self._to_client.headers is not None:
            self.details = "response_payload_too_large"
            return self.reset(self.details)
        return self.local_reply(500, b"Internal Server Error", (), details="response_payload_too_large")

    # What plugins ask of a stream.

    def resume(self, filter: StreamContext, request: bool) -> None:
        """Carry out `continue_stream`."""
        if self.ended:
            return
        lane = self.request if request else self.response
        if lane.headers is not None:
            self.wait()
            lane.resume_for(filter)

    def closed(self, lane: Lane) -> bool:
        """Whether a lane has nothing to do any more."""
        return self.ended or (lane.request and self.response.complete)

    def leave(self) -> None:
        """The client is gone."""
        if not self.ended:
            self.details = "downstream_remote_disconnect"
            self.reset("the client left")

    def reset(self, reason: str) -> None:
        """Cut the stream off."""
        if not self.ended:
            for lane in (self.request, self.response):
                lane.aborted = lane.aborted or lane.calls > 0
            self._prepared = None
            self._reset = reason
            self.details = self.details or reason
            self._finish()
        return

    @property
    def replied(self) -> bool:
        """Whether the host or a plugin answers, or is about to, in the upstream's place."""
        return self._local or self._prepared is not None

    # Time.

    @property
    def idle_due(self) -> int | None:
        """When the exchange is ended if nothing happens to it; None before it has begun."""
        return None if self.request.headers is None else self._last + self.proxy.profile.idle_timeout_ns

    def wait(self) -> None:
        """Something happened: the idle timeout starts again."""
        self._last = self.proxy.clock.now

    def watch_idle(self) -> None:
        """Time is about to pass while this stream is open: it must not be idle for too long."""
        if self._idle is None and self.request.headers is not None:
            due = self._last + self.proxy.profile.idle_timeout_ns - self.proxy.clock.now
            self._idle = self.proxy.clock.after(due, self._idle_too_long)

    def later(self, delay: int, job: Job) -> None:
        """Have something done for this stream after a while, or as soon as everything that is due is done."""
        if delay:
            self.proxy.clock.after(delay, job)
        else:
            self.proxy.clock.soon(job)

    def _idle_too_long(self) -> None:
        left = self._last + self.proxy.profile.idle_timeout_ns - self.proxy.clock.now
        if left > 0:
            self._idle = None
            self.watch_idle()
        else:
            self._expire()

    def _expire(self) -> None:
        """Nothing happened for too long."""
        self.waiting = self.held_by()
        status, text = (504, b"stream timeout") if self.request.complete else (408, b"stream timeout")
        self.local_reply(status, text, (), details="stream_idle_timeout", direct=True)

    def held_by(self) -> str:
        """Say which plugin holds which direction."""
        for lane in (self.request, self.response):
            for station in lane.stations:
                if station.held is not Held.NOTHING:
                    side = "request" if lane.request else "response"
                    return f"{station.filter.root.plugin.name} paused the {side} and nobody resumed it"
        return ""

    # The end.

    def maps_for_log(self) -> dict[MapType, HeaderMap]:
        """What can be read in `proxy_on_log`."""
        found = {}
        if self.request.headers is not None:
            found[self.request.headers_type] = self.request.headers
        if self.response.headers is not None:
            found[self.response.headers_type] = self.response.headers
        if self.response.trailers is not None:
            found[self.response.trailers_type] = self.response.trailers
        return found

    def _finish(self) -> None:
        """The exchange is over; the plugins are told once the current job is done."""
        if self.ended:
            return
        self.ended = True
        if self._idle:
            self._idle.cancel()
        self.proxy.clock.soon(self._end)

    def _end(self) -> None:
        for filter in self.filters:
            filter.log_end()
        for filter in self.filters:
            filter.end()
        client = self._to_client
        outcome = Outcome(
            exchange=self.exchange,
            request=self.router.asked,
            response=client.message() if client.headers is not None else None,
            reset=self._reset,
            details=self.details,
            local_reply=self._local,
            actions=tuple(map(_TAKEN, self.actions)),
            logs=tuple(self.logs),
            bytes_received=self.received,
            bytes_sent=client.size,
            code=self.code,
            started_ns=self.started,
            ended_ns=self.proxy.clock.now,
            waiting=self.waiting,
            asked=self.request.headers.entries if self.request.headers is not None else (),
        )
        self.proxy.ended(self, outcome)
        # These lead back here: without them all of it goes at once, and not when garbage is next collected.
        self.filters = []
        del self.request, self.response, self.router
