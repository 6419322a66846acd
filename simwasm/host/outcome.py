"""What became of an exchange: what the upstream saw, what the client saw, and who decided.

Named tuples, since several are made for every exchange and a frozen dataclass costs three times as much.
"""

from __future__ import annotations

from typing import NamedTuple

from simwasm.abi.enums import LogLevel
from simwasm.exchange import Exchange, Headers, Message, decimal


class LogLine(NamedTuple):
    """One line of the proxy's log."""

    at: int
    level: LogLevel
    text: str


class Taken(NamedTuple):
    """What a callback returned; an Action or a wider status, None if it trapped."""

    plugin: str
    callback: str
    action: object


class Outcome(NamedTuple):
    """One exchange, ended."""

    exchange: Exchange
    request: Message | None
    """As the upstream received it; None if it was not asked."""
    response: Message | None
    """As the client received it; None if nothing arrived."""
    reset: str
    """Why the stream was cut off; empty if it was not."""
    details: str
    """Envoy's `response_code_details`."""
    local_reply: bool
    """Envoy or the plugin answered in the upstream's place."""
    actions: tuple[Taken, ...]
    logs: tuple[LogLine, ...]
    bytes_received: int
    bytes_sent: int
    started_ns: int
    ended_ns: int
    waiting: str
    """Why the exchange hung until the idle timeout; empty if it did not."""
    asked: Headers
    """The request's headers as the filters left them, for the access log."""

    code: int = 0
    """The status that the access log tells: that of the response, or of one that was cut off before it left."""

    @property
    def status(self) -> int | None:
        """The status that the client received."""
        return decimal(self.response.header(":status")) if self.response else None
