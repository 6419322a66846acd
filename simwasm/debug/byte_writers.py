"""Who wrote these bytes: the instruction, or the host call, that made them what they are.

A survey of the whole run (`survey.py`) tells at which events bytes were found changed; the callbacks in which that was
go by once more under a lens that looks at the bytes before every instruction. Rule: what wrote is the instruction after
which they are found changed; what changed while the host was called, the host wrote.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from simwasm.debug.code_plans import CodePlans
from simwasm.debug.instant import Instant, Moment
from simwasm.debug.instants import instant_at
from simwasm.debug.lens import Lens
from simwasm.debug.plans import Plans
from simwasm.debug.stop import Why
from simwasm.debug.survey import Stretch
from simwasm.debug.tape import Tape
from simwasm.debug.visit import Visit
from simwasm.debug.worker import Motion, Worker
from simwasm.engines.engine import Memory

_BUSY = "looking for who wrote"
MOST = 64
"""How many callbacks are looked into at once."""


class MemoryWrite(NamedTuple):
    """One change of bytes in memory."""

    position: int
    """Of the event before, or of the host call that wrote."""
    instant: Instant | None
    """The instruction that wrote; None if that was the host, or somebody by hand."""
    after: Moment
    """The moment right after it."""
    by: str
    """Who wrote, in words; a function's name is the plugin's own and may hold anything."""
    old: bytes
    new: bytes


class ByteWriters:
    """Plans to find out who wrote."""

    def __init__(self, worker: Worker, plans: Plans, code_plans: CodePlans) -> None:
        self._worker = worker
        self._plans = plans
        self._code_plans = code_plans

    @property
    def _tape(self) -> Tape:
        return self._worker.machine.branch.tape

    def plan(self, stretch: Stretch, most: int, give: Callable[[list[MemoryWrite]], object]) -> Motion:
        """Find out who wrote up to here, and come back."""
        here, way = self._worker.here.moment, self._plans.back_here()
        survey = self._plans.survey([stretch])
        until = here.position + (here.ticks > 0)

        def surveyed() -> Motion | None:
            changed = [position for position in survey.found[0] if position <= until]
            return self.among(survey.stretches[0], changed[-most:], told)

        def told(found: list[MemoryWrite]) -> Motion:
            give(_until(found, here))
            return way

        return self._plans.surveying(survey, surveyed)

    def among(
        self, stretch: Stretch, changed: Sequence[int], onward: Callable[[list[MemoryWrite]], Motion | None]
    ) -> Motion | None:
        """Find out who wrote before each of some events, by which bytes were found changed, and go on; oldest first."""
        callbacks = [self._code_plans.around(position) for position in changed]
        wanted = sorted(set(callbacks) - {0})[-MOST:]
        if not wanted:
            return onward([])
        look = _Look(self._tape, stretch)
        last = self._tape.end_of(wanted[-1]) or len(self._tape)

        def then() -> Motion | None:
            return onward(look.found if self._worker.here.why is Why.GOTO else [])

        lens = Lens(frozenset(wanted), each=look.before, told=look.told)
        return Motion(last, again=wanted[0], lens=lens, then=then, busy=_BUSY)


def _until(found: list[MemoryWrite], here: Moment) -> list[MemoryWrite]:
    return [each for each in reversed(found) if each.after <= here or each.position < here.position]


class _Look:
    """Compares bytes before every instruction and at every event."""

    def __init__(self, tape: Tape, stretch: Stretch) -> None:
        self.found: list[MemoryWrite] = []
        self._tape = tape
        self._stretch = stretch
        self._last = b""
        self._offset = 0
        """Of the instruction before."""

    def _content(self, memory: Memory) -> bytes:
        begin, size = self._stretch.at, memory.size()
        end = min(begin + self._stretch.size, size)
        return memory.read(begin, end - begin) if begin < end else b""

    def before(self, visit: Visit, offset: int) -> None:
        """An instruction comes next."""
        now = self._content(visit.instance.memory)
        if now != self._last:
            self._wrote(visit, visit.count() - 1, now)
        self._offset = offset

    def told(self, visit: Visit, position: int) -> None:
        """An event is told."""
        now = self._content(visit.instance.memory)
        if position == visit.callback:
            self._last, self._offset = now, 0
        elif now != self._last:
            if visit.marks.until(position) > visit.marks.until(position - 1):
                self._wrote(visit, visit.count(), now)
                return
            opened = self._tape.opening(position)  # no instruction was run since the event before
            call = self._tape.around(opened) if self._tape.is_callback(opened) else opened
            name = self._tape.entered(call).function.name
            self.found.append(MemoryWrite(call, None, Moment(position), name, self._last, now))
            self._last = now

    def _wrote(self, visit: Visit, count: int, now: bytes) -> None:
        """The instruction of that number wrote; of number 0, somebody did by hand at the entry."""
        moment = visit.marks.moment(count) if count else Moment(visit.callback)
        hand = visit.edited(visit.marks.moment(count + 1))
        if hand or not count:
            write = MemoryWrite(moment.position, None, moment, "changed by hand", self._last, now)
        else:
            instant = instant_at(visit.code, visit.vm, self._offset, moment, count)
            after = visit.marks.moment(count + 1)
            write = MemoryWrite(moment.position, instant, after, str(instant), self._last, now)
        self.found.append(write)
        self._last = now
