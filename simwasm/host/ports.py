"""How the host reaches the world: functions that it is given, and the values that go through them.

Rule: the host does no input or output of its own. A guest is a table of functions, an upstream and the clusters of
callouts are functions that answer a request; whoever makes a `Proxy` says what is behind them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from simwasm.exchange import Exchange, Message


@dataclass(frozen=True, slots=True)
class Callout:
    """What a plugin asks of a cluster."""

    id: int
    cluster: str
    request: Message
    timeout_ms: int


@dataclass(frozen=True, slots=True)
class Failure:
    """There is no whole response: why, as Envoy would put it, and when that is known."""

    reason: str
    after_ns: int = 0
    begun: Message | None = None
    """What came before the connection was lost."""


Answer = Message | Failure
AskUpstream = Callable[[Exchange, Message], Answer]
AskCluster = Callable[[Callout], Answer]
Guest = Mapping[str, Callable[..., Any]]
"""The callbacks that a plugin exports: numbers in, a decoded result out; a guest that stops raises its `Trap`."""
