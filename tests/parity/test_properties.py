"""Every property has the value, the bytes and the status that it has in the running Envoy, in every callback.

What is the same in two runs is logged by the plugin and compared; of times, ids and ports the size is, since the guest
is asked for room for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import pytest
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
    STREAM,
    Call,
    Case,
    Read,
    nth,
    pairs,
    switchboard,
)

from simwasm.engines import find
from simwasm.exchange import Exchange, Message, request, response
from simwasm.host.messages import NODE, node
from simwasm.host.ports import Answer, Failure
from simwasm.parity.account import Scenario
from simwasm.parity.compare import Difference, verify
from simwasm.parity.real import judge
from simwasm.plugin import Plugin
from simwasm.protobuf import decode

SAME = """plugin_name plugin_root_id plugin_vm_id
request request.path request.url_path request.host request.scheme request.method request.headers.x-a
request.headers.X-A request.headers.x-b request.headers.nope request.headers.x-a.foo request.referer
request.useragent request.protocol request.query request.size request.total_size request.headers_bytes request.nope
response response.code response.code_details response.flags response.grpc_status response.headers.x-b
response.headers.content-type response.trailers response.trailers.x-s response.size
response.total_size response.headers_bytes response.nope
source source.nope connection connection.mtls connection.requested_server_name connection.tls_version
connection.subject_local_certificate connection.subject_peer_certificate connection.dns_san_local_certificate
connection.uri_san_peer_certificate connection.sha256_peer_certificate_digest connection.termination_details
connection.transport_failure_reason connection.nope
upstream upstream.tls_version upstream.transport_failure_reason upstream.request_attempt_count
upstream.num_endpoints upstream.locality upstream.locality.region upstream.locality.nope upstream.nope
xds xds.node.id xds.node.cluster xds.node.metadata xds.node.locality xds.node.locality.region
xds.node.user_agent_name xds.node.user_agent_version xds.node.user_agent_build_version.version
xds.node.user_agent_build_version.version.major_number xds.node.user_agent_build_version.version.minor_number
xds.node.user_agent_build_version.metadata.build.type xds.node.extensions.99999 xds.node.extensions.x
xds.node.listening_addresses xds.node.client_features xds.node.dynamic_parameters xds.node.nope xds.node.id.x
xds.cluster_name xds.cluster_metadata xds.cluster_metadata.filter_metadata xds.route_name xds.route_metadata
xds.route_metadata.filter_metadata xds.upstream_host_metadata xds.upstream_host_metadata.filter_metadata
xds.upstream_host_locality_metadata xds.listener_direction xds.listener_metadata xds.filter_chain_name
xds.virtual_host_name xds.virtual_host_metadata xds.nope
metadata metadata.filter_metadata metadata.filter_metadata.x metadata.typed_filter_metadata metadata.nope
filter_state filter_state.nope filter_state.wasm.k upstream_filter_state upstream_filter_state.nope
node node.id cluster_name route_name listener_direction listener_metadata cluster_metadata upstream_host_metadata
nope nope.a""".split()
"""Values that are alike in two runs, and what has none."""
SIZED = """request.time request.id request.duration request.headers response.headers response.backend_latency
source.address source.port destination.address destination.port connection.id connection_id upstream.address
upstream.port upstream.local_address upstream.cx_pool_ready_duration""".split()
"""Values whose size and status are alike."""

ASK: Call = ("proxy_http_call", "auth", pairs((":method", "GET"), (":path", "/c"), (":authority", "a")), b"", b"",
             500, OUT)  # fmt: skip
BECOME: Call = ("proxy_set_effective_context", STREAM)
RESUME: Call = ("proxy_continue_stream", 0)
PAUSED = {REQUEST_HEADERS: 1}
SENT = request(
    "POST",
    "/a?b=c",
    headers=[("x-a", "1"), ("x-b", "1"), ("x-b", "2"), ("referer", "r"), ("user-agent", "ua")],
    body=[b"aaa", b"bb"],
    trailers=[("x-t", "1")],
)
ANSWER = response(
    200,
    headers=[("content-type", "text/plain"), ("x-b", "1"), ("x-b", "2")],
    body=[b"a", b"b"],
    trailers=[("x-s", "1")],
)


def at(path: str) -> tuple[Call, Call]:
    """Ask for a property by its dotted path, and log what there is."""
    return raw(path.replace(".", "\0"))


def raw(path: str) -> tuple[Call, Call]:
    return ("proxy_get_property", path, OUT, OUT), ("proxy_log", 2, Read(1), Read(2))


def every(*paths: str) -> list[Call]:
    return [call for path in paths for call in at(path)]


def put(path: str, value: str) -> Call:
    return "proxy_set_property", path, value


def reply(status: int = 403) -> Call:
    return "proxy_send_local_response", status, "the details", "no", b"", -1


def length(value: str) -> list[Call]:
    return [
        ("proxy_replace_header_map_value", 0, "content-length", value),
        *every("request.size", "request.total_size"),
    ]


def moments() -> Iterator[Case]:
    """All of them, in every callback of a stream."""
    asked = [*every(*SAME), *(at(path)[0] for path in SIZED)]
    for callback in (REQUEST_HEADERS, REQUEST_BODY, REQUEST_TRAILERS, RESPONSE_HEADERS, RESPONSE_BODY,
                     RESPONSE_TRAILERS, LOG):  # fmt: skip
        once = nth(callback, 1) if callback in (REQUEST_BODY, RESPONSE_BODY) else callback
        items = {
            REQUEST_HEADERS: (110, 111, 121, 122, 124, 125, 126),
            RESPONSE_HEADERS: (123, 125, 127),
            LOG: (127, 122),
        }
        yield Case(f"all in {callback}", {once: asked}, {}, SENT, ANSWER, items=items.get(callback, (110,)))


CASES = (
    Case("while it is configured", {
        CONFIGURE: [*every("plugin_name", "plugin_root_id", "plugin_vm_id", "xds", "xds.node.user_agent_name",
                           "request.path", "connection_id", "metadata", "xds.cluster_name"), put("a", "b")],
    }, items=(112, 131)),
    *moments(),
    Case("without a stream", {
        REQUEST_HEADERS: [ASK],
        CALL_RESPONSE: [
            *every("plugin_name", "plugin_root_id", "plugin_vm_id", "xds", "xds.node.id", "xds.node.user_agent_name",
                   "xds.node.metadata", "xds.cluster_name", "xds.listener_direction", "xds.nope", "request",
                   "request.path", "response.code", "source", "connection.id", "connection_id", "upstream",
                   "metadata", "filter_state", "filter_state.x", "nope", ""),
            put("a", "b"), BECOME, *every("request.path", "request.headers.x-a", "xds.route_name"), put("a", "b"),
            *every("a"), RESUME,
        ],
    }, PAUSED, items=(112, 131)),
    Case("numbers, texts and truths", {
        REQUEST_HEADERS: every("xds.listener_direction", "request.size", "upstream.request_attempt_count",
                               "connection.mtls", "request.host", "request.total_size"),
        LOG: every("response.code", "response.size", "response.flags"),
    }, items=(113, 114, 115)),
    Case("times and durations are eight bytes", {
        LOG: [at("request.time")[0], at("request.duration")[0], at("response.backend_latency")[0]],
    }, items=(114, 116)),
    Case("messages, maps and lists", {
        REQUEST_HEADERS: [
            *every("xds.node.user_agent_build_version.version", "xds.node.locality", "metadata",
                   "xds.node.metadata", "metadata.filter_metadata", "xds.node.client_features"),
            at("request.headers")[0],
        ],
        LOG: every("response.trailers"),
    }, {}, SENT, ANSWER, items=(117, 118, 119, 128)),
    Case("what cannot be written down", {
        REQUEST_HEADERS: every("", "request", "xds", "filter_state"),
        RESPONSE_HEADERS: every("xds.upstream_host_metadata", "upstream_filter_state"),
    }, items=(120, 121)),
    Case("paths with empty parts", {
        REQUEST_HEADERS: [
            put("e", ""), put("f", "x"),
            *(call for path in ("request\0path\0", "request\0\0path", "\0e", "e\0", "f\0", "f\0\0", "f\0x", "\0",
                                "request\0headers\0x-a\0", "request\0headers\0x-a\0\0")
              for call in raw(path)),
        ],
    }, items=(128,)),
    Case("properties of its own", {
        REQUEST_HEADERS: [
            put("my", "val"), *every("my", "wasm.my", "filter_state.wasm.my", "my.x"), put("my", "again"),
            *every("my"), put("a\0b", "val"), *every("a.b", "a"), put("", "v"), *raw("filter_state\0wasm."),
            put("request", "v"), *every("request"), put("plugin_name", "v"), *every("plugin_name"),
        ],
        RESPONSE_BODY: every("my"),
        LOG: [*every("my"), put("late", "v"), *every("late")],
    }, items=(110, 130)),
    *(Case(f"content-length {value!r}", {REQUEST_HEADERS: [*length(value), reply(200)]}, PAUSED, items=(129,))
      for value in ("-5", "x", "", "99999999999999999999", "+7", " 8 ", "9223372036854775807",
                    "9223372036854775808", "1.5", "0x5")),
    Case("another status", {
        RESPONSE_HEADERS: [("proxy_replace_header_map_value", 2, ":status", "299"),
                           *every("response.code", "response.headers.:status")],
        RESPONSE_BODY: every("response.code"),
        LOG: every("response.code"),
    }, items=(123,)),
    Case("a local reply", {
        REQUEST_HEADERS: [reply(), *every("response.code", "response.code_details")],
        RESPONSE_HEADERS: every("response.code", "response.code_details", "response.flags", "response.grpc_status",
                                "upstream.address", "response.backend_latency", "xds.cluster_name"),
        LOG: every("response.code", "response.code_details", "response.backend_latency", "upstream.address",
                   "upstream.request_attempt_count", "response.flags", "response.size", "response.total_size"),
    }, PAUSED, items=(123,)),
    Case("no route", {
        REQUEST_HEADERS: [("proxy_remove_header_map_value", 0, ":path"), *every("xds.route_name", "request.path",
                          "request.url_path", "request.query")],
        RESPONSE_HEADERS: every("xds.route_name", "xds.cluster_name", "xds.route_metadata", "xds.virtual_host_name",
                                "upstream.num_endpoints", "response.flags", "response.code_details"),
        LOG: every("xds.route_name", "response.flags", "upstream.address"),
    }, items=(126,)),
    *(Case(f"{name} removed", {
        side: [("proxy_remove_header_map_value", kind, name)],
        LOG: every("response.flags", "response.code", "response.code_details", "xds.route_name", "request.method"),
    }, items=(123,))
      for side, kind, name in ((REQUEST_HEADERS, 0, ":method"), (RESPONSE_HEADERS, 2, ":status"))),
    Case("body too large for its connection", {
        LOG: every("response.flags", "response.code", "response.code_details", "request.size", "request.total_size"),
    }, {REQUEST_BODY: 1}, request("POST", "/", body=[bytes(700_000), bytes(700_000)]), items=(123,)),
    Case("reset", {
        RESPONSE_HEADERS: [*every("response.code", "response.flags", "response.code_details",
                           "response.grpc_status"), at("upstream.address")[0]],
        LOG: [*every("response.flags", "response.code_details"), at("upstream.address")[0]],
    }, items=(123,)),
    Case("gRPC", {
        RESPONSE_HEADERS: every("response.grpc_status"),
        LOG: every("response.grpc_status"),
    }, {}, request("POST", "/s/m", headers=[("content-type", "application/grpc")]),
        response(200, headers=[("content-type", "application/grpc")], body=[b"\0"], trailers=[("grpc-status", "5")]),
        items=(123,)),
)  # fmt: skip


def fine(asked: Message) -> Answer:
    return response(200, body=b"fine")


def upstream(exchange: Exchange, asked: Message) -> Answer:
    """The recorded answer; one exchange loses its connection."""
    if exchange.name == "reset":
        return Failure("connection termination")
    assert exchange.response is not None
    return exchange.response


def scenario(*cases: Case) -> Scenario:
    plugin = Plugin("parity.switchboard", switchboard(cases), config=b"{}", root_id="root", vm_id="vm")
    exchanges = tuple(case.exchange(number) for number, case in enumerate(cases))
    return Scenario((plugin,), exchanges, {"auth": fine}, upstream=upstream)


@lru_cache
def differences() -> tuple[Difference, ...]:
    return verify(scenario(*CASES), find.engine())


@pytest.mark.usefixtures("envoy_binary")
@pytest.mark.parametrize(
    "name", [pytest.param(case.name, id=case.name, marks=pytest.mark.envoy(*case.items)) for case in CASES]
)
def test_a_property_is_what_it_is_in_envoy(name: str) -> None:
    found = [difference for difference in differences() if difference.where in (name, "start")]
    if found:
        pytest.fail("\n\n".join(map(str, found)), pytrace=False)


@pytest.mark.usefixtures("envoy_binary")
@pytest.mark.envoy(117, 126)
def test_the_node_says_what_envoy_says_of_itself_but_for_its_extensions() -> None:
    """The log holds the message's bytes."""
    played = scenario(Case("node", {REQUEST_HEADERS: every("xds.node")}))
    (seen,) = judge(played).exchanges
    told = decode(NODE, seen.inside.logs[0].text.encode("utf-8", "surrogateescape"))

    ours = node("1.40")
    assert told.get("extensions")
    for name in ("id", "cluster", "metadata", "user_agent_name", "client_features"):
        assert told.get(name) == ours.get(name)
    theirs, built = told.get("user_agent_build_version"), ours.get("user_agent_build_version")
    assert theirs.get("metadata") == built.get("metadata")
    assert theirs.get("version").encode() == built.get("version").encode()
