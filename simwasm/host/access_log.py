"""The access log line that an Istio mesh writes about an exchange, as JSON."""

from __future__ import annotations

import json

from simwasm.exchange import first
from simwasm.host.clock import MILLISECOND, SECOND, date
from simwasm.host.outcome import Outcome

_NONE = "-"


def access_log_line(outcome: Outcome, cluster: str, upstream: str) -> str:
    """One line: every value a string, `-` where there is none."""
    asked = outcome.asked or outcome.exchange.request.headers
    connection = outcome.exchange.connection
    took = str((outcome.ended_ns - outcome.started_ns) // MILLISECOND)
    reached = outcome.request is not None
    fields = {
        "authority_for": first(asked, ":authority"),
        "bytes_received": str(outcome.bytes_received),
        "bytes_sent": str(outcome.bytes_sent),
        "downstream_local_address": connection.destination,
        "downstream_remote_address": connection.source,
        "duration": took,
        "istio_policy_status": None,
        "method": first(asked, ":method"),
        "path": first(asked, ":path"),
        "protocol": connection.protocol,
        "request_id": first(asked, "x-request-id"),
        "requested_server_name": connection.requested_server_name or None,
        "response_code": str(outcome.code),
        "response_flags": flags(outcome),
        "route_name": "default",
        "start_time": timestamp(outcome.started_ns, digits=3),
        "trace_id": None,
        "upstream_cluster": cluster,
        "upstream_host": upstream if reached else None,
        "upstream_local_address": None,
        "upstream_response_time": took if reached else None,
        "upstream_service_time": first(outcome.response.headers, "x-envoy-upstream-service-time")
        if reached and outcome.response
        else None,
        "upstream_transport_failure_reason": None,
        "user_agent": first(asked, "user-agent"),
        "x_forwarded_for": first(asked, "x-forwarded-for"),
    }
    return json.dumps({name: _NONE if value is None else value for name, value in fields.items()})


_FLAGS = (
    ("upstream_reset_before_response_started{connection_termination}", "UC", 0x40),
    ("upstream_reset_after_response_started{connection_termination}", "UC", 0x40),
    ("upstream_reset", "UF", 0x20),
    ("upstream_remote_reset", "UR", 0x10),
    ("upstream_connection_failure", "UF,URX", 0x8020),
    ("response_timeout", "UT", 0x4),
    ("stream_idle_timeout", "SI", 0x10000),
    ("route_not_found", "NR", 0x100),
    ("filter_removed_required_request_headers", "DPE", 0x40000),
)
"""`response_flags`, and the bit in the property of that name, by the beginning of the details; the first that fits."""


def flags(outcome: Outcome) -> str:
    """`response_flags`."""
    return next((flag for details, flag, _ in _FLAGS if outcome.details.startswith(details)), _NONE)


def flag_bits(details: str) -> int:
    """The property `response.flags`."""
    return next((bit for start, _, bit in _FLAGS if details.startswith(start)), 0) if details else 0


def timestamp(at_ns: int, digits: int = 6) -> str:
    """A time as the proxy's log writes it: `2024-09-05T08:33:31.079869Z`."""
    moment = date(at_ns // SECOND)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at_ns % SECOND // 10 ** (9 - digits):0{digits}d}Z"
