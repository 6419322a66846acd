"""Watches a run and tells of its problems: an observer of a session, or of whoever reads a tape.

Rules: positions and rows are counted here, from the first event on, so that they are those of the debugger; calls of
functions that no watcher has a handler for cost a push and a pop; what a watcher remembers of an exchange it forgets
when that has ended.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from simwasm.abi.table import Function, Side
from simwasm.errors import Trap
from simwasm.exchange import Exchange
from simwasm.host.outcome import Outcome
from simwasm.lints.lint import Call, Ended, Over, Problem
from simwasm.lints.refusals import Refusals
from simwasm.lints.run import Maps, Run
from simwasm.lints.table import WATCHERS
from simwasm.lints.traps import Traps
from simwasm.trace.event import Entered, Event, Left
from simwasm.trace.query.grades import Grade

_Begin = Callable[[Call], None]
_End = Callable[[Call, Ended], None]
_make: Callable[..., Any] = tuple.__new__


def _nobody(position: int) -> Maps | None:
    return None


class Lints:
    """The watchers of one run."""

    def __init__(
        self,
        tell: Callable[[Problem], None],
        *,
        whose: Callable[[str, int], int],
        maps: Callable[[int], Maps | None] = _nobody,
        least: Grade = Grade.NOTE,
    ) -> None:
        self.position = 0
        """How many events there were."""
        self.row = 0
        """How many rows they are."""
        self._run = Run(tell, whose, maps, least)
        self._open = self._run.open
        self._watchers = [watcher(self._run) for watcher in WATCHERS]
        self._begins, self._ends = _by_function(self._watchers)
        self._refused = next(each.refused for each in self._watchers if isinstance(each, Refusals))
        self._trapped = next(each.trapped for each in self._watchers if isinstance(each, Traps))
        for each in self._watchers:
            if isinstance(each, Refusals):
                each.claims = tuple(other.claim for other in self._watchers)

    def __call__(self, event: Event) -> None:
        """Be told of an event."""
        if event.__class__ is Entered:
            _, at, vm, context, function, args, _ = event
            self.enter(at, vm, context, function, args)
        elif event.__class__ is Left:
            self.leave(*event[1:])
        else:
            self.trap(event[2])  # type: ignore[arg-type]  # it is `Trapped`

    def enter(self, at: int, vm: str, context: int, function: Function, args: tuple[Any, ...]) -> None:
        """A call begins."""
        self.position += 1
        self.row += 1
        call: Call = _make(Call, (self.position, self.row, vm, context, function, args))
        for handler in self._begins.get(function.name, ()):
            handler(call)
        self._open.append(call)

    def leave(self, opened: int, result: Any, values: tuple[Any, ...] = (), reason: str = "") -> None:
        """The innermost call returned; its number is not needed."""
        self.position += 1
        call = self._open.pop()
        function = call[4]
        called_back = function.side is _PLUGIN
        if called_back:
            self.row += 1
        handlers = self._ends.get(function.name, ())
        if handlers or (result and not called_back):
            ended: Ended = _make(Ended, (self.position, self.row, result, values, reason, None))
            for handler in handlers:
                handler(call, ended)
            if result and not called_back:
                self._refused(call, ended)

    def trap(self, trap: Trap) -> None:
        """The innermost call did not return."""
        self.position += 1
        self.row += 1
        call = self._open.pop()
        ended = Ended(self.position, self.row, None, trap=trap)
        if not self._open:
            self._trapped(call, ended)
        for handler in self._ends.get(call.function.name, ()):
            handler(call, ended)

    def finished(self, number: int, exchange: Exchange, outcome: Outcome) -> None:
        """An exchange has ended, the so-manieth."""
        over = Over(number, exchange, outcome, self.position, self.row)
        for watcher in self._watchers:
            watcher.exchange(over)

    def over(self) -> None:
        """The run has ended."""
        for watcher in self._watchers:
            watcher.over()


def _by_function(
    watchers: list[Any],
) -> tuple[dict[str, tuple[_Begin, ...]], dict[str, tuple[_End, ...]]]:
    begins: defaultdict[str, tuple[_Begin, ...]] = defaultdict(tuple)
    ends: defaultdict[str, tuple[_End, ...]] = defaultdict(tuple)
    for watcher in watchers:
        for name, begin in watcher.begins().items():
            begins[name] += (begin,)
        for name, end in watcher.ends().items():
            ends[name] += (end,)
    return dict(begins), dict(ends)


_PLUGIN = Side.PLUGIN
"""To look a member of an enum up by its class is slow, and this is asked for every call."""
