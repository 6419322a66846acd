"""What a callback's result means now, in words: the table of actions, filled in with what is known at the stop.

Rules are the host's (`host/filters.py`, `host/lane.py`): a local reply makes the action meaningless, an unknown number
stops everything, Pause in a headers callback stops body and trailers too unless the host was told otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from simwasm.abi.enums import Action, BufferType, DataAction, HeadersAction
from simwasm.abi.table import ALLOCATORS, Side
from simwasm.debug.consequences_network import FROM_CLIENT, is_network, network_result
from simwasm.debug.state import State
from simwasm.debug.state_lanes import LaneState, StationState
from simwasm.debug.tape import Tape
from simwasm.debug.waiting import waiting
from simwasm.host.lane import Held
from simwasm.plugin import FailPolicy
from simwasm.trace.event import Entered, Left, Trapped, shown
from simwasm.trace.text import value_text


@dataclass(frozen=True, slots=True)
class Consequence:
    """What comes of a callback."""

    callback: str
    action: str
    """The name of what it returned; empty where it returns nothing."""
    text: str
    """Sentences."""
    stops: bool = False
    hopeless: bool = False
    """It stops, and nobody can resume it."""
    ahead: bool = False
    """The result is known from the recorded future: one still stands in the callback."""


class _Case:
    """The facts that a row of the table may use."""

    def __init__(self, state: State, entered: Entered, result: Any, answer: str = "") -> None:
        self.state = state
        self.answer = answer
        """Which answer of its own the callback will send, where it has not done so yet."""
        self.entered = entered
        self.result = result
        self.stream = next(
            (each for each in state.streams if (entered.vm, entered.context) in each.contexts), None
        )
        self.request = "_request_" in entered.function.name or entered.function.name in FROM_CLIENT
        self.side = "request" if self.request else "response"
        self.lane: LaneState | None = None
        if self.stream is not None:
            self.lane = self.stream.request if self.request else self.stream.response

    @property
    def station(self) -> StationState | None:
        """The plugin's place in the direction."""
        stations = self.lane.stations if self.lane is not None else ()
        here = self.entered.vm, self.entered.context
        return next((each for each in stations if (each.vm, each.context) == here), None)

    @property
    def stops_on_headers(self) -> bool:
        """Whether Pause in a headers callback holds back the headers only."""
        return self.station is not None and self.station.stops_on_headers

    @property
    def holds(self) -> bool:
        """Whether the plugin has held something back before this callback."""
        return self.station is not None and self.station.held is Held.BEHIND

    @property
    def next(self) -> str:
        """Who is asked after this plugin."""
        stations, here = self.lane.stations if self.lane is not None else (), self.station
        behind = stations[stations.index(here) + 1 :] if here is not None else ()
        return f"`{behind[0].plugin}`" if behind else "the upstream" if self.request else "the client"

    @property
    def size(self) -> str:
        """How many bytes the callback sees."""
        body = self.state.body(
            BufferType.HTTP_REQUEST_BODY if self.request else BufferType.HTTP_RESPONSE_BODY
        )
        size = len(body.data) if body is not None and body.read.allowed else self.entered.args[1]
        return f"{size:,} byte{'' if size == 1 else 's'}"

    @property
    def held_back(self) -> str:
        """What is buffered behind this plugin, in words."""
        size = self.lane.buffered if self.lane is not None else 0
        return f"Everything it held back ({size:,} bytes buffered)" if size else "Everything it held back"


_Row = Callable[[_Case], str]

_STOP_ALL = "The {side} stops here; its body and trailers wait too, without the plugin being asked about them"
_HEADERS: dict[int, _Row] = {
    HeadersAction.CONTINUE: lambda case: f"The {case.side} headers go on to {case.next}.",
    HeadersAction.CONTINUE_AND_END_STREAM: lambda case: (
        f"The {case.side} headers go on to {case.next}: the host takes this for CONTINUE."
    ),
    HeadersAction.PAUSE: lambda case: (
        f"The {case.side} stops here; body and trailers still come to this plugin, and the first of them to return "
        "Continue sends everything on."
        if case.stops_on_headers
        else _STOP_ALL.format(side=case.side) + ", as Envoy does by default."
    ),
    HeadersAction.STOP_ALL_AND_BUFFER: lambda case: (
        f"{_STOP_ALL.format(side=case.side)}. More than {case.state.buffer_limit:,} bytes of body refuse the exchange."
    ),
    HeadersAction.STOP_ALL_AND_WATERMARK: lambda case: (
        f"{_STOP_ALL.format(side=case.side)}; the sender is slowed down when the buffer is full."
    ),
}
_BODY: dict[int, _Row] = {
    DataAction.CONTINUE: lambda case: (
        f"{case.held_back} goes on to {case.next}{_and_this(case)}."
        if case.holds
        else f"What this callback saw ({case.size}) goes on to {case.next}."
    ),
    DataAction.PAUSE: lambda case: f"{case.size} are held back. {_next_body(case)}",
    DataAction.STOP_AND_WATERMARK: lambda case: (
        f"{case.size} are held back, and the sender is slowed down. The next callback sees only what comes next."
    ),
    DataAction.STOP_NO_BUFFER: lambda case: (
        f"What this callback saw ({case.size}) is dropped: it goes nowhere."
    ),
}
_TRAILERS: dict[int, _Row] = {
    Action.CONTINUE: lambda case: (
        f"{case.held_back} goes on to {case.next}, the trailers too."
        if case.holds
        else f"The {case.side} trailers go on to {case.next}."
    ),
    Action.PAUSE: lambda case: (
        f"The {case.side} trailers stop here, and what is held back before them. No further callback of it comes."
    ),
}


