"""simwasm's own traffic: JSON Lines, one exchange a line, everything an `Exchange` holds and nothing else.

    {"simwasm": "traffic", "format": 1}
    {"id": "1", "started_ns": 0, "request": {"headers": [[":path", "/"], …], "body": ["hello"]}, …}

A line with `tcp` is a TCP connection, see `jsonl_talk`.

Rules that live here: what has its default value is left out; a piece of body is its text, or
`{"base64": …}` where it is not UTF-8, or `{"text": …, "after_ns": …}` when it took its time; a byte of a
header that is not UTF-8 is written as the escape of its surrogate. Reading gives back exactly what was
written. Keys that are not known are refused: whoever writes such a file by hand must hear of a slip.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from simwasm.conversation import Conversation
from simwasm.errors import TrafficError
from simwasm.exchange import Connection, Exchange, Header, Headers, Message, lower
from simwasm.traffic.json_field import Field, parse
from simwasm.traffic.jsonl_talk import read_talk, shown_talk
from simwasm.traffic.jsonl_usual import usual_exchange, usual_headers
from simwasm.traffic.jsonl_values import (
    differing,
    only,
    read_after,
    read_chunk,
    read_connection,
    read_text,
    shown_chunk,
)
from simwasm.traffic.lines import lines
from simwasm.traffic.notes import Notes

FORMAT = 1
_REMEDY = "mend the line by hand"
_BEGINS = re.compile(rb'(?:\xef\xbb\xbf)?\s*\{\s*"simwasm"\s*:')
_HEAD = frozenset({"simwasm", "format"})
_EXCHANGE = frozenset({"id", "name", "started_ns", "connection", "request", "response", "early", "partial"})
_MESSAGE = frozenset({"headers", "body", "trailers", "after_ns"})


class JsonLines:
    """The importer of simwasm's own traffic files."""

    name = "simwasm JSON Lines (.jsonl)"

    def sniff(self, head: bytes) -> bool:
        """Say yes to a file whose first line names simwasm."""
        return _BEGINS.match(head) is not None

    def read(self, stream: BinaryIO, where: str, notes: Notes) -> Iterator[Exchange]:
        """Go through the lines one at a time; blank ones are skipped, broken ones are told."""
        begun = False
        for number, data in lines(stream, where, notes):
            place = f"{where}, line {number}"
            if not begun:
                _check_format(parse(data, place, _REMEDY))
                begun = True
                continue
            try:
                found = parse(data, place, _REMEDY)
                exchange = usual_exchange(found.value) or explained(found)
            except TrafficError as error:
                notes.broken(error)
                continue
            yield exchange


def write(exchanges: Iterable[Exchange], stream: BinaryIO) -> None:
    """Write exchanges as a traffic file."""
    stream.write(_line({"simwasm": "traffic", "format": FORMAT}))
    for exchange in exchanges:
        stream.write(_line(shown(exchange)))


def _line(value: object) -> bytes:
    # Only surrogates have no bytes in UTF-8, and their escape in Python is their escape in JSON.
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


def shown(exchange: Exchange) -> dict[str, object]:
    """An exchange as it is written."""
    if isinstance(exchange, Conversation):
        return shown_talk(exchange)
    named = {"name": exchange.name} if exchange.name else {}
    connection = differing(exchange.connection, Connection())
    return {
        "id": exchange.id,
        **named,
        "started_ns": exchange.started_ns,
        **({"connection": connection} if connection else {}),
        "request": _shown_message(exchange.request),
        **({"response": _shown_message(exchange.response)} if exchange.response else {}),
        **({"early": True} if exchange.early else {}),
        **({"partial": True} if exchange.partial else {}),
    }


def _shown_message(message: Message) -> dict[str, object]:
    shown = {
        "headers": message.headers,
        "body": [shown_chunk(chunk) for chunk in message.body],
        "trailers": message.trailers,
        "after_ns": message.after_ns,
    }
    return {key: value for key, value in shown.items() if value or key == "headers"}


def _check_format(head: Field) -> None:
    only(head, _HEAD)
    if head.get("simwasm").text() != "traffic":
        raise head.get("simwasm").wrong('must be "traffic" in a traffic file')
    found = head.get("format")
    if found.integer() != FORMAT:
        raise found.wrong(
            f"is {found.integer()}, but this simwasm reads format {FORMAT}: use the one that wrote it"
        )


def explained(line: Field) -> Exchange:
    """Read a line member by member; what is wrong with it is told."""
    if line.find("tcp"):
        return read_talk(line)
    only(line, _EXCHANGE)
    response, connection = line.find("response"), line.find("connection")
    early, partial = line.find("early"), line.find("partial")
    return Exchange(
        id=read_text(line.get("id")),
        started_ns=line.integer_of("started_ns"),
        request=_message(line.get("request")),
        response=_message(response) if response else None,
        connection=read_connection(connection) if connection else Connection(),
        name=read_text(name) if (name := line.find("name")) else "",
        early=early is not None and early.flag(),
        partial=partial is not None and partial.flag(),
    )


def _message(found: Field) -> Message:
    only(found, _MESSAGE)
    headers, body, trailers = found.get("headers"), found.find("body"), found.find("trailers")
    return Message(
        usual_headers(headers.list()) or _unusual(headers),
        tuple([read_chunk(piece) for piece in body.items()]) if body else (),
        _unusual(trailers) if trailers else (),
        read_after(found),
    )


def _unusual(found: Field) -> Headers:
    return lower(_header(field) for field in found.items())


def _header(field: Field) -> Header:
    pair = tuple(field.items())
    if len(pair) != 2:
        raise field.wrong('must be a name and a value, like ["allow", "true"]')
    return read_text(pair[0]), read_text(pair[1])
