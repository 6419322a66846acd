"""What a plugin does for one stream, as far as that has come: its callbacks, logs, calls and costs.

Rule: nothing is worked out before it is asked for, and once, until there is another callback.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

from simwasm.abi.table import ALLOCATORS, CALLBACKS, Side
from simwasm.chain import called
from simwasm.errors import InputError, Trap
from simwasm.exchange import Message
from simwasm.host.outcome import Outcome
from simwasm.host.ports import Failure
from simwasm.host.stream import Stream as HostStream
from simwasm.lints.lint import Problem
from simwasm.testing.logs import Logs
from simwasm.testing.phases import Call, Phase, Wanted, calls_among, phases
from simwasm.testing.record import Asked, Visit
from simwasm.testing.trace import Trace
from simwasm.testing.values import Request, Response
from simwasm.trace.event import Entered, Trapped

if TYPE_CHECKING:
    from simwasm.testing.life import Life

_ASKED = 32
"""How many answers are remembered."""
_CALLBACKS = frozenset(row.name for row in CALLBACKS)
_Made = TypeVar("_Made")


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


class Doing:
    """What a plugin has done for a stream until now."""

    outcome: Outcome | None = None

    def __init__(self, life: Life, stream: HostStream) -> None:
        self._life = life
        self.stream = stream
        """The host's."""
        self.asked: deque[WasAsked] = deque(maxlen=_ASKED)
        """What was asked last."""
        self._known: dict[str, object] = {}
        self._known_at = 0

    @property
    def _visits(self) -> list[Visit]:
        return self._life.owners.visits_of(self.stream)

    def _once(self, name: str, make: Callable[[list[Visit]], _Made]) -> _Made:
        """What is made of the callbacks, made once as long as there is none more."""
        visits = self._visits
        if len(visits) != self._known_at:
            self._known, self._known_at = {}, len(visits)
        if name not in self._known:
            self._known[name] = make(visits)
        return cast("_Made", self._known[name])

    @property
    def phases(self) -> tuple[Phase, ...]:
        """Its callbacks, one after the other, each with what it left."""
        life = self._life
        return self._once(
            "phases", lambda visits: phases(life.record.events, life.owners, visits, life.started_ns)
        )

    @property
    def actions(self) -> tuple[tuple[str, Wanted], ...]:
        """What its callbacks returned, in that order: the callback's name and the action."""
        return tuple((phase.callback, phase.action) for phase in self.phases if phase.action is not None)

    def action(self, callback: str, nth: int = 0, *, plugin: str = "") -> Wanted:
        """What a callback returned, the first time or another: `Action.CONTINUE`, `Action.PAUSE` or something wider."""
        phase = self.phase(callback, nth, plugin=plugin)
        if phase.action is None:
            why = f"trapped: {phase.trapped}" if phase.trapped else "returns no action"
            raise InputError(f"{callback} {why}")
        self.asked.append(WasAsked(phase.action, phase.seq, f"action({callback!r})"))
        return phase.action

    def phase(self, callback: str, nth: int = 0, *, plugin: str = "") -> Phase:
        """One of its callbacks, the first of that name or another; of a chain's plugin, if one is said."""
        whose = self._named(plugin) if plugin else ""
        found = [phase for phase in self.phases if phase.callback == callback and whose in ("", phase.plugin)]
        if not found or not -len(found) <= nth < len(found):
            raise InputError(self._no_callback(callback, nth, len(found)))
        return found[nth]

    def call(self, function: str, nth: int = 0, /, **arguments: object) -> Call:
        """A call that the plugin made of the host: the first of that name with these arguments, or another."""
        events = self._life.record.events
        every = [
            call
            for visit in self._visits
            for call in calls_among(events[visit.begin + 1 : visit.end])
            if call.name == function
        ]
        found = [call for call in every if arguments.items() <= call.arguments.items()]
        if -len(found) <= nth < len(found):
            return found[nth]
        raise InputError(_not_called(function, nth, arguments, every, len(found)))

    def _named(self, plugin: str) -> str:
        """The whole name of a plugin in the chain, which may be said without its namespace."""
        known = [each.name for each in self._life.setup.plugins]
        found = [name for name in known if plugin in called(name)]
        if not found:
            raise InputError(f"there is no plugin `{plugin}`; there are: {', '.join(known)}")
        return found[0]

    def _no_callback(self, name: str, nth: int, times: int) -> str:
        happened = ", ".join(dict.fromkeys(phase.callback for phase in self.phases)) or "none at all"
        if times:
            return f"{name} happened {times} times, so there is no number {nth} (they count from 0)"
        if name in _CALLBACKS:
            return f"{name} did not happen; these callbacks did: {happened}"
        near = get_close_matches(name, _CALLBACKS, 1, 0.5)
        hint = f"; did you mean {near[0]}?" if near else "."
        return f"no callback is called `{name}`{hint} These happened: {happened}"

    @property
    def callouts(self) -> tuple[Callout, ...]:
        """The clusters that were asked for it, in that order."""
        return tuple(map(_callout, self._life.owners.callouts_of(self.stream)))

    @property
    def trap(self) -> Trap | None:
        """The trap that the plugin ran into, if it did."""
        spans = (self._life.record.events[visit.begin : visit.end + 1] for visit in self._visits)
        return next((event.trap for span in spans for event in span if isinstance(event, Trapped)), None)

    @property
    def logs(self) -> Logs:
        """What was logged for it, by the plugin and by the proxy."""
        life = self._life
        return self._once("logs", lambda visits: life.logs(life.owners.lines_of(visits, self.outcome)))

    @property
    def cost(self) -> Cost:
        """What its callbacks cost."""
        return self._once("cost", lambda visits: cost(self._life, visits))

    @property
    def trace(self) -> Trace:
        """Everything that crossed the ABI for it."""
        life = self._life
        return self._once(
            "trace", lambda visits: life.trace(list(life.owners.entries_of(visits, self.outcome)))
        )

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What the lints say of it."""
        return self._life.problems.of(self.stream)


def _not_called(
    function: str, nth: int, arguments: Mapping[str, object], every: Sequence[Call], times: int
) -> str:
    """Why there is no such call."""
    like = " with these arguments" if arguments else ""
    if times:
        return f"{function} is called {times} times{like}, so there is no number {nth} (they count from 0)"
    if not every:
        return f"{function} is not called"
    near = ", ".join(f"{name}={every[0].arguments.get(name)!r:.200}" for name in arguments)
    return f"{function} is not called{like}; the first of its {len(every)} calls has {near}"


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