def _and_this(case: _Case) -> str:
    """The chunk of this callback, where it was not already behind what is held back."""
    together = case.station is not None and case.station.buffering
    return "" if together else f", and what this callback saw ({case.size}) behind it"


def _next_body(case: _Case) -> str:
    if bool(case.entered.args[2]):
        return f"This was the end of the {case.side}: no further callback of it follows."
    return "The next body callback sees all of them, and what has come by then."


_UNKNOWN = "{result} is no action: it counts as {stand_in}. "
_STREAM: dict[str, tuple[dict[int, _Row], int]] = {
    "headers": (_HEADERS, HeadersAction.STOP_ALL_AND_WATERMARK),
    "body": (_BODY, DataAction.STOP_NO_BUFFER),
    "trailers": (_TRAILERS, Action.PAUSE),
}
"""By the end of a callback's name: its actions, and what an unknown number counts as."""
_GOES_ON = {
    "headers": (HeadersAction.CONTINUE, HeadersAction.CONTINUE_AND_END_STREAM),
    "body": (DataAction.CONTINUE,),
    "trailers": (Action.CONTINUE,),
}

_FLAGS: dict[tuple[str, bool], str] = {
    ("proxy_on_vm_start", True): "The VM has started; proxy_on_configure comes next.",
    ("proxy_on_vm_start", False): "The VM does not start: the plugin is not loaded.",
    ("proxy_on_configure", True): "The configuration is accepted; the plugin is ready.",
    ("proxy_on_configure", False): "The configuration is refused: the plugin is not loaded.",
}


def consequence(state: State, tape: Tape, position: int) -> Consequence | None:
    """What comes of the callback one stands in; None where there is none, or its result is not on tape yet."""
    opened = callback_at(tape, position)
    end = tape.end_of(opened) if opened else 0
    if not end:
        return None
    entered, ended = tape.entered(opened), tape.at(end)
    ahead = position < end
    if isinstance(ended, Trapped):
        return Consequence(entered.function.name, "TRAP", _trapped(state, entered), True, ahead=ahead)
    assert not isinstance(ended, Entered)
    return _returned(_Case(state, entered, ended.result, _answer(tape, position, opened, end)), ahead)


def _answer(tape: Tape, position: int, opened: int, end: int) -> str:
    """A local reply that the callback is going to send before it returns, in words; empty for none."""
    events: list[Any] = tape.events
    for at in range(end - 1, max(position, opened + 1, end - _FAR) - 1, -1):
        entered = events[at - 1]
        if entered.__class__ is not Entered or entered.function.name != "proxy_send_local_response":
            continue
        ended = tape.at(tape.end_of(at)) if tape.end_of(at) else None
        if isinstance(ended, Left) and not ended.result and not ended.reason and tape.around(at) == opened:
            return f"It will answer with {entered.args[0]} itself in row {tape.rows.at(at) + 1:,}"
    return ""


_FAR = 20_000
"""How many events are looked at: who answers returns soon, and this is asked for at every stop."""


def callback_at(tape: Tape, position: int) -> int:
    """Where the callback began that one stands in, allocators left out; 0 for none."""
    for at in reversed(tape.calls_at(position)):
        function = tape.entered(at).function
        if function.side is Side.PLUGIN and function.name not in ALLOCATORS:
            return at
    return 0


def _returned(case: _Case, ahead: bool) -> Consequence:
    name = case.entered.function.name
    action = "" if case.entered.function.result is None else value_text(case.result)
    kind = name.rpartition("_")[2]
    if kind in _STREAM and case.stream is not None:
        text, stops, hopeless = _stream(case, kind)
        text = f"It will return {action}. {text}" if ahead else text
        return Consequence(name, action, text, stops, hopeless, ahead)
    if is_network(name) and case.lane is not None:
        text, stops = network_result(name, int(case.result), case.lane.buffered, case.next)
        text = f"It will return {action}. {text}" if ahead else text
        return Consequence(name, action, text + _asked(case), stops, ahead=ahead)
    answer = f" {case.answer}." if case.answer else ""
    return Consequence(name, action, _other(case) + answer, ahead=ahead)


