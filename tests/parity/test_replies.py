"""A local reply is what it is in the running Envoy: when it is sent, through whom it passes, what it looks like.

Missing are cases that bring Envoy itself down: two replies in one callback for response headers, and a reply in the
log callback.
"""

from __future__ import annotations

from hostcalls import (
    ASK,
    BECOME,
    BOTH,
    GRPC,
    PAUSE_BODY,
    PAUSE_REQUEST,
    POST,
    STREAMED,
    TRAILED,
    add,
    ask,
    every,
    get,
    read,
    remove,
    reply,
    resume,
    say,
    told,
    write,
)
from live import Live
from switchboard import (
    CALL_RESPONSE,
    CONFIGURE,
    REQUEST_BODY,
    REQUEST_HEADERS,
    REQUEST_TRAILERS,
    RESPONSE_BODY,
    RESPONSE_HEADERS,
    RESPONSE_TRAILERS,
    Case,
    nth,
    pairs,
)

from simwasm.exchange import request

OWN = pairs(
    ("Content-Type", "text/html"), ("content-length", "99"), ("server", "me"), ("X-Two", "1"), ("x-two", "2")
)

REPLIES = Live(
    Case("on a root context", {CONFIGURE: [reply(401), resume(0), resume(1)]}, items=(69,)),
    Case("to request headers", {REQUEST_HEADERS: [reply(401, "no", pairs(("X-From", "me")))]}, PAUSE_REQUEST,
         items=(57, 60, 65, 166)),
    Case("and Continue", {REQUEST_HEADERS: [reply(401), say("goes on")]}, items=(57, 58, 59)),
    Case("and Continue with a body", {REQUEST_HEADERS: [reply(401, "no")]}, {}, STREAMED, items=(58, 63)),
    Case("twice in one callback", {REQUEST_HEADERS: [reply(401, "a"), reply(402, "b")]}, PAUSE_REQUEST, items=(64,)),
    Case("in request and response headers", {
        REQUEST_HEADERS: [reply(401, "a")], RESPONSE_HEADERS: [reply(402, "b", details="the second one")],
    }, PAUSE_REQUEST, items=(61, 64)),
    Case("in request headers and the body of the reply", {
        REQUEST_HEADERS: [reply(401, "a")], RESPONSE_BODY: [reply(402, "b")],
    }, PAUSE_REQUEST, items=(62, 64)),
    Case("with headers of its own", {REQUEST_HEADERS: [reply(200, "body", OWN)]}, PAUSE_REQUEST, items=(65,)),
    Case("without a body, with a type", {REQUEST_HEADERS: [reply(200, "", pairs(("content-type", "a/b")))]},
         PAUSE_REQUEST, items=(65,)),
    Case("to HEAD", {REQUEST_HEADERS: [reply(403, "no way")]}, PAUSE_REQUEST, request("HEAD", "/"), items=(65,)),
    Case("with malformed headers", {REQUEST_HEADERS: [reply(403, "no", b"\xff\xff\xff\x7f")]}, PAUSE_REQUEST,
         items=(71,)),
    Case("with half a list of headers", {REQUEST_HEADERS: [reply(403, "no", pairs(("x-a", "1"))[:-3])]},
         PAUSE_REQUEST, items=(71,)),
    Case("with details of several words", {REQUEST_HEADERS: [reply(403, details="a b\tc\nd  e")]}, PAUSE_REQUEST,
         items=(68,)),
    Case("without details", {REQUEST_HEADERS: [reply(403, details="")]}, PAUSE_REQUEST, items=(68,)),
    Case("to gRPC", {REQUEST_HEADERS: [reply(403, "no way", pairs(("x-a", "1")))]}, PAUSE_REQUEST, GRPC, items=(66,)),
    *(Case(f"to gRPC by {code}", {REQUEST_HEADERS: [reply(code)]}, PAUSE_REQUEST, GRPC, items=(66,))
      for code in (200, 400, 401, 404, 429, 500, 502, 503, 504)),
    Case("to gRPC with a text to be escaped", {REQUEST_HEADERS: [reply(403, "100% é\n~")]}, PAUSE_REQUEST, GRPC,
         items=(66,)),
    Case("to gRPC with a status", {REQUEST_HEADERS: [reply(403, "no", b"", 9)]}, PAUSE_REQUEST, GRPC, items=(66,)),
    *(Case(f"to gRPC with status {code}", {REQUEST_HEADERS: [reply(403, "no", b"", code)]}, PAUSE_REQUEST, GRPC,
           items=(67,)) for code in (-2, 0, 16, 17)),
    Case("to a body", {REQUEST_BODY: [reply(403, "no")]}, PAUSE_BODY, STREAMED, items=(57, 60, 63)),
    Case("to a body, and Continue", {REQUEST_BODY: [reply(403, "no")]}, {}, STREAMED, items=(58, 63)),
    Case("to the end of a body", {nth(REQUEST_BODY, 4): [reply(403, "no")]}, {}, STREAMED, items=(58, 60)),
    Case("to request trailers", {REQUEST_TRAILERS: [reply(403, "no")]}, {}, TRAILED, items=(58, 60)),
    Case("to response headers", {RESPONSE_HEADERS: [reply(418, "tea", pairs(("x-mine", "1")))]}, items=(61,)),
    Case("to response headers without a body", {RESPONSE_HEADERS: [reply(418)]}, answer=BOTH, items=(61,)),
    Case("to a response body", {RESPONSE_BODY: [reply(418, "tea")]}, {}, POST, BOTH, items=(62,)),
    Case("to response trailers", {RESPONSE_TRAILERS: [reply(418, "tea")]}, {}, POST, BOTH, items=(62,)),
    Case("while response headers wait", {
        RESPONSE_HEADERS: [ask()], CALL_RESPONSE: [BECOME, reply(418, "tea")],
    }, {RESPONSE_HEADERS: 1}, answer=BOTH, items=(61, 70)),
    Case("in a callout's answer", {
        REQUEST_HEADERS: [ask()], CALL_RESPONSE: [reply(401, "root"), BECOME, reply(402, "stream")],
    }, PAUSE_REQUEST, items=(69, 70)),
    Case("in a callout's answer while a body waits", {
        REQUEST_HEADERS: [ask()], CALL_RESPONSE: [BECOME, reply(402, "stream"), get(0, ":path"), add(0, "x", "y")],
    }, PAUSE_REQUEST, TRAILED, items=(63, 70)),
    Case("in a callout's answer only for the root", {
        REQUEST_HEADERS: [ask()], CALL_RESPONSE: [reply(401, "root"), BECOME, resume(0)],
    }, PAUSE_REQUEST, items=(69, 70)),
    Case("then continued", {REQUEST_HEADERS: [reply(401, "no"), resume(0)]}, PAUSE_REQUEST, items=(77,)),
    Case("then continued with a body", {REQUEST_HEADERS: [reply(401, "no"), resume(0)]}, {}, STREAMED, items=(77,)),
    Case("behind a resume", {
        REQUEST_HEADERS: [ask()], CALL_RESPONSE: [BECOME, resume(0), reply(401, "no")],
    }, PAUSE_REQUEST, STREAMED, items=(78,)),
    Case("changed by the plugin's response callbacks", {
        REQUEST_HEADERS: [reply(401, "no")],
        RESPONSE_HEADERS: [*told(every(2)), add(2, "x-more", "1"), remove(2, "content-length")],
        RESPONSE_BODY: [*told(read(1)), write(1, 0, 99, "never")],
    }, PAUSE_REQUEST, items=(60, 166)),
    Case("held by the plugin's response callbacks", {
        REQUEST_HEADERS: [reply(401, "no", pairs(("x-a", "1")))], RESPONSE_HEADERS: [ask(headers=pairs(*ASK))],
        CALL_RESPONSE: [BECOME, add(2, "x-late", "1"), resume(1)],
    }, {REQUEST_HEADERS: 1, RESPONSE_HEADERS: 1}, items=(60,)),
    Case("and writes behind it", {
        REQUEST_HEADERS: [reply(401, "no"), get(0, ":path"), add(0, "x-late", "1"), say("still here")],
    }, PAUSE_REQUEST, items=(57,)),
)  # fmt: skip


@REPLIES.each
def test_a_local_reply(name: str) -> None:
    REPLIES.check(name)


CHAIN = Live(
    Case("of the first, which the second does not see", {REQUEST_HEADERS: [reply(401, "no")]}, PAUSE_REQUEST,
         items=(60,)),
    Case("of the second, seen by both", {}, items=(60,)),
    Case("of the second to response headers, unseen by the first", {}, items=(61,)),
    Case("of the first to response headers, when the second is through", {RESPONSE_HEADERS: [reply(401, "no")]},
         items=(61,)),
    Case("of the second, replaced by the first", {RESPONSE_HEADERS: [reply(402, "b")]}, items=(61,)),
    behind=(
        Case("", {}),
        Case("", {REQUEST_HEADERS: [reply(401, "no")]}, PAUSE_REQUEST),
        Case("", {RESPONSE_HEADERS: [reply(401, "no")]}),
        Case("", {}),
        Case("", {REQUEST_HEADERS: [reply(401, "a")]}, PAUSE_REQUEST),
    ),
)  # fmt: skip


@CHAIN.each
def test_a_local_reply_in_a_chain(name: str) -> None:
    CHAIN.check(name)
