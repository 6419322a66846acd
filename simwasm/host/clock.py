"""Virtual time: what is due next, and nothing happens in between.

Rules: what is due at the same instant happens in the order it was asked for; the clock never runs backwards; reading
it costs one microsecond, so that a guest that waits for time to pass gets there, the same way in every run.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import datetime, timezone
from heapq import heapify, heappop, heappush
from itertools import count

Job = Callable[[], None]

MILLISECOND = 1_000_000
SECOND = 1_000 * MILLISECOND
READ_COST = 1_000

_FIRST_SECOND, _LAST_SECOND = -62_135_596_800, 253_402_300_799
"""The years 1 and 9999: there are no dates beyond."""


def date(second: int) -> datetime:
    """The date of a second since the epoch; the first or the last one, where virtual time is beyond all dates."""
    return datetime.fromtimestamp(min(max(second, _FIRST_SECOND), _LAST_SECOND), timezone.utc)


class Timer:
    """Something due later, which may be called off."""

    __slots__ = ("clock", "due", "job", "idle")

    def __init__(self, clock: Clock, due: int, job: Job, idle: bool) -> None:
        self.clock = clock
        self.due = due
        self.job: Job | None = job
        self.idle = idle

    def cancel(self) -> None:
        """Call it off, if it has not happened."""
        if self.job is not None:
            self.job = None
            self.clock.called_off(self)


class Clock:
    """The time in nanoseconds since the epoch, and everything that is due."""

    def __init__(self, now: int = 0) -> None:
        self.now = now
        self.busy = 0
        """How many things are due that keep a run alive."""
        self._started = now
        self.ready: deque[tuple[int, int, Job]] = deque()
        """What was asked for without a delay; most things are."""
        self._due: list[tuple[int, int, Timer]] = []
        self._order = count()
        self._dead = 0

    def read(self) -> int:
        """Tell the time to a guest."""
        self.now += READ_COST
        return self.now

    def monotonic(self) -> int:
        """Tell a guest how long the host has been running."""
        return self.read() - self._started

    def soon(self, job: Job) -> None:
        """Have a job done at this instant, after everything that is due by now."""
        self.ready.append((self.now, next(self._order), job))
        self.busy += 1

    def after(self, delay: int, job: Job, *, idle: bool = False) -> Timer:
        """Have a job done `delay` nanoseconds from now; an idle one does not keep the run alive."""
        timer = Timer(self, self.now + delay, job, idle)
        heappush(self._due, (timer.due, next(self._order), timer))
        self.busy += not idle
        return timer

    def waits(self) -> bool:
        """Whether nothing is left to do at this instant."""
        return not self.ready and not (self._due and self._due[0][0] <= self.now)

    def due(self) -> int | None:
        """When the next thing is due; None if nothing is."""
        while self._due and self._due[0][2].job is None:
            heappop(self._due)
            self._dead -= 1
        times = [queue[0][0] for queue in (self.ready, self._due) if queue]
        return min(times, default=None)

    def next(self) -> Job | None:
        """Take what is due next and move the time there."""
        soon, due = self.ready, self._due
        while due and not (soon and soon[0][:2] < due[0][:2]):
            at, _, timer = heappop(due)
            job = timer.job
            if job is None:
                self._dead -= 1
                continue
            timer.job = None
            self.busy -= not timer.idle
            if at > self.now:
                self.now = at
            return job
        if not soon:
            return None
        self.busy -= 1
        return soon.popleft()[2]

    def coming(self) -> list[tuple[int, Job]]:
        """What is due, and when, in its order."""
        due = [(at, order, timer.job) for at, order, timer in self._due if timer.job is not None]
        waiting = sorted([*self.ready, *due], key=lambda entry: entry[:2])
        return [(at, job) for at, _, job in waiting]

    def called_off(self, timer: Timer) -> None:
        """Count a cancelled timer, and sweep when most of them are."""
        self.busy -= not timer.idle
        self._dead += 1
        if self._dead > 64 and self._dead * 2 > len(self._due):
            self._due[:] = [entry for entry in self._due if entry[2].job is not None]
            heapify(self._due)
            self._dead = 0
