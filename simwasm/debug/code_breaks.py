"""Going to the next breakpoint where some are in code: callbacks go by under a lens, in the direction that is wanted.

Rules: forwards the run goes on under a lens, and what among rows would stop it does; backwards the callbacks from one
checkpoint to the next go by at a time, the last ones first, and the last hit is gone to; a breakpoint that counts its
hits counts those of the whole run, so all that comes before goes by under the lens once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from simwasm.debug.breakpoints import Breakpoint, Breakpoints
from simwasm.debug.byte_stops import ByteStops
from simwasm.debug.code_hits import CodeHits, counts, offsets_in, scope_in, watching
from simwasm.debug.code_plans import CodePlans
from simwasm.debug.instant import Moment
from simwasm.debug.lens import ALL, Lens
from simwasm.debug.plans import Plans
from simwasm.debug.stop import Stop, Why
from simwasm.debug.unit import Unit
from simwasm.debug.visit import Visit
from simwasm.debug.worker import Motion, Worker
from simwasm.errors import ExpressionError

_BUSY = "looking for a breakpoint in code"


class CodeBreaks:
    """Plans to go to breakpoints."""

    def __init__(
        self,
        worker: Worker,
        plans: Plans,
        code_plans: CodePlans,
        bytes: ByteStops,
        breakpoints: Breakpoints,
    ) -> None:
        self._bytes = bytes
        self._worker = worker
        self._plans = plans
        self._code_plans = code_plans
        self._breakpoints = breakpoints
        self._hits: dict[tuple[int, str, str], CodeHits] = {}
        self._met: tuple[Moment, tuple[int, ...]] = Moment(0), ()

    def proceed(self, back: bool, unit: Unit = Unit.CALL) -> Motion | Stop:
        """Go to the next breakpoint, in code or among rows, or to the end; in small units to who writes bytes."""
        watched = watching(self._breakpoints)
        among_rows = self._plans.proceed(back)
        if unit.inside and isinstance(among_rows, Motion):
            refined = self._bytes.before if back else partial(self._bytes.refined, back=False)
            among_rows = refined(among_rows, self._worker.here)
        if not watched or (isinstance(among_rows, Stop) and not back):
            return among_rows
        here = self._worker.here.moment
        if isinstance(among_rows, Stop):
            among_rows = Motion(among_rows.position, among_rows.why, among_rows.note)
        return self._last(among_rows, _Wanted(watched, here, back, here))

    def stopped(self, why: Why) -> tuple[int, ...] | None:
        """The breakpoints at the instruction where the run stands; None if it stands at none."""
        visit = self._worker.machine.zoom.visit
        if visit is None or not visit.standing:
            return None
        if why is Why.BREAKPOINT:
            moment, met = visit.moment(), self._met
            return (*self._bytes.at(moment), *(met[1] if met[0] == moment else ()))
        watched = watching(self._breakpoints)
        return tuple(
            each.number for each in watched if visit.offset in offsets_in([each], visit.code, visit.vm)
        )

    def _last(self, motion: Motion, wanted: _Wanted) -> Motion:
        """The same, with the lens on for the last of several motions."""
        then = motion.then
        if then is None:
            return self._backwards(motion, wanted) if wanted.back else self._forwards(motion, wanted)

        def following() -> Motion | None:
            found = then()
            return None if found is None else self._last(found, wanted)

        return replace(motion, then=following)

    def _forwards(self, motion: Motion, wanted: _Wanted) -> Motion:
        here = wanted.here
        first = self._code_plans.callback_at(here) or here.position + 1
        if self._must_count(wanted.breakpoints, here):
            first = 1
        again = first == 1 or self._worker.machine.moment > here  # it may have run ahead to look at bytes
        stand = motion.lens.stand if motion.lens is not None else None
        lens = replace(self._lens(range(first, ALL), wanted, {}), stand=stand)
        return replace(motion, lens=lens, again=motion.again or (first if again else 0), busy=_BUSY)

    def _must_count(self, watched: Iterable[Breakpoint], here: Moment) -> bool:
        return any(counts(each) and self._hits_of(each).until < here for each in watched)

    def _lens(self, callbacks: range, wanted: _Wanted, found: dict[Moment, tuple[int, ...]]) -> Lens:
        """Looks for hits; forwards it stops at one that is ahead, backwards it keeps those that are behind."""

        def met(visit: Visit) -> Why | None:
            moment = visit.moment()
            hit = tuple(self._hit(visit, moment, wanted.breakpoints))
            if wanted.back:
                if hit and moment < wanted.here:
                    found[moment] = hit
                return None
            self._met = moment, hit
            return Why.BREAKPOINT if hit and moment > wanted.here else None

        return Lens(
            callbacks, offsets=lambda visit: offsets_in(wanted.breakpoints, visit.code, visit.vm), met=met
        )

    def _hit(self, visit: Visit, moment: Moment, watched: Sequence[Breakpoint]) -> Iterator[int]:
        """The breakpoints that are hit where a visit stands, and stop there."""
        for each in watched:
            hit = visit.offset in offsets_in([each], visit.code, visit.vm) and self._holds(each, visit)
            if hit and each.counts(self._hits_of(each).add(moment)):
                yield each.number

    def _holds(self, breakpoint: Breakpoint, visit: Visit) -> bool:
        """Whether its condition is true; one that cannot be worked out stops, and says so."""
        expression = breakpoint.expression
        if expression is None:
            return True
        try:
            return bool(expression.value(scope_in(visit, expression, self._worker.machine)))
        except ExpressionError as error:
            self._worker.machine.note = (
                f"the condition of breakpoint {breakpoint.number} has no value: {error}"
            )
            return True

    def _hits_of(self, breakpoint: Breakpoint) -> CodeHits:
        key = id(self._worker.machine.branch.tape), breakpoint.where, breakpoint.condition
        return self._hits.setdefault(key, CodeHits())

    def _backwards(self, motion: Motion, wanted: _Wanted) -> Motion:
        """Let callbacks go by, from the last checkpoint before here, and then from those before."""
        branch = self._worker.machine.branch
        floor = _end_of(motion)
        edges = [at for at in branch.checkpoints.positions() if floor.position < at < wanted.here.position]
        if self._must_count(wanted.breakpoints, wanted.here):
            edges = []
            floor = Moment(0)
        begin = self._code_plans.callback_at(floor) or floor.position
        return self._stretch([begin, *edges], wanted, motion)

    def _stretch(self, edges: list[int], wanted: _Wanted, motion: Motion) -> Motion:
        """Let what is behind the last edge go by, and go to the last hit in it; otherwise look before that."""
        begin, hits = edges.pop(), dict[Moment, tuple[int, ...]]()
        end = wanted.until
        lens = self._lens(range(max(begin, 1), ALL), wanted, hits)
        if end.ticks:
            lens = replace(lens, stand=end)
        wanted = replace(wanted, until=Moment(begin))

        def then() -> Motion | None:
            if self._worker.here.why is not Why.GOTO:
                return None  # somebody paused it
            found = [moment for moment in hits if moment > _end_of(motion)]
            if found:
                self._met = max(found), hits[max(found)]
                return self._to(max(found))
            return self._stretch(edges, wanted, motion) if edges else motion

        return Motion(0 if end.ticks else end.position, again=max(begin, 1), lens=lens, then=then, busy=_BUSY)

    def _to(self, moment: Moment) -> Motion:
        found = self._code_plans.goto(moment, Why.BREAKPOINT)
        assert isinstance(found, Motion)
        return found


def _end_of(motion: Motion) -> Moment:
    """Where a motion leads."""
    stand = motion.lens.stand if motion.lens is not None else None
    return stand or Moment(motion.target)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is looked for."""

    breakpoints: Sequence[Breakpoint]
    here: Moment
    back: bool
    until: Moment
    """Backwards: where the next stretch ends."""
