"""The problems of a run as a person reads them: those that are alike once, counted, with the first place and the fix.

Rule: they go to standard error, so that what a command prints for others stays that; `--json` has them in its lines.
"""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Any

from simwasm.cli import costs as cost_lines
from simwasm.cli.output import Ink, ink
from simwasm.costs import Costs
from simwasm.lints.lint import Problem
from simwasm.replay.problems import Problems
from simwasm.replay.rounds import Left
from simwasm.trace.query.grades import Grade
from simwasm.trace.text import printable

_SIGNS = {Grade.ERROR: ("✗", "bad"), Grade.WARNING: ("!", "bad"), Grade.NOTE: ("·", "ok")}
_WIDTH = 110


def lines(found: Problems, exchanges: int, colour: Ink) -> Iterator[str]:
    """All of them, the worst first; there were so many exchanges."""
    if not len(found):
        return
    yield f"{len(found)} problem{'s' if len(found) > 1 else ''}:"
    for problem, times in found.worst_first():
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


def tell(
    words: Namespace, found: Problems, costs: Costs | None, exchanges: int, memory: Sequence[Left] = ()
) -> None:
    """List what a run found and cost, or give what belongs to no exchange as a last line of JSON."""
    if words.json:
        rest = rest_json(found.new(), costs, memory)
        if rest:
            print(json.dumps(rest))
        return
    sys.stdout.flush()
    for line in (
        *(cost_lines.lines(costs) if costs is not None else ()),
        *(left.line() for left in memory),
        *lines(found, exchanges, ink(words, sys.stderr)),
    ):
        print(line, file=sys.stderr)


def rest_json(problems: list[dict[str, Any]], costs: Costs | None, memory: Sequence[Left]) -> dict[str, Any]:
    """What belongs to no exchange; what there is nothing of is left out."""
    rest: dict[str, Any] = {"problems": problems}
    if costs is not None:
        rest["cost"] = cost_lines.costs_json(costs)
    rest["memory"] = [left.json() for left in memory]
    return {name: value for name, value in rest.items() if value}


def _place(problem: Problem, times: int, exchanges: int) -> str:
    where = [f"exchange {problem.exchange}"] if 0 < problem.exchange <= exchanges else []
    where += [f"row {problem.row:,}"] if problem.row else []
    where += [f"of {printable(problem.vm)}"] if problem.vm else []
    count = f"  {times:,} times, first in " if times > 1 else "  in "
    return count + ", ".join(where) if where else ""
