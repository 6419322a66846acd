"""Continuing, closing, and acting for another context are what they are in the running Envoy.

Missing are a case that brings Envoy itself down: to continue a response that has not begun; those in which Envoy calls
a context that it has deleted: a stream that is both closed and answered in one callback; and one that chance decides:
request headers that are continued while they run leave twice if two connections are idle.
"""

from __future__ import annotations

from hostcalls import (
    ASK,
    BECOME,
    BOTH,
    MS,
    PAUSE_REQUEST,
    PIECES,
    POST,
    STREAMED,
    TRAILED,
    add,
    ask,
    close,
    every,
    get,
    read,
    replace,
    reply,
    resume,
    say,
    size,
    told,
    write,
)
from live import Live
from switchboard import (
    CALL_RESPONSE,
    CONFIGURE,
    CONTEXT,
    LOG,
    OUT,
    REQUEST_BODY,
    REQUEST_HEADERS,
    REQUEST_TRAILERS,
    RESPONSE_BODY,
    RESPONSE_HEADERS,
    Case,
    Local,
    nth,
    pairs,
)

from simwasm.exchange import Chunk, response

STATUS = ("proxy_get_status", OUT, OUT, OUT)
WAITING = {REQUEST_HEADERS: [ask()]}
SLOW = STREAMED._replace(body=tuple(Chunk(piece, 90 * MS) for piece in PIECES))


def become(id: int) -> tuple[str, int]:
    return "proxy_set_effective_context", id


