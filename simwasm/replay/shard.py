"""A part of a run, played where nothing can be printed: what would have been is given with each exchange.

    for result in play(job, enumerate(exchanges, 1)): ...

Rules: the same job and exchanges give the same results wherever they are played; the last one is an `Ended`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from simwasm.costs import Called, Cost
from simwasm.coverage.collector import Collector
from simwasm.coverage.values import Covered
from simwasm.exchange import Exchange
from simwasm.replay.job import Job
from simwasm.replay.player import Played, Player
from simwasm.replay.rounds import Left
from simwasm.replay.summary import Summary
from simwasm.session import Session


class Result(NamedTuple):
    """What is told of one exchange."""

    number: int
    out: str
    """What goes to standard output."""
    err: str
    """What goes to standard error."""
    line: str = ""
    """What is told of it once more in the end."""
    unexpected: bool = False


class Ended(NamedTuple):
    """What is told when a part has been played."""

    out: str
    err: str
    summary: Summary
    problems: list[dict[str, Any]]
    """Those found since the last exchange, where each is told."""
    costs: dict[Called, Cost]
    """What calls cost, where that is wanted."""
    missed: frozenset[str]
    """Faults that were asked for and never happened."""
    covered: tuple[Covered, ...]
    left: tuple[Left, ...]
    """What the rounds left in the VMs."""


class Sheet:
    """Keeps what is written."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self.write = self._parts.append

    def taken(self) -> str:
        """What was written since this was asked the last time."""
        if not self._parts:
            return ""
        text = "".join(self._parts)
        self._parts.clear()
        return text


class Part:
    """A player whose words are kept."""

    def __init__(self, job: Job) -> None:
        self._out, self._err = Sheet(), Sheet()
        self._collector = Collector(job.plugins) if job.coverage else None
        self.player = Player(job, self._out.write, self._err.write, collector=self._collector)

    @property
    def session(self) -> Session:
        """The session of the player."""
        return self.player.session

    def round_ended(self, requests: int) -> None:
        """All of the traffic was played once."""
        self.player.round_ended(requests)

    def taken(self) -> Summary:
        """What has come of it since this was asked the last time."""
        return self.player.taken()

    def start(self) -> tuple[str, str]:
        """Start the plugins; what was printed."""
        self.player.start()
        return self.unheard()

    def unheard(self) -> tuple[str, str]:
        """What was printed and not given to anybody yet."""
        return self._out.taken(), self._err.taken()

    def results(self, numbered: Iterable[tuple[int, Exchange]]) -> Iterator[Result]:
        """Play exchanges."""
        for played in self.player.play(numbered):
            yield self._result(played)

    def _result(self, played: Played) -> Result:
        return Result(played.number, self._out.taken(), self._err.taken(), played.line, played.unexpected)

    def ended(self, *, stopped: bool = True) -> Ended:
        """Stop the plugins and sum up; plugins that are in the middle of something are left as they are."""
        player = self.player
        if stopped:
            player.stop()
        player.over()
        covered = self._collector.covered() if self._collector is not None else ()
        player.session.close()
        return Ended(
            self._out.taken(),
            self._err.taken(),
            player.summary,
            player.summary.problems.new(),
            player.costs.of if player.costs is not None else {},
            player.missed(),
            covered,
            player.left(),
        )


def play(job: Job, numbered: Iterable[tuple[int, Exchange]]) -> Iterator[Result | Ended]:
    """Start the plugins, replay exchanges, each with its number, and stop the plugins."""
    part = Part(job)
    out, err = part.start()
    for result in part.results(numbered):
        yield result._replace(out=out + result.out, err=err + result.err) if out or err else result
        out = err = ""
    ended = part.ended()
    yield ended._replace(out=out + ended.out, err=err + ended.err)
