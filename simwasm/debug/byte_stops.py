"""Stopping where bytes are written, among instructions: right after the one that wrote them.

Among rows such a breakpoint stops at the event at which its bytes are found changed. Here the callback around that
goes by once more under a lens. Rule: what the host wrote has no instruction, so the event stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from simwasm.debug.breakpoints import Breakpoint, Breakpoints
from simwasm.debug.byte_writers import ByteWriters, MemoryWrite
from simwasm.debug.code_plans import CodePlans
from simwasm.debug.instant import Moment
from simwasm.debug.plans import Plans
from simwasm.debug.stop import Stop, Why
from simwasm.debug.survey import Stretch
from simwasm.debug.worker import Motion, Worker


class _Write(NamedTuple):
    write: MemoryWrite
    number: int
    """Of the breakpoint that waits for it."""

    @property
    def after(self) -> Moment:
        return self.write.after


class _Among(NamedTuple):
    motion: Motion
    """To a breakpoint among rows."""
    target: int
    """The event at which bytes are found changed."""
    here: Stop
    back: bool
    alone: bool
    """Whether nothing else stops at that event."""


class ByteStops:
    """Leads from the event to the instruction."""

    def __init__(
        self,
        worker: Worker,
        plans: Plans,
        code_plans: CodePlans,
        writers: ByteWriters,
        breakpoints: Breakpoints,
    ) -> None:
        self._worker = worker
        self._plans = plans
        self._code_plans = code_plans
        self._writers = writers
        self._breakpoints = breakpoints
        self._stop: tuple[Moment, tuple[int, ...]] = Moment(0), ()

    def at(self, moment: Moment) -> tuple[int, ...]:
        """The breakpoints on bytes that the run was led to a moment for."""
        return self._stop[1] if moment == self._stop[0] else ()

    def refined(self, motion: Motion, here: Stop, back: bool) -> Motion:
        """A motion to a breakpoint among rows; if that is one on bytes, to where they were written."""
        then = motion.then
        if then is not None:

            def following() -> Motion | None:
                found = then()
                return None if found is None else self.refined(found, here, back)

            return replace(motion, then=following)
        hit = self._hit(motion)
        watched = [each for each in hit if each.memory is not None]
        among = _Among(motion, motion.target, here, back, alone=len(watched) == len(hit))
        return self._gathered(watched, [], among) or motion if watched else motion

    def before(self, motion: Motion, here: Stop) -> Motion:
        """A motion backwards to a breakpoint among rows; or to what was written since the event before here."""
        target = here.position + (here.moment.ticks > 0)
        watched = [each for each in self._hit(Motion(target, Why.BREAKPOINT)) if each.memory is not None]
        if not watched:
            return self.refined(motion, here, True)
        among = _Among(motion, target, here, True, alone=True)
        return self._gathered(watched, [], among) or self.refined(motion, here, True)

    def _gathered(self, left: Sequence[Breakpoint], writes: list[_Write], among: _Among) -> Motion | None:
        """Find out who wrote the bytes of one breakpoint after the other, and go to the nearest write."""
        if not left:
            return self._nearest(writes, among)
        first, *rest = left
        assert first.memory is not None
        survey = self._plans.survey([Stretch(first.memory.vm, first.memory.at, first.memory.size)])

        def onward(found: list[MemoryWrite]) -> Motion | None:
            return self._gathered(rest, [*writes, *(_Write(each, first.number) for each in found)], among)

        return self._writers.among(survey.stretches[0], [among.target], onward)

    def _hit(self, motion: Motion) -> Sequence[Breakpoint]:
        """The breakpoints that are hit where a motion leads, amid a callback."""
        tape = self._worker.machine.branch.tape
        if (
            motion.why is not Why.BREAKPOINT
            or not motion.target
            or not self._code_plans.around(motion.target)
        ):
            return ()
        hit = self._breakpoints.matches(tape, motion.target)
        return [each for each in self._breakpoints if each.number in hit]

    def _nearest(self, found: list[_Write], among: _Among) -> Motion | None:
        """To the nearest of the writes before an event; if one stands behind all of them, to the next event."""
        motion, target, here, back, alone = among
        writes = [each for each in found if target - 1 <= each.after.position <= target]
        ahead = [each for each in writes if (each.after < here.moment if back else each.after > here.moment)]
        if back and not alone and here.moment > Moment(target):
            return motion  # what else stops at the event comes before what was written until there
        if ahead:
            after = (max if back else min)(each.after for each in ahead)
            nearest = [each for each in ahead if each.after == after]
            if nearest[0].write.instant is None:
                return motion if target == motion.target else self.refined(motion, here, back)
            self._stop = after, tuple(sorted({each.number for each in nearest}))
            way = self._code_plans.goto(after, Why.BREAKPOINT, f"written by {nearest[0].write.by}")
            return way if isinstance(way, Motion) else motion
        if target != motion.target:
            return self.refined(motion, here, back)
        if not writes or not alone:
            return motion
        onward = self._plans.to_hit(replace(here, position=target, instant=None, why=Why.GOTO), back)
        if isinstance(onward, Stop):  # where the callback that was looked into ends
            onward = Motion(onward.position, onward.why, onward.note)
        return self.refined(onward, here, back)
