"""simwasm's own traffic: JSON Lines, one exchange a line, everything an `Exchange` holds and nothing else.

    {"simwasm": "traffic", "format": 1}
    {"id": "1", "started_ns": 0, "request": {"headers": [[":path", "/"], …], "body": ["hello"]}, …}

Rules that live here: what has its default value is left out; a piece of body is its text, or
`{"base64": …}` where it is not UTF-8, or `{"text": …, "after_ns": …}` when it took its time; a byte of a
header that is not UTF-8 is written as the escape of its surrogate. Reading gives back exactly what was
written. Keys that are not known are refused: whoever writes such a file by hand must hear of a slip.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable, Iterator, Set
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, BinaryIO

from simwasm.exchange import Chunk, Connection, Exchange, Header, Headers, Message, Tls, lower, to_bytes
from simwasm.traffic.json_field import Field, parse

FORMAT = 1
_REMEDY = "mend the line by hand"
_BEGINS = re.compile(rb'(?:\xef\xbb\xbf)?\s*\{\s*"simwasm"\s*:')
_HEAD = frozenset({"simwasm", "format"})
_EXCHANGE = frozenset({"id", "name", "started_ns", "connection", "request", "response"})
_MESSAGE = frozenset({"headers", "body", "trailers", "after_ns"})
_CHUNK = frozenset({"text", "base64", "after_ns"})


class JsonLines:
    """The importer of simwasm's own traffic files."""

    name = "simwasm JSON Lines (.jsonl)"

    def sniff(self, head: bytes, path: Path) -> bool:
        """Say yes to a file whose first line names simwasm."""
        return _BEGINS.match(head) is not None

    def read(self, stream: BinaryIO, where: str, note: Callable[[str], None]) -> Iterator[Exchange]:
        """Go through the lines one at a time; blank ones are skipped."""
        lines = (
            parse(line, f"{where}, line {number}", _REMEDY)
            for number, line in enumerate(stream, 1)
            if line.strip()
        )
        for head in lines:
            _check_format(head)
            break
        yield from (_exchange(line) for line in lines)


def write(exchanges: Iterable[Exchange], stream: BinaryIO) -> None:
    """Write exchanges as a traffic file."""
    stream.write(_line({"simwasm": "traffic", "format": FORMAT}))
    for exchange in exchanges:
        stream.write(_line(_shown(exchange)))


def _line(value: object) -> bytes:
    # Only surrogates have no bytes in UTF-8, and their escape in Python is their escape in JSON.
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


def _shown(exchange: Exchange) -> dict[str, object]:
    named = {"name": exchange.name} if exchange.name else {}
    connection = _differing(exchange.connection, Connection())
    return {
        "id": exchange.id,
        **named,
        "started_ns": exchange.started_ns,
        **({"connection": connection} if connection else {}),
        "request": _shown_message(exchange.request),
        **({"response": _shown_message(exchange.response)} if exchange.response else {}),
    }


def _shown_message(message: Message) -> dict[str, object]:
    shown = {
        "headers": message.headers,
        "body": [_shown_chunk(chunk) for chunk in message.body],
        "trailers": message.trailers,
        "after_ns": message.after_ns,
    }
    return {key: value for key, value in shown.items() if value or key == "headers"}


def _shown_chunk(chunk: Chunk) -> object:
    after = {"after_ns": chunk.after_ns} if chunk.after_ns else {}
    try:
        text = chunk.data.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(chunk.data).decode(), **after}
    return {"text": text, **after} if after else text


def _differing(value: Connection | Tls, blank: Connection | Tls) -> dict[str, object]:
    shown: dict[str, object] = {}
    for field in fields(value):
        found = getattr(value, field.name)
        if found != getattr(blank, field.name):
            shown[field.name] = _differing(found, Tls()) if isinstance(found, Tls) else found
    return shown


def _check_format(head: Field) -> None:
    _only(head, _HEAD)
    if head.get("simwasm").text() != "traffic":
        raise head.get("simwasm").wrong('must be "traffic" in a traffic file')
    found = head.get("format")
    if found.integer() != FORMAT:
        raise found.wrong(
            f"is {found.integer()}, but this simwasm reads format {FORMAT}: use the one that wrote it"
        )


def _exchange(line: Field) -> Exchange:
    _only(line, _EXCHANGE)
    response, connection = line.find("response"), line.find("connection")
    return Exchange(
        id=_text(line.get("id")),
        started_ns=line.integer_of("started_ns"),
        request=_message(line.get("request")),
        response=_message(response) if response else None,
        connection=_connection(connection) if connection else Connection(),
        name=_text(name) if (name := line.find("name")) else "",
    )


def _message(found: Field) -> Message:
    _only(found, _MESSAGE)
    return Message(
        headers=_headers(found.get("headers").items()),
        body=tuple(_chunk(piece) for piece in found.each("body")),
        trailers=_headers(found.each("trailers")),
        after_ns=_after(found),
    )


def _headers(found: Iterable[Field]) -> Headers:
    return lower(_header(field) for field in found)


def _header(field: Field) -> Header:
    pair = tuple(field.items())
    if len(pair) != 2:
        raise field.wrong('must be a name and a value, like ["allow", "true"]')
    return _text(pair[0]), _text(pair[1])


def _chunk(piece: Field) -> Chunk:
    if isinstance(piece.value, str):
        return Chunk(to_bytes(_text(piece)))
    _only(piece, _CHUNK)
    text, encoded = piece.find("text"), piece.find("base64")
    if (text is None) == (encoded is None):
        raise piece.wrong('must have one of "text" and "base64"')
    return Chunk(to_bytes(_text(text)) if text else _decoded(piece.get("base64")), _after(piece))


def _decoded(field: Field) -> bytes:
    try:
        return base64.b64decode(field.text(), validate=True)
    except ValueError:
        raise field.wrong("is not base64") from None


def _after(found: Field) -> int:
    after = found.integer_of("after_ns")
    if after < 0:
        raise found.get("after_ns").wrong("must not be negative")
    return after


def _connection(found: Field) -> Connection:
    return replace(Connection(), **_given(found, Connection()))


def _tls(found: Field) -> Tls:
    return replace(Tls(), **_given(found, Tls()))


def _given(found: Field, blank: Connection | Tls) -> dict[str, Any]:
    """Read what is there, each member as its default value is."""
    kinds = {field.name: type(getattr(blank, field.name)) for field in fields(blank)}
    _only(found, kinds.keys())
    members = ((key, found.find(key)) for key in kinds)
    return {key: _READERS[kinds[key]](member) for key, member in members if member}


def _text(field: Field) -> str:
    try:
        to_bytes(field.text())
    except UnicodeEncodeError:
        raise field.wrong("has half of a surrogate pair, which stands for no byte") from None
    return field.text()


def _only(found: Field, known: Set[str]) -> None:
    unknown = found.keys() - known
    if unknown:
        raise found.wrong(
            f"has the unknown key {json.dumps(min(unknown))} (known: {', '.join(sorted(known))})"
        )


_READERS: dict[type, Callable[[Field], object]] = {
    int: Field.integer,
    bool: Field.flag,
    str: _text,
    type(None): _tls,
}
