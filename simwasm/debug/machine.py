"""The run under the debugger's hand: brings it to any position, forwards by running and backwards by running again.

Everything here happens in one thread, which owns the guests. Rules:

- `go` returns when the run has ended; wherever it has to stand still before, it calls `halt`, deep inside the plugin's
  call, and goes on when that returns;
- who wants the run elsewhere raises `Unwound` from `halt`: the plugin's call is left, and `rewind` puts the run back to
  the nearest checkpoint before the position that is wanted;
- what is on tape must happen again in the same way; if it does not, that is a `Divergence`.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from simwasm.abi.table import ALLOCATORS, Function, Side
from simwasm.debug.branch import Branch, Interposed
from simwasm.debug.instant import Instant, Moment
from simwasm.debug.run import Answers, Run
from simwasm.debug.seen import Seen
from simwasm.debug.stop import Why
from simwasm.debug.tape import Line
from simwasm.debug.zoom import Zoom
from simwasm.engines.fuel import Fuel
from simwasm.engines.unwind import Unwind
from simwasm.errors import Divergence
from simwasm.exchange import Exchange
from simwasm.host.outcome import LogLine, Outcome
from simwasm.host.vm import Vm
from simwasm.session import Session
from simwasm.trace.event import Entered, Event, Left, Trapped

Arrived = Callable[[int], Why | None]
"""Asked at each new event: why to stand still there, or None to go on."""

Probe = Callable[[int], Why | None]
"""Asked at every event, new or not."""

_HOST = Side.HOST

_BREATH, _LONG_BREATH = 0.000_05, 0.010
_EVENTS_A_BREATH = 64
"""At most two milliseconds: a thread that gives the interpreter away for a moment may have to wait for it that long."""
_COURTESY_S = 0.1
"""For how long breaths are long once somebody has asked to be let by."""
_EVENTS_A_ROUND = 4_096


Request = tuple[int, int]
"""A moment amid computing: the number of a plugin, and that of its request for fuel."""


class Unwound(Unwind):
    """The plugin's call is left because the run goes on elsewhere."""


