"""Pause, buffering and the end of a stream are what they are in the running Envoy."""

from __future__ import annotations

from hostcalls import (
    BECOME,
    BOTH,
    MS,
    PAUSE_BODY,
    PAUSE_REQUEST,
    PIECES,
    POST,
    SAY,
    STREAMED,
    TRAILED,
    add,
    ask,
    every,
    get,
    read,
    replace,
    resume,
    say,
    told,
    write,
)
from live import Live
from switchboard import (
    CALL_RESPONSE,
    REQUEST_BODY,
    REQUEST_HEADERS,
    REQUEST_TRAILERS,
    RESPONSE_BODY,
    RESPONSE_HEADERS,
    RESPONSE_TRAILERS,
    Call,
    Case,
    nth,
)

from simwasm.exchange import Chunk, Message, request, response

RESUMED = {REQUEST_HEADERS: [ask()], CALL_RESPONSE: [BECOME, resume(0)]}
"""The request's headers ask a cluster, and its answer lets them go."""
SLOW = STREAMED._replace(body=tuple(Chunk(piece, 90 * MS) for piece in PIECES))
EMPTY = request("POST", "/", body=[b""])
CHUNKED = response(200, body=PIECES)


def late(stream: int, *deeds: Call) -> dict[str, list[Call]]:
    """What a callout's answer does, ended by a resume."""
    return {CALL_RESPONSE: [BECOME, *deeds, resume(stream)]}


PAUSING = Live(
    Case("a body waits behind headers", RESUMED, PAUSE_REQUEST, STREAMED, items=(29, 30, 31, 52)),
    Case("body and trailers wait behind headers", RESUMED, PAUSE_REQUEST, TRAILED, items=(29, 30, 31, 51)),
    Case("headers wait alone", RESUMED, PAUSE_REQUEST, items=(29, 32, 50)),
    Case("an empty body waits behind headers", RESUMED, PAUSE_REQUEST, EMPTY, items=(33,)),
    Case("a body that goes on coming when its headers may go", RESUMED, PAUSE_REQUEST, SLOW, items=(30, 40)),
    Case("a response waits", {
        RESPONSE_HEADERS: [ask()], RESPONSE_BODY: [read(1)],
    } | late(1, add(2, "x-r", "1")), {RESPONSE_HEADERS: 1}, answer=BOTH, items=(29, 30, 31, 51)),
    Case("a response without a body waits", {RESPONSE_HEADERS: [ask()]} | late(1), {RESPONSE_HEADERS: 1},
         answer=response(204), items=(32, 50)),
    Case("an empty response waits", {RESPONSE_HEADERS: [ask()]} | late(1), {RESPONSE_HEADERS: 1},
         answer=response(200, body=[b""]), items=(33,)),
    *(Case(f"headers result {result}", RESUMED, {REQUEST_HEADERS: result}, sent, items=(36,))
      for result in (3, 4, 5, 99, -1) for sent in (TRAILED,)),
    *(Case(f"response headers result {result}", {RESPONSE_HEADERS: [ask()]} | late(1), {RESPONSE_HEADERS: result},
           answer=BOTH, items=(36,)) for result in (3, 4, 5, -1)),
    Case("headers result 2", {}, {REQUEST_HEADERS: 2}, STREAMED, items=(37,)),
    Case("headers result 2 without a body", {}, {REQUEST_HEADERS: 2, RESPONSE_HEADERS: 2}, items=(37,)),
    *(Case(f"body result {result}, last 0", {}, {REQUEST_BODY: result}, STREAMED, items=(38, 39))
      for result in (1, 2, 3, 4, 99, -1)),
    *(Case(f"response body result {result}, last 0", {}, {RESPONSE_BODY: result}, answer=CHUNKED, items=(38, 39))
      for result in (1, 2, 3, 4)),
    *(Case(f"body result {result} for the first piece", {}, {nth(REQUEST_BODY, 1): result}, STREAMED, items=(38, 40))
      for result in (1, 2, 3)),
    *(Case(f"body result {result} for the last piece", {nth(REQUEST_BODY, 4): [ask()]} | late(0),
           {nth(REQUEST_BODY, 4): result}, STREAMED, items=(38, 43)) for result in (1, 2, 3)),
    *(Case(f"response body result {result} for the last piece", {nth(RESPONSE_BODY, 4): [ask()]} | late(1),
           {nth(RESPONSE_BODY, 4): result}, answer=CHUNKED, items=(38, 43)) for result in (1, 2)),
    Case("a body held, trailers let it go", {REQUEST_TRAILERS: [read(0), SAY, write(0, 0, 99, "new")]}, PAUSE_BODY,
         TRAILED, items=(35, 39, 47, 51)),
    Case("a body held, resumed from elsewhere", {
        nth(REQUEST_BODY, 1): [ask()], nth(REQUEST_BODY, 2): told(read(0)),
    } | late(0, *told(read(0)), write(0, 0, 0, "E"), say("resumed")),
         {nth(REQUEST_BODY, 1): 1}, SLOW, items=(43, 44)),
    Case("a body held, resumed from elsewhere, held again", {nth(REQUEST_BODY, 1): [ask()]} | late(0),
         {nth(REQUEST_BODY, 1): 1, nth(REQUEST_BODY, 3): 1}, SLOW, items=(43, 44)),
    Case("a whole body held, resumed from elsewhere", {nth(REQUEST_BODY, 2): [ask()]} | late(0),
         {nth(REQUEST_BODY, 1): 1, nth(REQUEST_BODY, 2): 1}, POST, items=(43,)),
    Case("body and trailers held, resumed from elsewhere", {REQUEST_TRAILERS: [ask()]} | late(0, *told(read(0))),
         {REQUEST_BODY: 1, REQUEST_TRAILERS: 1}, TRAILED, items=(43, 45)),
    Case("a response's body held, resumed from elsewhere", {nth(RESPONSE_BODY, 1): [ask()]} | late(1, *told(read(1))),
         {nth(RESPONSE_BODY, 1): 1}, answer=CHUNKED._replace(body=SLOW.body), items=(43, 44)),
    *(Case(f"trailers result {result}", {REQUEST_TRAILERS: [ask()]} | late(0), {REQUEST_TRAILERS: result}, TRAILED,
           items=(45,)) for result in (1, 2, 99, -1)),
    *(Case(f"response trailers result {result}", {RESPONSE_TRAILERS: [ask()]} | late(1), {RESPONSE_TRAILERS: result},
           answer=BOTH, items=(45,)) for result in (1, 2)),
    Case("a message of headers only", {}, answer=response(204), items=(48, 50)),
    Case("an answer to HEAD", {}, sent=request("HEAD", "/"), items=(50,)),
    Case("an answer of length 0", {}, answer=response(200, headers=[("content-length", "0")]), items=(50,)),
    Case("bodies without trailers", {}, sent=STREAMED, answer=CHUNKED, items=(40, 48, 52)),
    Case("bodies with trailers", {}, sent=TRAILED, answer=BOTH, items=(48, 51)),
    Case("bodies that are empty", {}, sent=EMPTY, answer=response(200, body=[b""]), items=(52,)),
    Case("trailers behind an empty body", {}, sent=Message(EMPTY.headers, (), (("x-t", "1"),)),
         answer=response(200, trailers=[("x-s", "1"), ("x-s", "2")]), items=(48, 51)),
)  # fmt: skip


