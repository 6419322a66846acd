"""How the host reaches the world: functions that it is given, and the values that go through them.

Rule: the host does no input or output of its own. A guest is a table of functions, an upstream and the clusters of
callouts are functions that answer a request; whoever makes a `Proxy` says what is behind them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from simwasm.exchange import Exchange, Headers, Message


@dataclass(frozen=True, slots=True)
class Callout:
    """What a plugin asks of a cluster. Of a gRPC stream there are only headers yet."""

    id: int
    cluster: str
    request: Message
    timeout_ms: int

    @property
    def is_stream(self) -> bool:
        """Whether it is a gRPC stream: 6, 10, …"""
        return self.id % 4 == 2


@dataclass(frozen=True, slots=True)
class Failure:
    """There is no whole response: why, as Envoy would put it, and when that is known."""

    reason: str
    after_ns: int = 0
    begun: Message | None = None
    """What came before the connection was lost."""


NO_HOST = Failure("no healthy upstream")
"""Why a cluster without any host that could be asked does not answer: the request is refused before it has left.

Whoever names clusters by a mapping tells of each whether it has a host.
"""


class Head(NamedTuple):
    """The headers of an answer that comes in pieces; `end` if nothing follows."""

    headers: Headers
    after_ns: int = 0
    end: bool = False


class Data(NamedTuple):
    """Bytes of such an answer's body: a gRPC message with its five bytes in front, or any part of one."""

    data: bytes
    after_ns: int = 0
    end: bool = False


class Tail(NamedTuple):
    """The trailers, which end such an answer."""

    headers: Headers
    after_ns: int = 0


class Heard(NamedTuple):
    """What a gRPC service has heard of a call so far."""

    headers: Headers
    messages: tuple[bytes, ...] = ()
    ended: bool = False
    """Whether the caller has said that there will be no more messages."""
    fresh: bool = False
    """Whether the last message is new; if not, only the end is, or the call itself."""


Piece = Head | Data | Tail | Failure
"""What comes next of an answer; `after_ns` counts from the piece before, or from what it answers if that is later."""
Service = Callable[[Heard], tuple[Piece, ...]]
"""A gRPC service: asked when a call begins, with every message and at its end, it says what it sends then.

Rule: what it sends depends on what it has heard and on nothing else, so that a run can be repeated.
"""
Answer = Message | Failure
AskUpstream = Callable[[Exchange, Message], Answer]
AskCluster = Callable[[Callout], "Answer | Service"]
Resolved = tuple[tuple[str, int], ...]
"""The addresses of a name, each with the seconds for which it stands."""
Resolve = Callable[[str], "Resolved | None"]
"""Look a name up; None if that fails."""
Guest = Mapping[str, Callable[..., Any]]
"""The callbacks that a plugin exports: numbers in, a decoded result out; a guest that stops raises its `Trap`."""
