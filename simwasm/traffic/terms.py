"""The terms of the filter language as they are asked of recorded exchanges, before any plugin has seen them.

Rules: names mean what they mean in traces where both have them; a term that only rows of a trace have is refused with a
sentence, never answered with nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from simwasm.conversation import Conversation
from simwasm.exchange import Exchange, Headers, decimal
from simwasm.trace.query.terms import known as known_of_rows
from simwasm.trace.query.values import Shape


class Asked(NamedTuple):
    """What a filter is asked about: an exchange, and which one of the traffic it is, from 1."""

    number: int
    exchange: Exchange


Read = Callable[[Asked], Any]


@dataclass(frozen=True, slots=True)
class Term:
    """One row."""

    name: str
    shape: Shape
    read: Read
    doc: str
    example: str
    several: bool = False
    """It reads a tuple of values, one of which has to fit."""
    bare: bool = False
    """Its name alone asks whether there is a value."""


def _header(name: str) -> Read:
    def read(asked: Asked) -> str | None:
        return asked.exchange.request.header(name)

    return read


def _host(asked: Asked) -> str | None:
    host = asked.exchange.request.header(":authority")
    if host is None:
        return None
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host


def _status(asked: Asked) -> int | None:
    response = asked.exchange.response
    return decimal(response.header(":status")) if response is not None else None


def _all(exchange: Exchange) -> Headers:
    answer = exchange.response
    asked = (*exchange.request.headers, *exchange.request.trailers)
    return asked if answer is None else (*asked, *answer.headers, *answer.trailers)


def _names(asked: Asked) -> tuple[str, ...]:
    return tuple(name for name, _ in _all(asked.exchange) if name[:1] != ":")


def _bodies(asked: Asked) -> tuple[bytes, ...] | None:
    answer = asked.exchange.response
    found = (asked.exchange.request.data, answer.data if answer is not None else b"")
    return tuple(body for body in found if body) or None


def _size(asked: Asked) -> int:
    answer = asked.exchange.response
    return len(asked.exchange.request.data) + (len(answer.data) if answer is not None else 0)


def _took(asked: Asked) -> int | None:
    answer = asked.exchange.response
    return None if answer is None else answer.after_ns + sum(piece.after_ns for piece in answer.body)


def _tcp(asked: Asked) -> bool | None:
    return isinstance(asked.exchange, Conversation) or None


TERMS: tuple[Term, ...] = (
    Term("method", Shape.NAME, _header(":method"), "The request's method.", "method:POST"),
    Term("path", Shape.NAME, _header(":path"), "The request's path, its query included.", "path:/api/*"),
    Term("host", Shape.NAME, _host, "The host that is asked, without its port.", "host:*.example.com"),
    Term("scheme", Shape.NAME, _header(":scheme"), "http or https.", "scheme:https"),
    Term("status", Shape.NUMBER, _status, "The status that was recorded.", "status>=500"),
    Term("header", Shape.NAME, _names, "A header of request or response, by its name; `header.NAME` is its value.",
         "header:x-user header.content-type~json", several=True),
    Term("body", Shape.PROSE, _bodies, "What the body of request or response holds.", "body:alice", several=True),
    Term("size", Shape.NUMBER, _size, "How long both bodies are together.", "size>=1MiB"),
    Term("took", Shape.TIME, _took, "How long the upstream took for its answer.", "took>1s"),
    Term("exchange", Shape.NUMBER, lambda asked: asked.number, "Which one of the traffic it is, from 1.",
         "exchange<=100"),
    Term("id", Shape.NAME, lambda asked: asked.exchange.id, "The id that the recording gives it.", "id:7"),
    Term("name", Shape.NAME, lambda asked: asked.exchange.name or None, "The name it was given.", "name:login*"),
    Term("client", Shape.NAME, lambda asked: asked.exchange.connection.source, "The client's address and port.",
         "client:10.0.0.7:*"),
    Term("protocol", Shape.NAME, lambda asked: asked.exchange.connection.protocol, "What is spoken.",
         "protocol:HTTP/2"),
    Term("tls", Shape.NAME, lambda asked: tls.tls_version if (tls := asked.exchange.connection.tls) else None,
         "The version of TLS, where it is known.", "tls", bare=True),
    Term("partial", Shape.ANY, lambda asked: asked.exchange.partial or None,
         "Exchanges that the recording does not have all of.", "partial", bare=True),
    Term("tcp", Shape.ANY, _tcp, "Connections, of which no HTTP is known.", "tcp", bare=True),
)  # fmt: skip
_BY_NAME = {term.name: term for term in TERMS}
_VALUE = "header."


def term(name: str) -> Term | None:
    """The term of that name."""
    name = name.lower()
    if name.startswith(_VALUE) and len(name) > len(_VALUE):
        return Term(name, Shape.PROSE, _value(name[len(_VALUE) :]), "A header's value.", name, several=True)
    return _BY_NAME.get(name)


def _value(header: str) -> Read:
    def read(asked: Asked) -> tuple[str, ...] | None:
        return tuple(value for name, value in _all(asked.exchange) if name == header) or None

    return read


def is_of_rows(name: str) -> bool:
    """Whether only rows of a trace have this term."""
    return name.lower() in known_of_rows() and name.lower() not in _BY_NAME


def text_of(asked: Asked) -> tuple[str, ...]:
    """What a word is looked for in: the request line, names, and headers."""
    exchange = asked.exchange
    return (exchange.label, exchange.name, *(part for header in _all(exchange) for part in header))
