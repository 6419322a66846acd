"""What is written down while a plugin runs.

An event is appended to a list and nothing else, unless a callback begins or ends: then it is noted which streams it may
be for, what it cost, and what it left behind. Everything else is found out when a test asks.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from simwasm.abi.enums import BufferType
from simwasm.abi.table import ALLOCATORS, Function, Side, named
from simwasm.errors import InputError
from simwasm.exchange import Headers
from simwasm.host.headers import HeaderMap
from simwasm.host.outcome import LogLine, Outcome
from simwasm.host.ports import Callout
from simwasm.host.stream import Stream
from simwasm.session import Session, Started
from simwasm.trace.event import Entered, Event

MOST = 1 << 22
"""How many events are kept of one plugin; a callback that has begun may go beyond, as far as its fuel lasts."""

LARGEST = 1 << 26
"""How many bytes of bodies are kept, as callbacks left them; and how many it may give the host."""

_PLUGIN = Side.PLUGIN
_ALLOCATORS = frozenset(row for name in ALLOCATORS for row in named(name))
_REQUEST = ("proxy_on_request_headers", "proxy_on_request_body", "proxy_on_request_trailers")
_RESPONSE = ("proxy_on_response_headers", "proxy_on_response_body", "proxy_on_response_trailers")
_BODIES = {
    "proxy_on_request_body": BufferType.HTTP_REQUEST_BODY,
    "proxy_on_response_body": BufferType.HTTP_RESPONSE_BODY,
    "proxy_on_downstream_data": BufferType.DOWNSTREAM_DATA,
    "proxy_on_upstream_data": BufferType.UPSTREAM_DATA,
}


class Visit:
    """One callback: where its events are, what it cost, and what it left."""

    __slots__ = ("number", "begin", "end", "function", "plugin", "stream", "streams", "outer", "burnt", "memory",
                 "grown", "started", "headers", "trailers", "body")  # fmt: skip

    def __init__(self, number: int, begin: int, function: Function, started: Started, outer: bool) -> None:
        self.number = number
        self.begin = begin
        self.end = -1
        self.function = function
        self.started = started
        self.plugin = started.vm.plugin.name
        self.outer = outer
        self.stream: Stream | None = None
        self.streams: tuple[Stream, ...] = ()
        self.burnt = started.burnt()
        self.memory = _memory(started)
        self.grown = 0
        self.headers: Headers | None = None
        self.trailers: Headers | None = None
        self.body: bytes | None = None


class Asked(NamedTuple):
    """A cluster was asked."""

    call: Callout
    answer: Any


class Record:
    """Everything that a session did."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.visits: list[Visit] = []
        self.lines: list[LogLine] = []
        self.outcomes: list[tuple[int, Outcome]] = []
        """What became of exchanges, each with how many events there had been."""
        self.asked: dict[tuple[str, int], Asked] = {}
        """What clusters were asked, by VM and number."""
        self.written_at: list[int] = []
        """How many events there had been before each line."""
        self.ended_at: dict[int, int] = {}
        """The same of each outcome."""
        self._session: Session
        self._open: list[Visit | None] = []
        self._guests: dict[str, Started] = {}
        self._kept = 0
        self._weight = 0

    def of(self, session: Session) -> None:
        """Say whose events these are."""
        self._session = session

    def asks(self, callout: Callout, answer: object) -> None:
        """Note what a cluster was asked and answered."""
        for vm in self._session.proxy.vms:
            flight = vm.in_flight.get(callout.id)
            if flight is not None and flight.call is callout:
                self.asked[vm.name, callout.id] = Asked(callout, answer)

    def log(self, line: LogLine) -> None:
        """Take a line of the proxy's log."""
        self.lines.append(line)
        self.written_at.append(len(self.events))

    def finished(self, outcome: Outcome) -> None:
        """Note what became of an exchange."""
        self.outcomes.append((len(self.events), outcome))
        self.ended_at[id(outcome)] = len(self.events)

    def __call__(self, event: Event) -> None:
        """Take an event."""
        self.events.append(event)
        if isinstance(event, Entered):
            self._weigh(event)
            function = event.function
            if function.side is _PLUGIN and function not in _ALLOCATORS:
                self._open.append(self._visit(event))
            else:
                self._open.append(None)
            return
        visit = self._open.pop()
        if visit is not None:
            self._leave(visit, event)

    def _weigh(self, event: Entered) -> None:
        """Count texts and bytes: a plugin that logs without end would have all the memory that there is."""
        self._weight += sum(len(value) for value in event.args if isinstance(value, (str, bytes)))
        if self._weight > LARGEST:
            raise InputError(
                f"{event.vm}: has given the host more than {LARGEST >> 20} MiB of texts and bytes, which are too many "
                "to keep of one plugin: does it log without end? If not, load it once more for what is to come"
            )

    def _visit(self, event: Entered) -> Visit:
        if len(self.events) > MOST:
            raise InputError(
                f"{event.vm}: more than {MOST:,} events are too many to keep of one plugin: "
                "load it once more for what is to come, or let less time pass"
            )
        started = self._guests.get(event.vm) or self._find(event.vm)
        visit = Visit(len(self.visits), len(self.events) - 1, event.function, started, not self._open)
        context = started.vm.contexts.get(event.context)
        visit.stream = stream = context.stream if context is not None else None
        if context is not None:
            visit.plugin = context.root.plugin.name
        visit.streams = (stream,) if stream is not None else tuple(self._session.proxy.open_streams)
        self.visits.append(visit)
        return visit

    def _find(self, vm: str) -> Started:
        found = next(each for each in reversed(self._session.started) if each.vm.name == vm)
        self._guests[vm] = found
        return found

    def _leave(self, visit: Visit, event: Event) -> None:
        visit.end = len(self.events) - 1
        started, stream = visit.started, visit.stream
        visit.burnt = started.burnt() - visit.burnt
        visit.grown = _memory(started) - visit.memory
        if stream is None:
            return
        name = visit.function.name
        lane = stream.request if name in _REQUEST else stream.response if name in _RESPONSE else None
        if lane is not None:
            visit.headers = _entries(lane.headers)
            visit.trailers = _entries(lane.trailers)
        kind = _BODIES.get(name)
        if kind is not None:
            entered = self.events[visit.begin]
            assert isinstance(entered, Entered)
            context = started.vm.contexts.get(entered.context)
            found = context.buffers.get(kind) if context is not None else None
            if found is not None and self._kept + len(found) <= LARGEST:
                self._kept += len(found)
                visit.body = found.data

    def entries(self) -> list[Event | Outcome]:
        """Everything, what became of exchanges where that was known."""
        found: list[Event | Outcome] = []
        before = 0
        for at, outcome in self.outcomes:
            found += [*self.events[before:at], outcome]
            before = at
        return [*found, *self.events[before:]]


def _entries(found: HeaderMap | None) -> Headers | None:
    return None if found is None else found.entries


def _memory(started: Started) -> int:
    return 0 if started.instance is None else started.instance.memory.size()
