"""A part of a comparison: the exchanges that one process has, what is told of them, and what they come to.

Rules: the same part says the same wherever it is played; of differences only so many are told, all are counted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from simwasm.comparing.aspects import DEFAULT, Aspect
from simwasm.comparing.differences import Comparer
from simwasm.comparing.lockstep import Compared, Lockstep
from simwasm.comparing.tally import Tally
from simwasm.comparing.telling import as_json, lines
from simwasm.exchange import Exchange
from simwasm.goldens.redactions import Redaction
from simwasm.replay.job import Job
from simwasm.trace.text import paint, plain

if TYPE_CHECKING:
    from simwasm.comparing.share import Share


@dataclass(frozen=True)
class Telling:
    """What is told of what differs, and how."""

    json: bool = False
    painted: bool = False
    rows: bool = False
    """Calls side by side."""
    most: int | None = None
    """Of how many exchanges it is told; of all if None."""


@dataclass(frozen=True)
class Comparison:
    """Two jobs to be done with the same traffic, as a value that another process can be sent."""

    old: Job
    new: Job
    wanted: frozenset[Aspect] = DEFAULT
    ignored: tuple[Redaction, ...] = ()
    telling: Telling = Telling()

    def part(self) -> Share:
        """What one of several processes does of it."""
        from simwasm.comparing.share import Share  # which has to know what a comparison is

        return Share(self)

    def of_worker(self, number: int) -> Comparison:
        """The same for one of several processes: none of them is told apart."""
        return self

    def portable(self) -> Comparison:
        """The same without what every process finds out by itself."""
        return replace(self, old=self.old.portable(), new=self.new.portable())


class Told(NamedTuple):
    """What is told of one step."""

    text: str
    """Empty if nothing differs, or enough was told."""
    compared: Compared


class Part:
    """Both sides, and what they come to."""

    def __init__(self, comparison: Comparison, tally: Tally | None = None) -> None:
        self._telling = comparison.telling
        self._shown = 0
        self.tally = Tally() if tally is None else tally
        self.lockstep = Lockstep(
            comparison.old, comparison.new, Comparer(comparison.wanted, comparison.ignored)
        )

    def start(self) -> tuple[Told, bool]:
        """Start both sides: what is told of it, and whether both are there now."""
        compared, both = self.lockstep.start()
        return self._told(compared), both

    def play(self, numbered: Iterable[tuple[int, Exchange]]) -> Iterator[Told]:
        """Let exchanges through both sides."""
        return map(self._told, self.lockstep.play(numbered))

    def end(self) -> Told:
        """Stop both sides; what is told of it."""
        return self._told(self.lockstep.end())

    def close(self) -> None:
        """Let go of both sides."""
        self.lockstep.close()

    def _told(self, compared: Compared) -> Told:
        self.tally.add(compared)
        if not compared.differences.all:
            return Told("", compared)
        self._shown += 1
        most = self._telling.most
        if most is not None and self._shown > most:
            return Told("", compared)
        return Told(self._text(compared), compared)

    def _text(self, compared: Compared) -> str:
        telling = self._telling
        if telling.json:
            return json.dumps(as_json(compared)) + "\n"
        ink = paint if telling.painted else plain
        return "".join(f"{line}\n" for line in lines(compared, ink, rows=telling.rows))
