"""The debugger: a run that is recorded ahead, and somebody standing in it who can go anywhere.

Rules: verbs give a `Future` at once, and its result is where the run stands then; `stop` is that too, and None while
the run moves; what is read of the run is read while it stands, from any thread.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from simwasm.debug.branch import Branch, Override
from simwasm.debug.breakpoints import Breakpoints
from simwasm.debug.byte_stops import ByteStops
from simwasm.debug.byte_writers import ByteWriters
from simwasm.debug.code import Code
from simwasm.debug.code_breaks import CodeBreaks
from simwasm.debug.code_plans import CodePlans
from simwasm.debug.inputs import Inputs
from simwasm.debug.inside import Inside
from simwasm.debug.once import once
from simwasm.debug.plans import Frames, Plans, new_branch
from simwasm.debug.state import State, read
from simwasm.debug.steps import Verb
from simwasm.debug.stop import Stop, Why
from simwasm.debug.survey import Stretch, Survey
from simwasm.debug.tape import Tape
from simwasm.debug.unit import Unit
from simwasm.debug.worker import Motion, Worker
from simwasm.engines.engine import Memory
from simwasm.errors import Frame, InputError, StillRunning
from simwasm.plugin import Plugin

T = TypeVar("T")

AHEAD = 1_000_000
"""How many events are recorded before somebody is asked to say go on."""


class Debugger:
    """A run and somebody standing in it."""

    alone = ""
    """Why nothing but the tape can be looked at; empty if a plugin runs behind it."""

    def __init__(
        self, inputs: Inputs, *, changed: Callable[[], None] = lambda: None, ahead: int = AHEAD
    ) -> None:
        self.breakpoints = Breakpoints()
        self.unit = Unit.CALL
        """What one step is, where a verb does not say."""
        self._plan_for(Worker(new_branch("run", inputs), changed, self._stopped_by), changed, ahead)

    def _plan_for(self, worker: Worker, changed: Callable[[], None], ahead: int) -> None:
        """Make plans for the one who moves the run from now on."""
        self._worker = worker
        self._plans = plans = Plans(worker, self.breakpoints, changed, ahead)
        self._code_plans = code_plans = CodePlans(worker, plans, self.alone)
        writers = ByteWriters(worker, plans, code_plans)
        stops = ByteStops(worker, plans, code_plans, writers, self.breakpoints)
        self._code_breaks = CodeBreaks(worker, plans, code_plans, stops, self.breakpoints)
        self.inside = Inside(worker, code_plans, writers)
        """What can be seen and done inside of callbacks."""

    # Life.

    def open(self) -> Future[Stop]:
        """Start the plugins, record ahead, and stand on the first row of the first exchange."""
        self._worker.start()
        return self._worker.go(self._plans.begin)

    def close(self) -> None:
        """End everything; a plugin that computes is stopped."""
        self._worker.close()

    # Where it is.

    @property
    def stop(self) -> Stop | None:
        """Where the run stands; None while it moves."""
        return self._worker.stop

    @property
    def busy(self) -> str:
        """What the run does while it moves, in words."""
        return self._worker.busy

    @property
    def branch(self) -> Branch:
        """The branch that the run is on."""
        return self._worker.machine.branch

    @property
    def branches(self) -> list[Branch]:
        """All branches; the first is the run as it was."""
        return self._worker.machine.branches

    @property
    def tape(self) -> Tape:
        """What is recorded of the branch."""
        return self.branch.tape

    @property
    def inputs(self) -> Inputs:
        """What decides the branch."""
        return self.branch.inputs

    # Verbs.

    def step(self, *, back: bool = False, allocator: bool = False, unit: Unit | None = None) -> Future[Stop]:
        """Go to the next row, line or instruction; into the plugin's allocator only if that is asked for."""
        return self._verb(Verb.STEP, back, unit, allocator)

    def over(self, *, back: bool = False, unit: Unit | None = None) -> Future[Stop]:
        """Go to the next row, line or instruction that is no deeper."""
        return self._verb(Verb.OVER, back, unit)

    def out(self, *, back: bool = False, unit: Unit | None = None) -> Future[Stop]:
        """Go to where the callback returns, or to where it began; in smaller units, the function."""
        return self._verb(Verb.OUT, back, unit)

    def _verb(self, verb: Verb, back: bool, unit: Unit | None, allocator: bool = False) -> Future[Stop]:
        wanted = unit or self.unit
        return self._worker.go(lambda: self._code_plans.verb(verb, wanted, back, allocator))

    def proceed(self, *, back: bool = False) -> Future[Stop]:
        """Go to the next breakpoint, or to the end."""
        unit = self.unit
        return self._worker.go(lambda: self._code_breaks.proceed(back, unit))

    def run_to(self, where: str | int, *, back: bool = False) -> Future[Stop]:
        """Go to where the run comes by next: an offset in code, `src/lib.rs:48`, whatever a breakpoint takes."""
        text = f"at:0x{where:x}" if isinstance(where, int) else where
        made = self.breakpoints.add(text, temporary=True)

        def remove(_: Future[Stop]) -> None:
            if made in self.breakpoints:  # the run has stopped elsewhere
                self.breakpoints.remove(made.number)

        moved = self.proceed(back=back)
        moved.add_done_callback(remove)
        return moved

    def goto(self, position: int) -> Future[Stop]:
        """Go to a position of the tape."""
        return self._worker.go(lambda: self._plans.goto(position))

    def to_row(self, index: int) -> Future[Stop]:
        """Go to a row, counted from 0, which need not be on tape yet."""
        return self._worker.go(lambda: self._plans.to_row(index))

    def restart(self) -> Future[Stop]:
        """Go to the first row of the first exchange."""
        return self._worker.go(self._plans.restart)

    def record(self) -> Future[Stop]:
        """Record what is not on tape yet, and come back."""
        return self._worker.go(self._plans.record)

    def pause(self) -> None:
        """Have the run stand still as soon as it can. At once."""
        if self.stop is None:
            self._worker.machine.attention = True

    def give_way(self) -> None:
        """Have the run leave the processor to whoever shows it: somebody has pressed a key. At once."""
        self._worker.machine.give_way()

    def interrupt(self) -> None:
        """End what the plugin computes, with a trap that stays on tape. At once."""
        if self.stop is None or self.stop.why is Why.COMPUTING:
            self._worker.machine.kill = True

    # What can be asked while it stands.

    def state(self) -> State:
        """Everything one can see of the host."""
        stop = self._standing()
        run = self._worker.machine.run
        if run is None:
            raise InputError("the plugins have not started")
        return read(run.session.proxy, self.tape, stop.position)

    def memory(self, vm: str = "") -> Memory:
        """The memory of a plugin as it is now; of the one whose call this is, if none is named."""
        self._standing()
        name = vm or self._plans.acting()
        memory = self._plans.memory_of(name)
        if memory is None:
            raise InputError(f"no plugin {name} is running here")
        return memory

    def stack(self) -> Future[tuple[Frame, ...]]:
        """The plugin's own call stack, innermost first; nothing where it is not inside a call of its own.

        The plugin's call is left for it and brought back, so the run moves for a moment and stands there again.
        """
        frames: Frames = []
        return once(self._worker.go(lambda: self._plans.stack(frames)), lambda: tuple(frames))

    def changes(self, at: int, size: int, vm: str = "") -> Future[tuple[int, ...]]:
        """The positions at which these bytes of a plugin's memory were found changed."""
        surveys: list[Survey] = []

        def plan() -> Motion:
            surveys.append(self._plans.survey([Stretch(vm, at, size)]))
            way = self._plans.back_here()
            return self._plans.surveying(surveys[0], lambda: way)

        return once(self._worker.go(plan), lambda: tuple(surveys[0].found[0]))

    def code(self, plugin: Plugin) -> Code:
        """The code of a plugin: functions, instructions, lines of source."""
        return self._worker.machine.zoom.code(plugin)

    def ask(self, question: Callable[[], T]) -> Future[T]:
        """Have something asked in the plugins' thread, while the run stands."""
        return self._worker.ask(question)

    # Going another way.

    def override(self, position: int, override: Override) -> Future[Stop]:
        """Answer in the place of the host or of a callback, on a branch of its own; stand where it leaves."""
        return self._worker.go(lambda: self._plans.fork(position, override))

    def switch(self, branch: Branch) -> Future[Stop]:
        """Go to the same place on another branch."""
        return self._worker.go(lambda: self._plans.switch(branch))

    def reload(self, inputs: Inputs) -> Future[Stop]:
        """Run with other inputs, a rebuilt plugin say, and stand at the same place."""
        return self._worker.go(lambda: self._plans.reload(inputs))

    def _standing(self) -> Stop:
        stop = self.stop
        if stop is None:
            raise StillRunning("the run is moving; pause it first, or wait until it stands")
        return stop

    def _stopped_by(self, position: int, why: Why) -> tuple[int, ...]:
        """The breakpoints that match; temporary ones go when they have stopped the run."""
        numbers = self._code_breaks.stopped(why)
        if numbers is None:
            numbers = self.breakpoints.matches(self.tape, position) if position else ()
        if why is Why.BREAKPOINT:
            self.breakpoints.stopped(numbers)
        return numbers
