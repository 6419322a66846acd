"""The replay of a run: in this process, or shared by several; what came of it is the same value."""

from __future__ import annotations

from argparse import Namespace
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from time import monotonic, sleep
from typing import Any, Protocol, TypeVar

from simwasm.cli import golden as goldens
from simwasm.cli.collecting import collecting
from simwasm.cli.keeping import keeping
from simwasm.cli.progress import Progress
from simwasm.costs import Costs
from simwasm.coverage.values import Covered
from simwasm.errors import SimwasmError
from simwasm.exchange import Exchange
from simwasm.replay.job import Job
from simwasm.replay.pace import Wait, paced
from simwasm.replay.player import Player
from simwasm.replay.rounds import Left
from simwasm.replay.shard import Ended
from simwasm.replay.stopping import Stopping
from simwasm.replay.summary import Summary
from simwasm.replay.traffic import Traffic, later
from simwasm.replay.worker import Block, RoundEnd, Told

Write = Callable[[str], object]

MOST_LINES = 1_000
"""How many lines are printed once more in the end."""
_NAP = 0.25
"""Seconds after which is looked how far the run is, while it waits."""
T = TypeVar("T")


class Team(Protocol):
    """Who plays in place of this process."""

    def play(self, items: Iterable[Block | RoundEnd]) -> Iterator[Told]: ...
    def pump(self, seconds: float | None) -> None: ...
    def ended(self) -> list[Ended]: ...
    def close(self) -> None: ...


@dataclass
class Screen:
    """Where it is told what happens."""

    out: Write
    err: Write
    progress: Progress


@dataclass
class Done:
    """What came of a replay."""

    summary: Summary
    costs: Costs | None = None
    left: tuple[Left, ...] = ()
    problems: list[dict[str, Any]] = field(default_factory=list)
    """Those that belong to no exchange, where each is told."""
    missed: frozenset[str] = frozenset()
    covered: tuple[tuple[Covered, ...], ...] = ()
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=MOST_LINES))
    unexpected: bool = False
    died: bool = False
    """Whether a process ended before it was to."""
    error: SimwasmError | None = None
    """Why not all of the traffic could be read."""


class Reading:
    """The traffic, as it is given away: at its pace, and up to where it cannot be read."""

    def __init__(self, traffic: Traffic, *, in_time: bool) -> None:
        self.traffic = traffic
        self.error: SimwasmError | None = None
        self.played: int | None = None
        """How many exchanges have come back, where others play them while more are read."""
        self._given = 0
        self._in_time = in_time

    @property
    def position(self) -> int:
        """How many bytes of the traffic have been replayed, about."""
        read = self.traffic.position
        return read if self.played is None or not self._given else read * self.played // self._given

    def rounds(self, wait: Wait) -> Iterator[Iterator[Exchange]]:
        """The exchanges of every round."""
        for number, exchanges in enumerate(self.traffic.each_round()):
            if self.error is not None:
                return
            if number and self._in_time:
                exchanges = self._shifted(exchanges)
            found = self._told(exchanges)
            yield paced(found, wait) if self._in_time else found

    def _told(self, exchanges: Iterator[Exchange]) -> Iterator[Exchange]:
        try:
            for exchange in exchanges:
                self._last = exchange.started_ns
                self._given += 1
                yield exchange
        except SimwasmError as error:
            self.error = error

    def _shifted(self, exchanges: Iterator[Exchange]) -> Iterator[Exchange]:
        """A round begins when the one before has ended."""
        assert self.traffic.first is not None
        by = self._last - self.traffic.first.started_ns
        return (later(exchange, by) for exchange in exchanges)


def alone(
    words: Namespace, job: Job, reading: Reading, stopping: Stopping, screen: Screen, golden: goldens.Golden
) -> Done:
    """Replay in this process."""
    done = Done(Summary())

    def wait(seconds: float) -> bool:
        stopping.waited(lambda: sleep(min(seconds, _NAP)))
        screen.progress.tick(player.summary.exchanges)
        return True

    with (
        collecting(words, job.plugins) as collector,
        keeping(words, job.plugins, job.engine, job.now_ns, golden) as keepers,
    ):
        player = Player(job, screen.out, screen.err, keepers=keepers, collector=collector)
        stopping.session = player.session
        begun = monotonic()
        try:
            player.start()
            _play(player, reading.rounds(wait), stopping, screen.progress, done)
            stopping.settled()
            player.stop()
        except KeyboardInterrupt:
            if stopping.twice or not stopping.asked:
                raise
        finally:
            stopping.over()
            screen.progress.hide()
        player.over()
    done.summary = player.summary
    done.summary.real_ns = round((monotonic() - begun) * 1e9)
    done.costs, done.left, done.missed = player.costs, player.left(), player.missed()
    done.problems = player.summary.problems.new()
    done.error = reading.error
    return done


def _play(
    player: Player, rounds: Iterator[Iterator[Exchange]], stopping: Stopping, progress: Progress, done: Done
) -> None:
    number = 0
    for exchanges in rounds:
        before = number
        for played in player.play(enumerate(stopping.until(exchanges), number + 1)):
            number += 1
            progress.tick(number)
            done.unexpected = done.unexpected or played.unexpected
            if played.line:
                done.lines.append(played.line)
        if stopping.asked:
            return
        player.round_ended(number - before)


def shared(words: Namespace, team: Team, reading: Reading, screen: Screen, *, block: int) -> Done:
    """Have others replay, and put together what they tell."""
    done = Done(Summary())
    summary = done.summary

    reading.played = 0

    def wait(seconds: float) -> bool:
        team.pump(min(seconds, _NAP))
        screen.progress.tick(summary.exchanges)
        return True

    begun = monotonic()
    try:
        for told in team.play(_blocks(reading.rounds(wait), block)):
            if told.out:
                screen.out(told.out)
            if told.err:
                screen.err(told.err)
            done.lines.extend(told.lines)
            done.unexpected = done.unexpected or told.unexpected
            done.problems += told.summary.problems.new()
            summary.merge(told.summary)
            reading.played = summary.exchanges
            screen.progress.tick(summary.exchanges)
        screen.progress.hide()
        _put_together(done, team.ended(), screen, words)
    finally:
        screen.progress.hide()
        team.close()
    summary.real_ns = round((monotonic() - begun) * 1e9)
    done.error = reading.error
    return done


def _blocks(rounds: Iterator[Iterator[Exchange]], size: int) -> Iterator[Block | RoundEnd]:
    first = 1
    for number, exchanges in enumerate(rounds):
        if number:
            yield RoundEnd()
        while block := tuple(islice(exchanges, size)):
            yield Block(first, block)
            first += len(block)


def _put_together(done: Done, parts: list[Ended], screen: Screen, words: Namespace) -> None:
    """Add up what everybody told in the end."""
    done.costs = Costs() if words.cost else None
    summary = done.summary
    for number, part in enumerate(parts, 1):
        if part.out:
            screen.out(part.out)
        if part.err:
            screen.err(part.err)
        summary.merge(part.summary)
        done.problems += part.problems
        if done.costs is not None:
            done.costs.merge(part.costs)
        done.left += tuple(left._replace(vm=f"worker {number}: {left.vm}") for left in part.left)
    summary.workers = max(len(parts), 1)
    done.covered = tuple(part.covered for part in parts)
    done.missed = frozenset.intersection(*(part.missed for part in parts)) if parts else frozenset()
