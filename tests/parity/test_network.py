"""A plugin in the way of a TCP connection meets what it meets in the running Envoy, and so do both ends."""

from __future__ import annotations

from typing import Any

import pytest
from hostcalls import ask, close, every, get, prop, read, reply, resume, say, status, told, write
from live import Live, report
from switchboard import (
    CALL_RESPONSE,
    DELETE,
    DONE,
    DOWNSTREAM_CLOSE,
    DOWNSTREAM_DATA,
    LOG,
    NEW_CONNECTION,
    QUEUE_READY,
    STREAM,
    TICK,
    UPSTREAM_CLOSE,
    UPSTREAM_DATA,
    Call,
    Case,
    Out,
    Read,
    nth,
)

from simwasm.conversation import Piece, client, conversation, upstream
from simwasm.errors import SimwasmError
from simwasm.plugin import FailPolicy

ALL: dict[str, list[Call]] = {
    name: []
    for name in (
        NEW_CONNECTION,
        DOWNSTREAM_DATA,
        UPSTREAM_DATA,
        DOWNSTREAM_CLOSE,
        UPSTREAM_CLOSE,
        DONE,
        LOG,
        DELETE,
    )
}
BECOME: Call = ("proxy_set_effective_context", STREAM)
DOWN, UP = 2, 3
"""Numbers of buffers and, by chance, of streams."""

SET: Call = ("proxy_set_property", "mine", "value")

TALK: tuple[Piece, ...] = (client(b"PING"), upstream(b"PONG"), client(b"BYE"), upstream(b"SO LONG"))
LAST_WORD = (*TALK, upstream(ends=True))

