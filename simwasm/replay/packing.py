"""Exchanges on their way to another process, as plain tuples: a third of what it takes to send them as they are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from simwasm.exchange import Chunk, Connection, Exchange, Message

Packed = Any
"""An exchange as a tuple; one of another kind as it is."""


def packed(exchanges: Iterable[Exchange]) -> list[Packed]:
    """Exchanges, ready to be sent."""
    return [_pack(each) if each.__class__ is Exchange else each for each in exchanges]


def unpacked(found: Iterable[Packed]) -> list[Exchange]:
    """The exchanges that were sent."""
    return [_unpack(each) if each.__class__ is tuple else each for each in found]


def _pack(each: Exchange) -> Packed:
    to = each.connection
    return (
        each.id, each.started_ns, _plain(each.request), each.response and _plain(each.response),
        (to.id, to.source, to.destination, to.protocol, to.requested_server_name, to.tls),
        each.name, each.early, each.partial,
    )  # fmt: skip


def _plain(message: Message) -> Packed:
    headers, body, trailers, after = message
    return headers, tuple(map(tuple, body)), trailers, after


def _unpack(found: Packed) -> Exchange:
    id, started, asked, answer, to, name, early, partial = found
    response = None if answer is None else _message(*answer)
    return Exchange(id, started, _message(*asked), response, Connection(*to), name, early, partial)


def _message(headers: Any, body: Any, trailers: Any, after: int) -> Message:
    return Message(headers, tuple([Chunk(*piece) for piece in body]), trailers, after)
