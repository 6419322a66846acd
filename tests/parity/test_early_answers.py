"""An upstream that does not wait for the whole request meets in simwasm what it meets in the running Envoy."""

from __future__ import annotations

from hostcalls import BECOME, MS, PIECES, STREAMED, TRAILED, ask, resume
from live import Live
from switchboard import CALL_RESPONSE, REQUEST_BODY, RESPONSE_BODY, RESPONSE_HEADERS, Case

from simwasm.exchange import Chunk, Message, response


def slowly(message: Message, pause: int = 50) -> Message:
    """The same with a pause before each piece of its body."""
    return message._replace(body=tuple(Chunk(chunk.data, pause * MS) for chunk in message.body))


SLOW = slowly(STREAMED)
CHUNKED = response(200, body=PIECES)

EARLY = Live(
    Case("a whole answer before the body", {}, sent=SLOW, early=True, items=(63,)),
    Case("a whole answer before body and trailers", {}, sent=slowly(TRAILED), early=True, items=(63,)),
    Case("an empty answer before the body", {}, sent=SLOW, answer=response(413), early=True, items=(63,)),
    Case("an answer that takes longer than the body", {}, sent=slowly(STREAMED, 30),
         answer=slowly(CHUNKED, 100), early=True, items=(52,)),
    Case("an answer that waits longer than the body", {RESPONSE_HEADERS: [ask()], CALL_RESPONSE: [BECOME, resume(1)]},
         {RESPONSE_HEADERS: 1}, slowly(STREAMED, 20), early=True, items=(30,)),
    Case("an answer to a body that is held", {}, {REQUEST_BODY: 1}, SLOW, early=True),
    Case("an answer that is held to its end", {}, {RESPONSE_BODY: 1}, SLOW, CHUNKED, early=True, items=(63,)),
)  # fmt: skip


@EARLY.each
def test_an_early_answer(name: str) -> None:
    EARLY.check(name)


HINTS = Live(
    Case("a hint", {}, items=(49,)),
    Case("a hint before a held answer", {RESPONSE_HEADERS: [ask()], CALL_RESPONSE: [BECOME, resume(1)]},
         {RESPONSE_HEADERS: 1}, items=(49,)),
    Case("a hint to a body", {}, sent=STREAMED, answer=CHUNKED, items=(49,)),
    hint=103,
)  # fmt: skip


@HINTS.each
def test_a_hint(name: str) -> None:
    HINTS.check(name)


CONTINUES = Live(
    Case("the upstream asks for the body", {}, items=(49,)),
    Case("the upstream asks for the body that comes anyway", {}, sent=STREAMED, answer=CHUNKED, items=(49,)),
    hint=100,
)


@CONTINUES.each
def test_an_upstream_that_says_continue(name: str) -> None:
    CONTINUES.check(name)
