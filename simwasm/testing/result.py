"""What became of a request, as a test asks for it: what the client saw, what the upstream saw, how it ended."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from simwasm.errors import InputError
from simwasm.exchange import Message
from simwasm.host.outcome import Outcome
from simwasm.host.stream import Stream as HostStream
from simwasm.testing.doing import Doing, WasAsked
from simwasm.testing.phases import LocalReply
from simwasm.testing.values import Request, Response, Told
from simwasm.trace.event import Entered
from simwasm.trace.text import printable

if TYPE_CHECKING:
    from simwasm.testing.life import Life


class Received:
    """What the upstream received of one request.

    Example:
        >>> plugin = load_plugin("samples/allow_header/plugin.wasm")
        >>> upstream = plugin.send("POST", "/", headers={"allow": "true"}, body="hello").upstream
        >>> upstream.called, upstream.request.method, upstream.received
        (True, 'POST', b'hello')
    """

    def __init__(self, message: Message | None) -> None:
        self._message = message

    @property
    def called(self) -> bool:
        """Whether the request reached it."""
        return self._message is not None

    @property
    def request(self) -> Request:
        """The request as it received it."""
        if self._message is None:
            raise InputError("the upstream was not called, so it has received no request")
        return Request(self._message)

    @property
    def received(self) -> bytes:
        """The bytes that it received."""
        return b"" if self._message is None else self._message.data

    def __repr__(self) -> str:
        return f"<upstream: {self.request if self.called else 'not called'}>"


class Result(Doing):
    """What became of a request or a connection.

    Example:
        >>> result = load_plugin("samples/allow_header/plugin.wasm").send("GET", "/")
        >>> int(result.response.status), result.upstream.called
        (403, False)
        >>> result.action("proxy_on_request_headers") is Action.PAUSE
        True
        >>> result.logs.contains("deny by default")
        True
    """

    outcome: Outcome
    """What the host says of it."""

    def __init__(self, life: Life, stream: HostStream, outcome: Outcome) -> None:
        super().__init__(life, stream)
        self.outcome = outcome

    def __repr__(self) -> str:
        said = (
            f"status {self.outcome.status}" if self.outcome.response else self.outcome.reset or "no response"
        )
        return printable(f"<Result of {self.name}: {said}>")

    @property
    def name(self) -> str:
        """What the request is called: a name that it was given, otherwise its request line."""
        return self.outcome.exchange.label

    # What client and upstream saw.

    @cached_property
    def request(self) -> Request:
        """The request as the client sent it."""
        return Request(self.stream.sent_by_client)

    @property
    def response(self) -> Response:
        """What the client received; asking for it where nothing came is an error."""
        found = self.answer
        if found is None:
            raise InputError(f"there is no response: {self.reset or 'the client received nothing'}")
        return found

    @cached_property
    def answer(self) -> Response | None:
        """What the client received; None if nothing came."""
        message = self.outcome.response
        return None if message is None else Response(message, self._told_status)

    @property
    def received(self) -> bytes:
        """The bytes that the client received."""
        return b"" if self.outcome.response is None else self.outcome.response.data

    @cached_property
    def upstream(self) -> Received:
        """What the upstream received."""
        return Received(self.outcome.request)

    # How it ended.

    @property
    def local_reply(self) -> LocalReply | None:
        """The answer in the upstream's place, if there was one."""
        own = next((phase.local_reply for phase in reversed(self.phases) if phase.local_reply), None)
        if not self.outcome.local_reply:
            return None
        if own is not None and self.answer is not None and own.status == self.outcome.code:
            return own
        found = self.outcome.response or Message(())
        return LocalReply(
            self.outcome.code, self.details, Response(found).headers, found.data, by_plugin=False
        )

    @property
    def details(self) -> str:
        """Why it was answered so, in Envoy's words: `response_code_details`."""
        return self.outcome.details

    @property
    def reset(self) -> str:
        """Why the stream was cut off; empty if it was not."""
        return self.outcome.reset

    @property
    def waiting(self) -> str:
        """Who held it until it was given up; empty if nobody did."""
        return self.outcome.waiting

    @property
    def took(self) -> float:
        """How many seconds of virtual time it took."""
        return (self.outcome.ended_ns - self.outcome.started_ns) / 1e9

    def _told_status(self, status: int) -> int:
        self.asked.append(WasAsked(status, self._decided(), "response.status"))
        return Told.by(status, self, "response.status")

    def _decided(self) -> int:
        """The event that made the answer: the local reply, otherwise the last return of a response's headers."""
        record = self._life.record
        wanted = "proxy_send_local_response" if self.outcome.local_reply else "proxy_on_response_headers"
        for visit in reversed(self._visits):
            for event in reversed(record.events[visit.begin : visit.end + 1]):
                if isinstance(event, Entered) and event.function.name == wanted:
                    return event.seq
        return 0
