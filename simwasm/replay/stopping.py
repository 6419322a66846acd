"""Ctrl-C, and what asks a process politely to end: the exchange that runs is finished, and nothing more is begun.

Rules:
- while something is waited for (a pipe, the time, another process) the wait ends at once;
- a plugin that computes is stopped at its next slice of fuel, as by a trap;
- what has not come to its end after a second is left where it is;
- asked a second time, everything is left at once.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

from simwasm.session import Session

T = TypeVar("T")

PATIENCE = 1.0
"""Seconds that an exchange has for coming to its end."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopped(Exception):
    """A wait has ended because the run is to end."""


class Stopping:
    """Whether the run is to end, and who has to know at once."""

    def __init__(self) -> None:
        self.asked = False
        """No exchange is begun any more."""
        self.late = False
        """What ran was left where it was."""
        self.twice = False
        """Everything is to be left at once."""
        self.session: Session | None = None
        """Whose plugins may have to be stopped."""
        self._waiting = False

    @contextmanager
    def heard(self, signals: Iterable[signal.Signals] = _SIGNALS) -> Iterator[Stopping]:
        """Hear of signals, where this is the thread that is told of them."""
        if threading.current_thread() is not threading.main_thread():
            yield self
            return
        before = {each: signal.signal(each, self._signalled) for each in signals}
        before[signal.SIGALRM] = signal.signal(signal.SIGALRM, self._too_late)
        try:
            yield self
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            for each, handler in before.items():
                signal.signal(each, handler)

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            self.twice = self.late = True
            raise KeyboardInterrupt
        self.ask()

    def ask(self) -> None:
        """Have the run end."""
        self.asked = True
        if self._waiting:
            raise Stopped
        for started in self.session.started if self.session is not None else ():
            if started.vm.current is not None:
                started.fuel.interrupt()
        signal.setitimer(signal.ITIMER_REAL, PATIENCE)

    def _too_late(self, number: int, frame: FrameType | None) -> None:
        self.late = True
        raise KeyboardInterrupt

    def settled(self) -> None:
        """What ran has come to its end; what comes next has time of its own."""
        if self.asked:
            signal.setitimer(signal.ITIMER_REAL, PATIENCE)
            for started in self.session.started if self.session is not None else ():
                started.fuel.calm()

    def over(self) -> None:
        """Nothing has to come to its end any more."""
        signal.setitimer(signal.ITIMER_REAL, 0)

    def waited(self, wait: Callable[[], T]) -> T:
        """What is waited for; `Stopped` if the run is to end."""
        if self.asked:
            raise Stopped
        self._waiting = True
        try:
            if self.asked:  # the signal came between the two lines above
                raise Stopped
            return wait()
        finally:
            self._waiting = False

    def until(self, items: Iterable[T]) -> Iterator[T]:
        """Items, until the run is to end; each is waited for."""
        take = iter(items).__next__
        while True:
            try:
                item = self.waited(take)
            except (StopIteration, Stopped):
                return
            yield item
