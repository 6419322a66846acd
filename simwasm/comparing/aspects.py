"""In which respects two runs can differ: a table, of which a user chooses rows.

Rules: a difference has one aspect; what client, upstream and logs see makes one, and so does what the plugin leaves
behind or asks of others; how it got there (`calls`) makes one only for those who ask.
"""

from __future__ import annotations

from difflib import get_close_matches
from enum import Enum

from simwasm.errors import InputError


class Aspect(str, Enum):
    """One respect."""

    RESPONSE = "response"
    """What the client got: status, headers, body, trailers, a reset."""
    UPSTREAM = "upstream"
    """What the upstream got, or that it was not asked."""
    REPLY = "reply"
    """Who answered, and the details that the access log tells."""
    ACTION = "action"
    """Callbacks that did not let the stream go on."""
    LOGS = "logs"
    """Lines of the log."""
    TRAP = "trap"
    """Traps."""
    CALLOUT = "callout"
    """What was asked of other services."""
    SHARED = "shared"
    """Shared data and queues."""
    METRIC = "metric"
    """Metrics."""
    PROPERTY = "property"
    """Properties that were set."""
    OTHER = "other"
    """What else the plugin does to the host: foreign functions, its timer, the route cache."""
    CALLS = "calls"
    """Every call, with what it was given and what it gave."""


DEFAULT = frozenset(Aspect) - {Aspect.CALLS}

EFFECTS = {
    Aspect.CALLOUT: (
        "proxy_http_call", "proxy_grpc_call", "proxy_grpc_stream", "proxy_grpc_send", "proxy_grpc_cancel",
        "proxy_grpc_close", "envoy_resolve_dns",
    ),
    Aspect.SHARED: (
        "proxy_set_shared_data", "proxy_register_shared_queue", "proxy_resolve_shared_queue",
        "proxy_enqueue_shared_queue", "proxy_dequeue_shared_queue",
    ),
    Aspect.METRIC: ("proxy_define_metric", "proxy_increment_metric", "proxy_record_metric"),
    Aspect.PROPERTY: ("proxy_set_property",),
    Aspect.OTHER: (
        "proxy_call_foreign_function", "proxy_set_tick_period_milliseconds", "proxy_clear_route_cache",
    ),
}  # fmt: skip
"""Host calls whose effect is not in what client, upstream and logs see."""


def aspects(text: str) -> frozenset[Aspect]:
    """Those that `--only` names, separated by commas; the usual ones if it is empty."""
    names = [name.strip().lower() for name in text.split(",") if name.strip()]
    return frozenset(map(_aspect, names)) or DEFAULT


def _aspect(name: str) -> Aspect:
    known = [aspect.value for aspect in Aspect]
    if name not in known:
        near = get_close_matches(name, known, 1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise InputError(f"--only: `{name}` is no respect to compare in; {hint}there are {', '.join(known)}")
    return Aspect(name)
