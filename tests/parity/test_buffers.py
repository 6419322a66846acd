"""Buffers are what they are in the running Envoy: where there is one, what is read, what may be written."""

from __future__ import annotations

from hostcalls import (
    BECOME,
    BOTH,
    PAUSE_BODY,
    PAUSE_REQUEST,
    PIECES,
    POST,
    SAY,
    STREAMED,
    TRAILED,
    ask,
    read,
    remove,
    resume,
    status,
    told,
    write,
)
from live import Live
from switchboard import (
    CALL_RESPONSE,
    CONFIGURE,
    LOG,
    REQUEST_BODY,
    REQUEST_HEADERS,
    REQUEST_TRAILERS,
    RESPONSE_BODY,
    RESPONSE_HEADERS,
    VM_START,
    Case,
    nth,
)

from simwasm.exchange import request, response

NO_LENGTH = {REQUEST_HEADERS: [remove(0, "content-length")]}
KINDS = tuple(range(9))


def edit(name: str, *deeds: tuple[int, int, str], items: tuple[int, ...], paused: bool = False) -> Case:
    """A case that edits the second piece of a body, or the first two if the first was paused."""
    calls = [
        deed
        for start, size, text in deeds
        for deed in (write(0, start, size, text), *told(read(0)), status(0))
    ]
    return Case(
        name,
        {nth(REQUEST_BODY, 2): calls},
        {nth(REQUEST_BODY, 1): 1} if paused else {},
        STREAMED,
        items=items,
    )


