"""The callbacks of streams and what steers them, by direction."""

from __future__ import annotations

from simwasm.lints.lint import Call
from simwasm.trace.event import shown

STREAM = {
    "proxy_on_request_headers": "request", "proxy_on_request_body": "request", "proxy_on_request_trailers": "request",
    "proxy_on_response_headers": "response", "proxy_on_response_body": "response",
    "proxy_on_response_trailers": "response",
}  # fmt: skip
"""The callbacks that may pause, with their direction."""

CONTINUES = {
    "proxy_continue_request": "request",
    "proxy_continue_response": "response",
    "proxy_continue_stream": "",
}
"""What lets a stream go on; an empty direction is told by the first argument."""


def direction(call: Call) -> str:
    """Which direction a call lets go on."""
    return CONTINUES[call.function.name] or str(shown(call.args[0])).lower().removeprefix("http_")
