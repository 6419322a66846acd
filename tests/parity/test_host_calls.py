"""Shared state, metrics, logs and properties are what they are in the running Envoy, and so is what a trap does.

Each case is a row of a plugin that was written for it (see `switchboard`); client, upstream, log and all crossings are
compared. Other subjects have files of their own.
"""

from __future__ import annotations

import pytest
from hostcalls import BOTH, POST, STREAMED, prop, told
from live import Live
from switchboard import (
    LOG,
    LONG,
    OUT,
    QUEUE_READY,
    REQUEST_BODY,
    REQUEST_HEADERS,
    RESPONSE_BODY,
    RESPONSE_HEADERS,
    Case,
)

PROPERTIES = (
    "plugin_name plugin_root_id plugin_vm_id request.path request.url_path request.host request.scheme "
    "request.method request.headers request.headers.x-a request.headers.nope request.id request.protocol "
    "request.time request.duration request.size request.total_size request.query request.useragent response.code "
    "response request source.address source.port destination.address destination.port connection.id "
    "connection.mtls connection.requested_server_name connection.tls_version upstream.address xds.cluster_name "
    "xds.route_name xds.node.id xds.listener_direction xds.cluster_metadata metadata filter_state node.id "
    "cluster_name route_name nope"
).split()

STATE = Live(
    Case("shared data", {
        REQUEST_HEADERS: [
            ("proxy_get_shared_data", "k", OUT, OUT, OUT), ("proxy_set_shared_data", "k", "v", 5),
            ("proxy_get_shared_data", "k", OUT, OUT, OUT), ("proxy_set_shared_data", "k", "w", 99),
            ("proxy_set_shared_data", "k", "", 0), ("proxy_get_shared_data", "k", OUT, OUT, OUT),
        ],
    }, items=(171, 172)),
    Case("queues", {
        REQUEST_HEADERS: [
            ("proxy_dequeue_shared_queue", 1, OUT, OUT), ("proxy_resolve_shared_queue", "", "q", OUT),
            ("proxy_register_shared_queue", "q", OUT), ("proxy_resolve_shared_queue", "", "q", OUT),
            ("proxy_resolve_shared_queue", "zz", "q", OUT), ("proxy_dequeue_shared_queue", 1, OUT, OUT),
            ("proxy_enqueue_shared_queue", 1, "item"), ("proxy_enqueue_shared_queue", 7, "item"),
        ],
        QUEUE_READY: [*told(("proxy_dequeue_shared_queue", 1, OUT, OUT))],
    }, items=(174, 175, 176)),
    Case("metrics", {
        REQUEST_HEADERS: [
            *(("proxy_define_metric", kind, name, OUT) for kind, name in enumerate("cghx")),
            ("proxy_define_metric", 0, "c", OUT),
            *(("proxy_increment_metric", id, LONG(by))
              for id, by in ((4, 2), (4, -2), (4, 0), (5, -3), (6, 1), (44, 1))),
            *(("proxy_record_metric", id, LONG(9)) for id in (4, 5, 6, 44)),
            *told(*(("proxy_get_metric", id, OUT) for id in (4, 5))),
            *(("proxy_get_metric", id, OUT) for id in (6, 44)),
        ],
    }, items=(177, 179, 180, 181)),
    Case("log levels", {
        REQUEST_HEADERS: [*(("proxy_log", level, f"level {level}") for level in range(-1, 7)), ("proxy_log", 2, ""),
                          *told(("proxy_get_log_level", OUT))],
    }, items=(182, 183)),
    Case("properties", {
        REQUEST_HEADERS: [*map(prop, PROPERTIES), prop(""), ("proxy_set_property", "my", "val"), prop("my"),
                          ("proxy_set_property", "a\0b", "val"), prop("a.b"), ("proxy_set_property", "my", "again"),
                          prop("wasm.my"), ("proxy_call_foreign_function", "nope", "x", OUT, OUT)],
    }, items=(110, 111, 120, 121, 130, 191)),
)  # fmt: skip


@STATE.each
def test_a_host_call(name: str) -> None:
    STATE.check(name)


TRAPS = {
    f"trap in {callback}": Live(
        Case(f"trap in {callback}", {callback: [("unreachable",)]}, sent=sent, answer=answer),
        Case("the next request", {}, sent=POST),
    )
    for callback, sent, answer in (
        (REQUEST_HEADERS, POST, BOTH),
        (REQUEST_BODY, STREAMED, BOTH),
        (RESPONSE_HEADERS, POST, BOTH),
        (RESPONSE_BODY, POST, BOTH),
        (LOG, POST, BOTH),
    )
}


@pytest.mark.usefixtures("envoy_binary")
@pytest.mark.envoy(79, 80, 81, 82)
@pytest.mark.parametrize("name", TRAPS)
def test_a_trap(name: str) -> None:
    for part in (name, "the next request", "start and stop"):
        TRAPS[name].check(part)
