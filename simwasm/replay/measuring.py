"""What callbacks cost, measured as lightly as can be: an observer in front of another one.

Rule: only the outermost callbacks are measured, with all that happens in them, so that a crossing costs a count and
nothing else; what an event would cost is saved where the other observer wants none.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter_ns
from typing import Any

from simwasm.abi.table import Function
from simwasm.exchange import Message
from simwasm.host.outcome import Outcome
from simwasm.host.ports import Answer, AskCluster, Callout, Failure, Service
from simwasm.lints.lints import Lints
from simwasm.replay.summary import Callback, Slow, Summary
from simwasm.replay.tally import MOST
from simwasm.session import Session, Started
from simwasm.trace.event import Entered, Event, Left

_OTHERS = "others"


class Measuring:
    """An observer that measures callbacks, and tells the lints of everything."""

    def __init__(self, lints: Lints, summary: Summary, number: Callable[[], int]) -> None:
        self.session: Session | None = None
        self._lints = lints
        self._summary = summary
        self._number = number
        self._vms: dict[str, Started] = {}
        self._known: dict[tuple[str, Function], Callback] = {}
        self._burnt = self._told = 0
        self._noted = False
        """A call of the exchange under way is among the slowest."""
        self.enter, self.leave, self._trap = self._told_functions()

    def __call__(self, event: Event) -> None:
        """Be told of an event."""
        if isinstance(event, Entered):
            self.enter(event.at, event.vm, event.context, event.function, event.args)
        elif isinstance(event, Left):
            self.leave(*event[1:])
        else:
            self._trap(event)

    def _told_functions(self) -> tuple[Callable[..., None], Callable[..., None], Callable[[Event], None]]:
        """Closures, which cost the least."""
        enter_lints, leave_lints, lints = self._lints.enter, self._lints.leave, self._lints
        burnt, ended = self._fuel, self._ended
        depth = begun = before = 0
        outermost: tuple[str, Function]

        def enter(at: int, vm: str, context: int, function: Function, args: tuple[Any, ...]) -> None:
            nonlocal depth, begun, before, outermost
            if not depth:
                outermost = vm, function
                before = burnt(vm)
                begun = perf_counter_ns()
            depth += 1
            enter_lints(at, vm, context, function, args)

        def leave(opened: int, result: Any, values: tuple[Any, ...] = (), reason: str = "") -> None:
            nonlocal depth
            leave_lints(opened, result, values, reason)
            depth -= 1
            if not depth:
                ended(outermost, burnt(outermost[0]) - before, perf_counter_ns() - begun)

        def trap(event: Event) -> None:
            nonlocal depth
            lints(event)
            depth -= 1
            if not depth:
                ended(outermost, burnt(outermost[0]) - before, perf_counter_ns() - begun)

        return enter, leave, trap

    def _fuel(self, vm: str) -> int:
        """The fuel that a VM has burnt."""
        found = self._vms.get(vm)
        if found is None:
            assert self.session is not None
            started = (each for each in reversed(self.session.started) if each.vm.name == vm)
            found = next(started, None)
            if found is None:
                return 0
            if len(self._vms) >= MOST:
                self._vms.clear()  # those of VMs that are gone
            self._vms[vm] = found
        return found.burnt()

    def _ended(self, which: tuple[str, Function], burnt: int, took: int) -> None:
        known = self._known.get(which) or self._new(which)
        known.calls += 1
        known.instructions += burnt
        known.took_ns += took
        if burnt > known.most:
            known.most = burnt
        if took > known.longest_ns:
            known.longest_ns = took
        self._burnt += burnt
        summary = self._summary
        if burnt > summary.dearest.least:
            self._noted = True
            summary.dearest.note(Slow(burnt, self._number(), which[0], which[1].name))
        if took > summary.longest.least:
            self._noted = True
            summary.longest.note(Slow(took, self._number(), which[0], which[1].name))

    def _new(self, which: tuple[str, Function]) -> Callback:
        """Where a callback that is called for the first time is counted."""
        name = which[1].name
        callbacks = self._summary.callbacks
        if len(self._known) >= MOST:
            return callbacks.setdefault((_OTHERS, name), Callback())
        found = self._known[which] = callbacks.setdefault((which[0], name), Callback())
        return found

    def into(self, summary: Summary) -> None:
        """Go on in another summary."""
        self._summary = summary
        self._known.clear()

    def since(self) -> int:
        """What callbacks have burnt since this was asked the last time."""
        before, self._told = self._told, self._burnt
        return self._told - before

    def finished(self, number: int, outcome: Outcome) -> int:
        """An exchange has ended; what its callbacks have burnt."""
        if self._noted:
            self._noted = False
            label = outcome.exchange.label
            self._summary.dearest.name(number, label)
            self._summary.longest.name(number, label)
        return self.since()


def counted(ask: AskCluster, tell: Callable[[str, str], None]) -> AskCluster:
    """Who answers callouts, who is told of every answer."""

    def asked(callout: Callout) -> Answer | Service:
        answer = ask(callout)
        tell(callout.cluster, _answer(answer))
        return answer

    return asked


def _answer(answer: Answer | Service) -> str:
    if isinstance(answer, Message):
        return answer.header(":status") or "?"
    return answer.reason if isinstance(answer, Failure) else "gRPC"
