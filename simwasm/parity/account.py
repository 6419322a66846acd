"""What is told of a run, in the same words whoever ran it: the simulated host or the real one.

Rules that live here: a message is as it is on an HTTP/1 wire, so without `:scheme` and with the rest of the pseudo
headers first; crossings and log lines are those of one worker thread, cut at the end of each exchange; what happens
inside a tick is left out, because Envoy's main thread ticks as well and chance decides which of the two comes first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from simwasm.conversation import Conversation
from simwasm.exchange import Chunk, Connection, Exchange, Headers, Message
from simwasm.host.ports import NO_HOST, Answer, AskUpstream, Failure, Heard, Service
from simwasm.host.profile import ENVOY
from simwasm.host.routes import Route
from simwasm.parity.bootstrap import Json
from simwasm.parity.client import End
from simwasm.parity.http1 import PACE
from simwasm.parity.log import Crossing, PluginLog
from simwasm.plugin import Plugin
from simwasm.session import recorded

Script = Callable[[Message], Answer]


def nobody_listens(request: Message) -> Answer:
    """Answer for a cluster whose port is closed: the connection is refused."""
    return Failure("remote connection failure")


def nobody_there(request: Message) -> Answer:
    """Answer for a cluster without any host."""
    return NO_HOST


TICK = "proxy_on_tick"
_PACE_NS = int(PACE * 1e9)
_BODILESS = ("204", "304")
_ON_THE_WIRE = (":status", ":authority", ":path", ":method")


@dataclass(frozen=True, slots=True)
class Scenario:
    """Plugins, the exchanges they meet one after the other, and everyone who answers."""

    plugins: tuple[Plugin, ...]
    """In the order of the chain."""
    exchanges: tuple[Exchange, ...]
    clusters: Mapping[str, Script] = field(default_factory=dict)
    """Who answers the plugin's callouts."""
    services: Mapping[str, Service] = field(default_factory=dict)
    """Clusters that speak HTTP/2, each with the gRPC service there."""
    upstream: AskUpstream = recorded
    """Who answers the requests that pass; by default whoever was recorded."""
    http_manager: Mapping[str, Json] = field(default_factory=dict)
    """More fields of Envoy's HTTP connection manager, which simwasm does not have."""
    hint: int = 0
    """The status of an informational response that the upstream sends before each of its answers; 0 for none."""
    started_ns: int = 0
    """When the worker started."""
    buffer_limit: int | None = None
    """Bytes that may wait on a connection; None for Envoy's own megabyte."""
    routes: tuple[Route, ...] = ENVOY.routes
    """In the order in which they are tried."""


@dataclass(frozen=True, slots=True)
class Inside:
    """What happened between host and plugin."""

    crossings: tuple[Crossing, ...]
    logs: tuple[PluginLog, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """What everyone saw of one exchange."""

    exchange: Exchange
    """As it was sent: when, and on which connection."""
    end: End
    client: Message | None
    """The response as far as it came; None if nothing came, or nothing in time."""
    upstream: tuple[Message, ...]
    callouts: tuple[tuple[str, Message], ...]
    """What each cluster was asked, with the cluster's name."""
    inside: Inside
    logged: str = ""
    """What the access log says of it: status, flags and why; nothing if the client went away while it hung."""


@dataclass(frozen=True, slots=True)
class Account:
    """A run: from the start of the plugin to the end of the worker."""

    started_ns: int
    start: Inside
    exchanges: tuple[Seen, ...]
    stop: Inside
    counted: Mapping[str, int] = field(default_factory=dict)
    """By how much counters and gauges grew between start and stop, plugins' own and those about plugins."""


def growth(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    """By how much statistics grew, those that did."""
    grown = {name: value - before.get(name, 0) for name, value in sorted(after.items())}
    return {name: by for name, by in grown.items() if by}


def as_played(scenario: Scenario, account: Account) -> Scenario:
    """The scenario at the times and on the connections that an account tells of."""
    sent = tuple(seen.exchange for seen in account.exchanges)
    return replace(scenario, exchanges=sent, started_ns=account.started_ns)


def as_sent(exchange: Exchange, at_ns: int, port: int) -> Exchange:
    """An exchange moved to now, to a plain HTTP/1 connection to a port of this machine, and to the harness's pace."""
    connection = Connection(destination=f"127.0.0.1:{port}")
    if isinstance(exchange, Conversation):
        pauses = (
            max(piece.after_ns, _PACE_NS if number else 0) for number, piece in enumerate(exchange.pieces)
        )
        pieces = zip(exchange.pieces, pauses, strict=True)
        said = tuple(piece._replace(after_ns=pause) for piece, pause in pieces)
        return replace(exchange, started_ns=at_ns, connection=connection, pieces=said)
    return replace(
        exchange,
        started_ns=at_ns,
        connection=connection,
        request=paced(exchange.request),
        response=exchange.response and paced(exchange.response),
    )


def paced(message: Message) -> Message:
    """A message with the pauses between its pieces that the harness makes."""
    pauses = (max(chunk.after_ns, _PACE_NS if number else 0) for number, chunk in enumerate(message.body))
    pieces = zip(message.body, pauses, strict=True)
    return message._replace(body=tuple(Chunk(chunk.data, pause) for chunk, pause in pieces))


def taken(message: Message, method: str | None = None) -> Message | None:
    """A message as far as its receiver takes it: its content-length decides; None if it waits for the rest.

    For a response it depends on the request's method, too.
    """
    length = message.header("content-length") or ""
    if not length.isdigit() or method == "HEAD" or message.header(":status") in _BODILESS:
        return message
    data = message.data
    return None if len(data) < int(length) else message._replace(body=(Chunk(data[: int(length)]),))


def as_heard(call: Heard) -> Message:
    """A gRPC call as its server heard it; the trailer tells whether the caller came to the end of it."""
    framed = (b"\0" + len(message).to_bytes(4, "big") + message for message in call.messages)
    found = on_wire(Message(call.headers, tuple(map(Chunk, framed))))
    return found._replace(trailers=(("(ended)", "yes" if call.ended else "no"),))


def as_bytes(heard: bytes | None) -> tuple[Message, ...]:
    """What an end of a TCP connection received; nothing if there was no connection."""
    return () if heard is None else (Message((), (Chunk(heard),)),)


def _as_read(headers: Headers) -> Headers:
    """What a receiver makes of headers that break a line."""
    lines = "\n".join(f"{name}: {value}" for name, value in headers).replace("\r", "").split("\n")
    parts = (line.partition(":") for line in lines)
    return tuple((name, value.strip(" \t")) for name, _, value in parts)


def on_wire(message: Message) -> Message:
    """A message as its receiver sees it; a gRPC request as HTTP/2 has it, though the harness carries it by HTTP/1."""
    pseudo = tuple((name, value) for name in _ON_THE_WIRE if (value := message.header(name)) is not None)
    omitted = "transfer-encoding" if message.header("content-type") == "application/grpc" else ""
    named: Headers = tuple(pair for pair in message.headers if pair[0][:1] != ":" and pair[0] != omitted)
    if any("\n" in value or ":" in name for name, value in named):
        named = _as_read(named)
    return Message((*pseudo, *named), message.body, message.trailers)