@PAUSING.each
def test_pausing(name: str) -> None:
    PAUSING.check(name)


HEADERS_ONLY = Live(
    Case("headers are held, a body is seen and lets them go", {
        REQUEST_BODY: [get(0, ":path"), replace(0, ":path", "/new"), add(0, "x-late", "1"), read(0)],
    }, PAUSE_REQUEST, STREAMED, items=(34, 35)),
    Case("headers are held to the end of a body", {
        nth(REQUEST_BODY, 1): [get(0, ":path")], nth(REQUEST_BODY, 4): [add(0, "x-late", "1"), *told(read(0))],
    }, {REQUEST_HEADERS: 1, REQUEST_BODY: 1}, STREAMED, items=(34, 35, 39)),
    Case("headers are held, trailers let them go", {REQUEST_TRAILERS: [add(0, "x-late", "1"), every(0), get(1, "x-t")]},
         {REQUEST_HEADERS: 1, REQUEST_BODY: 1}, TRAILED, items=(34, 35)),
    Case("headers are held, a callout's answer lets them go", RESUMED, PAUSE_REQUEST, items=(32, 34)),
    Case("headers are held, a callout's answer lets them and a body go", RESUMED | {REQUEST_BODY: [read(0)]},
         {REQUEST_HEADERS: 1, REQUEST_BODY: 1, nth(REQUEST_BODY, 4): 1}, STREAMED, items=(34, 43)),
    Case("response headers are held to the end of the body", {
        RESPONSE_BODY: [get(2, ":status"), replace(2, "content-length", "9"), add(2, "x-late", "1")],
        nth(RESPONSE_BODY, 2): [write(1, 0, 99, "nine more")],
    }, {RESPONSE_HEADERS: 1, RESPONSE_BODY: 1}, items=(34, 35, 142)),
    Case("response headers are held, trailers let them go", {RESPONSE_TRAILERS: [add(2, "x-late", "1")]},
         {RESPONSE_HEADERS: 1, RESPONSE_BODY: 1}, answer=BOTH, items=(34, 35)),
    Case("response headers are held, a piece is dropped", {}, {RESPONSE_HEADERS: 1, nth(RESPONSE_BODY, 1): 3},
         answer=CHUNKED, items=(34, 38)),
    Case("headers result 4 all the same", RESUMED, {REQUEST_HEADERS: 4}, STREAMED, items=(36,)),
    Case("headers are let go by their own callback", {REQUEST_HEADERS: [resume(0)]}, PAUSE_REQUEST, STREAMED,
         items=(34, 72)),
    stop_iteration_on_headers=True,
)  # fmt: skip