STREAMS = Live(
    Case("a root context", {
        CONFIGURE: [deed for kind in range(4) for deed in (resume(kind), close(kind))],
    }, items=(69, 75, 76)),
    Case("request headers written while they wait", WAITING | {
        CALL_RESPONSE: [BECOME, add(0, "x-r", "1"), resume(0), add(0, "x-late", "1"), get(0, ":path"), every(0),
                        size(0)],
    }, PAUSE_REQUEST, items=(72,)),
    Case("request trailers and body while they wait", {
        REQUEST_TRAILERS: [ask()],
        CALL_RESPONSE: [BECOME, *told(get(1, "x-t"), read(0)), add(1, "x-r", "1"), resume(0), get(1, "x-t"),
                        add(1, "x-late", "1"), read(0), write(0, 0, 0, "late")],
    }, {REQUEST_BODY: 1, REQUEST_TRAILERS: 1}, TRAILED, items=(43, 45, 72)),
    Case("response headers written while they wait", {
        RESPONSE_HEADERS: [ask()],
        CALL_RESPONSE: [BECOME, add(2, "x-r", "1"), resume(1), add(2, "x-late", "1"), *told(get(2, "x-late"))],
    }, {RESPONSE_HEADERS: 1}, answer=BOTH, items=(73,)),
    Case("continued and paused at once", {REQUEST_HEADERS: [resume(0), get(0, ":path"), add(0, "x-late", "1")]},
         PAUSE_REQUEST, items=(72,)),
    Case("continued and paused at once, with a body", {REQUEST_HEADERS: [resume(0)]}, PAUSE_REQUEST, STREAMED,
         items=(72,)),
    Case("body continued and paused at once", {nth(REQUEST_BODY, 2): [resume(0), read(0), write(0, 0, 0, "x")]},
         {nth(REQUEST_BODY, 1): 1, nth(REQUEST_BODY, 2): 1}, STREAMED, items=(72, 74)),
    Case("trailers continued and paused at once", {REQUEST_TRAILERS: [resume(0), get(1, "x-t")]}, {REQUEST_TRAILERS: 1},
         TRAILED, items=(72, 74)),
    Case("continued in the body of what runs", {nth(REQUEST_BODY, 2): [resume(0)]}, {}, STREAMED, items=(74,)),
    Case("continued twice", WAITING | {CALL_RESPONSE: [BECOME, resume(0), resume(0)]}, PAUSE_REQUEST, items=(74,)),
    Case("the request continued from response headers", {RESPONSE_HEADERS: [resume(0)]}, items=(74,)),
    Case("the request continued from the log callback", {LOG: [resume(0)]}, items=(74,)),
    Case("connections continued", {REQUEST_HEADERS: [resume(kind) for kind in (2, 3, 4, 99, -1)]}, items=(75,)),
    Case("connections closed", {REQUEST_HEADERS: [close(kind) for kind in (2, 3, 4, 99, -1)]}, items=(76,)),
    Case("request closed", {REQUEST_HEADERS: [close(0), get(0, ":path"), add(0, "x", "y"), say("still here")]},
         PAUSE_REQUEST, items=(76,)),
    Case("request closed, and Continue", {REQUEST_HEADERS: [close(0)]}, items=(76,)),
    Case("request closed as a response", {REQUEST_HEADERS: [close(1)]}, PAUSE_REQUEST, items=(76,)),
    Case("request closed by its body", {nth(REQUEST_BODY, 2): [close(0)]}, {REQUEST_BODY: 1}, STREAMED, items=(76,)),
    Case("request closed in a callout's answer", WAITING | {CALL_RESPONSE: [BECOME, close(0), get(0, ":path")]},
         PAUSE_REQUEST, STREAMED, items=(76,)),
    Case("response closed", {RESPONSE_HEADERS: [close(1)]}, {RESPONSE_HEADERS: 1}, items=(76,)),
    Case("response closed, and Continue", {RESPONSE_HEADERS: [close(1)]}, items=(76,)),
    Case("response closed by its body", {nth(RESPONSE_BODY, 2): [close(1)]}, {}, answer=BOTH, items=(76,)),
    Case("response closed as a request", {RESPONSE_HEADERS: [close(0)]}, items=(76,)),
    Case("continued, then closed", WAITING | {CALL_RESPONSE: [BECOME, resume(0), close(0)]}, PAUSE_REQUEST, STREAMED,
         items=(76, 78)),
    Case("continued in the middle of a body's wait", {nth(REQUEST_BODY, 1): [ask()],
         CALL_RESPONSE: [BECOME, resume(0), reply(418, "tea")]}, {nth(REQUEST_BODY, 1): 1}, SLOW, items=(78,)),
    Case("contexts", {
        REQUEST_HEADERS: [*map(become, (77, 1, 0, -1)), BECOME, ("proxy_done",), become(1), get(0, ":path"),
                          ("proxy_set_effective_context", CONTEXT), get(0, ":path")],
        RESPONSE_HEADERS: [get(2, ":status")],
    }, items=(162,)),
    Case("another stream that has ended", {REQUEST_HEADERS: [become(2), become(3), say("gone")]}, items=(162,)),
    Case("an effective context ends with the call", {
        REQUEST_HEADERS: [ask()],
        nth(CALL_RESPONSE, 1): [BECOME, *told(get(0, ":path")), ask()],
        nth(CALL_RESPONSE, 2): [get(0, ":path"), BECOME, *told(get(0, ":path")), become(1), get(0, ":path"), BECOME,
                                resume(0)],
    }, PAUSE_REQUEST, items=(162,)),
    Case("the root while a stream calls", {
        REQUEST_HEADERS: [become(1), get(0, ":path"), reply(401), add(0, "x", "y"), say("as the root"),
                          ("proxy_set_property", "my", "val"), read(0)],
        REQUEST_BODY: [read(0)],
    }, sent=POST, items=(69, 162)),
    Case("a status asked of a stream", {
        REQUEST_HEADERS: [ask("lost"), *told(STATUS)],
        CALL_RESPONSE: [STATUS, BECOME, STATUS, resume(0)],
        RESPONSE_HEADERS: [STATUS],
    }, PAUSE_REQUEST, items=(164,)),
    Case("a callout made for a stream", {
        REQUEST_HEADERS: [ask()],
        nth(CALL_RESPONSE, 1): [BECOME, ask(headers=pairs(*ASK, ("x-second", "1")))],
        nth(CALL_RESPONSE, 2): [say("second"), BECOME, resume(0)],
    }, PAUSE_REQUEST, items=(164,)),
    Case("a stream that ended before its callout's answer", {
        REQUEST_HEADERS: [ask()],
        CALL_RESPONSE: [BECOME, ("proxy_set_effective_context", Local(0)), get(0, ":path"), reply(401), resume(0),
                        resume(1)],
    }, items=(154,)),
    Case("callbacks behind a local reply", {
        REQUEST_HEADERS: [say("request"), reply(401, "no"), say("asked")],
        RESPONSE_HEADERS: [say("response"), get(0, ":path")],
        RESPONSE_BODY: [say("body")], LOG: [say("log")],
    }, items=(166,)),
    Case("deeds of nested callbacks", {
        REQUEST_BODY: [reply(401, "no")], RESPONSE_HEADERS: [replace(2, ":status", "402")],
        RESPONSE_BODY: [write(1, 0, 0, "say "), ("proxy_log", 2, "body")],
    }, {REQUEST_BODY: 1}, STREAMED, items=(59, 166)),
    Case("empty answer continued", {RESPONSE_HEADERS: [ask()], CALL_RESPONSE: [BECOME, resume(1), resume(1)]},
         {RESPONSE_HEADERS: 1}, answer=response(204), items=(74,)),
)  # fmt: skip


@STREAMS.each
def test_streams(name: str) -> None:
    STREAMS.check(name)
