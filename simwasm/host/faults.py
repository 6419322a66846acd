"""Faults that are wanted: what goes wrong around a plugin, so that one can see what it does then.

    faults = Faults([Fault(Kind.CALLOUT, "auth", 2, Failure("timeout")), Fault(Kind.TRAP, "proxy_on_request_body", 1)])

Rules: a fault has a place and a number, counted per run from 1; number 0 is every time; what was not reached is told by
`missed`. The counts are plain numbers in a dictionary, so that a debugger can put them back. Nothing here costs
anything where no fault is wanted: functions are wrapped only if a fault names them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any

from simwasm.abi.enums import Status
from simwasm.abi.status import Refusal
from simwasm.errors import Trap, TrapKind
from simwasm.exchange import Chunk, Exchange, Message
from simwasm.host.ports import Answer, AskCluster, AskUpstream, Callout, Failure, Service

_GONE = "connection termination"
ASKED_FOR = "a fault that was asked for"
"""How the reasons of faults begin."""
_CALLS = ("proxy_http_call", "proxy_grpc_call", "proxy_grpc_stream")


class Kind(str, Enum):
    """What may go wrong."""

    CALLOUT = "callout"
    """A cluster answers otherwise, or not at all."""
    REFUSED = "refused callout"
    """A host function that asks a cluster gives a status at once."""
    STATUS = "status"
    """A host function gives a status, and nothing else happens."""
    TRAP = "trap"
    """A callback or host function traps."""
    MALLOC = "malloc"
    """The plugin's allocator has no memory."""
    UPSTREAM = "upstream"
    """The upstream's connection ends within the response."""
    CLIENT = "client"
    """The client leaves before its request is complete, or while it waits."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong."""

    kind: Kind
    name: str = ""
    """Of the cluster or function."""
    number: int = 0
    """Which time, from 1; 0 for every time."""
    answer: Answer | None = None
    """What a cluster answers."""
    status: Status = Status.OK
    at: int = 0
    """After how many bytes of body."""
    text: str = ""
    """As it was written."""


class Faults:
    """The faults of one run, and how often each was near."""

    def __init__(self, wanted: Sequence[Fault]) -> None:
        self.wanted = tuple(wanted)
        self.near = dict.fromkeys(range(len(self.wanted)), 0)
        """How often the place of a fault was reached, by its number in `wanted`."""
        self.done = dict.fromkeys(range(len(self.wanted)), 0)
        """How often it happened."""

    @property
    def missed(self) -> tuple[Fault, ...]:
        """What never happened."""
        return tuple(fault for index, fault in enumerate(self.wanted) if not self.done[index])

    def due(self, *kinds: Kind, name: str = "") -> Fault | None:
        """The place of some faults is reached: the one that happens now, if one does."""
        happens = None
        for index, fault in enumerate(self.wanted):
            if fault.kind not in kinds or fault.name != name:
                continue
            self.near[index] += 1
            if happens is None and fault.number in (0, self.near[index]):
                self.done[index] += 1
                happens = fault
        return happens

    def _passed(self, kind: Kind, name: str) -> None:
        """The place of some faults was reached, and something else happened."""
        for index, fault in enumerate(self.wanted):
            self.near[index] += fault.kind is kind and fault.name == name

    def _named(self, kind: Kind) -> set[str]:
        return {fault.name for fault in self.wanted if fault.kind is kind}

    # What is put in the place of functions.

    def handlers(self, handlers: Mapping[str, Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
        """Host functions, those that a fault names with the fault before them."""
        named = self._named(Kind.STATUS) | self._named(Kind.TRAP)
        if self._named(Kind.REFUSED):
            named.update(_CALLS)
        return {
            name: partial(self._asked, name, handler) if name in named else handler
            for name, handler in handlers.items()
        }

    def _asked(self, name: str, handler: Callable[..., Any], *args: Any) -> Any:
        fault = self.due(Kind.STATUS, Kind.TRAP, name=name)
        if fault is None and name in _CALLS and isinstance(args[0], str):
            fault = self.due(Kind.REFUSED, name=args[0])
            if fault is not None:  # the cluster is not asked, but this was one of the times
                self._passed(Kind.CALLOUT, args[0])
        if fault is None:
            return handler(*args)
        if fault.kind is Kind.TRAP:
            raise _trap(fault)
        return Refusal(fault.status, _because(fault))

    def exports(self, exports: Mapping[str, Callable[..., Any]], allocators: Sequence[str]) -> dict[str, Any]:
        """A guest's functions, those that a fault names with the fault before them."""
        traps, starved = self._named(Kind.TRAP), self._named(Kind.MALLOC)
        found = dict(exports)
        for name, export in exports.items():
            if name in allocators and starved:
                found[name] = partial(self._allocate, export)
            elif name in traps:
                found[name] = partial(self._called, name, export)
        return found

    def _called(self, name: str, export: Callable[..., Any], *args: int) -> Any:
        fault = self.due(Kind.TRAP, name=name)
        if fault is not None:
            raise _trap(fault)
        return export(*args)

    def _allocate(self, export: Callable[..., Any], *args: int) -> Any:
        return export(*args) if self.due(Kind.MALLOC) is None else 0

    def cluster(self, ask: AskCluster) -> AskCluster:
        """Who answers callouts."""
        return partial(self._answer, ask) if self._named(Kind.CALLOUT) else ask

    def _answer(self, ask: AskCluster, callout: Callout) -> Answer | Service:
        fault = self.due(Kind.CALLOUT, name=callout.cluster)
        return ask(callout) if fault is None or fault.answer is None else fault.answer

    def upstream(self, ask: AskUpstream) -> AskUpstream:
        """Who answers requests."""
        return partial(self._response, ask) if self._named(Kind.UPSTREAM) else ask

    def _response(self, ask: AskUpstream, exchange: Exchange, request: Message) -> Answer:
        answer, fault = ask(exchange, request), self.due(Kind.UPSTREAM)
        if fault is None or isinstance(answer, Failure):
            return answer
        return Failure(
            _GONE, answer.after_ns, begun=answer._replace(body=cut(answer.body, fault.at), trailers=())
        )

    def sent(self, request: Message) -> tuple[Message, str, bool]:
        """A request as far as its client sends it, why it is cut, and whether the client leaves when it is complete."""
        fault = self.due(Kind.CLIENT)
        if fault is None:
            return request, "", False
        if fault.at >= len(request.data):
            return request, "", True
        return request._replace(body=cut(request.body, fault.at), trailers=()), _because(fault), False


def cut(body: tuple[Chunk, ...], size: int) -> tuple[Chunk, ...]:
    """The first bytes of a body."""
    found = []
    for chunk in body:
        if size <= 0:
            break
        found.append(chunk._replace(data=chunk.data[:size]))
        size -= len(chunk.data)
    return tuple(found)


def _because(fault: Fault) -> str:
    return f"{ASKED_FOR}: {fault.text}"


def _trap(fault: Fault) -> Trap:
    return Trap(TrapKind.UNREACHABLE, detail=_because(fault))