NETWORK = Live(
    Case("a talk that the client ends", ALL, talk=TALK, items=(14, 17, 56, 193, 194)),
    Case("a talk that the upstream ends", {}, talk=LAST_WORD, items=(17, 56, 194)),
    Case("the client ends with its last words", {}, talk=(client(b"PING", ends=True), upstream(b"PONG")), items=(194,)),
    Case("the upstream ends with its last words", {}, talk=(client(b"PING"), upstream(b"PONG", ends=True)),
         items=(56, 194)),
    Case("the upstream speaks first", {}, talk=(upstream(b"HELLO"), client(b"HI")), items=(193,)),
    Case("nobody says anything", {}, talk=(client(ends=True),), items=(194,)),
    Case("the client is gone", {}, talk=(client(b"PING"), upstream(b"PONG"), client(resets=True)), items=(194,)),
    Case("the upstream is gone", {}, talk=(client(b"PING"), upstream(b"PONG"), upstream(resets=True)), items=(194,)),
    Case("buffers in every callback", {
        name: told(read(DOWN), read(UP), status(DOWN)) for name in ALL
    }, talk=TALK, items=(134, 193)),
    Case("written by the plugin", {
        DOWNSTREAM_DATA: [write(DOWN, 0, 2, "<<"), write(DOWN, 99, 0, ">>"), write(UP, 0, 0, "no")],
        UPSTREAM_DATA: [write(UP, 0, 99, "all"), write(DOWN, 0, 0, "no"), write(UP, 1, 1, "x")],
    }, talk=LAST_WORD, items=(193,)),
    Case("data paused for a while", {nth(DOWNSTREAM_DATA, 2): told(read(DOWN))}, {nth(DOWNSTREAM_DATA, 1): 1},
         talk=(client(b"PING"), client(b"BYE"), upstream(b"PONG")), items=(46, 193)),
    Case("upstream data paused for a while", {nth(UPSTREAM_DATA, 2): told(read(UP))}, {nth(UPSTREAM_DATA, 1): 1},
         talk=(client(b"PING"), upstream(b"PO"), upstream(b"NG"), client(b"BYE")), items=(46, 193)),
    Case("any other result pauses", {}, {nth(DOWNSTREAM_DATA, 1): 7},
         talk=(client(b"PING"), client(b"BYE"), upstream(b"PONG")), items=(46,)),
    Case("continued by a callout's answer", {
        NEW_CONNECTION: [ask()], CALL_RESPONSE: [resume(DOWN), BECOME, resume(DOWN), say("continued")],
    }, {NEW_CONNECTION: 1}, talk=TALK, items=(75, 192)),
    Case("data continued by a callout's answer", {
        nth(DOWNSTREAM_DATA, 1): [ask()],
        CALL_RESPONSE: [read(DOWN), BECOME, *told(read(DOWN)), resume(DOWN), read(DOWN)],
    }, {nth(DOWNSTREAM_DATA, 1): 1}, talk=(client(b"PING"), upstream(b"PONG", after_ns=200_000_000)), items=(75, 193)),
    Case("continued in its own callback", {NEW_CONNECTION: [resume(DOWN)], DOWNSTREAM_DATA: [resume(DOWN), read(DOWN)]},
         {NEW_CONNECTION: 1, nth(DOWNSTREAM_DATA, 1): 1}, talk=TALK, items=(75,)),
    Case("continued where nothing waits", {NEW_CONNECTION: [resume(DOWN)], DOWNSTREAM_DATA: [resume(DOWN), read(DOWN)]},
         talk=TALK, items=(75,)),
    Case("continued as other streams", {DOWNSTREAM_DATA: [resume(0), resume(1), resume(UP), resume(4)]},
         talk=TALK, items=(75,)),
    Case("closed at once", {NEW_CONNECTION: [close(DOWN), say("closed")]}, talk=(client(b"PING"),), items=(76, 194)),
    Case("closed at once as the upstream's", {NEW_CONNECTION: [close(UP), say("closed")]}, {NEW_CONNECTION: 1},
         talk=(client(b"PING"),), items=(76,)),
    Case("closed with the first data", {DOWNSTREAM_DATA: [close(DOWN), read(DOWN)]}, {nth(DOWNSTREAM_DATA, 1): 1},
         talk=(client(b"PING"),), items=(76,)),
    Case("closed with the first data that goes on", {DOWNSTREAM_DATA: [close(UP)]}, talk=(client(b"PING"),),
         items=(76,)),
    Case("closed with the upstream's data", {UPSTREAM_DATA: [close(DOWN), read(UP)]},
         talk=(client(b"PING"), upstream(b"PONG")), items=(76,)),
    Case("closed with the upstream's data held back", {UPSTREAM_DATA: [close(UP)]}, {nth(UPSTREAM_DATA, 1): 1},
         talk=(client(b"PING"), upstream(b"PONG")), items=(76,)),
    Case("closed behind the upstream's data", {nth(UPSTREAM_DATA, 2): [close(UP)]}, {},
         talk=(client(b"PING"), upstream(b"PO"), upstream(b"NG")), items=(76,)),
    Case("closed as other streams", {DOWNSTREAM_DATA: [close(0), close(1), close(4)]}, talk=TALK, items=(76,)),
    Case("closed by a callout's answer", {
        NEW_CONNECTION: [ask()], CALL_RESPONSE: [close(DOWN), BECOME, close(DOWN), say("closed"), BECOME],
    }, talk=(client(b"PING"), upstream(b"PONG"), client(b"BYE", after_ns=300_000_000)), items=(76, 194)),
    Case("header maps", {
        NEW_CONNECTION: [get(0, ":path"), *told(every(0)), ("proxy_add_header_map_value", 0, "a", "b")],
        LOG: [get(0, ":path"), get(2, ":status"), *told(every(2)), ("proxy_get_header_map_size", 0, 2000)],
    }, talk=LAST_WORD, items=(195,)),
    Case("a local reply", {
        DOWNSTREAM_DATA: [reply(403, "no"), say("goes on")], NEW_CONNECTION: [reply(403, "no")],
    }, talk=TALK, items=(69, 195)),
    Case("a log in every callback", {name: [say(name)] for name in ALL}, talk=TALK, items=(17,)),
    Case("a property of its own", {NEW_CONNECTION: [SET], LOG: told(prop("mine"))}, talk=TALK, items=(130,)),
    Case("the end paused", {}, {nth(DOWNSTREAM_DATA, 2): 1},
         talk=(client(b"PING"), client(ends=True), upstream(b"PONG", ends=True)), items=(46, 193)),
    Case("the upstream's end paused", {}, {nth(UPSTREAM_DATA, 2): 1},
         talk=(client(b"PING"), upstream(b"PONG"), upstream(b"BYE", ends=True), client(ends=True)), items=(46, 56)),
    Case("data paused to the end", {}, {DOWNSTREAM_DATA: 1},
         talk=(client(b"PING"), client(b"BYE"), upstream(b"SO LONG", ends=True)), items=(193,)),
    Case("continued a while after the end", {
        nth(DOWNSTREAM_DATA, 1): [ask()], CALL_RESPONSE: [BECOME, resume(DOWN)],
    }, {nth(DOWNSTREAM_DATA, 1): 1}, talk=(client(b"PING", ends=True), upstream(b"PONG", after_ns=200_000_000)),
         items=(75, 193)),
    Case("closed while the client's end is handled", {nth(DOWNSTREAM_DATA, 2): [close(DOWN)]}, talk=(client(b"PING"),),
         items=(76,)),
    Case("closed while the upstream's end is handled", {nth(UPSTREAM_DATA, 2): [close(DOWN)]},
         talk=(client(b"PING"), upstream(b"PONG", after_ns=0), upstream(b"BYE", ends=True)), items=(76, 56)),
    Case("asked after it has gone", {
        NEW_CONNECTION: [ask()], CALL_RESPONSE: [BECOME, resume(DOWN), close(DOWN)],
    }, talk=(client(b"PING"),), items=(162, 194)),
    Case("a timer acts for it", {
        NEW_CONNECTION: [("proxy_set_tick_period_milliseconds", 40)],
        TICK: [BECOME, resume(DOWN), ("proxy_set_tick_period_milliseconds", 0)],
    }, {NEW_CONNECTION: 1}, talk=TALK, items=(162, 192)),
    Case("a queue acts for it", {
        NEW_CONNECTION: [("proxy_register_shared_queue", "q", Out(0)),
                         ("proxy_enqueue_shared_queue", Read(0), "item")],
        QUEUE_READY: [BECOME, resume(DOWN)],
    }, {NEW_CONNECTION: 1}, talk=TALK, items=(75, 192)),
    Case("nobody listens", {}, talk=(client(b"PING"),), refused=True, items=(194,)),
    Case("nobody listens, and the plugin is busy", {NEW_CONNECTION: [ask()], CALL_RESPONSE: [BECOME, resume(DOWN)]},
         {NEW_CONNECTION: 1}, talk=(client(b"PING"),), refused=True, items=(192, 194)),
    Case("somebody listens again", {}, talk=TALK, items=(194,)),
    network=True,
)  # fmt: skip


