"""The router: the end of the request's filters and the beginning of the response's.

It takes the request as the filters left it, asks the upstream once the request is complete (once its headers are
there, where the upstream answers early), and puts the answer into the response lane when it is due.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from simwasm.exchange import Message, decimal
from simwasm.host import edge
from simwasm.host.headers import HeaderMap
from simwasm.host.pieces import Assembly, Delivery
from simwasm.host.ports import Answer, Failure
from simwasm.host.routes import choose

if TYPE_CHECKING:
    from simwasm.host.stream import Stream


class Router:
    """The router of one stream."""

    __slots__ = ("_headers", "_sent", "stream", "asked", "asked_ns", "answer")

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self._headers: HeaderMap | None = None
        self._sent = Assembly()
        self.asked: Message | None = None
        """What the upstream received, if it was asked."""
        self.asked_ns = 0
        self.answer: Message | None = None
        """What came from the upstream, or the beginning of it."""

    @property
    def reached(self) -> bool:
        """Whether the request's headers have come, and have an upstream to go to."""
        return self._headers is not None

    @property
    def sent(self) -> int:
        """How many body bytes have come out of the request's filters."""
        return self._sent.size

    def headers(self, headers: HeaderMap, end: bool) -> None:
        """The request's headers; what cannot be routed is refused."""
        stream = self.stream
        stream.route = choose(stream.proxy.profile.routes, headers)  # again: a plugin may have written them
        if stream.route is None:
            stream.local_reply(404, b"", (), details="route_not_found")
        elif fault := edge.fault(headers):
            details = f"filter_removed_required_request_headers{{{fault}}}".replace(" ", "_")
            stream.local_reply(503, fault.encode(), (), details=details)
        else:
            edge.route(headers, stream.proxy.profile.route_timeout_ns)
            self._headers = headers
            self._sent.headers = edge.request_on_wire(headers, not end)
            if end or stream.exchange.early:
                self._complete()

    def data(self, data: bytes, end: bool) -> None:
        self._sent.add(data)
        if end:
            self._complete()

    def trailers(self, trailers: HeaderMap | None) -> None:
        self._sent.trailers = trailers
        self._complete()

    def _complete(self) -> None:
        self.stream.proxy.clock.soon(self._ask)

    def _ask(self) -> None:
        stream = self.stream
        if self._headers is None or self.asked is not None:
            return
        if stream.ended or stream.response.headers is not None:
            return
        self.asked = self._sent.message()
        answer = stream.proxy.ask_upstream(stream.exchange, self.asked)
        delay, timeout = answer.after_ns, stream.proxy.profile.route_timeout_ns
        if delay > timeout:
            answer, delay = Failure("timeout"), timeout
        self.asked_ns = stream.proxy.clock.now
        stream.later(delay, partial(self._answer, answer))

    def _answer(self, answer: Answer) -> None:
        """The answer arrives, or what there is of one."""
        stream = self.stream
        if stream.ended or stream.response.headers is not None or self._headers is None:
            return
        stream.wait()
        begun, cut = (answer.begun, answer.reason) if isinstance(answer, Failure) else (answer, "")
        if begun is None:
            status, body, details = edge.no_answer(Failure(cut))
            stream.local_reply(status, body, (), details=details)
            return
        stream.code, stream.details = decimal(begun.header(":status")) or 0, "via_upstream"
        self.answer = found = edge.received(begun, self._headers.get(":method"))
        took = stream.proxy.clock.now - self.asked_ns if stream.request.complete else None
        seen = edge.response_for_filters(found.headers, took)
        bare = not found.body and not found.trailers
        end = bare or found.header("content-length") == "0"
        if not bare:
            Delivery(stream, stream.response, found, "HTTP/1.1", cut).start()
        stream.response.receive_headers(seen, end)
