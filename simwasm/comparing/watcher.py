"""What crosses the ABI on one side, kept until the exchange is compared.

Rules: the guest's allocator is not kept, with all that is in it; what is kept costs little, and becomes events once
somebody looks at them, numbered from 1.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from simwasm.abi.table import ALLOCATORS, Function
from simwasm.errors import Trap
from simwasm.goldens.redactor import Redactor
from simwasm.trace.event import Entered, Event, Left, Trapped

Kept = tuple[Any, ...] | Trap
"""A crossing that begins (five values), one that ended (three), or a trap."""
_BEGINS = 5
ENDS = 3


class Watcher:
    """An observer that keeps what it is told."""

    def __init__(self) -> None:
        self._kept: list[Kept] = []
        self._hidden = 0

    def taken(self) -> list[Kept]:
        """What has crossed since this was asked the last time."""
        kept, self._kept = self._kept, []
        return kept

    def enter(self, at: int, vm: str, context: int, function: Function, args: tuple[Any, ...]) -> None:
        """Keep that a crossing begins."""
        if self._hidden or function.name in ALLOCATORS:
            self._hidden += 1
        else:
            self._kept.append((at, vm, context, function, args))

    def leave(self, opened: int, result: Any, values: tuple[Any, ...] = (), reason: str = "") -> None:
        """Keep that the innermost crossing ended."""
        if self._hidden:
            self._hidden -= 1
        else:
            self._kept.append((result, values, reason))

    def __call__(self, event: Event) -> None:
        """Keep a trap; nothing else comes as an event."""
        if self._hidden:
            self._hidden -= 1
        elif isinstance(event, Trapped):
            self._kept.append(event.trap)


def events(kept: list[Kept], redactor: Redactor | None = None) -> list[Event]:
    """The events of what was kept, with what is to be hidden hidden."""
    found: list[Event] = []
    open_: list[Entered] = []
    for number, each in enumerate(kept, 1):
        if isinstance(each, Trap):
            found.append(Trapped(number, open_.pop().seq, each))
        elif len(each) == _BEGINS:
            at, vm, context, function, args = each
            entered = Entered(number, at, vm, context, function, args, ())
            open_.append(entered)
            found.append(_told(entered, redactor) if redactor else entered)
        else:
            entered = open_.pop()
            left = Left(number, entered.seq, *each)
            found.append(_told_end(entered, left, redactor) if redactor else left)
    return found


def _told(entered: Entered, redactor: Redactor) -> Entered:
    change = redactor.call(entered.function).args
    return entered if change is None else entered._replace(args=change(entered.args))


def _told_end(entered: Entered, left: Left, redactor: Redactor) -> Left:
    change = redactor.call(entered.function).values
    return left if change is None else left._replace(values=change(entered.args, left.values))


class Call(NamedTuple):
    """A crossing, begun and ended."""

    entered: Entered
    ended: Left | Trapped | None


def calls(found: list[Event]) -> list[Call]:
    """The crossings of events, in the order in which they begin."""
    ends = {event.opened: event for event in found if not isinstance(event, Entered)}
    return [Call(event, ends.get(event.seq)) for event in found if isinstance(event, Entered)]
