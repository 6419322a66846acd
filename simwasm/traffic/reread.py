"""Writes requests as text, and reads each again at once: what does not come back as it was is lost, and told.

Rules that live here: texts have quotation marks, variables and separators, and a body may hold them all; so nothing is
assumed of what can be written. A request whose body does not come back is written without it; one that does not come
back at all is left out. Headers that tell where a body ends may come back as others, since every format does that in
its way; it is told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import BinaryIO

from simwasm.errors import TrafficError
from simwasm.exchange import Exchange, Header, Message
from simwasm.traffic.losses import Losses, Part, parts, pseudo_order
from simwasm.traffic.notes import Notes

Text = Callable[[Exchange], bytes]
Again = Callable[[bytes], Iterable[Exchange]]

_FRAMING = frozenset({"content-length", "transfer-encoding"})
_SHOWN = 40
_READ_AGAIN = frozenset(Part) - {Part.TCP, Part.ID}
"""Parts that are compared, and counted only where they differ."""


def write_reread(
    losses: Losses, exchanges: Iterable[Exchange], stream: BinaryIO, notes: Notes, text: Text, read: Again
) -> None:
    """Write each exchange that can be written."""
    for exchange in losses.checked(exchanges):
        written = said(losses, exchange, text, read)
        if written is not None:
            stream.write(written)
    losses.tell(notes)


def losses_of(format: str) -> Losses:
    """The losses of a format that is read again."""
    return Losses(format, _READ_AGAIN)


def said(losses: Losses, exchange: Exchange, text: Text, read: Again) -> bytes | None:
    """The text of an exchange, perhaps without its body; None if there is none."""
    written, again = _tried(exchange, text, read)
    if again is None:
        bare = replace(exchange, request=_without_body(exchange.request))
        written, again = _tried(bare, text, read)
        if again is None:
            losses.left_out("requests that it cannot say", exchange)
            return None
        losses.lost("bodies that it cannot say", exchange)
    for what in _differences(exchange, again):
        losses.lost(what, exchange)
    return written


def _tried(exchange: Exchange, text: Text, read: Again) -> tuple[bytes, Exchange | None]:
    try:
        written = text(exchange)
        (again,) = read(written)
    except (TrafficError, ValueError):
        return b"", None
    return written, again if _same(exchange.request, again.request) else None


def _same(before: Message, after: Message) -> bool:
    """Whether a message came back: all of it that did is as it was, and what did not is some headers."""
    missing = Counter(_plain(before))
    missing.subtract(Counter(_plain(after)))
    return (
        _pseudo(before) == _pseudo(after)
        and before.data == after.data
        and min(missing.values(), default=0) >= 0
    )


def _pseudo(message: Message) -> dict[str, str]:
    return {name: value for name, value in message.headers if name[:1] == ":"}


def _plain(message: Message) -> list[Header]:
    """The headers but those that tell where the body ends."""
    return [header for header in message.headers if header[0] not in _FRAMING and header[0][:1] != ":"]


def _missing(before: Message, after: Message) -> Iterator[str]:
    """The headers that did not come back, or not where they were."""
    if _plain(before) == _plain(after):
        return
    gone = Counter(_plain(before)) - Counter(_plain(after))
    if not gone:
        yield "the order of headers"
    yield from (f"the header {name[:_SHOWN]}" for name in sorted({name for name, _ in gone}))


def _other_framing(before: Message, after: Message) -> Iterator[str]:
    """What a plugin sees otherwise of how the end of a body is told."""
    told, again = _framing(before), _framing(after)
    if again and not told:
        yield "that no header told where their bodies end"
    elif told != again:
        yield "the headers that told where their bodies end"
    elif _plain(before) == _plain(after) and _regular(before) != _regular(after):
        yield "where the header that tells the length of a body stood"


def _framing(message: Message) -> list[Header]:
    return [header for header in message.headers if header[0] in _FRAMING]


def _regular(message: Message) -> list[Header]:
    return [header for header in message.headers if header[0][:1] != ":"]


def _without_body(message: Message) -> Message:
    kept = tuple(
        header for header in message.headers if header[0] not in ("content-length", "transfer-encoding")
    )
    return Message(kept, (), message.trailers)


def _differences(exchange: Exchange, again: Exchange) -> Iterator[str]:
    """What did not come back."""
    if exchange.response is not None and again.response is None:
        yield Part.RESPONSE.value
        exchange = replace(exchange, response=None)
    for part in parts(exchange):
        if part in _COMPARED and _COMPARED[part](exchange) != _COMPARED[part](again):
            yield part.value
    for before, after in ((exchange.request, again.request), (exchange.response, again.response)):
        if before is None or after is None:
            continue
        yield from _missing(before, after) if _same(before, after) else ["responses as they were"]
        yield from _other_framing(before, after)


def _cut(message: Message | None) -> list[int]:
    return [len(chunk.data) for chunk in message.body] if message else []


def _times(message: Message | None) -> list[int]:
    return [chunk.after_ns for chunk in message.body if chunk.after_ns] if message else []


_COMPARED: dict[Part, Callable[[Exchange], object]] = {
    Part.NAME: lambda exchange: exchange.name,
    Part.STARTED: lambda exchange: exchange.started_ns,
    Part.ORDER: pseudo_order,
    Part.TRAILERS: lambda exchange: (
        exchange.request.trailers,
        exchange.response.trailers if exchange.response else (),
    ),
    Part.PIECES: lambda exchange: (_cut(exchange.request), _cut(exchange.response)),
    Part.PIECE_TIMES: lambda exchange: (_times(exchange.request), _times(exchange.response)),
    Part.RESPONSE_TIME: lambda exchange: exchange.response.after_ns if exchange.response else 0,
    Part.PROTOCOL: lambda exchange: exchange.connection.protocol,
    Part.CONNECTION: lambda exchange: exchange.connection.id,
    Part.ADDRESSES: lambda exchange: (exchange.connection.source, exchange.connection.destination),
    Part.TLS: lambda exchange: (exchange.connection.tls, exchange.connection.requested_server_name),
    Part.EARLY: lambda exchange: exchange.early,
    Part.PARTIAL: lambda exchange: exchange.partial,
}
