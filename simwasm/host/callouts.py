"""HTTP callouts: a plugin asks a cluster, and is told later.

The request is checked at once and sent once the guest's call has ended; the answer is delivered at its
time to the root context, whoever asked.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from simwasm.abi.enums import BufferType, MapType, Status
from simwasm.exchange import Headers, Message, response
from simwasm.host import edge
from simwasm.host.buffers import Buffer
from simwasm.host.clock import MILLISECOND
from simwasm.host.headers import HeaderMap
from simwasm.host.ports import Callout, Failure

if TYPE_CHECKING:
    from simwasm.host.context import RootContext


class Flight:
    """A callout that has not been answered yet: who asked for it, and when it is answered, once that is known."""

    __slots__ = ("call", "context", "asked", "due")
    grpc = stream = over = False

    @property
    def sent(self) -> bool:
        """Whether the cluster was asked."""
        return self.due is not None

    @property
    def request(self) -> Message:
        """What is sent."""
        return self.call.request

    def __init__(self, call: Callout, context: int, asked: int) -> None:
        self.call = call
        self.context = context
        self.asked = asked
        self.due: int | None = None


def send(root: RootContext, call: Callout) -> None:
    """Have a callout asked, and its answer delivered when it is due."""
    vm = root.vm
    proxy = vm.proxy
    flight = Flight(call, vm.context.id if vm.context is not None else root.id, proxy.clock.now)
    vm.in_flight[call.id] = flight
    proxy.clock.soon(partial(_ask, root, flight))


def _ask(root: RootContext, flight: Flight) -> None:
    proxy, call = root.vm.proxy, flight.call
    found = proxy.ask_cluster(call)
    if not isinstance(found, (Message, Failure)):
        found = response(415)  # a gRPC service that was asked something else
    answer, due = _in_time(found, call.timeout_ms * MILLISECOND)
    flight.due = proxy.clock.now + due
    proxy.clock.after(due, partial(_arrive, root, flight, answer))


def _arrive(root: RootContext, flight: Flight, answer: Message | Failure) -> None:
    del root.vm.in_flight[flight.call.id]
    _deliver(root, flight.call, answer)


def _in_time(answer: Message | Failure, timeout: int) -> tuple[Message | Failure, int]:
    """An answer and when it is whole; one that takes too long is a timeout, or is cut off where it has begun."""
    due = answer.after_ns + sum(chunk.after_ns for chunk in getattr(answer, "body", ()))
    if not timeout or due <= timeout:
        return answer, due
    begun = answer if isinstance(answer, Message) and answer.after_ns <= timeout else None
    return Failure("timeout", begun=begun), timeout


def _deliver(root: RootContext, call: Callout, answer: Message | Failure) -> None:
    if isinstance(answer, Failure) and answer.begun is not None:
        root.status = (Status.BROKEN_CONNECTION, "reset")
        root.vm.call(root, "proxy_on_http_call_response", call.id, 0, 0, 0)
        root.status = (Status.BROKEN_CONNECTION, "")  # the number stays until another callout fails
    else:
        headers, body, trailers = _response(call, answer)
        root.answer = {
            MapType.HTTP_CALL_RESPONSE_HEADERS: headers,
        }
        if trailers:
            root.answer[MapType.HTTP_CALL_RESPONSE_TRAILERS] = HeaderMap(trailers)
        root.buffers[BufferType.HTTP_CALL_RESPONSE_BODY] = Buffer(
            body, writable=False, why="a callout's answer cannot be written"
        )
        root.vm.call(root, "proxy_on_http_call_response", call.id, len(headers), len(body), len(trailers))
        root.answer = {}
        del root.buffers[BufferType.HTTP_CALL_RESPONSE_BODY]
    root.vm.settle()


def _response(call: Callout, answer: Message | Failure) -> tuple[HeaderMap, bytes, Headers]:
    """What a plugin is told; where nobody answered, the router's own words."""
    if isinstance(answer, Failure):
        refusal = edge.no_answer(answer)
        headers, body = edge.local_reply(refusal.status, refusal.body, (), grpc=False, grpc_status=None)
        return headers, body, ()
    found = edge.received(answer, call.request.header(":method"))
    return edge.response_for_filters(found.headers, answer.after_ns), found.data, found.trailers
