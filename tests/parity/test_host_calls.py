"""What a host call does, and what a callback's result does, is what it does in the running Envoy: case by case.

Each case is a row of a plugin that was written for it (see `switchboard`); client, upstream, log and all crossings are
compared. Cases that bring Envoy itself down are missing: `continue_stream` for a response that has not begun.
"""

from __future__ import annotations

from functools import lru_cache

import pytest
from switchboard import (
    CALL_RESPONSE,
    LOG,
    LONG,
    OUT,
    QUEUE_READY,
    REQUEST_BODY,
    REQUEST_HEADERS,
    REQUEST_TRAILERS,
    RESPONSE_BODY,
    RESPONSE_HEADERS,
    RESPONSE_TRAILERS,
    STREAM,
    Call,
    Case,
    Read,
    pairs,
    switchboard,
)

from simwasm.engines import find
from simwasm.exchange import Message, request, response
from simwasm.host.ports import Answer, Failure
from simwasm.parity.account import Scenario
from simwasm.parity.compare import Difference, verify
from simwasm.plugin import Plugin

MS = 1_000_000
PIECES = [b"aaa", b"bb", b"c"]
POST = request("POST", "/", body=b"abc")
STREAMED = request("POST", "/", body=PIECES)
TRAILED = request("POST", "/", body=PIECES, trailers=[("x-t", "1")])
GRPC = request("POST", "/s/m", headers=[("content-type", "application/grpc")])
BOTH = response(200, body=[b"a", b"b"], trailers=[("x-s", "1")])
ASK = (":method", "GET"), (":path", "/c"), (":authority", "a")


def reply(status: int, body: str = "", headers: bytes = b"", grpc: int = -1) -> Call:
    return "proxy_send_local_response", status, "the details", body, headers, grpc


def ask(cluster: str = "auth", headers: bytes = pairs(*ASK), body: str = "", timeout: int = 500) -> Call:
    return "proxy_http_call", cluster, headers, body, b"", timeout, OUT


def resume(stream: int) -> Call:
    return "proxy_continue_stream", stream


def read(kind: int, start: int = 0, size: int = 99) -> Call:
    return "proxy_get_buffer_bytes", kind, start, size, OUT, OUT


def write(kind: int, start: int, size: int, text: str) -> Call:
    return "proxy_set_buffer_bytes", kind, start, size, text


def get(kind: int, name: str) -> Call:
    return "proxy_get_header_map_value", kind, name, OUT, OUT


def every(kind: int) -> Call:
    return "proxy_get_header_map_pairs", kind, OUT, OUT


def size(kind: int) -> Call:
    return "proxy_get_header_map_size", kind, OUT


def add(kind: int, name: str, value: str) -> Call:
    return "proxy_add_header_map_value", kind, name, value


def replace(kind: int, name: str, value: str) -> Call:
    return "proxy_replace_header_map_value", kind, name, value


def remove(kind: int, name: str) -> Call:
    return "proxy_remove_header_map_value", kind, name


def prop(path: str) -> Call:
    return "proxy_get_property", path.replace(".", "\0"), OUT, OUT


BECOME: Call = ("proxy_set_effective_context", STREAM)
SAY: Call = ("proxy_log", 2, Read(3), Read(4))
"""Log what `read` found."""

PAUSE_REQUEST, PAUSE_BODY = {REQUEST_HEADERS: 1}, {REQUEST_BODY: 1}
ALL_HEADERS = pairs(
    ("x-z", "1"), (":method", "PUT"), (":path", "/n"), (":authority", "au"), (":scheme", "http"),
    ("x-forwarded-proto", "http"), ("x-y", "2"),
)  # fmt: skip
PROPERTIES = (
    "plugin_name plugin_root_id plugin_vm_id request.path request.url_path request.host request.scheme "
    "request.method request.headers request.headers.x-a request.headers.nope request.id request.protocol "
    "request.time request.duration request.size request.total_size request.query request.useragent response.code "
    "response request source.address source.port destination.address destination.port connection.id "
    "connection.mtls connection.requested_server_name connection.tls_version upstream.address xds.cluster_name "
    "xds.route_name xds.node.id xds.listener_direction xds.cluster_metadata metadata filter_state node.id "
    "cluster_name route_name nope"
).split()