BUFFERS = Live(
    Case("configurations", {
        VM_START: [*told(read(6)), read(7), write(6, 0, 0, "x"), status(6)],
        CONFIGURE: [*told(read(6), read(7), read(7, 1, 1), read(7, 1), read(7, 9), read(7, 0, 0)), write(7, 0, 0, "x"),
                    write(6, 0, 0, "x"), status(6), status(7), read(0), write(0, 0, 0, "x")],
    }, items=(23, 133, 141, 143)),
    Case("reads", {
        nth(REQUEST_BODY, 1): [
            *(deed for start, most in ((0, 99), (0, 0), (0, 2), (1, 1), (1, 99), (3, 1), (4, 1), (99, 9), (0, -1),
                                       (1, -1), (2, -2), (-1, 1), (-1, 2), (-2, 1), (-1, -1), (2**31, 2**31))
              for deed in (read(0, start, most), ("proxy_log", 2, "read"))),
            status(0),
        ],
    }, sent=POST, items=(133, 143)),
    Case("what is read", {nth(REQUEST_BODY, 1): told(read(0), read(0, 1, 1), read(0, 1), read(0, 0, 2))}, sent=POST,
         items=(133,)),
    Case("out of their phase", {
        callback: [deed for kind in KINDS for deed in (read(kind), write(kind, 0, 0, "x"), status(kind))]
        for callback in (REQUEST_HEADERS, RESPONSE_HEADERS, LOG)
    }, sent=TRAILED, answer=BOTH, items=(134, 140, 141, 143)),
    Case("of the other direction", {
        REQUEST_BODY: [read(1), write(1, 0, 0, "x"), status(1)],
        RESPONSE_BODY: [read(0), write(0, 0, 0, "x"), status(0)],
    }, sent=STREAMED, answer=BOTH, items=(134,)),
    Case("unknown ones", {
        REQUEST_HEADERS: [deed for kind in (9, 10, 100, -1) for deed in (read(kind), write(kind, 0, 0, "x"),
                                                                         status(kind))],
    }, items=(134,)),
    Case("in the trailers callback", {REQUEST_TRAILERS: [read(0), write(0, 0, 0, "x"), status(0)]}, sent=TRAILED,
         items=(134,)),
    Case("given to a message without one", {
        REQUEST_HEADERS: [read(0), write(0, 0, 0, "x"), write(0, 0, 99, "x"), status(0)],
        RESPONSE_HEADERS: [read(1), write(1, 0, 0, "x"), status(1)],
    }, answer=response(204), items=(140,)),
    edit("text in front", (0, 0, "PRE"), items=(135, 142)),
    edit("text in front of a paused body", (0, 0, "PRE"), items=(135, 142), paused=True),
    edit("all replaced", (0, 99, "ALL"), items=(136, 142)),
    edit("all replaced exactly", (0, 2, "ALL"), items=(136, 142)),
    edit("all of a paused body replaced", (0, 5, "ALL"), items=(136, 142), paused=True),
    edit("all replaced by nothing", (0, 99, ""), items=(136, 142)),
    edit("all of a paused body replaced by nothing", (0, 99, ""), items=(136, 142), paused=True),
    edit("a prefix replaced", (0, 1, "LONG"), items=(137, 142)),
    edit("a prefix of a paused body replaced", (0, 4, "-"), items=(137, 142), paused=True),
    edit("text at the end", (2, 0, "END"), items=(138, 142)),
    edit("text behind the end", (50, 3, "END"), items=(138, 142)),
    edit("text behind a paused body", (5, 5, "END"), items=(138, 142), paused=True),
    edit("text in the middle", (1, 1, "MID"), (1, 0, "MID"), (1, 99, "MID"), items=(139,)),
    edit("text in the middle of a paused body", (4, 1, "MID"), items=(139,), paused=True),
    edit("one after the other", (0, 0, "A"), (99, 0, "Z"), (0, 1, "B"), (3, 1, "x"), (0, 99, "1"), (1, 0, "2"),
         items=(135, 136, 137, 138, 139)),
    Case("an empty last frame", {nth(REQUEST_BODY, 4): [*told(read(0)), status(0), write(0, 0, 0, "X"), *told(read(0)),
                                                        write(0, 1, 0, "Y"), *told(read(0))]}, sent=STREAMED,
         items=(135, 138, 142)),
    Case("an empty last frame, filled at a place", {nth(REQUEST_BODY, 4): [write(0, 7, 0, "X"), *told(read(0))]},
         sent=STREAMED, items=(138,)),
    Case("text at a huge place", {nth(REQUEST_BODY, 1): [write(0, -1, -1, "END"), write(0, 0, -1, "ALL")]},
         sent=STREAMED, items=(136, 138)),
    Case("a body held to its end and edited", {
        REQUEST_HEADERS: [remove(0, "content-length")],
        REQUEST_BODY: [read(0), SAY, write(0, 0, 0, "PRE"), read(0, 1, 3), SAY, write(0, 2, 1, "mid"),
                       write(0, 100, 0, "APP"), write(0, 0, 2, "X"), read(0, 500, 1), read(0, -1, 2), read(9)],
    }, PAUSE_BODY, STREAMED, items=(39, 133, 135, 137, 138, 139, 142)),
    Case("a response's chunks edited", {RESPONSE_BODY: [*told(read(1)), write(1, 0, 0, "<"), write(1, 99, 0, ">")]},
         answer=response(200, body=PIECES), items=(135, 138, 142)),
    Case("a response held and replaced", {RESPONSE_BODY: [*told(read(1)), write(1, 0, 99, "whole")]},
         {RESPONSE_BODY: 1}, answer=response(200, body=PIECES), items=(136, 142)),
    Case("an answer of a callout", {
        REQUEST_HEADERS: [ask(), read(4), status(4)],
        CALL_RESPONSE: [*told(read(4), read(4, 1, 2)), read(4, 4), status(4), write(4, 0, 0, "x"), write(4, 9, 0, "x"),
                        write(0, 0, 0, "x"), write(5, 0, 0, "x"), BECOME, *told(read(4)), read(0), write(0, 0, 0, "x"),
                        resume(0)],
    }, PAUSE_REQUEST, request("POST", "/", body=PIECES), items=(134, 141, 143)),
    Case("a body written from a callout's answer", {
        nth(REQUEST_BODY, 1): [ask()],
        CALL_RESPONSE: [read(0), BECOME, *told(read(0)), write(0, 0, 99, "edited"), *told(read(0)), resume(0), read(0),
                        write(0, 0, 0, "late")],
    }, {REQUEST_BODY: 1, nth(REQUEST_BODY, 4): 1}, STREAMED, items=(43, 142)),
)  # fmt: skip


@BUFFERS.each
def test_buffers(name: str) -> None:
    BUFFERS.check(name)