@NETWORK.each
def test_a_connection(name: str) -> None:
    NETWORK.check(name)


CHAIN = Live(
    Case("through both", {name: [say(name)] for name in ALL}, talk=LAST_WORD, items=(17, 193)),
    Case("held by the first", {nth(DOWNSTREAM_DATA, 1): [ask()], CALL_RESPONSE: [BECOME, resume(DOWN)]},
         {nth(DOWNSTREAM_DATA, 1): 1}, talk=(client(b"PING"), upstream(b"PONG", after_ns=200_000_000)),
         items=(75, 193)),
    Case("held by the second", {}, talk=(client(b"PING"), client(b"BYE"), upstream(b"PONG")), items=(193,)),
    Case("written by both", {
        DOWNSTREAM_DATA: [write(DOWN, 0, 0, "a")], UPSTREAM_DATA: [write(UP, 0, 0, "a")],
    }, talk=TALK, items=(193,)),
    Case("the upstream's data held by the second", {}, talk=(client(b"PING"), upstream(b"PO"), upstream(b"NG")),
         items=(193,)),
    Case("closed by the second", {}, talk=(client(b"PING"),), items=(76,)),
    Case("the first keeps the second in the dark", {}, {NEW_CONNECTION: 1}, talk=(client(b"PING"),), items=(192,)),
    behind=(
        Case("", {name: [say(f"second {name}")] for name in ALL}),
        Case("", {}),
        Case("", {}, {nth(DOWNSTREAM_DATA, 1): 1}),
        Case("", {DOWNSTREAM_DATA: [write(DOWN, 0, 0, "b")], UPSTREAM_DATA: [write(UP, 0, 0, "b")]}),
        Case("", {}, {nth(UPSTREAM_DATA, 1): 1}),
        Case("", {DOWNSTREAM_DATA: [close(DOWN)]}),
        Case("", {}),
    ),
    network=True,
)  # fmt: skip


