"""What the lints say of a plugin under test: they are shown the events when somebody asks, each one once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simwasm.backtrace import Backtraces
from simwasm.lints.lint import Problem
from simwasm.lints.lints import Lints
from simwasm.trace.event import Entered
from simwasm.trace.query.grades import Grade

if TYPE_CHECKING:
    from simwasm.host.stream import Stream
    from simwasm.testing.life import Life


class Problems:
    """The problems of one plugin, warnings and worse."""

    def __init__(self, life: Life) -> None:
        self._life = life
        self._found: list[Problem] = []
        self._lints = Lints(
            self,
            whose=self._whose,
            least=Grade.WARNING,
            frames=Backtraces(life.setup.plugins),
            several=len(life.setup.plugins) > 1,
        )
        self._events = self._outcomes = self._visits = 0
        self._numbers: dict[Stream, int] = {}
        self._streams: dict[tuple[str, int], Stream] = {}
        self._over = False

    def all(self) -> tuple[Problem, ...]:
        """Those of everything until now."""
        self._look()
        return tuple(self._found)

    def of(self, stream: Stream) -> tuple[Problem, ...]:
        """Those of one stream."""
        self._look()
        number = self._numbers.get(stream, -1)
        return tuple(problem for problem in self._found if problem.exchange == number)

    def again(self, lint: str, grade: Grade, group: str) -> bool:
        """Nothing is only counted: a test wants to see all of them."""
        return False

    def add(self, problem: Problem) -> None:
        """Take a problem."""
        if problem.severity >= Grade.WARNING:
            self._found.append(problem)

    def _look(self) -> None:
        record = self._life.record
        self._know()
        for at, outcome in record.outcomes[self._outcomes :]:
            self._tell(at)
            self._outcomes += 1
            result = self._life.ended[self._outcomes - 1]
            self._lints.finished(self._number(result.stream), outcome.exchange, outcome)
        self._tell(len(record.events))
        if self._life.over and not self._over:
            self._over = True
            self._lints.over()

    def _tell(self, until: int) -> None:
        for event in self._life.record.events[self._events : until]:
            self._lints(event)
        self._events = until

    def _know(self) -> None:
        """Note which contexts are whose."""
        record = self._life.record
        for visit in record.visits[self._visits :]:
            entered = record.events[visit.begin]
            if visit.stream is not None and isinstance(entered, Entered):
                self._streams[entered.vm, entered.context] = visit.stream
                self._number(visit.stream)
        self._visits = len(record.visits)

    def _number(self, stream: Stream) -> int:
        """The number of a stream's exchange: they count from 1, in the order in which the plugin met them."""
        return self._numbers.setdefault(stream, len(self._numbers) + 1)

    def _whose(self, vm: str, context: int) -> int:
        stream = self._streams.get((vm, context))
        return 0 if stream is None else self._number(stream)
