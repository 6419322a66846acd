"""What became of a request, as a test asks for it: what the client saw, what the upstream saw, what the plugin did.

Rule: nothing is worked out before it is asked for, and everything of it once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from simwasm.abi.table import ALLOCATORS, CALLBACKS, Side
from simwasm.errors import InputError, Trap
from simwasm.exchange import Message
from simwasm.host.outcome import Outcome
from simwasm.host.ports import Failure
from simwasm.host.stream import Stream as HostStream
from simwasm.lints.lint import Problem
from simwasm.testing.logs import Logs
from simwasm.testing.phases import LocalReply, Phase, Wanted, phases
from simwasm.testing.record import Asked, Visit
from simwasm.testing.trace import Trace
from simwasm.testing.values import Headers, Request, Response, Told
from simwasm.trace.event import Entered, Trapped

if TYPE_CHECKING:
    from simwasm.testing.life import Life

_ASKED = 32
"""How many answers are remembered."""
_CALLBACKS = frozenset(row.name for row in CALLBACKS)


class WasAsked(NamedTuple):
    """Something that a test has asked a result for."""

    value: Any
    seq: int
    """The event that it is about; 0 for none."""
    what: str


@dataclass(frozen=True, slots=True)
class Cost:
    """What callbacks cost, counted by fuel: the same on every engine and machine.

    Example:
        >>> cost = load_plugin("samples/allow_header/plugin.wasm").send("GET", "/").cost
        >>> cost.instructions < 50_000, cost.memory_growth
        (True, 0)
        >>> "proxy_on_request_headers" in cost.callbacks
        True
    """

    instructions: int = 0
    host_calls: int = 0
    allocated: int = 0
    """How many bytes the host asked the plugin's allocator for."""
    memory_growth: int = 0
    """By how many bytes the plugin's memory grew."""
    callbacks: dict[str, int] = field(default_factory=dict)
    """The instructions of each callback, those of all its calls together."""


@dataclass(frozen=True, slots=True)
class Callout:
    """A cluster that the plugin asked, and what it answered.

    Example:
        >>> plugin = load_plugin("samples/http_auth/plugin.wasm")
        >>> _ = plugin.upstream("auth").replies(200)
        >>> (callout,) = plugin.send("GET", "/").callouts
        >>> callout.cluster, callout.request.method, int(callout.answer.status)
        ('auth', 'GET', 200)
    """

    cluster: str
    request: Request
    answer: Response | None
    """None if it failed, or if a gRPC service answers message by message."""
    failure: str = ""


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


class Result:
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

    def __init__(self, life: Life, stream: HostStream, outcome: Outcome) -> None:
        self._life = life
        self.stream = stream
        """The host's."""
        self.outcome = outcome
        """What the host says of it."""
        self.asked: deque[WasAsked] = deque(maxlen=_ASKED)
        """What was asked last."""

    def __repr__(self) -> str:
        said = (
            f"status {self.outcome.status}" if self.outcome.response else self.outcome.reset or "no response"
        )
        return f"<Result of {self.name}: {said}>"

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

    @cached_property
    def callouts(self) -> tuple[Callout, ...]:
        """The clusters that were asked for it, in that order."""
        return tuple(map(_callout, self._life.record.callouts_of(self.stream)))

    # How it ended.

    @cached_property
    def local_reply(self) -> LocalReply | None:
        """The answer in the upstream's place, if there was one."""
        own = next((phase.local_reply for phase in reversed(self.phases) if phase.local_reply), None)
        if not self.outcome.local_reply:
            return None
        if own is not None and self.answer is not None and own.status == self.outcome.code:
            return own
        found = self.outcome.response or Message(())
        return LocalReply(
            self.outcome.code, self.details, Headers(found.headers), found.data, by_plugin=False
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

    @cached_property
    def trap(self) -> Trap | None:
        """The trap that the plugin ran into, if it did."""
        events = self._life.record.events
        ends = (events[visit.end] for visit in self._visits)
        return next((event.trap for event in ends if isinstance(event, Trapped)), None)

    @property
    def took(self) -> float:
        """How many seconds of virtual time it took."""
        return (self.outcome.ended_ns - self.outcome.started_ns) / 1e9

    # What the plugin did.

    @cached_property
    def _visits(self) -> list[Visit]:
        return self._life.record.visits_of(self.stream)

    @cached_property
    def phases(self) -> tuple[Phase, ...]:
        """Its callbacks, one after the other, each with what it left."""
        return phases(self._life.record, self._visits, self._life.started_ns)

    @property
    def actions(self) -> tuple[tuple[str, Wanted], ...]:
        """What its callbacks returned, in that order: the callback's name and the action."""
        return tuple((phase.callback, phase.action) for phase in self.phases if phase.action is not None)

    def action(self, callback: str, nth: int = 0) -> Wanted:
        """What a callback returned, the first time or another: `Action.CONTINUE`, `Action.PAUSE` or something wider."""
        found = [phase for phase in self.phases if phase.callback == callback]
        if not found or not -len(found) <= nth < len(found):
            raise InputError(self._no_callback(callback, nth, len(found)))
        phase = found[nth]
        if phase.action is None:
            raise InputError(
                f"{callback} {'trapped: ' + str(phase.trapped) if phase.trapped else 'returns no action'}"
            )
        self.asked.append(WasAsked(phase.action, phase.seq, f"action({callback!r})"))
        return phase.action

    def _no_callback(self, name: str, nth: int, times: int) -> str:
        happened = ", ".join(dict.fromkeys(phase.callback for phase in self.phases)) or "none at all"
        if times:
            return f"{name} happened {times} times, so there is no number {nth} (they count from 0)"
        if name in _CALLBACKS:
            return f"{name} did not happen; these callbacks did: {happened}"
        near = get_close_matches(name, _CALLBACKS, 1, 0.5)
        hint = f"; did you mean {near[0]}?" if near else ""
        return f"no callback is called `{name}`{hint} These happened: {happened}"

    @cached_property
    def logs(self) -> Logs:
        """What was logged for it, by the plugin and by the proxy."""
        return self._life.logs(self._life.record.lines_of(self._visits, self.outcome))

    @cached_property
    def cost(self) -> Cost:
        """What its callbacks cost."""
        return cost(self._life, self._visits)

    @cached_property
    def trace(self) -> Trace:
        """Everything that crossed the ABI for it."""
        return self._life.trace(list(self._life.record.entries_of(self._visits, self.outcome)))

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """What the lints say of it."""
        return self._life.problems.of(self.stream)

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


def _callout(asked: Asked) -> Callout:
    call, answer = asked.call, asked.answer
    found = Response(answer) if isinstance(answer, Message) else None
    return Callout(
        call.cluster, Request(call.request), found, answer.reason if isinstance(answer, Failure) else ""
    )


def cost(life: Life, visits: Sequence[Visit]) -> Cost:
    """What callbacks have cost."""
    calls = allocated = 0
    callbacks: dict[str, int] = {}
    for visit in visits:
        callbacks[visit.function.name] = callbacks.get(visit.function.name, 0) + visit.burnt
        for event in life.record.events[visit.begin : visit.end]:
            if isinstance(event, Entered):
                calls += event.function.side is Side.HOST
                allocated += event.args[0] if event.function.name in ALLOCATORS else 0
    return Cost(sum(callbacks.values()), calls, allocated, sum(visit.grown for visit in visits), callbacks)
