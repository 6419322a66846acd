"""Replays exchanges in a session, tells of each what is to be told, and sums all of it up.

Rules: what is printed goes to two functions, so that it can be printed at once, or kept and sent elsewhere; numbers of
exchanges come with them, so that a part of a run is told as it would be in the whole.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from simwasm.abi.enums import LogLevel
from simwasm.backtrace import Backtraces
from simwasm.costs import Costs
from simwasm.coverage.collector import Collector
from simwasm.exchange import Exchange
from simwasm.host.access_log import access_log_line
from simwasm.host.outcome import LogLine, Outcome
from simwasm.host.proxy import AHEAD
from simwasm.lints.lint import Problem
from simwasm.lints.lints import Lints
from simwasm.replay.job import Job, Style
from simwasm.replay.lines import exchange_line, log_text, outcome_json
from simwasm.replay.measuring import Measuring, counted
from simwasm.replay.rounds import Left, Rounds
from simwasm.replay.summary import Grown, Summary
from simwasm.session import Session
from simwasm.trace.envoy_text import EnvoyText
from simwasm.trace.event import Observer
from simwasm.trace.query.grades import Grade
from simwasm.trace.text import ArrowLog, paint, plain, printable

Write = Callable[[str], object]

_UPSTREAM = "127.0.0.1:80"


class Keeper(Protocol):
    """Who keeps what happens besides: a trace file, a golden."""

    observer: Observer

    def starting(self, session: Session) -> None:
        """The plugins are about to start."""
        ...

    def started(self) -> None:
        """They have started."""
        ...

    def finished(self, outcome: Outcome) -> None:
        """An exchange has ended."""
        ...


class Played(NamedTuple):
    """An exchange that has ended, and was told of."""

    number: int
    outcome: Outcome
    line: str = ""
    """What is told of it once more in the end."""
    unexpected: bool = False
    """Its status is not the one that was expected."""


class Player:
    """A session, and who watches it."""

    def __init__(
        self,
        job: Job,
        out: Write,
        err: Write,
        *,
        keepers: Sequence[Keeper] = (),
        collector: Collector | None = None,
    ) -> None:
        self.job = job
        self._out, self._err = out, err
        self._keepers = keepers
        self._colour = paint if job.telling.painted else plain
        self.summary = self._new_summary()
        self.costs = Costs(several=len(job.plugins) > 1) if job.telling.costs else None
        """What calls cost, if somebody wants to know."""
        self._coming: deque[int] = deque()
        """The numbers of exchanges that have not ended."""
        self._started = False
        self._crossed = 0
        frames = Backtraces(job.plugins)
        self._lints = Lints(
            self, whose=self._whose, least=Grade.WARNING, frames=frames, several=len(job.plugins) > 1
        )
        self._measuring = Measuring(self._lints, self.summary, self._number)
        printer, self._told_of_log = self._printing(frames)
        kept = [keeper.observer for keeper in keepers]
        costs: list[Observer] = [self.costs] if self.costs else []
        self.session = job.session(
            [*printer, *kept, self._measuring, *costs],
            on_log=self._logged,
            covering=collector.covering if collector is not None else None,
        )
        proxy = self.session.proxy
        proxy.ask_cluster = counted(proxy.ask_cluster, self._called_out)
        self._first_sizes: dict[str, int] = {}
        self.rounds: Rounds | None = None
        """The rounds, where traffic comes several times."""

    def _new_summary(self) -> Summary:
        return Summary(each_problem=self.job.telling.style is Style.JSON)

    def taken(self) -> Summary:
        """What has come together since this was asked the last time."""
        found, self.summary = self.summary, self._new_summary()
        self._measuring.into(self.summary)
        return found

    def again(self, lint: str, grade: Grade, group: str) -> bool:
        """Count a problem, if there is one like it."""
        return self.summary.problems.again(lint, grade, group)

    def add(self, problem: Problem) -> None:
        """Take a problem."""
        self.summary.problems.add(problem)

    def _printing(self, frames: Backtraces) -> tuple[list[Observer], Callable[[LogLine], None]]:
        """Who prints crossings, and who prints the lines of the log."""
        if self.job.telling.style is Style.ENVOY:
            text = EnvoyText(self._out, self.job.plugins)
            return [text], lambda line: text.log(line.at, line.level.name, printable(line.text))
        if self.job.telling.style is Style.ARROWS:
            several = len(self.job.plugins) > 1
            return [ArrowLog(self._out, ink=self._colour, frames=frames, whose=several)], _nothing
        return [], self._print_error

    def _print_error(self, line: LogLine) -> None:
        if line.level >= LogLevel.ERROR:
            self._err(log_text(line) + "\n")

    def _called_out(self, cluster: str, answer: str) -> None:
        self.summary.callouts.add((cluster, answer))

    def _logged(self, line: LogLine) -> None:
        self.summary.logged(line)
        self._told_of_log(line)

    def _whose(self, vm: str, context: int) -> int:
        """They run one after the other, so it is the next that ends; together, nobody can tell."""
        return 0 if self.job.together else self._number()

    def _number(self) -> int:
        """The number of the exchange that ends next; 0 for none."""
        return self._coming[0] if self._coming else 0

    def start(self) -> None:
        """Start the plugins: what they cross until they are up belongs to no exchange."""
        self._measuring.session = self.session
        if self.costs:
            self.costs.burnt = self.session.burnt
        for keeper in self._keepers:
            keeper.starting(self.session)
        self.session.start()
        for keeper in self._keepers:
            keeper.started()
        if self.costs:
            self.costs.since()
        self._measuring.since()
        self._crossed = self._lints.crossings
        self._first_sizes = self.memory_sizes()
        if self.job.rounds:
            self.rounds = Rounds(self.session)

    def memory_sizes(self) -> dict[str, int]:
        """How large the memories of the VMs are, by name."""
        return {
            started.vm.name: len(started.look())
            for started in self.session.started
            if started.instance is not None
        }

    def play(self, numbered: Iterable[tuple[int, Exchange]]) -> Iterator[Played]:
        """Replay exchanges, each with its number; each that has ended is told of and given."""
        ahead = 1 if self.job.in_time else AHEAD
        for outcome in self.session.replay(self._noted(numbered), together=self.job.together, ahead=ahead):
            yield self._finished(outcome)

    def _noted(self, numbered: Iterable[tuple[int, Exchange]]) -> Iterator[Exchange]:
        note = self._coming.append
        for number, exchange in numbered:
            note(number)
            yield exchange

    def _finished(self, outcome: Outcome) -> Played:
        number = self._coming[0]
        for keeper in self._keepers:
            keeper.finished(outcome)
        self._lints.finished(number, outcome.exchange, outcome)
        burnt = self._measuring.finished(number, outcome)
        self.summary.add(number, outcome, burnt)
        if not number % self.summary.course.width:
            self.summary.course.grown(number, sum(self.memory_sizes().values()))
        before, self._crossed = self._crossed, self._lints.crossings
        line = self._tell(number, outcome, self._crossed - before)
        self._coming.popleft()
        return Played(number, outcome, line, self._is_unexpected(number, outcome))

    def _tell(self, number: int, outcome: Outcome, crossings: int) -> str:
        telling = self.job.telling
        instructions = self.costs.since() if self.costs else None
        if telling.access_log:
            self._out(access_log_line(outcome, "upstream", _UPSTREAM) + "\n")
        if telling.style is Style.NOTHING:
            return ""
        if telling.style is Style.JSON:
            told = outcome_json(outcome, instructions)
            new = self.summary.problems.new()
            self._out(json.dumps(told | {"problems": new} if new else told) + "\n")
            return ""
        line = exchange_line(number, outcome, crossings, self._colour, instructions)
        if telling.style is Style.QUIET:
            self._out(line + "\n")
            return ""
        plainly = exchange_line(number, outcome, crossings, plain, instructions)
        self._out(self._colour("ok", f"── {plainly}") + "\n")
        return line

    def _is_unexpected(self, number: int, outcome: Outcome) -> bool:
        expect = self.job.telling.expect
        if expect is None or outcome.status == expect:
            return False
        self._err(f"simwasm: #{number} ended with {outcome.status}, not {expect}\n")
        return True

    def round_ended(self, requests: int) -> None:
        """A round of so many requests has ended, if there are rounds."""
        if self.rounds is not None:
            self.rounds.ended(requests)

    def left(self) -> tuple[Left, ...]:
        """What the rounds have left in the VMs."""
        return self.rounds.left() if self.rounds is not None else ()

    def stop(self) -> None:
        """Stop the plugins."""
        self.session.stop()

    def over(self) -> None:
        """Sum up; the plugins are not asked any more."""
        self._coming.clear()
        self._lints.over()
        for left in self.left():
            grown = left.problem()
            if grown is not None:
                self.summary.problems.add(grown)
        summary = self.summary
        summary.traps = self.session.proxy.traps
        worker = f"worker {self.job.worker}: " if self.job.worker else ""
        for vm, size in self.memory_sizes().items():
            summary.memory[worker + vm] = Grown(self._first_sizes.get(vm, size), size)

    def missed(self) -> frozenset[str]:
        """Faults that were asked for and never happened."""
        faults = self.session.proxy.faults
        return frozenset(fault.text for fault in faults.missed) if faults else frozenset()


def _nothing(line: LogLine) -> None:
    """Crossings tell what is logged."""
