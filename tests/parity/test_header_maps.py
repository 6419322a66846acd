"""Header maps are what they are in the running Envoy: where there is one, what is written, what it does."""

from __future__ import annotations

from hostcalls import (
    BECOME,
    BOTH,
    PAUSE_REQUEST,
    STREAMED,
    TRAILED,
    add,
    ask,
    assign,
    every,
    get,
    prop,
    read,
    remove,
    replace,
    reply,
    resume,
    size,
    told,
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
    RESPONSE_TRAILERS,
    Case,
    pairs,
)

from simwasm.exchange import request, response

ALL_HEADERS = pairs(
    ("x-z", "1"), (":method", "PUT"), (":path", "/n"), (":authority", "au"), (":scheme", "http"),
    ("x-forwarded-proto", "http"), ("x-y", "2"), ("X-Y", "3"), ("accept", "a"), ("accept", "b"),
)  # fmt: skip
TWICE = request("GET", "/", headers=[("x-a", "1"), ("x-a", "2"), ("accept", "a"), ("accept", "b"), ("cookie", "a=1"),
                                     ("cookie", "b=2"), ("x-empty", "")])  # fmt: skip

MAPS = Live(
    Case("on a root context", {
        CONFIGURE: [get(0, ":path"), every(0), size(0), add(0, "x", "y"), replace(0, "x", "y"), remove(0, "x"),
                    assign(0, ALL_HEADERS), every(6), get(6, "x")],
    }, items=(91,)),
    Case("reads and writes of request headers", {
        REQUEST_HEADERS: [
            get(0, "host"), replace(0, "Host", "new"), add(0, "X-A", "2"), add(0, "x-a", ""), get(0, "X-a"),
            replace(0, "x-a", "R"), size(0), remove(0, "nope"), get(0, ""), add(0, "cookie", "a"),
            add(0, "cookie", "b"), add(0, "accept", "a"), add(0, "accept", "b"), every(0),
        ],
    }, items=(96, 97, 98, 99, 102, 107)),
    Case("what is read of request headers", {
        REQUEST_HEADERS: [
            remove(0, "x-request-id"),
            *told(*(get(0, name) for name in ("host", ":authority", "x-a", "X-A", "accept", "cookie", "x-empty")),
                  every(0), size(0), prop("request.headers.x-a"), prop("request.headers.accept"),
                  prop("request.headers.host")),
            get(0, "nope"),
        ],
    }, sent=TWICE, items=(48, 90, 95, 96, 102, 107)),
    Case("headers that Envoy knows, added", {
        REQUEST_HEADERS: [*(add(0, name, value) for value in ("a", "", "b") for name in (
            "content-type", "user-agent", "referer", "te", "authorization", "via", "x-forwarded-for", "origin",
            "cookie", "set-cookie", "x-mine", "accept-language", "pragma"))],
        RESPONSE_HEADERS: [*(add(2, name, value) for value in ("a", "", "b") for name in (
            "content-type", "location", "set-cookie", "vary", "etag", "x-mine", "cache-control", "www-authenticate",
            "referer", "user-agent"))],
    }, items=(97,)),
    Case("pseudo headers, added last", {
        REQUEST_HEADERS: [remove(0, "x-request-id"), remove(0, ":path"), add(0, "x-z", "1"), add(0, ":path", "/new"),
                          add(0, ":mine", "1"), *told(every(0))],
    }, items=(101,)),
    Case("a pseudo header, added twice", {REQUEST_HEADERS: [add(0, ":path", "/more"), *told(get(0, ":path"))]},
         items=(97,)),
    Case("names in capitals", {
        REQUEST_HEADERS: [add(0, "X-Big", "1"), replace(0, "X-BIG", "2"), *told(get(0, "x-bIG")), remove(0, "X-biG"),
                          get(0, "x-big"), assign(0, ALL_HEADERS), add(0, "X-ÄÖ", "1"), *told(get(0, "x-ÄÖ")),
                          remove(0, "X-ÄÖ")],
    }, items=(96,)),
    Case("replaced", {
        REQUEST_HEADERS: [replace(0, "x-a", "R"), replace(0, "accept", "R"), replace(0, "x-new", "N"),
                          replace(0, ":path", "/r"), replace(0, "host", "h"), remove(0, "x-request-id"),
                          *told(every(0))],
    }, sent=TWICE, items=(98, 101, 102)),
    Case("removed", {
        REQUEST_HEADERS: [remove(0, "x-a"), remove(0, "accept"), remove(0, "nope"), remove(0, ""), remove(0, "cookie"),
                          remove(0, "x-request-id"), *told(every(0))],
    }, sent=TWICE, items=(99,)),
    Case("maps that are not there", {
        REQUEST_HEADERS: [
            *(deed for kind in (1, 2, 3, 4, 5, 6, 7) for deed in (
                get(kind, "x"), every(kind), size(kind), add(kind, "x", "y"), replace(kind, "x", "y"),
                remove(kind, "x"), assign(kind, ALL_HEADERS))),
        ],
        RESPONSE_HEADERS: [get(0, ":path"), every(0), add(0, "x", "y"), size(0), replace(0, "x", "y"), remove(0, "x"),
                           assign(0, ALL_HEADERS), prop("request.path")],
    }, items=(91, 92, 108)),
    Case("maps that nobody knows", {
        REQUEST_HEADERS: [every(9), size(9), get(9, "x"), add(9, "x", "y"), replace(9, "x", "y"), remove(9, "x"),
                          assign(9, ALL_HEADERS), every(-1)],
    }, items=(91,)),
    Case("request maps in every callback", {
        callback: [get(0, ":path"), every(0), add(0, "x-late", "1"), get(1, "x-t"), every(1)]
        for callback in (REQUEST_BODY, RESPONSE_HEADERS, RESPONSE_BODY, RESPONSE_TRAILERS)
    } | {REQUEST_TRAILERS: [get(0, ":path"), every(0), add(0, "x-late", "1"), *told(get(1, "x-t"), every(1), size(1)),
                            add(1, "x-more", "2"), replace(1, "x-t", "3")]},
         sent=TRAILED, answer=BOTH, items=(92, 93)),
    Case("response maps in every callback", {
        callback: [get(2, ":status"), every(2), add(2, "x-late", "1"), get(3, "x-s"), every(3)]
        for callback in (REQUEST_BODY, REQUEST_TRAILERS, RESPONSE_BODY)
    } | {RESPONSE_TRAILERS: [get(2, ":status"), every(2), add(2, "x-late", "1"),
                             *told(get(3, "x-s"), every(3), size(3)), add(3, "x-more", "2"), remove(3, "x-s")]},
         sent=TRAILED, answer=BOTH, items=(93,)),
    Case("maps in the log callback", {
        LOG: [every(0), every(1), every(2), every(3), get(1, "x"), get(0, ":path"), add(0, "x", "y"), size(0),
              read(0), prop("response.code"), prop("request.path")],
    }, {}, TRAILED, BOTH, items=(94,)),
    Case("every way to write in the log callback", {
        LOG: [deed for kind in (0, 1, 2, 3) for deed in (
            get(kind, "nope"), size(kind), add(kind, "x", "y"), replace(kind, "x", "y"), remove(kind, "x"),
            assign(kind, ALL_HEADERS))],
    }, {}, TRAILED, BOTH, items=(94,)),
    Case("what the log callback reads", {
        REQUEST_HEADERS: [remove(0, "x-request-id")],
        LOG: [*told(every(0), get(2, ":status"), get(2, "server"), every(3), get(3, "x-s"))],
    }, {}, TRAILED, BOTH, items=(94,)),
    Case("the log callback after a local reply", {
        REQUEST_HEADERS: [reply(401, "no")], LOG: [*told(get(0, ":path"), get(2, ":status")), get(3, "x"), every(1)],
    }, items=(94,)),
    Case("all headers replaced", {REQUEST_HEADERS: [assign(0, ALL_HEADERS), *told(every(0))]}, items=(100, 101)),
    Case("no header left", {REQUEST_HEADERS: [assign(0, b"\xff\xff\xff\x7f"), *told(every(0), size(0))]},
         items=(71, 100)),
    Case("all response headers replaced", {
        RESPONSE_HEADERS: [assign(2, pairs(("x-y", "1"), ("X-y", "2"), (":status", "201"), ("content-length", "2"))),
                           *told(every(2))],
    }, items=(100,)),
    Case("all response headers gone", {RESPONSE_HEADERS: [assign(2, pairs())]}, items=(100, 104)),
    *(Case(f"{name} removed", {REQUEST_HEADERS: [remove(0, name)]}, items=(103, 105))
      for name in (":path", ":method", ":authority", ":scheme", "x-forwarded-proto")),
    *(Case(f"{name} removed with a body", {REQUEST_HEADERS: [remove(0, name)]}, {}, STREAMED, items=(103,))
      for name in (":path", ":method")),
    *(Case(f":method is {value!r}", {REQUEST_HEADERS: [replace(0, ":method", value)]}, items=(103,))
      for value in ("", "get", "HEAD")),
    *(Case(f":path is {value!r}", {REQUEST_HEADERS: [replace(0, ":path", value)]}, items=(103, 105))
      for value in ("", "*", "no-slash", "/a b", "/ä")),
    Case(":status removed", {RESPONSE_HEADERS: [remove(2, ":status")]}, items=(104,)),
    Case(":status removed from a chunked answer", {RESPONSE_HEADERS: [remove(2, ":status")]}, answer=BOTH,
         items=(104,)),
    *(Case(f":status is {value!r}", {RESPONSE_HEADERS: [replace(2, ":status", value)]}, items=(104,))
      for value in ("", "abc", "999", "20", "-5")),
    Case("response headers replaced", {
        REQUEST_HEADERS: [replace(0, ":path", "/other")],
        RESPONSE_HEADERS: [replace(2, ":status", "299"), replace(2, "content-type", "x/y"), add(2, "X-New", "1"),
                           replace(2, "x-b", "3"), replace(2, "host", "h")],
    }, items=(98, 105)),
    Case("trailers made at the end of a body", {
        REQUEST_BODY: [every(1), add(1, "x-t", "1"), get(1, "x-t")],
        RESPONSE_BODY: [add(3, "x-s", "1")],
        RESPONSE_TRAILERS: [],
    }, {}, STREAMED, response(200, body=[b"ok"]), items=(53,)),
    Case("trailers made by their size", {REQUEST_BODY: [get(1, "x"), every(1), *told(size(1)), add(1, "x-t", "1")]}, {},
         STREAMED, items=(53, 54)),
    Case("trailers made by their size only", {REQUEST_BODY: [size(1)], RESPONSE_BODY: [size(3)]}, {}, STREAMED,
         response(200, body=[b"ok"]), items=(54,)),
    Case("trailers read, not made", {REQUEST_BODY: [get(1, "x"), every(1)], RESPONSE_BODY: [get(3, "x"), every(3)]}, {},
         STREAMED, response(200, body=[b"ok"]), items=(54,)),
    *(Case(f"trailers made {how} ", {REQUEST_BODY: [deed], RESPONSE_BODY: [deed]}, {}, STREAMED,
           response(200, body=[b"ok"]), items=(53,))
      for how, deed in (("by replacing", replace(1, "x-t", "1")), ("by removing", remove(1, "x-t")),
                        ("as a whole", assign(1, pairs(("x-t", "1")))))),
    Case("trailers at the end of headers", {
        REQUEST_HEADERS: [add(1, "x-t", "1"), size(1)], RESPONSE_HEADERS: [add(3, "x-t", "1")],
    }, answer=response(204), items=(53,)),
    Case("longer than its content-length", {RESPONSE_BODY: [("proxy_set_buffer_bytes", 1, 0, 100, "longer body")]},
         items=(106,)),
    Case("an answer of a callout cannot be written", {
        REQUEST_HEADERS: [ask()],
        CALL_RESPONSE: [add(6, "x", "y"), replace(6, "x", "y"), remove(6, "x-auth"), assign(6, ALL_HEADERS), size(6),
                        add(7, "x", "y"), size(7), *told(get(6, ":status"), get(6, "x-auth")), get(7, "x"), every(7),
                        BECOME, resume(0)],
    }, PAUSE_REQUEST, items=(108,)),
    *(Case(f"a value with {what}", {REQUEST_HEADERS: [add(0, "x-odd", value), *told(get(0, "x-odd"))],
                                    RESPONSE_HEADERS: [add(2, "x-odd", value)]}, items=(109,))
      for what, value in (("NUL", "a\0b"), ("a line's end", "a\nb"), ("both ends of a line", "a\r\nb: c"))),
    *(Case(f"a name with {what}", {REQUEST_HEADERS: [add(0, name, "v"), *told(get(0, name))],
                                   RESPONSE_HEADERS: [add(2, name, "v")]}, items=(109,))
      for what, name in (("a space", "x odd"), ("a colon", "x:odd"), ("nothing", ""))),
)  # fmt: skip


@MAPS.each
def test_header_maps(name: str) -> None:
    MAPS.check(name)


CHAIN = Live(
    Case("written for the next", {
        REQUEST_HEADERS: [add(0, "x-first", "1"), replace(0, ":path", "/first")],
        RESPONSE_HEADERS: [*told(get(2, "x-second"))],
    }, items=(98,)),
    Case("trailers made for the next", {REQUEST_BODY: [add(1, "x-t", "1")], REQUEST_TRAILERS: [get(1, "x-t")]}, {},
         STREAMED, items=(53,)),
    Case("response trailers made for the next", {RESPONSE_TRAILERS: [*told(get(3, "x-t"))]},
         answer=response(200, body=[b"ok"]), items=(53,)),
    behind=(
        Case("", {REQUEST_HEADERS: told(get(0, "x-first"), get(0, ":path")),
                  RESPONSE_HEADERS: [add(2, "x-second", "2")]}),
        Case("", {REQUEST_TRAILERS: [*told(get(1, "x-t"))]}),
        Case("", {RESPONSE_BODY: [add(3, "x-t", "1")]}),
    ),
)  # fmt: skip


@CHAIN.each
def test_header_maps_in_a_chain(name: str) -> None:
    CHAIN.check(name)
