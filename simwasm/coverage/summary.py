"""Coverage as reports show it: what was reached of how much, by file of source and by function.

Rules that live here: only what the user wrote is shown and counted, unless everything is asked for; the part that was
reached is of lines of source where there are any, else of the instructions of functions; a part is only 100 % if
nothing is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import mul
from typing import NamedTuple

from simwasm.coverage.values import Covered, Function, Source


class Part(NamedTuple):
    """How much of how much."""

    reached: int
    all: int

    @property
    def percent(self) -> float:
        """In a hundred; of nothing, everything was reached."""
        return 100 * self.reached / self.all if self.all else 100.0

    def __str__(self) -> str:
        """The percent, rounded down."""
        return f"{int(self.percent)}%"

    def plus(self, other: Part) -> Part:
        """Both together."""
        return Part(self.reached + other.reached, self.all + other.all)


@dataclass(frozen=True, slots=True)
class FunctionReached:
    """A function of the module."""

    function: Function
    instructions: Part

    @property
    def reached(self) -> bool:
        """Whether it was run."""
        return self.instructions.reached > 0


@dataclass(frozen=True, slots=True)
class WrittenReached:
    """A function of the source."""

    name: str
    line: int
    reached: bool


@dataclass(frozen=True, slots=True)
class SourceReached:
    """A file of source: for each line that has code, whether it was reached."""

    source: Source
    lines: dict[int, bool]
    functions: tuple[WrittenReached, ...]

    @property
    def part(self) -> Part:
        """How many lines of how many."""
        return Part(sum(self.lines.values()), len(self.lines))

    @property
    def path(self) -> str:
        """Where it is here, or where it was when the plugin was built."""
        return self.source.here or self.source.path


@dataclass(frozen=True, slots=True)
class Summary:
    """A plugin."""

    covered: Covered
    sources: tuple[SourceReached, ...]
    functions: tuple[FunctionReached, ...]

    @property
    def lines(self) -> Part:
        """Lines of source."""
        return total(each.part for each in self.sources)

    @property
    def reached_functions(self) -> Part:
        """Functions of the module."""
        return Part(sum(each.reached for each in self.functions), len(self.functions))

    @property
    def instructions(self) -> Part:
        """Instructions of these functions."""
        return total(each.instructions for each in self.functions)

    @property
    def part(self) -> Part:
        """What counts."""
        return self.lines if self.sources else self.instructions


def summarize(covered: Covered, everything: bool = False) -> Summary:
    """What was reached of a plugin: of what the user wrote, or of everything."""
    ground, ran = covered.ground, covered.ran()
    reached = list(accumulate(map(mul, ground.sizes, ran), initial=0))
    sizes = list(accumulate(ground.sizes, initial=0))
    return Summary(
        covered,
        tuple(_source(ran, each) for each in ground.sources if each.own or everything),
        tuple(
            FunctionReached(
                each, Part(reached[each.end] - reached[each.first], sizes[each.end] - sizes[each.first])
            )
            for each in ground.functions
            if each.own or everything
        ),
    )


def _source(ran: bytes, source: Source) -> SourceReached:
    return SourceReached(
        source,
        {line: _any(ran, blocks) for line, blocks in source.lines.items()},
        tuple(WrittenReached(each.name, each.line, _any(ran, each.blocks)) for each in source.functions),
    )


def _any(ran: bytes, blocks: Iterable[int]) -> bool:
    return any(map(ran.__getitem__, blocks))


def total(parts: Iterable[Part]) -> Part:
    """All of them together."""
    found = Part(0, 0)
    for part in parts:
        found = found.plus(part)
    return found


def missed(lines: dict[int, bool]) -> str:
    """The lines that were not reached, as ranges: `8-10, 14`; a range goes on over lines without code."""
    ranges: list[list[int]] = []
    going_on = False
    for line, reached in sorted(lines.items()):
        if reached:
            going_on = False
        elif going_on:
            ranges[-1][1] = line
        else:
            ranges.append([line, line])
            going_on = True
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)


def overall(summaries: Sequence[Summary]) -> Part:
    """What counts, of all plugins: lines where every one of them has some."""
    if all(each.sources for each in summaries):
        return total(each.lines for each in summaries)
    return total(each.instructions for each in summaries)
