"""What is yet to come at a stop: callouts in flight, ticks, what waits for the callback to return, what is due.

Rule: numbers of exchanges count from 1, as they stand on the tape; 0 is one that has not begun there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from simwasm.exchange import Message
from simwasm.host.callouts import Flight
from simwasm.host.clock import Job
from simwasm.host.context import RootContext
from simwasm.host.grpc_call import Conversation
from simwasm.host.lane import Lane
from simwasm.host.network import Tcp
from simwasm.host.pieces import Delivery
from simwasm.host.proxy import Proxy
from simwasm.host.router import Router
from simwasm.host.stream import Stream
from simwasm.host.vm import Vm

Numbers = Mapping[Stream, int]
"""The numbers of the exchanges that are open."""

SHOWN = 100
"""How much of what is due is told."""


@dataclass(frozen=True, slots=True)
class CalloutState:
    """A callout in flight: one that waits for its answer, or a stream that has not ended.

    `due_ns` is when the answer comes, or the next piece of it; None while nothing is on its way.
    """

    id: int
    cluster: str
    vm: str
    context: int
    exchange: int
    """The exchange it was asked for; 0 where the plugin asked for itself."""
    grpc: bool
    asked_ns: int
    due_ns: int | None
    timeout_ms: int
    request: Message
    """What was sent so far."""
    stream: bool = False
    """Whether it is a gRPC stream."""
    sent: bool = True
    """Whether the cluster was asked."""


@dataclass(frozen=True, slots=True)
class TickState:
    """A plugin's timer."""

    vm: str
    period_ms: int
    due_ns: int | None


class Deed(NamedTuple):
    """What a plugin has asked for and gets once its callback has returned."""

    vm: str
    what: str
    """The function of the host: `local_reply`, `resume`, `reset` or `delete`."""
    exchange: int
    request: bool | None
    """Which direction is to continue, where that is asked."""
    text: str
    context: int = 0
    """Whose direction is to continue."""


class Due(NamedTuple):
    """Something that happens at a time."""

    at_ns: int
    what: str
    exchange: int


def callouts(proxy: Proxy, numbers: Numbers) -> tuple[CalloutState, ...]:
    """The callouts in flight, the next answer first."""
    found = [
        _callout(vm, flight, numbers)
        for vm in proxy.vms
        for flight in vm.in_flight.values()
        if not flight.over
    ]
    return tuple(sorted(found, key=lambda call: (call.due_ns is None, call.due_ns or 0, call.id)))


def _callout(vm: Vm, flight: Flight | Conversation, numbers: Numbers) -> CalloutState:
    call = flight.call
    asker = vm.contexts.get(flight.context)
    exchange = numbers.get(asker.stream, 0) if asker is not None and asker.stream is not None else 0
    return CalloutState(
        call.id, call.cluster, vm.name, flight.context, exchange, flight.grpc, flight.asked, flight.due,
        call.timeout_ms, flight.request, flight.stream, flight.sent,
    )  # fmt: skip


def ticks(proxy: Proxy) -> tuple[TickState, ...]:
    """The timers that are set."""
    found = ((vm.name, *root.ticks) for vm in proxy.vms for root in vm.roots)
    return tuple(TickState(*tick) for tick in found if tick[1])


def deeds(proxy: Proxy, numbers: Numbers) -> tuple[Deed, ...]:
    """What waits for a callback to return, in the order in which it is carried out."""
    return tuple(_deed(vm, deed, numbers) for vm in proxy.vms for deed in vm.deeds)


def _deed(vm: Vm, deed: Callable[[], object], numbers: Numbers) -> Deed:
    function: Any = deed.func if isinstance(deed, partial) else deed
    args: tuple[Any, ...] = deed.args if isinstance(deed, partial) else ()
    stream = getattr(function, "__self__", None)
    number = numbers.get(stream, 0) if isinstance(stream, Stream) else 0
    what = getattr(function, "__name__", "")
    exchange = f" of exchange #{number}" if number else ""
    if what == "local_reply":
        return Deed(vm.name, what, number, None, f"the local reply {args[0]}{exchange}")
    if what == "resume":
        side = "request" if args[1] else "response"
        text = f"the {side}{exchange} continues"
        return Deed(vm.name, what, number, args[1], text, args[0].id)
    if what == "resume_reading":
        return Deed(vm.name, "resume", number, True, f"the connection{exchange} continues", args[0].id)
    text = {
        "reset": f"the stream{exchange} is reset",
        "finish_and_close": f"the connection{exchange} is closed",
        "delete": "the root context is deleted",
    }.get(what, what)
    return Deed(vm.name, what, number, None, text)


