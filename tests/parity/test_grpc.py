"""gRPC calls and streams are what they are in the running Envoy, with a real HTTP/2 server behind it.

Missing are messages for `upstream` that name nobody: they make Envoy abort (`panic: unset oneof`). What was cancelled
at once was asked of clusters of its own: over a connection that is there already, it would have left. Two streams that
are refused in one callback are missing, too: the second has Envoy's worker run in circles for ever.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from hostcalls import BECOME, PAUSE_REQUEST, every, get, read, resume, told
from live import Live
from switchboard import (
    GRPC_CLOSE,
    GRPC_INITIAL,
    GRPC_RECEIVE,
    GRPC_TRAILING,
    LOG,
    REQUEST_HEADERS,
    RESOLVED,
    Call,
    Case,
    Out,
    Read,
    nth,
    pairs,
)

from simwasm.host.grpc_call import framed
from simwasm.host.ports import Data, Failure, Head, Heard, Piece, Service, Tail
from simwasm.parity.account import nobody_listens, nobody_there

MS = 1_000_000
OK = (":status", "200"), ("content-type", "application/grpc")
HEAD = Head((*OK, ("x-init", "1"), ("x-init", "2")))
GOOD = Tail((("grpc-status", "0"), ("x-end", "1")))


def one(message: bytes) -> Data:
    return Data(framed(message))


WHOLE: dict[str, tuple[Piece, ...]] = {
    "Fine": (HEAD, one(b"fine"), Tail((("grpc-status", "0"), ("grpc-message", "all%20fine")))),
    "Denied": (Head((*OK, ("grpc-status", "7"), ("grpc-message", "no%20way"), ("x-t", "2")), end=True),),
    "Gone": (HEAD, one(b"x"), Tail((("grpc-status", "5"), ("grpc-message", "gone")))),
    "Two": (HEAD, Data(framed(b"one") + framed(b"second")), GOOD),
    "Burst": (HEAD, one(b"a"), Data(framed(b"b") + framed(b"cc")), GOOD),
    "Split": (HEAD, Data(framed(b"abc")[:3]), Data(framed(b"abc")[3:] + b"\0"), Data(b"\0\0\0\0"), GOOD),
    "Nothing": (HEAD, GOOD),
    "NoStatus": (HEAD, one(b"one"), Tail((("x-t", "1"),))),
    "NoTrailers": (HEAD, Data(framed(b"one"), end=True)),
    "OddStatus": (HEAD, one(b"x"), Tail((("grpc-status", "99"),))),
    "NoNumber": (HEAD, one(b"x"), Tail((("grpc-status", "fine"),))),
    "EmptyStatus": (HEAD, one(b"x"), Tail((("grpc-status", ""),))),
    "Busy": (Head(((":status", "503"),)), Data(b"sorry", end=True)),
    "Unauthorized": (Head(((":status", "401"), ("x-y", "1")), end=True),),
    "BusyWithStatus": (Head(((":status", "429"), ("grpc-status", "3")), end=True),),
    "BareHead": (Head((*OK, ("x-a", "1")), end=True),),
    "Garbage": (HEAD, Data(b"\x07\0\0\0\1x"), GOOD),
    "GoodThenGarbage": (HEAD, Data(framed(b"good") + b"\x07\0\0\0\1x"), GOOD),
    "Compressed": (HEAD, Data(framed(b"good") + b"\1\0\0\0\1x"), GOOD),
    "Cut": (HEAD, Data(framed(b"abc")[:6]), GOOD),
    "Large": (HEAD, one(b"y" * 60_000), GOOD),
    "Reset": (Failure("remote reset"),),
    "ResetLate": (HEAD, one(b"x"), Failure("remote reset", 20 * MS)),
    "Closed": (Failure("connection termination"),),
    "ClosedLate": (HEAD, Failure("connection termination", 20 * MS)),
    "Slow": (Head(HEAD.headers, 300 * MS), one(b"late"), GOOD),
    "Begun": (HEAD, Data(framed(b"x"), 300 * MS), GOOD),
}


def service(heard: Heard) -> tuple[Piece, ...]:
    """Answers a unary call when it is there, a stream (`s/…`) at once; `Talk` answers each message and the end."""
    kind, method = dict(heard.headers)[":path"].split(",")[0].strip("/").split("/")
    if method == "Talk":
        return _talk(heard)
    if method == "Quiet":
        return (HEAD, GOOD) if heard.ended else ()
    opening = not heard.messages and not heard.ended
    asked = opening if kind == "s" else heard.ended
    return WHOLE[method] if asked else ()


def _talk(heard: Heard) -> tuple[Piece, ...]:
    if not heard.messages and not heard.ended:
        return (HEAD,)
    said = one(b"re:" + heard.messages[-1]) if heard.messages else None
    return (*((said,) if said else ()), *((GOOD,) if heard.ended else ()))


def tagged(number: int, data: bytes) -> bytes:
    """A field of a message."""
    return bytes([number << 3 | 2, len(data)]) + data


def config(cluster: str, *more: bytes) -> bytes:
    """A `GrpcService` for a cluster, with more fields of `EnvoyGrpc`."""
    return tagged(1, tagged(1, cluster.encode()) + b"".join(more))


def metadata(name: str, value: str) -> bytes:
    """An entry of a `GrpcService`'s initial metadata."""
    return tagged(5, tagged(1, name.encode()) + tagged(2, value.encode()))


