"""A TCP connection as a line of simwasm's own traffic: `tcp` holds what was said, in its order.

    {"id": "1", "tcp": [{"client": "PING\\r\\n"}, {"upstream": "PONG\\r\\n", "after_ns": 2000000, "close": "end"}]}

`close` is `end` (the side says nothing any more) or `reset` (it is gone); bytes that are no text are `{"base64": …}`.
`"refused": true` stands for an upstream that does not listen.
"""

from __future__ import annotations

from dataclasses import replace

from simwasm.conversation import Close, Conversation, Piece, Side, conversation
from simwasm.exchange import Chunk, Connection, to_bytes
from simwasm.traffic.json_field import Field
from simwasm.traffic.jsonl_values import (
    decoded,
    differing,
    only,
    read_after,
    read_connection,
    read_text,
    shown_chunk,
)

_TALK = frozenset({"id", "name", "started_ns", "connection", "tcp", "refused", "partial"})
_PIECE = frozenset({"client", "upstream", "after_ns", "close"})
_CLOSES = (Close.END, Close.RESET)


def read_talk(line: Field) -> Conversation:
    """Read a line that has `tcp`."""
    only(line, _TALK)
    name, given, refused = line.find("name"), line.find("connection"), line.find("refused")
    partial = line.find("partial")
    talk = conversation(
        read_text(line.get("id")),
        (_piece(piece) for piece in line.each("tcp")),
        started_ns=line.integer_of("started_ns"),
        connection=read_connection(given) if given else Connection(),
        name=read_text(name) if name else "",
        refused=refused.flag() if refused else False,
    )
    return replace(talk, partial=True) if partial and partial.flag() else talk


def _piece(piece: Field) -> Piece:
    only(piece, _PIECE)
    said = [(side, found) for side in Side if (found := piece.find(side.value))]
    if len(said) != 1:
        raise piece.wrong('must have one of "client" and "upstream"')
    ((side, data),) = said
    return Piece(side, _bytes(data), read_after(piece), _close(piece.find("close")))


def _bytes(data: Field) -> bytes:
    if isinstance(data.value, str):
        return to_bytes(read_text(data))
    only(data, frozenset({"base64"}))
    return decoded(data.get("base64"))


def _close(found: Field | None) -> Close:
    if found is None:
        return Close.NO
    for close in _CLOSES:
        if found.text() == close.value:
            return close
    raise found.wrong('must be "end" or "reset"')


def shown_talk(talk: Conversation) -> dict[str, object]:
    """A connection as it is written."""
    between = differing(talk.connection, Connection())
    return {
        "id": talk.id,
        **({"name": talk.name} if talk.name else {}),
        "started_ns": talk.started_ns,
        **({"connection": between} if between else {}),
        "tcp": [_shown(piece) for piece in talk.pieces],
        **({"refused": True} if talk.refused else {}),
        **({"partial": True} if talk.partial else {}),
    }


def _shown(piece: Piece) -> dict[str, object]:
    return {
        piece.side.value: shown_chunk(Chunk(piece.data)),
        **({"after_ns": piece.after_ns} if piece.after_ns else {}),
        **({"close": piece.close.value} if piece.close is not Close.NO else {}),
    }