REPLIES = (
    Case("reply to request headers", {REQUEST_HEADERS: [reply(401, "no", pairs(("X-From", "me")))]}, PAUSE_REQUEST),
    Case("reply and Continue", {REQUEST_HEADERS: [reply(401)]}),
    Case("two replies", {REQUEST_HEADERS: [reply(401, "a"), reply(402, "b")]}, PAUSE_REQUEST),
    Case(
        "reply with headers of its own",
        {
            REQUEST_HEADERS: [
                reply(200, "body", pairs(("Content-Type", "text/html"), ("content-length", "99"), ("server", "me")))
            ]
        },
        PAUSE_REQUEST,
    ),
    Case("empty reply with a type", {REQUEST_HEADERS: [reply(200, "", pairs(("content-type", "a/b")))]}, PAUSE_REQUEST),
    Case("reply to gRPC", {REQUEST_HEADERS: [reply(403, "no way", pairs(("x-a", "1")))]}, PAUSE_REQUEST, GRPC),
    Case("reply to gRPC with a status", {REQUEST_HEADERS: [reply(403, "no", b"", 9)]}, PAUSE_REQUEST, GRPC),
    Case("reply to a body", {REQUEST_BODY: [reply(403, "no")]}, PAUSE_BODY, STREAMED),
    Case("reply to response headers", {RESPONSE_HEADERS: [reply(418, "tea", pairs(("x-mine", "1")))]}),
    Case("reply to a response body", {RESPONSE_BODY: [reply(418, "tea")]}, {}, POST, BOTH),
    Case("reply in a callout's answer", {
        REQUEST_HEADERS: [ask()], CALL_RESPONSE: [reply(401, "root"), BECOME, reply(402, "stream")],
    }, PAUSE_REQUEST),
)  # fmt: skip
HEADERS = (
    Case("reads and writes of request headers", {
        REQUEST_HEADERS: [
            get(0, "host"), replace(0, "Host", "new"), add(0, "X-A", "2"), add(0, "x-a", ""), get(0, "X-a"),
            replace(0, "x-a", "R"), size(0), remove(0, "nope"), get(0, ""), add(0, "cookie", "a"),
            add(0, "cookie", "b"),
            add(0, "accept", "a"), add(0, "accept", "b"), every(0),
        ],
    }),
    Case("maps that are not there", {
        REQUEST_HEADERS: [get(2, "x"), every(2), size(2), add(1, "x", "y"), add(6, "x", "y"), every(9), size(9),
                          get(9, "x")],
        RESPONSE_HEADERS: [get(0, ":path"), every(0), add(0, "x", "y"), prop("request.path")],
    }),
    Case("all headers replaced", {REQUEST_HEADERS: [("proxy_set_header_map_pairs", 0, ALL_HEADERS)]}),
    Case("no header left", {REQUEST_HEADERS: [("proxy_set_header_map_pairs", 0, b"\xff\xff\xff\x7f")]}),
    *(Case(f"{name} removed", {REQUEST_HEADERS: [remove(0, name)]})
      for name in (":path", ":method", ":authority", ":scheme", "x-forwarded-proto")),
    Case(":status removed", {RESPONSE_HEADERS: [remove(2, ":status")]}),
    Case("response headers replaced", {
        REQUEST_HEADERS: [replace(0, ":path", "/other")],
        RESPONSE_HEADERS: [replace(2, ":status", "299"), replace(2, "content-type", "x/y"), add(2, "X-New", "1")],
    }),
    Case("maps in the log callback", {
        LOG: [every(0), every(1), every(2), every(3), get(1, "x"), get(0, ":path"), add(0, "x", "y"), size(0),
              read(0), prop("response.code"), prop("request.path")],
    }, {}, TRAILED, BOTH),
    Case("trailers made at the end of a body", {
        REQUEST_BODY: [every(1), add(1, "x-t", "1"), get(1, "x-t")],
        RESPONSE_BODY: [add(3, "x-s", "1")],
        RESPONSE_TRAILERS: [],
    }, {}, STREAMED, response(200, body=[b"ok"])),
)  # fmt: skip
BODIES = (
    Case("body held to its end and edited", {
        REQUEST_HEADERS: [remove(0, "content-length")],
        REQUEST_BODY: [read(0), SAY, write(0, 0, 0, "PRE"), read(0, 1, 3), SAY, write(0, 2, 1, "mid"),
                       write(0, 100, 0, "APP"), write(0, 0, 2, "X"), read(0, 500, 1), read(0, -1, 2), read(9)],
    }, PAUSE_BODY, STREAMED),
    Case("body dropped", {}, {REQUEST_BODY: 3}, STREAMED),
    Case("body held, trailers let it go", {REQUEST_TRAILERS: [read(0), SAY, write(0, 0, 99, "new")]},
         PAUSE_BODY, TRAILED),
    Case("longer than its content-length", {RESPONSE_BODY: [write(1, 0, 100, "longer body")]}),
    Case("buffers outside their phase", {
        REQUEST_HEADERS: [*map(read, range(6)), read(7), write(0, 0, 0, "x"), write(4, 0, 0, "x"), write(6, 0, 0, "x"),
                          write(7, 0, 0, "x"), *(("proxy_get_buffer_status", kind, OUT, OUT) for kind in (0, 4, 7))],
    }),
    *(Case(f"headers result {result}", {}, {REQUEST_HEADERS: result}) for result in (2,)),
)  # fmt: skip
WAITING = (
    Case("body waits behind headers", {REQUEST_HEADERS: [ask()], CALL_RESPONSE: [BECOME, resume(0)]}, PAUSE_REQUEST,
         STREAMED),
    Case("body and trailers wait behind headers", {REQUEST_HEADERS: [ask()], CALL_RESPONSE: [BECOME, resume(0)]},
         PAUSE_REQUEST, TRAILED),
    Case("response waits", {
        RESPONSE_HEADERS: [ask()],
        CALL_RESPONSE: [BECOME, add(2, "x-r", "1"), resume(1), add(2, "x-late", "1")],
        RESPONSE_BODY: [read(1)],
    }, {RESPONSE_HEADERS: 1}, answer=BOTH),
    Case("request headers written while they wait", {
        REQUEST_HEADERS: [ask()], CALL_RESPONSE: [BECOME, add(0, "x-r", "1"), resume(0), add(0, "x-late", "1")],
    }, PAUSE_REQUEST),
    Case("continued and paused at once", {REQUEST_HEADERS: [resume(0)]}, PAUSE_REQUEST),
    Case("stream closed", {REQUEST_HEADERS: [("proxy_close_stream", 0)]}, PAUSE_REQUEST),
    Case("response closed", {RESPONSE_HEADERS: [("proxy_close_stream", 1)]}, {RESPONSE_HEADERS: 1}),
    Case("connections cannot be closed", {REQUEST_HEADERS: [("proxy_close_stream", kind) for kind in (2, 3, 4)]}),
    Case("connections cannot be continued", {REQUEST_HEADERS: [resume(kind) for kind in (2, 3, 4)]}),
)  # fmt: skip
CALLOUTS = (
    Case("answer of a callout", {
        REQUEST_HEADERS: [ask(body="hello")],
        CALL_RESPONSE: [("proxy_get_status", OUT, OUT, OUT), every(6), read(4), get(6, ":status"), every(7),
                        add(6, "x", "y"), BECOME, get(6, ":status"), get(0, ":path"), resume(0)],
    }, PAUSE_REQUEST),
    Case("callout lost", {
        REQUEST_HEADERS: [ask("lost")],
        CALL_RESPONSE: [("proxy_get_status", OUT, OUT, OUT), every(6), read(4), get(6, ":status"), BECOME, resume(0)],
    }, PAUSE_REQUEST),
    Case("callouts refused", {
        REQUEST_HEADERS: [ask(headers=pairs(ASK[0])), ask(headers=b""), ask("nope"), ask(timeout=-1),
                          ask(headers=pairs(*ASK[:2], ("host", "a")))],
    }),
    Case("callout without a body by POST", {REQUEST_HEADERS: [ask(headers=pairs((":method", "POST"), *ASK[1:]))]}),
)  # fmt: skip
STATE = (
    Case("shared data", {
        REQUEST_HEADERS: [
            ("proxy_get_shared_data", "k", OUT, OUT, OUT), ("proxy_set_shared_data", "k", "v", 5),
            ("proxy_get_shared_data", "k", OUT, OUT, OUT), ("proxy_set_shared_data", "k", "w", 99),
            ("proxy_set_shared_data", "k", "", 0), ("proxy_get_shared_data", "k", OUT, OUT, OUT),
        ],
    }),
    Case("queues", {
        REQUEST_HEADERS: [
            ("proxy_dequeue_shared_queue", 1, OUT, OUT), ("proxy_resolve_shared_queue", "", "q", OUT),
            ("proxy_register_shared_queue", "q", OUT), ("proxy_resolve_shared_queue", "", "q", OUT),
            ("proxy_resolve_shared_queue", "zz", "q", OUT), ("proxy_dequeue_shared_queue", 1, OUT, OUT),
            ("proxy_enqueue_shared_queue", 1, "item"), ("proxy_enqueue_shared_queue", 7, "item"),
        ],
        QUEUE_READY: [("proxy_dequeue_shared_queue", 1, OUT, OUT)],
    }),
    Case("metrics", {
        REQUEST_HEADERS: [
            *(("proxy_define_metric", kind, name, OUT) for kind, name in enumerate("cghx")),
            ("proxy_define_metric", 0, "c", OUT),
            *(("proxy_increment_metric", id, LONG(by))
              for id, by in ((4, 2), (4, -2), (4, 0), (5, -3), (6, 1), (44, 1))),
            *(("proxy_record_metric", id, LONG(9)) for id in (4, 5, 6, 44)),
            *(("proxy_get_metric", id, OUT) for id in (4, 5, 6, 44)),
        ],
    }),
    Case("contexts", {
        REQUEST_HEADERS: [*(("proxy_set_effective_context", id) for id in (77, 1, 0)), BECOME, ("proxy_done",),
                          ("proxy_get_current_time_nanoseconds", OUT)],
    }),
    Case("log levels", {
        REQUEST_HEADERS: [*(("proxy_log", level, f"level {level}") for level in range(-1, 7)), ("proxy_log", 2, "")],
    }),
    Case("properties", {
        REQUEST_HEADERS: [*map(prop, PROPERTIES), prop(""), ("proxy_set_property", "my", "val"), prop("my"),
                          ("proxy_set_property", "a\0b", "val"), prop("a.b"), ("proxy_set_property", "my", "again"),
                          prop("wasm.my"), ("proxy_call_foreign_function", "nope", "x", OUT, OUT)],
    }),
)  # fmt: skip
CASES = (*REPLIES, *HEADERS, *BODIES, *WAITING, *CALLOUTS, *STATE)
TRAPS = tuple(
    Case(f"trap in {callback}", {callback: [("unreachable",)]}, sent=sent, answer=answer)
    for callback, sent, answer in (
        (REQUEST_HEADERS, POST, BOTH),
        (REQUEST_BODY, STREAMED, BOTH),
        (RESPONSE_HEADERS, POST, BOTH),
        (RESPONSE_BODY, POST, BOTH),
        (LOG, POST, BOTH),
    )
)