HERE = config("grpc")
META = pairs(("X-Meta", "m"), ("x-bin", "b"))
NUMBER = Read(40)
LOGGED: Call = ("proxy_log", 2, 2000 + 4 * 40, 4)
"""Log the number of the call that was made last."""
STATUS: tuple[Call, ...] = (
    ("proxy_get_status", Out(90), Out(91), Out(92)),
    ("proxy_log", 2, 2000 + 4 * 90, 4),
    ("proxy_log", 2, Read(91), Read(92)),
)
GOES_ON = [BECOME, resume(0)]
SHOWN = {
    GRPC_INITIAL: [every(4), *told(get(4, "x-init")), get(4, "nope"), every(5), get(5, "x")],
    GRPC_RECEIVE: [*told(read(5)), *STATUS, ("proxy_get_buffer_status", 5, Out(30), Out(31)), every(4), get(4, "x"),
                   ("proxy_set_buffer_bytes", 5, 0, 0, "x")],
    GRPC_TRAILING: [every(5), *told(get(5, "grpc-status"), get(5, "x-end")), every(4), read(5), *STATUS],
    GRPC_CLOSE: [*STATUS, every(5), read(5), *GOES_ON],
}  # fmt: skip
"""What every callback of a call looks at; the end lets the request go on. Not shown: how long it took, in 5."""


def call(
    method: str, upstream: bytes = HERE, message: str = "ping", timeout: int = 200, meta: bytes = META
) -> Call:
    return "proxy_grpc_call", upstream, "u", method, meta, message, timeout, Out(40)


def stream(method: str, upstream: bytes = HERE, meta: bytes = META) -> Call:
    return "proxy_grpc_stream", upstream, "s", method, meta, Out(40)


def send(message: str, end: int = 0) -> Call:
    return "proxy_grpc_send", NUMBER, message, end


CLOSE: Call = ("proxy_grpc_close", NUMBER)
CANCEL: Call = ("proxy_grpc_cancel", NUMBER)


def unary(name: str, made: Call, *items: int) -> Case:
    shown = {**SHOWN, GRPC_RECEIVE: [*SHOWN[GRPC_RECEIVE], *GOES_ON]}
    return Case(name, {REQUEST_HEADERS: [made, LOGGED], **shown}, PAUSE_REQUEST, items=items)


def streamed(
    name: str,
    *calls: Call,
    then: Mapping[str, list[Call]] = MappingProxyType({}),
    items: tuple[int, ...] = (160,),
) -> Case:
    """A stream: what is asked for in the request's headers, and `then` in its callbacks."""
    shown = {**SHOWN, **{nth(callback, 1): calls for callback, calls in then.items()}}
    return Case(name, {REQUEST_HEADERS: list(calls), **shown}, PAUSE_REQUEST, items=items)


def refused(name: str, *calls: Call, items: tuple[int, ...]) -> Case:
    shown = {**SHOWN, GRPC_CLOSE: SHOWN[GRPC_CLOSE][:-2]}
    return Case(
        name, {REQUEST_HEADERS: [deed for each in calls for deed in (each, LOGGED)], **shown}, items=items
    )


CLUSTERS = {"closed": nobody_listens, "noone": nobody_there}
SERVICES: dict[str, Service] = dict.fromkeys(("grpc", "fresh", "other", "third"), service)

