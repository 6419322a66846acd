"""Stopping where bytes are written, among instructions: right after the one that wrote them.

Among rows such a breakpoint stops at the event at which its bytes are found changed. Here the callback around that
goes by once more under a lens. Rule: what the host wrote has no instruction, so the event stays.
"""

from __future__ import annotations

from dataclasses import replace

from simwasm.debug.breakpoints import Breakpoint, Breakpoints
from simwasm.debug.byte_writers import ByteWriters, MemoryWrite
from simwasm.debug.code_plans import CodePlans
from simwasm.debug.plans import Plans
from simwasm.debug.stop import Stop, Why
from simwasm.debug.survey import Stretch
from simwasm.debug.worker import Motion, Worker


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

    def refined(self, motion: Motion, here: Stop, back: bool) -> Motion:
        """A motion to a breakpoint among rows; if that is one on bytes, to where they were written."""
        then = motion.then
        if then is not None:

            def following() -> Motion | None:
                found = then()
                return None if found is None else self.refined(found, here, back)

            return replace(motion, then=following)
        breakpoint = self._hit(motion)
        if breakpoint is None or breakpoint.memory is None:
            return motion
        wanted = breakpoint.memory
        survey = self._plans.survey([Stretch(wanted.vm, wanted.at, wanted.size)])

        def onward(found: list[MemoryWrite]) -> Motion | None:
            return self._nearest(found, motion, here, back)

        return self._writers.among(survey.stretches[0], [motion.target], onward) or motion

    def _hit(self, motion: Motion) -> Breakpoint | None:
        """The breakpoint on bytes that alone is hit where a motion leads, amid a callback; None for any other."""
        tape = self._worker.machine.branch.tape
        if (
            motion.why is not Why.BREAKPOINT
            or not motion.target
            or not self._code_plans.around(motion.target)
        ):
            return None
        hit = self._breakpoints.matches(tape, motion.target)
        watched = [each for each in self._breakpoints if each.number in hit]
        return watched[0] if len(watched) == 1 and watched[0].memory is not None else None

    def _nearest(self, found: list[MemoryWrite], motion: Motion, here: Stop, back: bool) -> Motion | None:
        """To the nearest of the writes before an event; if one stands behind all of them, to the next event."""
        target = motion.target
        writes = [each for each in found if target - 1 <= each.after.position <= target]
        ahead = [each for each in writes if (each.after < here.moment if back else each.after > here.moment)]
        if ahead:
            write = ahead[-1 if back else 0]
            if write.instant is None:
                return motion
            way = self._code_plans.goto(write.after, Why.BREAKPOINT, f"written by {write.by}")
            return way if isinstance(way, Motion) else motion
        if not writes:
            return motion
        onward = self._plans.to_hit(replace(here, position=target, instant=None, why=Why.GOTO), back)
        if isinstance(onward, Stop):  # where the callback that was looked into ends
            onward = Motion(onward.position, onward.why, onward.note)
        return self.refined(onward, here, back)
