"""What verbs mean: each asks the tape for a position, and gives the motion that leads there.

Plans are made in the plugins' thread while the run stands. Rules:

- where the tape ends but the run does not, a verb goes on recording until its rule is met;
- memory is not on tape: who asks about it has the run go by once more;
- another branch is recorded before anybody stands on it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from simwasm.debug.branch import Branch, Override
from simwasm.debug.breakpoints import Breakpoint, Breakpoints
from simwasm.debug.checkpoints import Checkpoints
from simwasm.debug.inputs import Inputs
from simwasm.debug.lens import Lens
from simwasm.debug.machine import Machine, Unwound
from simwasm.debug.places import find_place, place_of
from simwasm.debug.steps import Verb, find, first_row, rule
from simwasm.debug.stop import Stop, Why
from simwasm.debug.survey import Stretch, Survey
from simwasm.debug.tape import Tape
from simwasm.debug.worker import Motion, Worker
from simwasm.engines.engine import Memory
from simwasm.errors import Frame, InputError

_TELL = 2_000
"""After how many new events whoever watches is told."""

Frames = list[Frame]


class Plans:
    """Plans for one worker."""

    def __init__(
        self, worker: Worker, breakpoints: Breakpoints, changed: Callable[[], None], ahead: int
    ) -> None:
        self._worker = worker
        self._breakpoints = breakpoints
        self._changed = changed
        self._ahead = ahead

    @property
    def _machine(self) -> Machine:
        return self._worker.machine

    @property
    def _tape(self) -> Tape:
        return self._worker.machine.branch.tape

    # Going somewhere.

    def begin(self) -> Motion:
        """Record, and stand on the first row of the first exchange."""
        return self.recording(lambda: first_row(self._tape), Why.ENTRY)

    def goto(self, position: int, why: Why = Why.GOTO, note: str = "") -> Motion | Stop:
        """Go to a position of the tape."""
        tape, here = self._tape, self._worker.here
        if not 0 < position <= len(tape):
            raise InputError(f"there is no position {position:,}: {_extent(tape)}")
        if position == here.position and not here.passed and not self._worker.exhausted:
            return self._worker.standing(why, note)
        return Motion(position, why, note, busy=f"going to {position:,}")

    def restart(self) -> Motion | Stop:
        """Go to the first row of the first exchange."""
        return self.goto(first_row(self._tape), Why.ENTRY)

    def verb(self, verb: Verb, back: bool, allocator: bool = False) -> Motion | Stop:
        """Go to the next row that a verb's rule fits, or the one before."""
        tape, here = self._tape, self._worker.here
        fits = rule(tape, verb, here.position, back=back, allocator=allocator)
        found = find(tape, fits, here.position + (back and here.passed), back=back)
        if found is not None:
            return self.goto(found, Why.STEP)
        if back:
            return self._beginning()
        rows = tape.rows

        def arrived(position: int) -> Why | None:
            return Why.STEP if rows.position(-1) == position and fits(position) else None

        return self._onward(Motion(arrived=arrived, busy=verb.value))

    def _beginning(self) -> Motion | Stop:
        note = "nothing is before this"
        if not len(self._tape.rows):
            return self._worker.standing(Why.BEGIN, note)
        return self.goto(self._tape.rows.position(0), Why.BEGIN, note)

    def _onward(self, motion: Motion) -> Motion | Stop:
        """Go on where the tape ends, if the run has not ended."""
        return self._worker.here if self._worker.exhausted and self._tape.complete else motion

    def back_here(self) -> Motion:
        """The way back to where one stands now."""
        here = self._worker.here
        if here.instant is not None:
            callback = self._tape.calls_at(here.position)[0]
            return Motion(why=here.why, note=here.note, lens=Lens.on(callback, here.moment))
        if here.why is Why.COMPUTING:
            return Motion(why=here.why, pause_at=self._machine.paused_at, again=here.position)
        return Motion(0 if here.why is Why.END else here.position, here.why, here.note)

    # Breakpoints.

    def proceed(self, back: bool) -> Motion | Stop:
        """Go to the next breakpoint, or to the end; what became of memory is found out first."""
        here, tape = self._worker.here, self._tape
        watched = [each for each in self._breakpoints if each.stops and each.memory]
        unknown = [each for each in watched if self._breakpoints.hits(each.number, tape).until < len(tape)]
        if not unknown:
            return self._to_hit(here, back, watched)
        survey = self._survey(unknown)

        def then() -> Motion | None:
            self._feed(unknown, survey, len(tape))
            found = self._to_hit(here, back, watched)
            return found if isinstance(found, Motion) else Motion(here.position, found.why, found.note)

        return self.surveying(survey, then)

    def _to_hit(self, here: Stop, back: bool, watched: list[Breakpoint]) -> Motion | Stop:
        tape = self._tape
        found = self._breakpoints.next_hit(tape, here.position + (back and here.passed), back=back)
        if found is not None:
            return self.goto(found, Why.BREAKPOINT)
        if back:
            return self._beginning()
        recorded = len(tape)
        survey = self._survey(watched)

        def arrived(position: int) -> Why | None:
            return Why.BREAKPOINT if self._breakpoints.matches(tape, position) else None

        def probe(position: int) -> Why | None:
            if not survey.look(position) or position <= recorded:
                return None
            self._feed(watched, survey, position)
            return arrived(position)

        return self._onward(Motion(arrived=arrived, probe=probe if watched else None, busy="running"))

    def to_hit(self, here: Stop, back: bool) -> Motion | Stop:
        """The same for one who stands elsewhere; what became of memory is known."""
        watched = [each for each in self._breakpoints if each.stops and each.memory]
        return self._to_hit(here, back, watched)

    def _feed(self, watched: list[Breakpoint], survey: Survey, until: int) -> None:
        """Tell breakpoints where their bytes were found changed."""
        for each, positions in zip(watched, survey.found, strict=True):
            self._breakpoints.feed(each.number, self._tape, positions, until)

    def _survey(self, watched: list[Breakpoint]) -> Survey:
        stretches = [Stretch(each.vm, each.at, each.size) for each in (one.memory for one in watched) if each]
        return self.survey(stretches)

    # Memory and stack.

    def survey(self, stretches: list[Stretch]) -> Survey:
        """Who looks at stretches of memory; those of no plugin are the acting one's."""
        acting = self.acting()
        return Survey([each._replace(vm=each.vm or acting) for each in stretches], self.memory_of)

    def surveying(self, survey: Survey, then: Callable[[], Motion | None]) -> Motion:
        """Let all that is on tape go by once more, and look at memory meanwhile."""

        def probe(position: int) -> None:
            survey.look(position)

        return Motion(len(self._tape), probe=probe, again=1, then=then, busy="looking at memory")

    def acting(self) -> str:
        """The VM whose call this is; the first of all where nothing is called."""
        position, run = self._worker.here.position, self._machine.run
        if position:
            return self._tape.entered(position).vm
        vms = run.session.proxy.vms if run is not None else []
        return vms[0].name if vms else self._machine.branch.inputs.plugins[0].name

    def memory_of(self, vm: str) -> Memory | None:
        """The memory of a VM, or of the first one that a plugin of this name is in, if it runs."""
        run = self._machine.run
        running = (
            [each for each in run.session.started if each.instance is not None] if run is not None else []
        )
        named = [each for each in running if each.vm.name == vm]
        inside = (each for each in running if any(root.plugin.name == vm for root in each.vm.roots))
        found = next(iter(named), None) or next(inside, None)
        return found.instance.memory if found is not None and found.instance is not None else None

    def stack(self, frames: Frames) -> Motion | Stop:
        """Leave the plugin's call to see where it was, and come back."""
        here = self._worker.here
        if self._worker.exhausted or not here.position:
            return here
        if here.why is not Why.COMPUTING and self._tape.is_callback(self._tape.opening(here.position)):
            return here

        def leaving(left: Unwound) -> None:
            frames.extend(left.frames)

        way = self.back_here()
        return replace(way, again=here.position, leaving=leaving, busy="looking at the stack")

    # Recording, and other branches.

    def record(self) -> Motion | Stop:
        """Record what is not on tape yet, and come back."""
        here = self._worker.here
        return here if self._tape.complete else self.recording(lambda: here.position, Why.GOTO)

    def recording(self, back_to: Callable[[], int], why: Why) -> Motion:
        """Record to the end, or until enough is recorded, and go back to a position."""
        limit = len(self._tape) + self._ahead

        def arrived(position: int) -> Why | None:
            if not position % _TELL:
                self._changed()
            return Why.STEP if position >= limit else None

        def then() -> Motion | None:
            here, position = self._worker.here, back_to()
            if here.why in (Why.PAUSED, Why.COMPUTING) or not position:
                return None
            enough = f"{here.position:,} events are recorded; going on behind them records more"
            return Motion(position, why, enough if here.why is Why.STEP else here.note)

        return Motion(arrived=arrived, then=then, busy="recording")

    def to_row(self, index: int) -> Motion:
        """Go to a row, and record as far as that if it is not on tape yet."""
        tape = self._tape
        rows = tape.rows
        if index < len(rows):
            return Motion(rows.position(index))
        self._in_sight(index)

        def arrived(position: int) -> Why | None:
            return Why.GOTO if len(rows) > index and position >= rows.position(index) else None

        def then() -> None:
            if self._worker.here.why is Why.END:
                self._in_sight(index)

        return Motion(arrived=arrived, then=then, busy="recording")

    def _in_sight(self, index: int) -> None:
        """Refuse a row that a tape which is complete does not have."""
        tape = self._tape
        if tape.complete and index >= len(tape.rows):
            raise InputError(f"there is no row {index + 1:,}: the tape has 1 to {len(tape.rows):,}")

    def fork(self, position: int, override: Override) -> Motion:
        """Answer a call otherwise, on a branch of its own."""
        branch = self._machine.branch
        if not 0 < position <= len(branch.tape) or branch.tape.opening(position) != position:
            raise InputError(f"no call begins at position {position:,}: {_extent(branch.tape)}")
        fork = branch.fork(f"fork {len(self._machine.branches)}", position, override)
        target = branch.tape.end_of(position) if override.callback else position
        return self._onto(fork, position, target or position)

    def switch(self, branch: Branch) -> Motion | Stop:
        """Go to the same place on another branch."""
        if branch is self._machine.branch:
            return self._worker.here
        target = find_place(branch.tape, place_of(self._tape, self._worker.here.position))
        return self._onto(branch, target, target)

    def onto(self, branch: Branch, again: int, way: Motion) -> Motion:
        """Record a new branch from a position on, and go the way to where one stands on it."""
        recording = self._onto(branch, again, again)
        return replace(recording, then=lambda: way)

    def _onto(self, branch: Branch, again: int, target: int) -> Motion:
        machine = self._machine
        if branch not in machine.branches:
            machine.branches.append(branch)
        machine.branch = branch
        if branch.tape.complete:
            return Motion(target, again=target, busy=f"going to {branch.name}")
        return replace(self.recording(lambda: target, Why.GOTO), again=again)

    def reload(self, inputs: Inputs) -> Motion:
        """Run with other inputs, and stand at the same place."""
        machine = self._machine
        place = place_of(self._tape, self._worker.here.position)
        for each in machine.branches:
            each.checkpoints = Checkpoints(each.inputs.plugins)
        builds = sum(each.parent is None for each in machine.branches)
        machine.branch = branch = new_branch(f"build {builds + 1}", inputs)
        machine.branches.append(branch)
        return replace(self.recording(lambda: find_place(branch.tape, place), Why.GOTO), again=1)


def new_branch(name: str, inputs: Inputs) -> Branch:
    """A run of which nothing is recorded yet."""
    return Branch(name, inputs, Tape(), Checkpoints(inputs.plugins))


def _extent(tape: Tape) -> str:
    return f"the tape has 1 to {len(tape):,}" if len(tape) else "nothing is on tape yet"