@HEADERS_ONLY.each
def test_pausing_headers_only(name: str) -> None:
    HEADERS_ONLY.check(name)


CHAIN = Live(
    Case("the second does not see what the first holds", RESUMED, PAUSE_REQUEST, STREAMED, items=(30, 31)),
    Case("a body held by the first comes to the second at once", {}, PAUSE_BODY, STREAMED, items=(31, 43)),
    Case("a body dropped by the first", {}, {REQUEST_BODY: 3}, STREAMED, items=(38,)),
    Case("both hold a body", {}, PAUSE_BODY, TRAILED, items=(39,)),
    Case("the second holds headers, the first sees the body", {}, {}, STREAMED, items=(30, 40)),
    Case("the first holds a body, the second holds headers", {nth(REQUEST_BODY, 2): [add(0, "x", "y")]}, PAUSE_BODY,
         STREAMED, items=(31,)),
    Case("responses come the other way", {RESPONSE_BODY: told(read(1))}, {}, STREAMED, CHUNKED, items=(40,)),
    behind=(
        Case("", {}),
        Case("", {REQUEST_BODY: told(read(0))}),
        Case("", {}),
        Case("", {REQUEST_TRAILERS: told(read(0))}, PAUSE_BODY),
        Case("", RESUMED, PAUSE_REQUEST),
        Case("", RESUMED, PAUSE_REQUEST),
        Case("", {}, {RESPONSE_BODY: 1}),
    ),
)  # fmt: skip


@CHAIN.each
def test_pausing_in_a_chain(name: str) -> None:
    CHAIN.check(name)


LIMIT = 64
BIG = request("POST", "/", body=[b"a" * 40, b"b" * 40, b"c"])
BIG_ANSWER = response(200, body=[b"a" * 40, b"b" * 40, b"c"])

LIMITS = Live(
    Case("a body over the limit, buffered", {}, PAUSE_BODY, BIG, items=(41, 42)),
    Case("a body over the limit in one piece, buffered", {}, PAUSE_BODY, request("POST", "/", body=b"a" * 100),
         items=(41, 42)),
    Case("a body over the limit, with back-pressure", RESUMED, PAUSE_REQUEST, BIG, items=(30, 41)),
    Case("a body over the limit behind headers, buffered", RESUMED, {REQUEST_HEADERS: 3}, BIG, items=(36, 41)),
    Case("an answer over the limit, buffered", {}, {RESPONSE_BODY: 1}, answer=BIG_ANSWER, items=(41,)),
    Case("an answer over the limit behind headers, buffered", {RESPONSE_HEADERS: [ask()]} | late(1),
         {RESPONSE_HEADERS: 3}, answer=BIG_ANSWER, items=(36, 41)),
    Case("an answer over the limit, with back-pressure", {RESPONSE_HEADERS: [ask()]} | late(1), {RESPONSE_HEADERS: 1},
         answer=BIG_ANSWER, items=(30, 41)),
    Case("a body at the limit", {}, PAUSE_BODY, request("POST", "/", body=b"a" * LIMIT), items=(41,)),
    buffer_limit=LIMIT,
)  # fmt: skip


@LIMITS.each
def test_the_limit_of_a_buffer(name: str) -> None:
    LIMITS.check(name)


HELD_HEADERS_LIMITS = Live(
    Case("an answer over the limit while its headers are held", {}, {RESPONSE_HEADERS: 1, RESPONSE_BODY: 1},
         answer=BIG_ANSWER, items=(41,)),
    Case("a body over the limit while its headers are held", {}, {REQUEST_HEADERS: 1, REQUEST_BODY: 1}, BIG,
         items=(41, 42)),
    Case("a body over the limit, with back-pressure from its callback", {}, {REQUEST_HEADERS: 1, REQUEST_BODY: 2},
         request("POST", "/", body=[b"a" * 40, b"b" * 20, b"c" * 20]), items=(38, 41)),
    buffer_limit=LIMIT,
    stop_iteration_on_headers=True,
)  # fmt: skip


@HELD_HEADERS_LIMITS.each
def test_the_limit_of_a_buffer_while_headers_are_held(name: str) -> None:
    HELD_HEADERS_LIMITS.check(name)
