"""A gRPC call or stream under way: what was sent and what is due; messages as bytes, answers as pieces."""

from __future__ import annotations

from collections import deque

from simwasm.exchange import Chunk, Message
from simwasm.host.clock import Timer
from simwasm.host.ports import Answer, Callout, Data, Failure, Head, Piece, Service, Tail


def framed(message: bytes) -> bytes:
    """A message as it travels."""
    return b"\0" + len(message).to_bytes(4, "big") + message


class Conversation:
    """A gRPC call or stream under way: what was sent, what is due, how far the answer has come."""

    __slots__ = (
        "call", "context", "asked", "stream", "largest", "sent", "service", "messages", "unheard", "ended", "closed",
        "over", "begun", "partial", "answer", "last_ns", "pieces", "deadline",
    )  # fmt: skip
    grpc = True

    def __init__(self, call: Callout, context: int, asked: int, *, stream: bool, largest: int) -> None:
        self.call = call
        self.context = context
        self.asked = asked
        self.stream = stream
        self.largest = largest
        self.sent = False
        """Whether the cluster was asked."""
        self.service: Service | None = None
        self.messages: tuple[bytes, ...] = ()
        """What the service has heard."""
        self.unheard: deque[tuple[bytes | None, bool]] = deque()
        """What it is still to hear: messages, and whether each is the last."""
        self.ended = False
        """Whether the plugin sends no more."""
        self.closed = False
        """Whether the plugin has called `proxy_grpc_close`."""
        self.over = False
        """Whether it has ended, or was given up; a stream's number is known until it is closed."""
        self.begun = False
        self.partial = b""
        self.answer: bytes | None = None
        """The answer to a unary call."""
        self.last_ns = 0
        self.pieces: deque[Timer] = deque()
        self.deadline: Timer | None = None

    @property
    def due(self) -> int | None:
        """When the next piece of a stream comes, or the end of a unary call; None if nothing is on its way."""
        timers = [self.pieces[0 if self.stream else -1]] if self.pieces else []
        return min((timer.due for timer in (*timers, *filter(None, [self.deadline]))), default=None)

    @property
    def request(self) -> Message:
        """What was sent so far."""
        asked = self.call.request
        if not self.stream:
            return asked
        unheard = (message for message, _ in self.unheard if message is not None)
        return asked._replace(body=tuple(Chunk(framed(message)) for message in (*self.messages, *unheard)))

    def give_up(self) -> None:
        """Expect nothing any more."""
        self.over = True
        for timer in self.pieces:
            timer.cancel()
        self.pieces.clear()
        if self.deadline is not None:
            self.deadline.cancel()
            self.deadline = None


def pieces_of(answer: Answer) -> tuple[Piece, ...]:
    """A whole answer, piece by piece."""
    if isinstance(answer, Failure):
        if answer.begun is None:
            return (answer,)
        *begun, _ = (*pieces_of(answer.begun), None)
        return (*(piece._replace(end=False) for piece in begun if isinstance(piece, (Head, Data))), answer)
    last = len(answer.body) - 1
    body = (
        Data(chunk.data, chunk.after_ns, number == last and not answer.trailers)
        for number, chunk in enumerate(answer.body)
    )
    head = Head(answer.headers, answer.after_ns, not answer.body and not answer.trailers)
    return (head, *body, *((Tail(answer.trailers),) if answer.trailers else ()))
