"""What the host wants done by whoever drives it; the answer is what `yield` gives back.

Rule: a command is a value. The host never does any of these itself.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from simwasm.exchange import Exchange, Message
from simwasm.host.outcome import Outcome

if TYPE_CHECKING:
    from simwasm.host.vm import Vm


class Callback(NamedTuple):
    """Call an export of a plugin. Answer: its result, decoded; a trap is thrown in."""

    vm: Vm
    function: str
    args: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Callout:
    """Ask a cluster on a plugin's behalf. Answer: a Message, or a Failure."""

    id: int
    cluster: str
    request: Message
    timeout_ms: int


class Upstream(NamedTuple):
    """Ask the exchange's upstream. Answer: a Message, or a Failure."""

    exchange: Exchange
    request: Message


@dataclass(frozen=True, slots=True)
class Failure:
    """There is no whole response: why, as Envoy would put it, and when that is known."""

    reason: str
    after_ns: int = 0
    begun: Message | None = None
    """What came before the connection was lost."""


class Finished(NamedTuple):
    """An exchange has ended. Answer: nothing."""

    outcome: Outcome


Command = Callback | Callout | Upstream | Finished
T = TypeVar("T")
Steps = Generator[Command, Any, T]
Plan = Iterable[Command]
"""What a function gives that only passes on somebody's steps, or `()`. Every command passes each generator between
its maker and its driver, so a function whose last word would be `yield from` returns the steps instead."""