UNARY = Live(
    *(unary(f"unary {method}", call(method), 159) for method in WHOLE),
    unary("by a cluster's name", call("Fine", b"grpc"), 157),
    unary("without a timeout", call("Fine", timeout=0), 157),
    unary("a timeout of more than a day", call("Fine", timeout=100_000_000), 157),
    unary("a timeout beyond 31 bits", call("Fine", timeout=-5), 157),
    unary("without metadata or message", call("Fine", meta=b"", message=""), 157),
    unary("with metadata that joins", call("Fine", meta=pairs(
        (":path", "/x"), ("te", "no"), ("host", "h"), ("grpc-timeout", "1m"), ("x-envoy-internal", "no"))), 157),
    unary("with another content-type", call("Slow", meta=pairs(("content-type", "a/b"))), 157),
    unary("with a binary header twice", call("Fine", meta=pairs(("a-bin", "1"), ("a-bin", "2"), ("x", "y"))), 157),
    unary("with the message's own timeout", call("Fine", HERE + tagged(3, b"\x08\1")), 157),
    unary("with the message's metadata", call("Fine", HERE + metadata("x-cfg", "v") + metadata("x-meta", "c")
                                              + metadata("x-none", "")), 157),
    unary("with an authority", call("Fine", config("grpc", tagged(2, b"my.host"))), 157),
    unary("with a limit", call("Two", config("grpc", tagged(4, b"\x08\5"))), 157),
    unary("with a limit that is too low", call("Two", config("grpc", tagged(4, b"\x08\4"))), 157),
    unary("with fields nobody knows", call("Fine", HERE + b"\xa0\1\1"), 157),
    unary("with two targets, the last of which counts", call("Fine", config("nope") + HERE), 157),
    unary("a closed port", call("Fine", config("closed")), 159),
    unary("Google's client, where nobody listens", call("Fine", tagged(2, tagged(1, b"127.0.0.1:1") +
                                                                       tagged(4, b"stat"))), 157),
    refused("neither message nor cluster", *(call("Fine", given) for given in (
        b"nope", HERE[:-1], HERE + b"\7", config("grpc")[:3], tagged(1, tagged(1, b"\xff\xfe")))), items=(157,)),
    refused("messages that name an unknown cluster", call("Fine", config("nope")), call("Fine", config("")),
            call("Fine", tagged(1, b"")), items=(157, 158)),
    refused("a cluster without a host", call("Fine", config("noone")), call("Fine", b"noone"), items=(158, 155)),
    refused("metadata that no client can have", call("Fine", HERE + metadata(":path", "v")),
            call("Fine", HERE + metadata("Host", "v")), items=(158,)),
    Case("cancelled at once", {REQUEST_HEADERS: [call("Fine", config("fresh")), CANCEL, CANCEL, send("x")], **SHOWN},
         items=(161,)),
    Case("closed at once", {REQUEST_HEADERS: [call("Fine", config("other")), CLOSE, CLOSE], **SHOWN}, items=(161,)),
    Case("closed and cancelled in its answer", {
        REQUEST_HEADERS: [call("Fine")], GRPC_RECEIVE: [CLOSE, CLOSE, CANCEL, *GOES_ON],
    }, PAUSE_REQUEST, items=(161,)),
    Case("called again in the answer and at the end", {
        REQUEST_HEADERS: [call("Fine")], GRPC_RECEIVE: [call("Denied"), LOGGED], GRPC_CLOSE: [*STATUS, *GOES_ON],
    }, PAUSE_REQUEST, items=(147, 155)),
    Case("in the log callback", {LOG: [call("Fine"), LOGGED], GRPC_RECEIVE: told(read(5))}, items=(159,)),
    Case("the status afterwards", {REQUEST_HEADERS: [*STATUS]}, items=(159,)),
    clusters=CLUSTERS, services=SERVICES,
)  # fmt: skip


@UNARY.each
def test_a_unary_call(name: str) -> None:
    UNARY.check(name)


