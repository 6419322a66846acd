"""What verbs mean inside of callbacks: each asks what the callback ran for a moment, and gives the motion there.

Plans are made in the plugins' thread while the run stands. A callback has no instruction tape before somebody asks for
something in it; then it is run once where it was recorded, to see how it ends, and once under a lens. Rules:

- to stand at an instant the callback is run again up to there; forwards from where one stands, it goes on;
- where no callback is around, a verb means what it means among rows;
- a callback that cannot be entered says why, and one stays where one was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from simwasm.debug.branch import Branch
from simwasm.debug.code import Code
from simwasm.debug.code_steps import Search, find
from simwasm.debug.edits import Edit
from simwasm.debug.instant import Moment
from simwasm.debug.instants import Instants
from simwasm.debug.learning import BUSY, Learning, Onward
from simwasm.debug.lens import Lens
from simwasm.debug.machine import Machine
from simwasm.debug.plans import Plans
from simwasm.debug.steps import Verb
from simwasm.debug.stop import Stop, Why
from simwasm.debug.tape import Tape
from simwasm.debug.unit import Unit
from simwasm.debug.window import MOST
from simwasm.debug.worker import Motion, Worker
from simwasm.errors import InputError

_KEPT = 4 * MOST
"""How many instructions the tapes of one branch have together."""

_TOO_FAR = (
    "the callback runs more than the {:,} instructions around here that are kept, and none of them fits {}; "
    "a breakpoint stops further away"
)
_PATIENCE = 20_000_000
_EARLIER = (
    f"this is earlier than where the plugin was paused: that is more than {_PATIENCE:,} instructions behind the begin "
    "of the callback, too many to go through one by one"
)


class CodePlans:
    """Plans for one worker."""

    def __init__(self, worker: Worker, plans: Plans, alone: str = "") -> None:
        self._worker = worker
        self._plans = plans
        self._alone = alone
        """Why there is no plugin to look into."""

    @property
    def _machine(self) -> Machine:
        return self._worker.machine

    @property
    def _branch(self) -> Branch:
        return self._worker.machine.branch

    @property
    def _tape(self) -> Tape:
        return self._branch.tape

    # Going somewhere.

    def verb(self, verb: Verb, unit: Unit, back: bool, allocator: bool = False) -> Motion | Stop:
        """Go where a verb's rule leads, in steps of a unit."""
        here = self._worker.here
        callback = self.callback_at(here.moment, back=back) if unit.inside else 0
        if not callback or self._worker.exhausted:
            return self._plans.verb(verb, back, allocator)
        if here.why is Why.COMPUTING:
            return self._into_computing(callback)

        def onward(instants: Instants) -> Motion | Stop:
            found = find(Search(instants, self._tape, verb, unit, back, allocator), here.moment)
            if found is None and instants.whole:
                return self._plans.verb(verb, back, allocator)
            if found is None:
                raise InputError(_TOO_FAR.format(len(instants.offsets), "backwards" if back else "forwards"))
            code = instants.code
            note = code.no_lines if unit is Unit.LINE and not code.lines.there else instants.differs
            return self.goto(found, Why.STEP, note)

        return self.knowing(callback, onward)

    def _into_computing(self, callback: int) -> Motion:
        """Where a plugin that computes was paused: to the instruction that comes next there."""
        self._check(callback)

        def then() -> Motion | None:
            visit = self._machine.zoom.visit
            why = self._worker.here.why
            if visit is None or why not in (Why.COMPUTING, Why.GOTO):
                return None
            position, ticks = visit.moment()
            lens = Lens.on(callback, Moment(position, ticks + 1))
            return Motion(why=Why.STEP, note=_EARLIER if why is Why.GOTO else "", lens=lens, busy=BUSY)

        lens = replace(Lens.on(callback), most=_PATIENCE)
        return Motion(pause_at=self._machine.paused_at, again=callback, lens=lens, then=then, busy=BUSY)

    def goto(self, moment: Moment, why: Why = Why.GOTO, note: str = "") -> Motion | Stop:
        """Go to a moment of the timeline, under a lens if a callback is around."""
        callback = self.callback_at(moment)
        if not moment.ticks:
            way = self._plans.goto(moment.position, why, note)
            begins = callback == moment.position
            return way if isinstance(way, Stop) or not callback or begins else _under(way, Lens.on(callback))
        if moment == self._worker.here.moment and not self._worker.exhausted:
            return self._worker.standing(why, note)
        return Motion(why=why, note=note, lens=Lens.on(callback, moment), busy="going to the instruction")

    def callback_at(self, moment: Moment, *, back: bool = False) -> int:
        """The callback whose instructions come next at a moment, or last; 0 if none do."""
        tape, position = self._tape, moment.position
        outermost = next(iter(tape.calls_at(position)), 0)
        if not outermost or not tape.is_callback(outermost):
            return 0
        if moment.ticks or outermost < position < (tape.end_of(outermost) or position + 1):
            return outermost
        return outermost if (position != outermost) == back else 0

    def around(self, position: int) -> int:
        """The callback of the host that an event is in, or is the end of; 0 if none is around."""
        outermost = next(iter(self._tape.calls_at(position)), 0)
        return outermost if outermost and self._tape.is_callback(outermost) else 0

    def acting(self) -> str:
        """The VM whose call this is."""
        return self._plans.acting()

    def edit(self, edit: Edit) -> Motion | Stop:
        """Change something, on a branch of its own, and stand at the same moment of that."""
        machine = self._machine
        why_not = self.why_not(edit.callback)
        if why_not:
            raise InputError(why_not)
        branch = self._branch.edited(f"edit {len(machine.branches)}", edit)
        return self._plans.onto(branch, edit.callback, self._way_to(edit))

    def _way_to(self, edit: Edit) -> Motion:
        lens = Lens.on(edit.callback, edit.moment if edit.moment.ticks else None)
        target = 0 if edit.moment.ticks else edit.moment.position
        return Motion(target, lens=lens)

    # Knowing what a callback runs.

    def learn(self, give: Callable[[Instants], object]) -> Motion | Stop:
        """Find out what the callback runs that one stands in or at, and come back."""
        here, way = self._worker.here, self._plans.back_here()
        callback = self.callback_at(here.moment) or self.callback_at(here.moment, back=True)
        if not callback:
            raise InputError("no callback is here: go to one first")

        def onward(instants: Instants) -> Motion | Stop:
            give(instants)
            return way

        known = self._branch.instants.get(callback)
        if known is None:
            return self.knowing(callback, onward)
        give(known)
        return here

    def knowing(self, callback: int, onward: Onward) -> Motion | Stop:
        """Go on as soon as the instructions of a callback are known."""
        known = self._branch.instants.get(callback)
        if known is not None and known.covers(self._worker.here.moment):
            return onward(known)
        self._check(callback)
        way, end = self._plans.back_here(), self._tape.end_of(callback)
        return Learning(self._worker, callback, end, way, self.keep, onward).begin()

    def _check(self, callback: int) -> None:
        """See that a callback can be entered, and that going to and fro in it is quick."""
        why_not = self.why_not(callback)
        if why_not:
            raise InputError(why_not)
        self._branch.checkpoints.wanted = self._tape.rest_before(callback)

    def why_not(self, callback: int) -> str:
        """Why a callback cannot be entered; empty if it can."""
        if self._alone:
            return self._alone
        run, name = self._machine.run, self._tape.entered(callback).vm
        started = run.session.started if run is not None else []
        found = next((each for each in started if each.vm.name == name), None)
        return "" if found is None else self._machine.zoom.why_not(found)

    def keep(self, instants: Instants) -> None:
        """Remember what a callback runs; forget what was asked for longest ago."""
        known = self._branch.instants
        known[instants.callback] = instants
        while len(known) > 1 and sum(len(each.offsets) for each in known.values()) > _KEPT:
            del known[next(iter(known))]

    def code_of(self, vm: str) -> Code:
        """The code that runs in a VM."""
        plugin = self._branch.inputs.plugin_in(vm)
        if plugin is None:
            raise InputError(f"no plugin is called {vm}")
        return self._machine.zoom.code(plugin)


def _under(way: Motion, lens: Lens) -> Motion:
    return replace(way, lens=lens)
