"""What a watcher sees: one event when a crossing of the ABI begins and one when it ends.

Every `Entered` is closed by exactly one `Left` or `Trapped`, and they nest. They are named tuples because one is made
for each crossing while somebody watches; nobody watching, none is made.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Any, NamedTuple, Protocol, runtime_checkable

from simwasm.abi.table import Function
from simwasm.errors import Trap


class Entered(NamedTuple):
    """A callback or host function is called."""

    seq: int
    at: int
    """The virtual time in nanoseconds since the epoch."""
    vm: str
    """The name of the plugin whose VM it is."""
    context: int
    function: Function
    args: tuple[Any, ...]
    """Decoded, in the order of the function's parameters, out parameters left out."""
    words: tuple[int, ...]


class Left(NamedTuple):
    """It returned."""

    seq: int
    opened: int
    """The `seq` of its `Entered`."""
    result: Any
    """A host function's status; what a callback returned."""
    values: tuple[Any, ...]
    """What was written through out parameters, in their order."""
    reason: str
    """Why the status is not OK, in words."""


class Trapped(NamedTuple):
    """It did not return: the guest trapped in it, or below it."""

    seq: int
    opened: int
    trap: Trap


Event = Entered | Left | Trapped
Observer = Callable[[Event], None]


@runtime_checkable
class Direct(Protocol):
    """The ability of an observer to be told without an event being made: half of what telling costs."""

    def __call__(self, event: Event) -> None: ...
    def enter(self, at: int, vm: str, context: int, function: Function, args: tuple[Any, ...]) -> None: ...
    def leave(self, opened: int, result: Any, values: tuple[Any, ...] = (), reason: str = "") -> None: ...


def shown(value: Any) -> Any:
    """The name of a named number; anything else as it is."""
    return value.name if isinstance(value, IntEnum) else value