STREAMS = Live(
    *(streamed(f"stream {method}", stream(method)) for method in WHOLE),
    streamed("a talk", stream("Talk"), LOGGED, send("hi"), send("ho"), send("end", 1), items=(160, 147)),
    streamed("a talk that is ended with an empty message", stream("Talk"), send("", 1)),
    streamed("messages in answer to others", stream("Talk"), send("hi"), then={GRPC_RECEIVE: [send("ho", 1)]}),
    streamed("closed before anything came", stream("Quiet"), CLOSE, CLOSE, items=(160, 161)),
    streamed("closed when metadata came", stream("Talk"), then={GRPC_INITIAL: [CLOSE]}, items=(160, 161)),
    streamed("closed, then messages", stream("Quiet"), CLOSE, send("b"), send("c", 1), items=(160, 161)),
    streamed("ended, then messages", stream("Talk"), send("a", 1), send("b"), CLOSE, items=(160, 161)),
    streamed("ended by the service, then closed", stream("Burst"), then={GRPC_CLOSE: [CLOSE, CLOSE, send("x")]},
             items=(161,)),
    streamed("ended by the service, then cancelled", stream("Burst"), then={GRPC_CLOSE: [CANCEL, CANCEL]},
             items=(161,)),
    streamed("ended by the service, then messages", stream("Burst"), then={GRPC_CLOSE: [send("late")]}, items=(161,)),
    Case("still known afterwards", {REQUEST_HEADERS: [*STATUS, send("x"), CLOSE, CLOSE]}, items=(161,)),
    streamed("closed on both sides", stream("Quiet"), CLOSE),
    Case("not known afterwards", {REQUEST_HEADERS: [send("x"), CANCEL, CLOSE]}, items=(161,)),
    Case("cancelled when a message came", {
        REQUEST_HEADERS: [stream("Burst")], GRPC_RECEIVE: [*told(read(5)), CANCEL, CANCEL, *GOES_ON],
    }, PAUSE_REQUEST, items=(161,)),
    Case("cancelled when metadata came", {REQUEST_HEADERS: [stream("Burst")], GRPC_INITIAL: [CANCEL, *GOES_ON]},
         PAUSE_REQUEST, items=(161,)),
    Case("a stream cancelled at once", {REQUEST_HEADERS: [stream("Burst", config("fresh")), CANCEL, CANCEL, send("x")]},
         items=(161,)),
    Case("numbers of other things", {
        REQUEST_HEADERS: [deed for number in (0, 1, 2, 3, 4, 5, 7, 4001, 4002, -1, -2) for deed in (
            ("proxy_grpc_send", number, "x", 0), ("proxy_grpc_close", number), ("proxy_grpc_cancel", number))],
    }, items=(161,)),
    streamed("stream to a closed port", stream("Fine", config("closed"))),
    streamed("with metadata", stream("Fine", meta=pairs((":authority", "q"), ("a-bin", "hello"))), items=(157,)),
    streamed("stream with a limit that is too low", stream("Two", config("grpc", tagged(4, b"\x08\4"))), items=(157,)),
    streamed("stream by Google's client", stream("Fine", tagged(2, tagged(1, b"127.0.0.1:1") + tagged(4, b"stat"))),
             items=(157,)),
    refused("a stream to no cluster", stream("Fine", b"nope"), items=(157,)),
    refused("a stream to an unknown cluster", stream("Fine", config("nope")), items=(157, 158)),
    refused("a stream to a cluster without a host", stream("Fine", config("noone")), items=(158, 155)),
    refused("a stream that no client can have", stream("Fine", HERE + metadata(":path", "v")), items=(158,)),
    Case("two streams at once", {
        REQUEST_HEADERS: [("proxy_grpc_stream", HERE, "s", "Quiet", META, Out(41)), stream("Burst"), LOGGED],
        GRPC_RECEIVE: told(read(5)), nth(GRPC_CLOSE, 1): [("proxy_grpc_close", Read(41))], nth(GRPC_CLOSE, 2): GOES_ON,
    }, PAUSE_REQUEST, items=(147,)),
    Case("stream in the log callback", {LOG: [stream("Fine"), LOGGED], **SHOWN, GRPC_CLOSE: [*STATUS]}, items=(160,)),
    clusters=CLUSTERS, services=SERVICES,
)  # fmt: skip


@STREAMS.each
def test_a_stream(name: str) -> None:
    STREAMS.check(name)


SILENT = Live(
    Case("a unary call", {REQUEST_HEADERS: [call("Fine"), LOGGED]}, items=(159,)),
    Case("a stream", {REQUEST_HEADERS: [stream("Burst"), LOGGED]}, items=(160,)),
    Case("the status", {REQUEST_HEADERS: [*STATUS, CLOSE, CLOSE]}, items=(161,)),
    services=SERVICES,
)  # fmt: skip


@SILENT.each
def test_a_plugin_without_the_callbacks(name: str) -> None:
    SILENT.check(name)


def resolve(name: str) -> Call:
    return "envoy_resolve_dns", name, Out(50)


FOUND: list[Call] = [
    *told(read(8)),
    ("proxy_get_buffer_status", 8, Out(30), Out(31)),
    ("proxy_log", 2, 2000 + 4 * 30, 4),
]

NAMES = Live(
    *(Case(f"name {name[:40]!r}", {REQUEST_HEADERS: [resolve(name), *FOUND], RESOLVED: FOUND}) for name in (
        "127.0.0.1", "10.1.2.3", "::1", "2001:DB8::0:1", "localhost", "LOCALHOST", "a b", "[::1]", "127.0.0.1:80",
        "\xe9", "x" * 70 + ".invalid")),
    *(Case(f"unknown name {name!r}", {REQUEST_HEADERS: [resolve(name), *FOUND], RESOLVED: [*FOUND, *GOES_ON]},
           PAUSE_REQUEST) for name in ("", "nope.invalid")),
    Case("two names", {REQUEST_HEADERS: [resolve("127.0.0.1"), resolve("::1")], RESOLVED: FOUND}),
    Case("read for the stream", {REQUEST_HEADERS: [resolve("127.0.0.1")], RESOLVED: [BECOME, *FOUND]}),
)  # fmt: skip


@NAMES.each
def test_a_name(name: str) -> None:
    NAMES.check(name)
