"""The debugger: a run that is recorded ahead, and somebody standing in it who can go anywhere.

Rules:

- every verb asks the tape for a position (`steps.py`, `breakpoints.py`) and has the run brought there (`worker.py`);
  where the tape ends but the run does not, it goes on recording until the verb's rule is met;
- `stop` is where the run stands, None while it moves; what is read of the run is read while it stands.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import TypeVar

from simwasm.debug.branch import Branch, Override
from simwasm.debug.breakpoints import Breakpoints
from simwasm.debug.checkpoints import Checkpoints
from simwasm.debug.inputs import Inputs
from simwasm.debug.machine import Arrived
from simwasm.debug.places import find_place, place_of
from simwasm.debug.state import State, read
from simwasm.debug.steps import Verb, find, first_row, rule
from simwasm.debug.stop import Stop, Why
from simwasm.debug.survey import Stretch, Survey
from simwasm.debug.tape import Tape
from simwasm.debug.worker import Motion, Worker
from simwasm.engines.engine import Memory
from simwasm.errors import InputError, StillRunning
from simwasm.session import Started

T = TypeVar("T")

AHEAD = 1_000_000
"""How many events are recorded before somebody is asked to say go on."""

_TELL = 2_000
"""After how many new events whoever watches is told."""


class Debugger:
    """A run and somebody standing in it."""

    def __init__(
        self, inputs: Inputs, *, changed: Callable[[], None] = lambda: None, ahead: int = AHEAD
    ) -> None:
        self.breakpoints = Breakpoints()
        self._ahead = ahead
        self._changed = changed
        self._worker = Worker(_branch("run", inputs), changed, self._matching)

    # Life.

    def open(self) -> Future[Stop]:
        """Start the plugins, record ahead, and stand on the first row of the first exchange."""
        self._worker.start()
        return self._worker.go(lambda: self._recording(lambda: first_row(self.tape), Why.ENTRY))

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

    def step(self, *, back: bool = False) -> Future[Stop]:
        """Go to the next row."""
        return self._worker.go(lambda: self._verb(Verb.STEP, back))

    def over(self, *, back: bool = False) -> Future[Stop]:
        """Go to the next row that is no deeper."""
        return self._worker.go(lambda: self._verb(Verb.OVER, back))

    def out(self, *, back: bool = False) -> Future[Stop]:
        """Go to where the callback returns, or to where it began."""
        return self._worker.go(lambda: self._verb(Verb.OUT, back))

    def proceed(self, *, back: bool = False) -> Future[Stop]:
        """Go to the next breakpoint, or to the end."""
        return self._worker.go(lambda: self._proceeding(back))

    def goto(self, position: int) -> Future[Stop]:
        """Go to a position of the tape."""
        return self._worker.go(lambda: self._to(position, Why.GOTO))

    def restart(self) -> Future[Stop]:
        """Go to the first row of the first exchange."""
        return self._worker.go(lambda: self._to(first_row(self.tape), Why.ENTRY))

    def record(self) -> Future[Stop]:
        """Record what is not on tape yet, and come back."""
        return self._worker.go(self._record)

    def pause(self) -> None:
        """Have the run stand still as soon as it can. From any thread, at once."""
        if self.stop is None:
            self._worker.machine.attention = True

    def interrupt(self) -> None:
        """End what the plugin computes, with a trap that stays on tape. From any thread, at once."""
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
        memory = self._memory_of(vm)
        if memory is None:
            raise InputError(f"no plugin {vm or self._acting()} is running here")
        return memory

    def ask(self, question: Callable[[], T]) -> Future[T]:
        """Have something asked in the thread of the plugins, while the run stands."""
        return self._worker.ask(question)

    def changes(self, at: int, size: int, vm: str = "") -> Future[tuple[int, ...]]:
        """The positions at which these bytes of a plugin's memory were found changed."""
        found: Future[tuple[int, ...]] = Future()
        surveys: list[Survey] = []

        def plan() -> Motion:
            surveys.append(self._survey([Stretch(vm or self._acting(), at, size)]))
            return self._surveying(surveys[0], self._back())

        def done(moved: Future[Stop]) -> None:
            error = moved.exception()
            if error is None:
                found.set_result(tuple(surveys[0].found[0]))
            else:
                found.set_exception(error)

        self._worker.go(plan).add_done_callback(done)
        return found

    # Going another way.

    def override(self, position: int, override: Override) -> Future[Stop]:
        """Answer in the place of the host or of a callback, on a branch of its own; stand where it leaves."""
        return self._worker.go(lambda: self._forked(position, override))

    def switch(self, branch: Branch) -> Future[Stop]:
        """Go to the same place on another branch."""
        return self._worker.go(lambda: self._on(branch))

    def reload(self, inputs: Inputs) -> Future[Stop]:
        """Run with other inputs, a rebuilt plugin say, and stand at the same place."""
        return self._worker.go(lambda: self._reloaded(inputs))

    # Plans: made in the thread of the plugins, while the run stands.

    def _to(self, position: int, why: Why, note: str = "") -> Motion | Stop:
        if not 0 < position <= len(self.tape):
            raise InputError(f"there is no position {position:,}: {_extent(self.tape)}")
        here = self._worker.here
        if position == here.position and not here.why.passed and not self._worker.exhausted:
            return self._worker.standing(why, note)
        return Motion(position, why, note, busy=f"going to {position:,}")

    def _verb(self, verb: Verb, back: bool) -> Motion | Stop:
        tape, here = self.tape, self._worker.here
        fits = rule(tape, verb, here.position, back=back)
        found = find(tape, fits, here.position + (back and here.why.passed), back=back)
        if found is not None:
            return self._to(found, Why.STEP)
        if back:
            return self._begin()
        rows = tape.rows

        def arrived(position: int) -> Why | None:
            return Why.STEP if rows.position(-1) == position and fits(position) else None

        return self._onward(arrived, verb.value)

    def _onward(self, arrived: Arrived, busy: str) -> Motion | Stop:
        """Go on where the tape ends."""
        if self._worker.exhausted and self.tape.complete:
            return self._worker.here
        return Motion(arrived=arrived, busy=busy)

    def _begin(self) -> Motion | Stop:
        note = "nothing is before this"
        if not len(self.tape.rows):
            return self._worker.standing(Why.BEGIN, note)
        return self._to(self.tape.rows.position(0), Why.BEGIN, note)

    def _proceeding(self, back: bool) -> Motion | Stop:
        """To the next breakpoint; what became of memory has to be found out first."""
        here = self._worker.here
        watched = self.breakpoints.unfed(self.tape)
        if not watched:
            return self._to_hit(here, back)
        survey = self._survey([Stretch(each.vm or self._acting(), each.at, each.size) for each in watched])

        def then() -> Motion | None:
            self.breakpoints.feed(self.tape, watched, survey.found)
            found = self._to_hit(here, back)
            return found if isinstance(found, Motion) else Motion(here.position, here.why, here.note)

        return self._surveying(survey, then)

    def _to_hit(self, here: Stop, back: bool) -> Motion | Stop:
        found = self.breakpoints.next_hit(self.tape, here.position + (back and here.why.passed), back=back)
        if found is not None:
            return self._to(found, Why.BREAKPOINT)
        if back:
            return self._begin()
        return self._onward(lambda position: Why.BREAKPOINT if self._matching(position) else None, "running")

    def _surveying(self, survey: Survey, then: Callable[[], Motion | None]) -> Motion:
        """Let all that is on tape go by once more, and look at memory meanwhile."""

        def probe(position: int) -> None:
            survey.look(position)

        return Motion(len(self.tape), probe=probe, again=1, then=then, busy="looking at memory")

    def _recording(self, back_to: Callable[[], int], why: Why) -> Motion:
        """Record to the end, or until enough is recorded, and go back to a position."""
        limit = len(self.tape) + self._ahead

        def arrived(position: int) -> Why | None:
            if not position % _TELL:
                self._changed()
            return Why.PAUSED if position >= limit else None

        def then() -> Motion | None:
            here, position = self._worker.here, back_to()
            stays = here.why not in (Why.END, Why.FAILED) or not position
            return None if stays else Motion(position, why, here.note)

        return Motion(arrived=arrived, then=then, busy="recording")

    def _back(self) -> Callable[[], Motion]:
        """The way back to where one stands now."""
        here = self._worker.here
        return lambda: Motion(0 if here.why is Why.END else here.position, here.why, here.note)

    def _forked(self, position: int, override: Override) -> Motion:
        branch = self.branch
        if not 0 < position <= len(branch.tape) or branch.tape.opening(position) != position:
            raise InputError(f"no call begins at position {position:,}: {_extent(branch.tape)}")
        fork = branch.fork(f"fork {len(self.branches)}", position, override)
        return self._onto(fork, position, len(fork.tape))

    def _onto(self, branch: Branch, again: int, target: int) -> Motion:
        """Leave for another branch: record all of it, and stand at a position."""
        machine = self._worker.machine
        if branch not in machine.branches:
            machine.branches.append(branch)
        machine.branch = branch
        recording = self._recording(lambda: target, Why.GOTO)
        return replace(recording, again=again) if not branch.tape.complete else Motion(target, again=target)

    def _on(self, branch: Branch) -> Motion | Stop:
        if branch is self.branch:
            return self._worker.here
        place = place_of(self.tape, self._worker.here.position)
        target = find_place(branch.tape, place)
        return self._onto(branch, target, target)

    def _reloaded(self, inputs: Inputs) -> Motion:
        machine = self._worker.machine
        place = place_of(self.tape, self._worker.here.position)
        for branch in machine.branches:
            branch.checkpoints = Checkpoints(branch.inputs.plugins)
        builds = sum(branch.parent is None for branch in machine.branches)
        branch = _branch(f"build {builds + 1}", inputs)
        machine.branches.append(branch)
        machine.branch = branch
        recording = self._recording(lambda: find_place(branch.tape, place), Why.GOTO)
        return replace(recording, again=1)

    def _record(self) -> Motion | Stop:
        here = self._worker.here
        if self.tape.complete:
            return here
        return self._recording(lambda: here.position, Why.GOTO)

    # What plans look at.

    def _standing(self) -> Stop:
        stop = self.stop
        if stop is None:
            raise StillRunning("the run is moving; pause it first, or wait until it stands")
        return stop

    def _matching(self, position: int) -> tuple[int, ...]:
        return self.breakpoints.matches(self.tape, position)

    def _acting(self) -> str:
        """The plugin whose call this is; the first of the chain where nothing is called."""
        position = self._worker.here.position
        return self.tape.entered(position).vm if position else self.inputs.plugins[0].name

    def _started(self, vm: str) -> Started | None:
        run = self._worker.machine.run
        name = vm or self._acting()
        started = run.session.started if run is not None else ()
        return next((each for each in started if each.vm.plugin.name == name), None)

    def _memory_of(self, vm: str) -> Memory | None:
        started = self._started(vm)
        return None if started is None or started.instance is None else started.instance.memory

    def _survey(self, stretches: list[Stretch]) -> Survey:
        return Survey(stretches, self._memory_of)


def _branch(name: str, inputs: Inputs) -> Branch:
    return Branch(name, inputs, Tape(), Checkpoints(inputs.plugins))


def _extent(tape: Tape) -> str:
    return f"the tape has 1 to {len(tape):,}" if len(tape) else "nothing is on tape yet"
