"""Lines of simwasm's own traffic as nearly all of them are, read at once.

Rule: nothing is told of a mistake here. A line with anything special about it, wrong or not, is nothing to these
functions; `jsonl` looks at it member by member then. What is read must be what `jsonl` would have read.
"""

from __future__ import annotations

from typing import Any

from simwasm.exchange import Chunk, Connection, Exchange, Headers, Message, lower, to_bytes

_EXCHANGE = frozenset({"id", "started_ns", "connection", "request", "response", "name"})
_MESSAGE = frozenset({"headers", "body", "after_ns"})
_CHUNK = frozenset({"text", "after_ns"})
_NONE: list[str] = []
_KINDS: dict[str, type] = {
    "id": int,
    "source": str,
    "destination": str,
    "protocol": str,
    "requested_server_name": str,
}


def usual_exchange(line: Any) -> Exchange | None:
    """An HTTP exchange that was answered."""
    if line.__class__ is not dict or not line.keys() <= _EXCHANGE:
        return None
    request, response = _message(line.get("request")), _message(line.get("response"))
    connection = _connection(line.get("connection"))
    id, started, name = line.get("id"), line.get("started_ns"), line.get("name", "")
    if request is None or response is None or connection is None or started.__class__ is not int:
        return None
    if id.__class__ is not str or name.__class__ is not str or not (id.isascii() and name.isascii()):
        return None
    return Exchange(id, started, request, response, connection, name)


def _message(found: Any) -> Message | None:
    """A message with headers of ASCII texts, without trailers."""
    if found.__class__ is not dict or not found.keys() <= _MESSAGE:
        return None
    recorded, pieces, after = found.get("headers"), found.get("body", _NONE), found.get("after_ns", 0)
    if recorded.__class__ is not list or pieces.__class__ is not list:
        return None
    if after.__class__ is not int or after < 0:
        return None
    body: list[Chunk] = []
    for piece in pieces:
        chunk = _chunk(piece)
        if chunk is None:
            return None
        body.append(chunk)
    headers = usual_headers(recorded)
    return Message(headers, tuple(body), (), after) if headers else None


def _chunk(piece: Any) -> Chunk | None:
    """A piece of text."""
    text, after = piece, 0
    if piece.__class__ is dict and piece.keys() == _CHUNK:
        text, after = piece["text"], piece["after_ns"]
    if text.__class__ is not str or after.__class__ is not int or after < 0:
        return None
    try:
        return Chunk(to_bytes(text), after)
    except UnicodeEncodeError:
        return None


def usual_headers(recorded: list[Any]) -> Headers:
    """Headers of ASCII texts; nothing where they want a closer look."""
    if set(map(type, recorded)) != {list}:
        return ()
    try:
        names, values = zip(*recorded, strict=True)
        name, value = "".join(names), "".join(values)
    except (TypeError, ValueError):
        return ()
    if not (name.isascii() and value.isascii()):
        return ()
    pairs: Headers = tuple(map(tuple, recorded))
    return pairs if name == name.lower() else lower(pairs)


def _connection(found: Any) -> Connection | None:
    """A connection without TLS."""
    if found is None:
        return _BLANK
    if found.__class__ is not dict:
        return None
    for key, value in found.items():
        kind = value.__class__
        if kind is not _KINDS.get(key) or (kind is str and not value.isascii()):
            return None
    return Connection(**found)


_BLANK = Connection()