class Machine:
    """A run that can be brought to any position of its tape, and beyond the last one."""

    def __init__(
        self, branch: Branch, halt: Callable[[Why], None], changed: Callable[[], None] = lambda: None
    ) -> None:
        self.branch = branch
        self.branches = [branch]
        self.at = 0
        """The position of the event announced last."""
        self.target = 0
        """Where to stand still, among what is on tape; 0 goes on to what is not."""
        self.arrived: Arrived | None = None
        """Decides at each new event, and at none that is on tape already."""
        self.probe: Probe | None = None
        """Looks at memory at every event, new or not."""
        self.attention = False
        """Somebody wants the run to stand still as soon as it can."""
        self.pause_at: Request | None = None
        """Where to stand still while a plugin computes."""
        self.paused_at: Request | None = None
        """Where it stood still last while a plugin computed."""
        self.note = ""
        """What whoever has the run stand still says of it."""
        self.kill = False
        """Somebody wants the plugin's call to end with a trap."""
        self.run: Run | None = None
        self._spans: dict[int, int] = {}
        self._seen = Seen()
        self._vms: dict[str, Vm] = {}
        self._halt = halt
        self._changed = changed
        self._told_at = 0
        """Where somebody was told that a plugin computes, who may have looked last before the run was there."""
        self._muted = False
        self._courteous_until = 0.0
        self.zoom = Zoom(lambda: self.branch, self._session, self.stand)
        """Looks into callbacks."""
        self._between = Interposed(
            lambda: self.at, lambda: self.branch.overrides, self._fuelled, self.zoom.call
        )

    @property
    def answers(self) -> Answers:
        """What upstreams and clusters said on this branch."""
        return self.branch.answers

    @property
    def moment(self) -> Moment:
        """Where the run is on the timeline."""
        return self.zoom.moment(self.at)

    def instant(self) -> Instant | None:
        """The instruction before which the run stands; None at an event."""
        visit = self.zoom.visit
        return None if visit is None else visit.instant(self.branch.instants.get(visit.callback))

    def _session(self) -> Session:
        assert self.run is not None
        return self.run.session

    def go(self) -> None:
        """Run until nothing is left to do, standing still on the way wherever that is wanted."""
        run = self.run
        if run is None:
            self.rewind(1)
            run = self.run
        assert run is not None
        tape, checkpoints = self.branch.tape, self.branch.checkpoints
        while run.advance():
            tape.rested(self.at)
            checkpoints.offer(run, self.at)

    def rewind(self, position: int) -> None:
        """Put the run back to where the event at a position is still to come."""
        self._muted = True
        self.branch.tape.stood()
        checkpoint = self.branch.checkpoints.nearest(position)
        if checkpoint is not None:
            self._leave(checkpoint.run)
            checkpoint.restore()
            self.run, self.at = checkpoint.run, checkpoint.position
        else:
            self._leave(None)
            self.run, self.at = Run(self.branch.inputs, self.watch, self, self._between), 0
        for number, started in enumerate(self.run.session.started):
            self._fuelled(number, started.fuel)
        self._vms = {}
        self._muted = False

    def _fuelled(self, number: int, fuel: Fuel) -> None:
        """Be asked whenever a plugin has computed for a while, and have it interrupted where it was before."""
        fuel.wait = partial(self._computing, number, fuel)
        fuel.refusals = self.branch.refusals.setdefault(number, {})

    def _leave(self, next_run: Run | None) -> None:
        """Close the run that is left, unless there is a way back to it."""
        run, self.run = self.run, None
        if run is not None and run is not next_run and run not in self._kept():
            run.close()

    def _kept(self) -> set[Run]:
        """The runs that some checkpoint leads back to."""
        return {run for branch in self.branches for run in branch.checkpoints.runs()}

    # What the run tells.

    def watch(self, event: Event) -> None:
        """Put an event on tape, or see that it is the one that is there; stand still if this is the place."""
        if self._muted:
            return
        self.at = at = event[0]
        branch = self.branch
        tape = branch.tape
        if branch.overrides:
            event = branch.as_told(event)
        if at <= len(tape.events):
            if event != tape.events[at - 1] and not _both_trapped(event, tape.events[at - 1]):
                raise Divergence(_differing(at, tape.events[at - 1], event, self.zoom.elsewhere))
            why = Why.GOTO if at == self.target else None
        else:
            tape.add(event)
            self._note(event)
            if not at % _EVENTS_A_BREATH:
                self._breathe()
                if not at % _EVENTS_A_ROUND:
                    _keep()
            why = self.arrived(at) if self.arrived is not None else None
        if self.zoom.visit is not None:
            self.zoom.visit.told(at)
        if self.probe is not None:
            why = self.probe(at) or why
        if self.attention:
            self.attention = False
            why = why or Why.PAUSED
        if why is not None:
            self.stand(why)

    def stand(self, why: Why) -> None:
        """Stand still, and show every guest's memory as it is now to whoever looks."""
        assert self.run is not None
        for started in self.run.session.started:
            started.look()
        self.branch.tape.stood()
        try:
            self._halt(why)
        except BaseException:
            self._muted = True
            raise

    def give_way(self) -> None:
        """Leave more of the interpreter to other threads for a moment. From any thread."""
        self._courteous_until = time.monotonic() + _COURTESY_S

    def _breathe(self) -> None:
        time.sleep(_LONG_BREATH if time.monotonic() < self._courteous_until else _BREATH)

    def _computing(self, number: int, fuel: Fuel) -> None:
        """A plugin computes: let others run, stop it or stand still if that is wanted."""
        self._breathe()
        if self._told_at != self.at:
            self._told_at = self.at
            self._changed()
        here = (number, fuel.requests)
        if self.attention or here == self.pause_at:
            self.attention = False
            self.paused_at = here
            self.stand(Why.COMPUTING)
        if self.zoom.visit is not None and self.zoom.visit.enough():
            self.stand(Why.GOTO)
        if self.kill:
            self.kill = False
            fuel.interrupt()

    def _note(self, event: Event) -> None:
        """Keep what nothing on tape will tell later: the header maps around a callback, and whose context it is."""
        tape = self.branch.tape
        entered: Any
        if event.__class__ is Entered:
            entered, opened = event, 0
        elif event.__class__ is Left:
            opened = event[1]
            entered = tape.events[opened - 1]
        else:
            return
        function: Function = entered[4]
        if function.side is _HOST or function.name in ALLOCATORS:
            return
        at = event[0]
        if at == opened + 1 and tape.seen.still(at, opened):
            return  # nothing happened in it
        name: str = entered[2]
        vm = self._vms.get(name) or self._vm(name)
        if vm.context is not None and vm.context.stream is not None:
            tape.seen.put(at, self._seen.look(vm.context))
        current = vm.current
        if not opened and current is not None and current.stream is not None:
            span = self._spans.get(id(current.stream.exchange))
            if span is not None:
                tape.belongs(name, current.id, tape.spans[span])

    def _vm(self, name: str) -> Vm:
        """Look a VM up; once a run, since this is asked for every callback."""
        assert self.run is not None
        self._vms = {vm.name: vm for vm in self.run.session.proxy.vms}
        return self._vms[name]

    def began(self, number: int, exchange: Exchange) -> None:
        """An exchange begins."""
        self._spans[id(exchange)] = number
        tape = self.branch.tape
        if len(tape.spans) <= number:
            tape.begin(exchange)

    def ended(self, outcome: Outcome) -> None:
        """An exchange has ended."""
        span = self.branch.tape.spans[self._spans[id(outcome.exchange)]]
        if span.outcome is None:
            span.last, span.outcome = self.at, self._seen.outcome(outcome)

    def logged(self, number: int, line: LogLine) -> None:
        """A line was logged, the so-manieth of the run."""
        lines = self.branch.tape.lines
        if len(lines) < number:
            lines.append(Line(self.at, line))

    def close(self) -> None:
        """Let go of all guests."""
        for run in self._kept() | ({self.run} if self.run else set()):
            run.close()
        gc.unfreeze()


def _keep() -> None:
    """Take what there is out of the garbage collector's sight.

    A tape only grows, to millions of objects: to go through all of them again and again is a fifth of the time that
    recording takes, and each time stops every thread for longer than one waits for a key.
    """
    gc.collect(1)
    gc.freeze()


def _both_trapped(one: Event, other: Event) -> bool:
    """Whether both tell of the same trap; each trap is an object of its own."""
    if not (isinstance(one, Trapped) and isinstance(other, Trapped)):
        return False
    return one.opened == other.opened and one.trap.kind is other.trap.kind


def _differing(at: int, then: Event, now: Event, engine: str) -> str:
    """What is not as it was; and why, which depends on whether this is another engine than then."""
    why = "Something outside of the run decided: did the plugin's upstream or clock change?"
    if engine:
        why = (
            f"The engine {engine} goes another way than the one it was recorded with: is it about what engines "
            f"differ in, such as how deep calls may be nested? Recorded with `--engine {engine}` it can be stepped"
        )
    return f"event {at} is not what it was: {_told(then)} the first time, {_told(now)} now. {why}"


def _told(event: Event) -> str:
    if isinstance(event, Entered):
        return f"{event.function.name}{event.args}"
    return f"a trap ({event.trap.kind.value})" if isinstance(event, Trapped) else f"the result {event.result}"
