"""What went wrong in a run, found on its tape by the same lints as `simwasm run` has.

Rules: each event is looked at once, as the tape grows, and an exchange right behind its last event; of many problems
that are alike only the first are kept.
"""

from __future__ import annotations

from collections import Counter
from operator import attrgetter

from simwasm.debug.tape import Span, Tape
from simwasm.lints.lint import Problem
from simwasm.lints.lints import Lints
from simwasm.trace.query.grades import Grade
from simwasm.trace.text import Frames, plain_frames

__all__ = ["Grade", "Problem", "Problems"]


MOST = 1_000
"""How many are kept of one lint and severity."""


class Problems:
    """The problems of a tape, as far as it was looked at."""

    def __init__(self, tape: Tape, frames: Frames = plain_frames) -> None:
        self.until = 0
        """The last position that was looked at."""
        self.left_off = 0
        """How many more there are that are not kept, being like many others."""
        self._tape = tape
        self._counts: Counter[tuple[str, Grade]] = Counter()
        self._found: list[Problem] = []
        self._spans = 0
        self._open: list[Span] = []
        self._over = False
        self._lints = Lints(self, whose=self._whose, maps=tape.seen.get, frames=frames)

    def grow(self, until: int | None = None) -> None:
        """Look at the tape up to a position; without, as far as it is known in full."""
        tape = self._tape
        if until is None:
            until = len(tape) if tape.complete else len(tape) - 1
        until = min(until, len(tape))
        for span in self._ended(until):
            self._look(span.last)
            assert span.outcome is not None
            self._lints.finished(span.index + 1, span.exchange, span.outcome)
        self._look(until)
        if tape.complete and not self._over and self.until == len(tape):
            self._over = True
            self._lints.over()

    def all(self) -> tuple[Problem, ...]:
        """Those that were found, in the order of their positions."""
        return tuple(sorted(self._found, key=attrgetter("position")))

    def __len__(self) -> int:
        return len(self._found)

    def _look(self, until: int) -> None:
        """Look at the events up to a position."""
        events, lints = self._tape.events, self._lints
        for index in range(self.until, until):
            lints(events[index])
        self.until = max(self.until, until)

    def _ended(self, until: int) -> list[Span]:
        """The exchanges that have ended since, in the order of their ends."""
        begun = self._tape.spans[self._spans :]
        self._spans += len(begun)
        self._open += begun
        ended = [span for span in self._open if span.outcome is not None and span.last <= until]
        if ended:
            still = set(map(id, ended))
            self._open = [span for span in self._open if id(span) not in still]
        return sorted(ended, key=attrgetter("last"))

    def _whose(self, vm: str, context: int) -> int:
        span = self._tape.span_with(vm, context)
        return 0 if span is None else span.index + 1

    def again(self, lint: str, grade: Grade, group: str) -> bool:
        """Count one of very many that are alike."""
        enough = self._counts[lint, grade] >= MOST
        self.left_off += enough
        return enough

    def add(self, problem: Problem) -> None:
        """Keep what was found, unless very many are alike."""
        if not self.again(problem.lint, problem.severity, problem.group):
            self._counts[problem.lint, problem.severity] += 1
            self._found.append(problem)
