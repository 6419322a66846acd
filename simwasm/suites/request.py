"""What a client says in a suite: a request, in one piece or in several, or the bytes of a TCP connection."""

# ruff: noqa: RUF009  # `key` makes fields
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from simwasm.config.tree import Node
from simwasm.conversation import Close, Conversation, Side, conversation
from simwasm.conversation import Piece as Spoken
from simwasm.exchange import Chunk as Piece
from simwasm.exchange import Connection, Exchange, Message, Tls, lower, request
from simwasm.suites.content import CONTENT, HEADERS, Content, pairs
from simwasm.suites.duration import DURATION
from simwasm.suites.section import Of, Section, key
from simwasm.suites.shape import FLAG, TEXT, As, Choice, Either, Many, Scalar, Shape, wrong

_PROTOCOLS = ("HTTP/1.0", "HTTP/1.1", "HTTP/2", "HTTP/3")


@dataclass(frozen=True)
class Chunk(Content):
    """A piece of a body."""

    after: int = key(DURATION, "How long after the piece before, in virtual time.", default=0)


CHUNK: Shape[Chunk] = Either(
    (As(TEXT, lambda text, node: Chunk(text=text, places={"": node.place, "text": node.place})), Of(Chunk))
)


@dataclass(frozen=True)
class Client(Section):
    """The client's connection."""

    source: str = key(TEXT, "Its address and port.", default=Connection().source)
    destination: str = key(
        TEXT, "The address and port that it connects to.", default=Connection().destination
    )
    server_name: str = key(TEXT, "The name that it asks for (SNI).", default="")
    tls: bool = key(FLAG, "Whether it speaks TLS.", default=False)
    subject: str = key(TEXT, "The subject of its certificate.", default="")
    uri_san: str = key(TEXT, "The URI in its certificate, as a mesh has it.", default="")

    def connection(self, protocol: str = "HTTP/1.1") -> Connection:
        """The connection."""
        known = self.tls or self.subject or self.uri_san
        tls = Tls(
            mtls=bool(self.subject or self.uri_san),
            subject_peer_certificate=self.subject,
            uri_san_peer_certificate=self.uri_san,
        )
        return Connection(
            source=self.source, destination=self.destination, protocol=protocol,
            requested_server_name=self.server_name, tls=tls if known else None,
        )  # fmt: skip


@dataclass(frozen=True)
class Request(Section):
    """A request."""

    method: str | None = key(TEXT, "Its method; GET if nothing is said.")
    path: str | None = key(TEXT, "Its path, with the query; / if nothing is said.")
    host: str | None = key(TEXT, "Its `:authority`; localhost if nothing is said.")
    scheme: str | None = key(Choice({"http": "http", "https": "https"}), "Its `:scheme`.")
    protocol: str | None = key(
        Choice({name: name for name in _PROTOCOLS}), "The protocol that the client speaks."
    )
    headers: tuple[tuple[str, tuple[str, ...]], ...] = key(HEADERS, "Its headers.", default=())
    body: bytes | None = key(CONTENT, "Its body, in one piece.")
    chunks: tuple[Chunk, ...] | None = key(Many(CHUNK), "Its body, in several pieces.")
    trailers: tuple[tuple[str, tuple[str, ...]], ...] = key(HEADERS, "Its trailers.", default=())
    client: Client | None = key(Of(Client), "The connection that it comes by.")

    def check(self) -> None:
        """Refuse what is no request."""
        if self.body is not None and self.chunks is not None:
            wrong(self.at("chunks"), "a body is in one piece, `body`, or in several, `chunks`: leave one out")
        for name, _ in self.headers:
            if name.startswith(":"):
                wrong(self.at("headers"), f"`{name}` is said by `method`, `path`, `host` and `scheme`")

    def over(self, other: Request) -> Request:
        """This request, with another one's word where this says nothing; headers are joined."""
        said = {
            name: mine if (mine := getattr(self, name)) is not None else getattr(other, name)
            for name in _PLAIN
        }
        if self.body is not None or self.chunks is not None:
            said |= {"body": self.body, "chunks": self.chunks}
        joined: dict[str, Any] = {
            name: tuple({**dict(getattr(other, name)), **dict(getattr(self, name))}.items())
            for name in ("headers", "trailers")
        }
        return Request(**said, **joined, places=self.places)

    def message(self) -> Message:
        """The request as a client sends it."""
        behind = pairs(self.trailers)
        whole = self.body or b""
        made = request(
            self.method or "GET", self.path or "/", host=self.host or "localhost", scheme=self.scheme or "http",
            headers=pairs(self.headers),
            body=([whole] if whole else []) if behind or self.chunks is not None else whole, trailers=lower(behind),
        )  # fmt: skip
        if self.chunks is None:
            return made
        return made._replace(body=tuple(Piece(each.data, each.after) for each in self.chunks))

    def exchange(self, id: str, name: str) -> Exchange:
        """The request as an exchange that nobody has recorded an answer of."""
        client = self.client or Client()
        return Exchange(id, 0, self.message(), None, client.connection(self.protocol or "HTTP/1.1"), name)


_PLAIN = ("method", "path", "host", "scheme", "protocol", "body", "chunks", "client")


def _line(text: str) -> tuple[str, str]:
    method, _, path = text.strip().partition(" ")
    if not method.isupper() or not path.strip().startswith(("/", "*")) or " " in path.strip():
        raise ValueError(
            f"`{text[:60]}` is no request: write `GET /path`, or a mapping with `method` and `path`"
        )
    return method, path.strip()


def _short(line: tuple[str, str], node: Node) -> Request:
    return Request(method=line[0], path=line[1], places={"": node.place})


REQUEST: Shape[Request] = Either((As(Scalar("`GET /path`", _line), _short), Of(Request)))


@dataclass(frozen=True)
class Saying(Section):
    """What one side of a TCP connection says."""

    client: bytes | None = key(CONTENT, "What the client says.")
    upstream: bytes | None = key(CONTENT, "What the upstream says.")
    after: int = key(DURATION, "How long after what was said before, in virtual time.", default=0)
    close: Close = key(
        Choice({"end": Close.END, "reset": Close.RESET}),
        "The speaker says nothing more (end), or is gone at once (reset).",
        default=Close.NO,
    )

    def check(self) -> None:
        """Refuse what nobody says."""
        if (self.client is None) is (self.upstream is None):
            wrong(self.at(), "one side speaks at a time: write `client` or `upstream`")

    def piece(self) -> Spoken:
        """What is said."""
        side, data = (
            (Side.CLIENT, self.client) if self.client is not None else (Side.UPSTREAM, self.upstream or b"")
        )
        return Spoken(side, data, self.after, self.close)


@dataclass(frozen=True)
class Talk(Section):
    """A TCP connection."""

    says: tuple[Saying, ...] = key(Many(Of(Saying)), "What both sides say, in this order.", required=True)
    refused: bool = key(FLAG, "Nobody listens where the upstream should be.", default=False)
    client: Client | None = key(Of(Client), "The connection itself.")

    def exchange(self, id: str, name: str) -> Conversation:
        """The connection as it would have been recorded."""
        client = (self.client or Client()).connection()
        pieces = (each.piece() for each in self.says)
        return conversation(id, pieces, connection=client, name=name, refused=self.refused)


TALK: Shape[Talk] = Either(
    (As(Many(Of(Saying)), lambda says, node: Talk(says=says, places={"": node.place})), Of(Talk))
)