def _stream(case: _Case, kind: str) -> tuple[str, bool, bool]:
    """The sentences about a stream callback, whether it stops, and whether nobody can resume it."""
    rows, stand_in = _STREAM[kind]
    number = int(case.result)
    vm = case.state.vm(case.entered.vm)
    if vm is not None and vm.stopped:
        return f"{_reply(case)}, so the action is ignored: the {case.side} goes no further.", True, False
    if case.answer:
        return f"{case.answer}; the action is ignored then, and the {case.side} goes no further.", True, False
    said = (
        ""
        if number in rows
        else _UNKNOWN.format(result=number, stand_in=shown(type(next(iter(rows)))(stand_in)))
    )
    text = said + rows.get(number, rows[stand_in])(case)
    if number in _GOES_ON[kind]:
        return text + _asked(case), False, False
    asked = kind != "headers" or (number == HeadersAction.PAUSE and case.stops_on_headers)
    wait = waiting(case.state, case.stream, case.lane, case.entered.vm, case.entered.context, asked=asked)
    resumed = (
        f" It is resumed by {_resumer(case)}; {wait.text}." if not wait.hopeless else f" {_first(wait.text)}."
    )
    return text + resumed, True, wait.hopeless


def _first(text: str) -> str:
    return text[0].upper() + text[1:]


def _resumer(case: _Case) -> str:
    vm = case.state.vm(case.entered.vm)
    if vm is not None and vm.abi == "0.1.0":
        return f"proxy_continue_{case.side}"
    return f"proxy_continue_stream(HTTP_{case.side.upper()})"


def _reply(case: _Case) -> str:
    """Who answers now."""
    replies = [
        deed.text for deed in case.state.deeds if deed.vm == case.entered.vm and deed.what == "local_reply"
    ]
    return f"This plugin sends {replies[0]}" if replies else "This plugin sends a local reply"


def _asked(case: _Case) -> str:
    """What the plugin asked for during the call, which is carried out now."""
    texts = [deed.text for deed in case.state.deeds if deed.vm == case.entered.vm]
    return f" Now that it has returned: {', '.join(texts)}." if texts else ""


def _other(case: _Case) -> str:
    name, result = case.entered.function.name, case.result
    if name == "proxy_on_done":
        return _done(case) + _asked(case)
    text = _FLAGS.get((name, bool(result)), "") if case.entered.function.result is not None else ""
    nothing = (
        "It returns nothing."
        if case.entered.function.result is None
        else "Nothing depends on what it returns."
    )
    return (text or nothing) + _asked(case) + _stranded(case)


def _stranded(case: _Case) -> str:
    """The exchanges that the plugin still holds, now that nobody can resume them any more."""
    state, vm = case.state, case.entered.vm
    told = {deed.exchange for deed in state.deeds if deed.vm == vm}
    found = ""
    for stream in state.streams:
        lane, station = stream.held or (None, None)
        if lane is None or station is None or station.vm != vm or stream.exchange in told:
            continue
        wait = waiting(state, stream, lane, vm, station.context)
        if wait.hopeless:
            found += f" Exchange #{stream.exchange} stays paused in its {lane.name}: {wait.text}."
    return found


def _done(case: _Case) -> str:
    if case.stream is not None:
        return "The exchange has ended; the result counts only for a root context."
    if case.result:
        return "The plugin is done; proxy_on_delete comes next."
    return "The plugin wants to wait: it is deleted when it calls proxy_done."


def _trapped(state: State, entered: Entered) -> str:
    vm = state.vm(entered.vm)
    policy = FailPolicy(vm.fail_policy) if vm is not None else FailPolicy.FAIL_CLOSED
    return f"`{entered.vm}` has failed and is not called again. {_FAILED[policy]}"


_FAILED = {
    FailPolicy.FAIL_CLOSED: "Every exchange is answered with 503 from now on (FAIL_CLOSED).",
    FailPolicy.FAIL_OPEN: "Open exchanges are answered with 503; new ones go round it (FAIL_OPEN).",
    FailPolicy.FAIL_RELOAD: "Exchanges are answered with 503 until the plugin is started anew (FAIL_RELOAD).",
    FailPolicy.FAIL_OPEN_AT_ONCE: "All exchanges go on without it (fail_open).",
}
"""What becomes of exchanges once a plugin has trapped."""
