"""Watches a run and tells of its problems: an observer of a session, or of whoever reads a tape.

Rules: positions and rows are counted here, from the first event on, so that they are those of the debugger; calls of
functions that no watcher has a handler for cost a push and a pop; what a watcher remembers of an exchange it forgets
when that has ended.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from simwasm.abi.table import Function, Side, named
from simwasm.errors import Trap
from simwasm.exchange import Exchange
from simwasm.host.outcome import Outcome
from simwasm.lints.lint import Call, Ended, Over
from simwasm.lints.refusals import Refusals
from simwasm.lints.run import Found, Maps, Run
from simwasm.lints.table import WATCHERS
from simwasm.lints.traps import Traps
from simwasm.lints.watcher import Watcher
from simwasm.trace.event import Entered, Event, Left
from simwasm.trace.query.grades import Grade
from simwasm.trace.text import Frames, plain_frames

_Begin = Callable[[Call], None]
_End = Callable[[Call, Ended], None]
_Enter = Callable[[int, str, int, Function, tuple[Any, ...]], None]
_Leave = Callable[..., None]
_make: Callable[..., Any] = tuple.__new__


def _nobody(position: int) -> Maps | None:
    return None


class Lints:
    """The watchers of one run; of `several` plugins, a problem is told with whose it is."""

    def __init__(
        self,
        found: Found,
        *,
        whose: Callable[[str, int], int],
        maps: Callable[[int], Maps | None] = _nobody,
        least: Grade = Grade.NOTE,
        frames: Frames = plain_frames,
        several: bool = False,
    ) -> None:
        run = Run(found, whose, maps, least, frames, several=several)
        self._watchers = [watcher(run) for watcher in WATCHERS]
        for each in self._watchers:
            if isinstance(each, Refusals):
                each.claims = tuple(
                    other.claim for other in self._watchers if type(other).claim is not Watcher.claim
                )
        self._exchanges = [
            each.exchange for each in self._watchers if type(each).exchange is not Watcher.exchange
        ]
        self.enter, self.leave, self._trap, self._counted = _told(run, self._watchers)

    def __call__(self, event: Event) -> None:
        """Be told of an event."""
        if isinstance(event, Entered):
            self.enter(event.at, event.vm, event.context, event.function, event.args)
        elif isinstance(event, Left):
            self.leave(*event[1:])
        else:
            self._trap(event.trap)

    @property
    def crossings(self) -> int:
        """How many calls there were."""
        return self._counted()[2]

    def finished(self, number: int, exchange: Exchange, outcome: Outcome) -> None:
        """An exchange has ended, the so-manieth."""
        position, row, _ = self._counted()
        over = Over(number, exchange, outcome, position, row)
        for told in self._exchanges:
            told(over)

    def over(self) -> None:
        """The run has ended."""
        for watcher in self._watchers:
            watcher.over()


def _told(
    run: Run, watchers: Sequence[Watcher]
) -> tuple[_Enter, _Leave, Callable[[Trap], None], Callable[[], tuple[int, int, int]]]:
    """What is told of crossings: closures, which cost the least, since this is done for every one of them."""
    begins, ends = _handlers(watchers)
    refused = next(each.refused for each in watchers if isinstance(each, Refusals))
    trapped = next(each.trapped for each in watchers if isinstance(each, Traps))
    position = hidden = 0  # returns of host calls are no rows
    push, pop, stack = run.open.append, run.open.pop, run.open

    def enter(at: int, vm: str, context: int, function: Function, args: tuple[Any, ...]) -> None:
        nonlocal position
        position += 1
        call = _make(Call, (position, position - hidden, vm, context, function, args))
        if function in begins:
            for handler in begins[function]:
                handler(call)
        push(call)

    def leave(opened: int, result: Any, values: tuple[Any, ...] = (), reason: str = "") -> None:
        nonlocal position, hidden
        position += 1
        call = pop()
        function = call[4]
        called_back = function.side is _PLUGIN
        if not called_back:
            hidden += 1
            if result:
                refused(call, _make(Ended, (position, position - hidden, result, values, reason, None)))
        if function in ends:
            ended = _make(Ended, (position, position - hidden, result, values, reason, None))
            for handler in ends[function]:
                handler(call, ended)

    def trap(trap: Trap) -> None:
        nonlocal position
        position += 1
        call = pop()
        ended = Ended(position, position - hidden, None, trap=trap)
        if not stack:
            trapped(call, ended)
        for handler in ends.get(call.function, ()):
            handler(call, ended)

    def counted() -> tuple[int, int, int]:
        """The positions, rows and calls until now."""
        return position, position - hidden, (position + len(stack)) // 2

    return enter, leave, trap, counted


def _handlers(
    watchers: Sequence[Watcher],
) -> tuple[dict[Function, tuple[_Begin, ...]], dict[Function, tuple[_End, ...]]]:
    """Who wants to know of the begin and the end of each function's calls."""
    begins: defaultdict[Function, tuple[_Begin, ...]] = defaultdict(tuple)
    ends: defaultdict[Function, tuple[_End, ...]] = defaultdict(tuple)
    for watcher in watchers:
        for name, begin in watcher.begins().items():
            for function in named(name):
                begins[function] += (begin,)
        for name, end in watcher.ends().items():
            for function in named(name):
                ends[function] += (end,)
    return dict(begins), dict(ends)


_PLUGIN = Side.PLUGIN
"""To look a member of an enum up by its class is slow, and this is asked for every call."""