def due(proxy: Proxy, numbers: Numbers) -> tuple[Due, ...]:
    """The next things that happen, in their order."""
    return tuple(_due(at, job, numbers) for at, job in proxy.clock.coming()[:SHOWN])


def _due(at: int, job: Job, numbers: Numbers) -> Due:
    function: Any = job.func if isinstance(job, partial) else job
    owner = getattr(function, "__self__", None)
    stream = owner if isinstance(owner, Stream) else getattr(owner, "stream", None)
    tell = _TOLD.get(getattr(function, "__qualname__", ""))
    args = job.args if isinstance(job, partial) else ()
    return Due(
        at,
        tell(owner, args) if tell else "something of the host's own",
        numbers.get(stream, 0) if stream else 0,
    )


def _whose(root: RootContext) -> str:
    """The plugin; by its VM's name where it has that for itself, which tells plugins of one name apart."""
    return root.vm.name if len(root.vm.roots) == 1 else root.plugin.name


def _side(lane: Lane) -> str:
    return "request" if lane.request else "response"


def _flight(args: tuple[Any, ...]) -> str:
    flight: Flight | Conversation = args[1]
    return f"{'stream' if flight.stream else 'callout'} {flight.call.id} to `{flight.call.cluster}`"


def _piece(args: tuple[Any, ...]) -> str:
    return f"{'the next piece of ' if args[1].stream else ''}the answer to {_flight(args)} arrives"


_Tell = Callable[[Any, tuple[Any, ...]], str]
_TOLD: dict[str, _Tell] = {
    Stream.begin.__qualname__: lambda stream, _: f"{stream.exchange.label} begins",
    "Stream._idle_too_long": lambda stream, _: (
        f"the {'end of a connection that hangs' if isinstance(stream, Tcp) else 'idle timeout'}, "
        "if nothing happens before"
    ),
    "Stream._end": lambda stream, _: "the exchange ends: proxy_on_log, proxy_on_done, proxy_on_delete",
    "Tcp.begin": lambda stream, _: f"{stream.exchange.label} begins",
    "Tcp._piece": lambda stream, _: "the next piece of the conversation comes",
    "Tcp._all_said": lambda stream, _: "the client ends its side of the connection",
    "Tcp._from_upstream": lambda stream, _: "the upstream ends its side of the connection",
    "Tcp._connect": lambda stream, _: "the TCP proxy has its upstream",
    "Tcp._read": lambda stream, _: "the client is read from",
    "Tcp._flush": lambda stream, _: "bytes go to the client",
    "Tcp._end": lambda stream, _: "the connection is taken apart",
    f"{Delivery.__name__}._deliver": lambda delivery, _: (
        f"the next piece of the {_side(delivery.lane)} comes in"
    ),
    f"{Router.__name__}._ask": lambda router, _: "the request goes to the upstream",
    f"{Router.__name__}._answer": lambda router, _: "the upstream answers",
    f"{RootContext.__name__}._tick": lambda root, _: f"proxy_on_tick of `{_whose(root)}`",
    "_ask": lambda _, args: f"{_flight(args)} is sent",
    "_arrive": lambda _, args: _piece(args),
    "_hear": lambda _, args: f"a message goes out on {_flight(args)}",
    "_expire": lambda _, args: f"the timeout of {_flight(args)}",
    "_fail_silently": lambda _, args: f"{_flight(args)} fails",
    "_resolve": lambda _, args: f"the addresses of `{args[2]}` arrive",
    Vm.tell.__qualname__: lambda vm, args: f"{args[1]}({args[2]}) of `{_whose(args[0])}`",
}
"""How each job of the clock is told; the first argument is whose method it is."""
