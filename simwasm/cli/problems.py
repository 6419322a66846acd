"""The problems of a run as a person reads them: those that are alike once, counted, with the first place and the fix.

Rule: they go to standard error, so that what a command prints for others stays that; `--json` has them in its lines.
"""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Iterator
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from simwasm.cli import costs
from simwasm.cli.output import Ink, ink
from simwasm.cli.rounds import Rounds
from simwasm.lints.lint import Problem
from simwasm.trace.query.grades import Grade
from simwasm.trace.text import printable

if TYPE_CHECKING:
    from simwasm.cli.watch import Watch

_SIGNS = {Grade.ERROR: ("✗", "bad"), Grade.WARNING: ("!", "bad"), Grade.NOTE: ("·", "ok")}
_WIDTH = 110
_MOST = 1_000
"""How many of an exchange are told one by one."""


class Problems:
    """What was found, from the warnings on; all of them one by one, or only the first of those that are alike."""

    def __init__(self, *, all: bool) -> None:
        self._alike: dict[tuple[str, str], tuple[Problem, int]] = {}
        """The first of those that are alike, and how many they are."""
        self._new: list[Problem] = []
        self._all = all

    def again(self, lint: str, grade: Grade, group: str) -> bool:
        """Count one that is like another, unless all are wanted."""
        found = None if self._all or grade is Grade.NOTE else self._alike.get((lint, group))
        if found is not None:
            self._alike[lint, group] = found[0], found[1] + 1
        return found is not None

    def add(self, problem: Problem) -> None:
        """Note one; notes are for the debugger."""
        if problem.severity is Grade.NOTE:
            return
        key = problem.lint, problem.group
        first, count = self._alike.get(key, (problem, 0))
        self._alike[key] = first, count + 1
        if self._all and len(self._new) < _MOST:
            self._new.append(problem)

    def __len__(self) -> int:
        """How many there are, those that are alike counted once."""
        return len(self._alike)

    def new(self) -> list[dict[str, Any]]:
        """Those that were not given before, as JSON."""
        found, self._new = self._new, []
        return [problem_json(problem) for problem in found]

    def lines(self, exchanges: int, colour: Ink) -> Iterator[str]:
        """All of them, the worst first; there were so many exchanges."""
        if not self._alike:
            return
        count = len(self._alike)
        yield f"{count} problem{'s' if count > 1 else ''}:"
        for problem, times in sorted(self._alike.values(), key=_worst_first):
            sign, paint = _SIGNS[problem.severity]
            yield colour(paint, f"{sign} {problem.lint}: {printable(problem.title)}") + _place(
                problem, times, exchanges
            )
            for text in (
                f"{problem.happened} {problem.why}".strip(),
                problem.advice and f"fix: {problem.advice}",
            ):
                yield from wrap(
                    printable(text), _WIDTH, initial_indent="    ", subsequent_indent="    ",
                    break_long_words=False, break_on_hyphens=False,
                )  # fmt: skip


def with_new(outcome: dict[str, Any], found: Problems) -> dict[str, Any]:
    """An outcome, with what was found since the one before, if anything was."""
    new = found.new()
    return outcome | {"problems": new} if new else outcome


def tell(words: Namespace, watch: Watch, memory: Rounds | None = None) -> None:
    """List what a run found and cost, or give what belongs to no exchange as a last line of JSON."""
    found = watch.problems
    if words.json:
        rest: dict[str, Any] = {"problems": found.new()}
        if watch.costs is not None:
            rest["cost"] = costs.costs_json(watch.costs)
        if memory is not None:
            rest["memory"] = memory.json()
        rest = {name: value for name, value in rest.items() if value}
        if rest:
            print(json.dumps(rest))
        return
    sys.stdout.flush()
    for line in (
        *(costs.lines(watch.costs) if watch.costs is not None else ()),
        *(memory.lines() if memory is not None else ()),
        *found.lines(watch.exchanges, ink(words, sys.stderr)),
    ):
        print(line, file=sys.stderr)


def _worst_first(found: tuple[Problem, int]) -> int:
    return -found[0].severity


def _place(problem: Problem, times: int, exchanges: int) -> str:
    where = [f"exchange {problem.exchange}"] if 0 < problem.exchange <= exchanges else []
    where += [f"row {problem.row:,}"] if problem.row else []
    count = f"  {times:,} times, first in " if times > 1 else "  in "
    return count + ", ".join(where) if where else ""


def problem_json(problem: Problem) -> dict[str, Any]:
    """A problem as JSON; what it does not have is left out."""
    found = {
        "lint": problem.lint,
        "severity": problem.severity.name.lower(),
        "title": problem.title,
        "row": problem.row,
        "happened": problem.happened,
        "why": problem.why,
        "fix": problem.advice,
    }
    return {name: value for name, value in found.items() if value}
