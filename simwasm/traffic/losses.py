"""What a format cannot carry of the exchanges that are written in it: counted, and told in a few lines at the end.

    losses = Losses("HAR", carries={Part.RESPONSE, Part.STARTED})
    for exchange in losses.checked(exchanges): ...        # TCP connections do not come through, unless carried
    losses.tell(notes)                                    # 12 exchanges: trailers (HAR has no place for it), first #7

Rules that live here: a part counts where it says something, which is where it is not as by default; an id that is a
number is the number of an entry, which every file has again; a line for each part, however many exchanges have it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from simwasm.conversation import Conversation
from simwasm.exchange import Chunk, Connection, Exchange
from simwasm.traffic.notes import Notes

_USUAL = Connection()
_PSEUDO = (":authority", ":path", ":method", ":scheme")
"""In the order in which Envoy has them of a request of HTTP/1.1."""
_MOST_KINDS = 100
"""Of losses with texts of their own; a bug in a writer must not fill the memory."""


class Part(str, Enum):
    """What an exchange may have, as it is told to users."""

    TCP = "TCP connections"
    ID = "ids"
    NAME = "names"
    STARTED = "when they began"
    RESPONSE = "responses"
    NO_RESPONSE = "that nobody answered"
    ORDER = "the order of pseudo headers"
    TRAILERS = "trailers"
    PIECES = "how bodies were cut into pieces"
    PIECE_TIMES = "times of pieces of bodies"
    RESPONSE_TIME = "how long responses took to begin"
    PROTOCOL = "the HTTP version"
    CONNECTION = "which connection they were on"
    ADDRESSES = "addresses of client and server"
    TLS = "details of TLS"
    EARLY = "that the upstream answers early"
    PARTIAL = "that only a part of them was recorded"


def parts(exchange: Exchange) -> Iterator[Part]:
    """What this exchange has that not every exchange has."""
    return (part for part, has in _HAS if has(exchange))


@dataclass(slots=True)
class _Count:
    number: int
    first: str


class Losses:
    """Counts what one writing of one format loses."""

    def __init__(self, format: str, carries: Collection[Part] = ()) -> None:
        self._format = format
        self._carries = frozenset(carries)
        self._counts: dict[tuple[str, str], _Count] = {}

    def checked(self, exchanges: Iterable[Exchange]) -> Iterator[Exchange]:
        """Go through exchanges, counting what the format does not carry; TCP connections are left out."""
        for exchange in exchanges:
            missing = [part for part in parts(exchange) if part not in self._carries]
            if Part.TCP in missing:
                self.left_out(Part.TCP.value, exchange)
                continue
            for part in missing:
                self.lost(part.value, exchange)
            yield exchange

    def lost(self, what: str, exchange: Exchange, times: int = 1) -> None:
        """Count something of an exchange that is written without it; of several, this being the first."""
        self._count("", what, exchange, times)

    def left_out(self, what: str, exchange: Exchange) -> None:
        """Count an exchange that cannot be written at all."""
        self._count(" left out", what, exchange)

    def tell(self, notes: Notes) -> None:
        """Tell what was lost, a line for each kind of thing."""
        for (how, what), count in self._counts.items():
            exchanges = "1 exchange" if count.number == 1 else f"{count.number:,} exchanges"
            where = f"#{count.first}" if count.number == 1 else f"first #{count.first}"
            notes.left_out(f"{exchanges}{how}: {what} ({self._format} has no place for it), {where}")

    def _count(self, how: str, what: str, exchange: Exchange, times: int = 1) -> None:
        key = (how, what) if len(self._counts) < _MOST_KINDS else (how, "other things")
        found = self._counts.setdefault(key, _Count(0, exchange.id))
        found.number += times


def _chunks(exchange: Exchange) -> Iterator[Chunk]:
    yield from exchange.request.body
    if exchange.response:
        yield from exchange.response.body


def pseudo_order(exchange: Exchange) -> tuple[str, ...]:
    """The names of the pseudo headers that every request has, as they stand."""
    return tuple(name for name, _ in exchange.request.headers if name in _PSEUDO)


def _other_order(exchange: Exchange) -> bool:
    order = pseudo_order(exchange)
    return order != _PSEUDO and order != tuple(name for name in _PSEUDO if name in order)


def _trailers(exchange: Exchange) -> bool:
    return bool(exchange.request.trailers or (exchange.response and exchange.response.trailers))


def _pieces(exchange: Exchange) -> bool:
    return len(exchange.request.body) > 1 or (
        exchange.response is not None and len(exchange.response.body) > 1
    )


def _addresses(exchange: Exchange) -> bool:
    there = exchange.connection
    return (there.source, there.destination) != (_USUAL.source, _USUAL.destination)


_HAS: tuple[tuple[Part, Callable[[Exchange], bool]], ...] = (
    (Part.TCP, lambda exchange: isinstance(exchange, Conversation)),
    (Part.ID, lambda exchange: not exchange.id.isdecimal()),
    (Part.NAME, lambda exchange: bool(exchange.name)),
    (Part.STARTED, lambda exchange: exchange.started_ns != 0),
    (Part.RESPONSE, lambda exchange: exchange.response is not None),
    (Part.NO_RESPONSE, lambda exchange: exchange.response is None),
    (Part.ORDER, _other_order),
    (Part.TRAILERS, _trailers),
    (Part.PIECES, _pieces),
    (Part.PIECE_TIMES, lambda exchange: any(chunk.after_ns for chunk in _chunks(exchange))),
    (Part.RESPONSE_TIME, lambda exchange: exchange.response is not None and exchange.response.after_ns != 0),
    (Part.PROTOCOL, lambda exchange: exchange.connection.protocol != _USUAL.protocol),
    (Part.CONNECTION, lambda exchange: exchange.connection.id != _USUAL.id),
    (Part.ADDRESSES, _addresses),
    (
        Part.TLS,
        lambda exchange: (
            exchange.connection.tls is not None or bool(exchange.connection.requested_server_name)
        ),
    ),
    (Part.EARLY, lambda exchange: exchange.early),
    (Part.PARTIAL, lambda exchange: exchange.partial),
)