def auth(asked: Message) -> Answer:
    return response(200, headers=[("x-auth", "1")], body=b"fine", after_ns=100 * MS)


def lost(asked: Message) -> Answer:
    return Failure("connection termination", begun=response(200, body=[b"par"]))


def scenario(*cases: Case) -> Scenario:
    plugin = Plugin("parity.switchboard", switchboard(cases), config=b"{}", root_id="root", vm_id="vm")
    exchanges = tuple(case.exchange(number) for number, case in enumerate(cases))
    return Scenario((plugin,), exchanges, {"auth": auth, "lost": lost})


@lru_cache
def differences() -> tuple[Difference, ...]:
    return verify(scenario(*CASES), find.engine())


def report(found: tuple[Difference, ...]) -> None:
    if found:
        pytest.fail("\n\n".join(map(str, found)), pytrace=False)


@pytest.mark.usefixtures("envoy_binary")
@pytest.mark.parametrize(
    "name", [pytest.param(case.name, id=case.name, marks=pytest.mark.envoy(*case.items)) for case in CASES]
)
def test_a_host_call_does_what_it_does_in_envoy(name: str) -> None:
    report(tuple(difference for difference in differences() if difference.where == name))


@pytest.mark.usefixtures("envoy_binary")
@pytest.mark.parametrize("case", TRAPS, ids=lambda case: case.name)
def test_a_trap_does_to_clients_what_it_does_in_envoy(case: Case) -> None:
    found = scenario(case)
    again = (*found.exchanges, Case("the next request", {}).exchange(9))
    report(verify(Scenario(found.plugins, again), find.engine()))