@CHAIN.each
def test_a_connection_through_a_chain(name: str) -> None:
    CHAIN.check(name)


TRAP: Call = ("unreachable",)
AGAIN = conversation("again", TALK, name="the next connection")


def trapping(where: str, **settings: Any) -> Live:
    """A plugin that traps on its first connection, and a second connection."""
    calls = {**ALL, nth(where, 1): [TRAP]}
    return Live(Case("it traps", calls, talk=TALK), then=(AGAIN,), network=True, **settings)


def same(live: Live) -> None:
    """See that nothing differs in any of its connections."""
    found = live.differences
    assert not isinstance(found, SimwasmError), found
    report(found)


@pytest.mark.usefixtures("envoy_binary")
@pytest.mark.envoy(87)
@pytest.mark.parametrize(
    "where",
    [NEW_CONNECTION, DOWNSTREAM_DATA, UPSTREAM_DATA, DOWNSTREAM_CLOSE, UPSTREAM_CLOSE, LOG],
)
def test_a_trap_closes_the_connection_and_the_next_ones(where: str) -> None:
    same(trapping(where))


@pytest.mark.usefixtures("envoy_binary")
@pytest.mark.envoy(87)
@pytest.mark.parametrize("policy", [policy for policy in FailPolicy if policy is not FailPolicy.FAIL_CLOSED])
@pytest.mark.parametrize("where", [NEW_CONNECTION, DOWNSTREAM_DATA])
def test_a_trap_by_the_fail_policy(where: str, policy: FailPolicy) -> None:
    same(trapping(where, fail_policy=policy, reload_after_ms=60_000))


VALUES = (
    "plugin_name", "plugin_root_id", "plugin_vm_id", "connection.mtls", "connection.requested_server_name",
    "connection.tls_version", "connection.termination_details", "connection.transport_failure_reason",
    "source.address.x", "request.path", "request.headers", "request.method", "request.host", "request.scheme",
    "request.protocol", "request.id", "request.size", "request.total_size", "request.headers_bytes", "request.query",
    "response.code", "response.code_details", "response.flags", "response.size", "response.total_size",
    "response.headers", "response.headers_bytes", "response.trailers", "response.grpc_status",
    "upstream.locality", "upstream.transport_failure_reason", "upstream.request_attempt_count",
    "upstream.num_endpoints", "xds.cluster_name", "xds.cluster_metadata", "xds.route_name", "xds.route_metadata",
    "xds.virtual_host_name", "xds.virtual_host_metadata", "xds.upstream_host_metadata",
    "xds.upstream_host_locality_metadata", "xds.listener_direction", "xds.listener_metadata", "xds.filter_chain_name",
    "metadata", "filter_state", "upstream_filter_state", "request", "connection", "nothing",
)  # fmt: skip
VARYING = (
    "connection_id", "connection.id", "source.address", "source.port", "destination.address", "destination.port",
    "request.time", "request.duration", "response.backend_latency", "upstream.address", "upstream.port",
    "upstream.local_address", "upstream.cx_pool_ready_duration",
)  # fmt: skip
"""Their values are other ones in every run."""
_WHEN = (
    NEW_CONNECTION,
    nth(DOWNSTREAM_DATA, 1),
    nth(UPSTREAM_DATA, 1),
    UPSTREAM_CLOSE,
    DOWNSTREAM_CLOSE,
    LOG,
)


def _asked(path: str, calls: list[Call]) -> Case:
    return Case(path, {**ALL, **dict.fromkeys(_WHEN, calls)}, talk=TALK, items=(110,))


PROPERTIES = Live(
    *(_asked(path, told(prop(path))) for path in VALUES),
    *(_asked(path, [prop(path)]) for path in VARYING),
    network=True,
)


@PROPERTIES.each
def test_a_property(name: str) -> None:
    PROPERTIES.check(name)
