"""Plugins for older versions of the ABI meet what they meet in the running Envoy."""

from __future__ import annotations

from hostcalls import (
    BECOME,
    BOTH,
    PAUSE_BODY,
    PAUSE_REQUEST,
    PIECES,
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
    size,
    status,
    told,
    write,
)
from live import Live
from switchboard import (
    CALL_RESPONSE,
    CONFIGURE,
    LOG,
    OUT,
    REQUEST_BODY,
    REQUEST_HEADERS,
    REQUEST_TRAILERS,
    RESPONSE_BODY,
    RESPONSE_HEADERS,
    RESPONSE_TRAILERS,
    VM_START,
    Call,
    Case,
    pairs,
)

from simwasm.abi.table import Abi
from simwasm.exchange import response

CONFIGURATION: Call = ("proxy_get_configuration", OUT, OUT)
OLD_REQUEST: Call = ("proxy_continue_request",)
OLD_RESPONSE: Call = ("proxy_continue_response",)
REQUEST, RESPONSE = ("proxy_continue_stream", 0), ("proxy_continue_stream", 1)
CHUNKED = response(200, body=PIECES)


def shared(resume_request: Call, resume_response: Call) -> tuple[Case, ...]:
    """What every version can do, with its own way to continue."""
    return (
        Case("headers without a body", {}, answer=response(204), items=(50, 55)),
        Case("bodies", {}, sent=STREAMED, answer=CHUNKED, items=(51, 52, 55)),
        Case("bodies and trailers", {REQUEST_TRAILERS: [get(1, "x-t")], RESPONSE_TRAILERS: [get(3, "x-s")]},
             sent=TRAILED, answer=BOTH, items=(51, 55, 93)),
        Case("a missing header", {
            REQUEST_HEADERS: [get(0, "nope"), get(0, ""), get(0, "x-a"), get(1, "x"), get(2, "x"), get(9, "x")],
            REQUEST_BODY: [get(0, ":path")], RESPONSE_HEADERS: [get(0, ":path"), get(2, "nope")],
            LOG: [get(0, "nope"), get(1, "nope"), get(2, "nope"), get(3, "nope")],
        }, items=(90, 91, 94)),
        Case("header maps", {
            REQUEST_HEADERS: [remove(0, "x-request-id"), add(0, "x-a", "2"), replace(0, "x-b", "3"), remove(0, "nope"),
                              *told(size(0), every(0)), every(2), size(2), add(2, "x", "y"),
                              assign(2, pairs(("a", "b")))],
        }, items=(91, 95, 98, 99, 107)),
        Case("buffers", {
            REQUEST_BODY: [*told(read(0)), write(0, 0, 0, "<"), write(0, 99, 0, ">"), status(0), read(0, 99, 1),
                           read(1), read(9), status(9)],
        }, sent=STREAMED, items=(133, 134, 135, 138, 143)),
        Case("a body held", {}, PAUSE_BODY, STREAMED, items=(39,)),
        Case("a local reply", {REQUEST_HEADERS: [reply(403, "no", pairs(("X-From", "me")))]}, PAUSE_REQUEST,
             items=(57, 60)),
        Case("a local reply to response headers", {RESPONSE_HEADERS: [reply(403, "no")]}, items=(61,)),
        Case("a paused request", {
            REQUEST_HEADERS: [ask()], CALL_RESPONSE: [BECOME, add(0, "x-r", "1"), resume_request, add(0, "x", "late")],
        }, PAUSE_REQUEST, TRAILED, items=(29, 31, 72)),
        Case("a paused response", {
            RESPONSE_HEADERS: [ask()], CALL_RESPONSE: [BECOME, add(2, "x-r", "1"), resume_response],
        }, {RESPONSE_HEADERS: 1}, answer=BOTH, items=(29, 31, 73)),
        Case("trailers made at the end of a body", {
            REQUEST_BODY: [every(1), add(1, "x-t", "1")], RESPONSE_BODY: [add(3, "x-t", "1")],
        }, sent=STREAMED, answer=CHUNKED, items=(53,)),
        Case("properties", {
            REQUEST_HEADERS: [*told(prop("request.path"), prop("plugin_name"), prop("request.size")), prop("nope"),
                              prop("request.headers.nope")],
        }, items=(110, 113, 114)),
    )  # fmt: skip


FIRST = Live(
    Case("configurations", {
        VM_START: told(CONFIGURATION), CONFIGURE: told(CONFIGURATION, read(7)),
        REQUEST_HEADERS: [*told(CONFIGURATION), read(6), read(7)],
    }, items=(23,)),
    *shared(OLD_REQUEST, OLD_RESPONSE),
    Case("the route cache", {REQUEST_HEADERS: [("proxy_clear_route_cache",)]}, items=(105,)),
    abi=Abi.V0_1_0,
    vm_config=b"of the VM",
)  # fmt: skip


@FIRST.each
def test_abi_0_1_0(name: str) -> None:
    FIRST.check(name)


SECOND = Live(
    Case("configurations", {
        VM_START: [*told(read(6)), read(7)], CONFIGURE: told(read(6), read(7)), REQUEST_HEADERS: [read(6), read(7)],
    }, items=(23,)),
    *shared(REQUEST, RESPONSE),
    abi=Abi.V0_2_0,
    vm_config=b"of the VM",
)  # fmt: skip


@SECOND.each
def test_abi_0_2_0(name: str) -> None:
    SECOND.check(name)
