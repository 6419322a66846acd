"""The callbacks of a stream, one after the other, each with what it left: for expectations of one of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from simwasm.abi.enums import Action, DataAction, HeadersAction
from simwasm.abi.table import Function, Side
from simwasm.errors import Trap
from simwasm.exchange import Headers as Pairs
from simwasm.host.outcome import LogLine
from simwasm.testing.logs import Logs, line
from simwasm.testing.owners import Owners
from simwasm.testing.record import Visit
from simwasm.testing.values import Headers
from simwasm.trace.event import Entered, Event, Left, Trapped

Wanted = Action | HeadersAction | DataAction
"""What a callback asks the proxy to do."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call that the plugin made of the host.

    Example:
        >>> phase = load_plugin("samples/allow_header/plugin.wasm").send("GET", "/").phases[1]
        >>> [call.name for call in phase.calls][-1], phase.calls[-1].arguments["status_code"]
        ('proxy_send_local_response', 403)
    """

    name: str
    arguments: dict[str, Any]
    result: Any
    """Its status, or what it gave."""
    values: tuple[Any, ...]
    """What was given through out parameters."""
    reason: str
    """Why the status is not OK, in words."""


@dataclass(frozen=True, slots=True)
class LocalReply:
    """An answer in the upstream's place: the plugin's own, or the proxy's.

    Example:
        >>> reply = load_plugin("samples/allow_header/plugin.wasm").send("GET", "/").local_reply
        >>> reply.status, reply.by_plugin
        (403, True)
    """

    status: int
    details: str
    headers: Headers
    body: bytes
    grpc_status: int = -1
    by_plugin: bool = True


@dataclass(frozen=True, slots=True)
class Phase:
    """One callback, and what it left.

    Example:
        >>> phases = load_plugin("samples/allow_header/plugin.wasm").send("GET", "/").phases
        >>> [phase.callback for phase in phases][:2]
        ['proxy_on_context_create', 'proxy_on_request_headers']
        >>> phases[1].action is Action.PAUSE, phases[1].end_of_stream, phases[1].headers[":path"]
        (True, True, '/')
    """

    callback: str
    arguments: dict[str, Any]
    action: Wanted | None
    """`Action`, or something wider; None for callbacks that return none."""
    end_of_stream: bool
    headers: Headers | None
    """Of the direction that it is about, pseudo headers too, as they were when it returned."""
    trailers: Headers | None
    body: bytes | None
    """The bytes that it could see and change, as they were when it returned."""
    logs: Logs
    calls: tuple[Call, ...]
    local_reply: LocalReply | None
    """What it answered with, in the upstream's place."""
    trapped: Trap | None
    instructions: int
    seq: int
    """The event at which it returned."""
    result: Any = None
    """What it returned."""
    plugin: str = ""
    """Whose callback it is, in a chain of several."""


def phases(
    events: Sequence[Event], owners: Owners, visits: Sequence[Visit], started_ns: int
) -> tuple[Phase, ...]:
    """The callbacks of visits, and those inside of them."""
    every = (inner for visit in visits for inner in owners.inside(visit))
    return tuple(_phase(events, visit, owners.lines_of([visit]), started_ns) for visit in every)


def _phase(events: Sequence[Event], visit: Visit, lines: Sequence[LogLine], started_ns: int) -> Phase:
    entered, ended = events[visit.begin], events[visit.end]
    assert isinstance(entered, Entered)
    arguments = _arguments(entered)
    calls = tuple(calls_among(events[visit.begin + 1 : visit.end]))
    return Phase(
        visit.function.name,
        arguments,
        action(ended.result) if isinstance(ended, Left) else None,
        _ends(visit.function, arguments),
        _headers(visit.headers),
        _headers(visit.trailers),
        visit.body,
        Logs(line(each, started_ns) for each in lines),
        calls,
        next((_local_reply(call) for call in reversed(calls) if _answers(call)), None),
        ended.trap if isinstance(ended, Trapped) else None,
        visit.burnt,
        ended.seq,
        ended.result if isinstance(ended, Left) else None,
        visit.plugin,
    )


def action(result: object) -> Wanted | None:
    """What a callback asked for: one of the specification's two actions where it is named like one."""
    if not isinstance(result, (Action, HeadersAction, DataAction)):
        return None
    return Action.__members__.get(result.name, result)


def _ends(function: Function, arguments: dict[str, Any]) -> bool:
    """Whether nothing comes behind this in its direction; trailers are always the last."""
    return bool(arguments.get("end_of_stream")) or function.name.endswith("_trailers")


def _headers(pairs: Pairs | None) -> Headers | None:
    return None if pairs is None else Headers(pairs)


def _arguments(entered: Entered) -> dict[str, Any]:
    names = (param.name for param in entered.function.inputs)
    return dict(zip(names, entered.args, strict=False))


def calls_among(events: Sequence[Event]) -> Iterator[Call]:
    """The host calls among events, in the order in which they began."""
    ends = {event.opened: event for event in events if not isinstance(event, Entered)}
    for event in events:
        if not isinstance(event, Entered) or event.function.side is not Side.HOST:
            continue
        end = ends.get(event.seq)
        told = end if isinstance(end, Left) else None
        yield Call(
            event.function.name,
            _arguments(event),
            told.result if told else None,
            told.values if told else (),
            told.reason if told else "",
        )


def _answers(call: Call) -> bool:
    return call.name == "proxy_send_local_response" and not call.result


def _local_reply(call: Call) -> LocalReply:
    given = call.arguments
    return LocalReply(
        given["status_code"], given["details"], Headers(given["headers"]), given["body"], given["grpc_status"]
    )
