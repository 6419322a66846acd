"""The problems of trace files, found by the same lints as those of a run, in one pass over each file.

Rule: what is kept is what the lints remember, and which context belongs to which exchange until it ends.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from simwasm.exchange import Exchange, Message
from simwasm.host.outcome import Outcome
from simwasm.lints.lint import Problem
from simwasm.lints.lints import Lints
from simwasm.trace.event import Entered
from simwasm.trace.file import open_trace
from simwasm.trace.parse import Ending
from simwasm.trace.query.grades import Grade
from simwasm.trace.whose import CALLBACKS, CREATES, Whose

_MOST = 10_000
"""How many problems of a kind are told of each file."""


def write_problems(names: Sequence[str], path: Path) -> None:
    """Write the problems of files as JSON Lines."""
    with path.open("w", encoding="utf-8", errors="backslashreplace") as file:
        for name in names:
            for problem in problems(name):
                file.write(json.dumps(_json(name, problem)) + "\n")


def problems(name: str) -> Iterator[Problem]:
    """The problems of a file, in the order in which they are found."""
    trace = open_trace(name)
    whose, began = Whose(), dict[int, int]()
    found = _Found()
    lints = Lints(found, whose=whose.number)
    try:
        for event in trace.events():
            if isinstance(event, Ending):
                number = whose.ended()
                lints.finished(number, *_ended(event, began.pop(number, 0)))
            else:
                if isinstance(event, Entered) and (name := event.function.name) in CALLBACKS:
                    parent = event.args[1] if name == CREATES else 0
                    began[whose.called(name, event.vm, event.context, parent)] = event.at
                lints(event)
            yield from found.taken()
        lints.over()
        yield from found.taken()
    finally:
        trace.close()


class _Found:
    """What was found and not yet told."""

    def __init__(self) -> None:
        self._new: list[Problem] = []
        self._counts: dict[tuple[str, Grade], int] = {}

    def again(self, lint: str, grade: Grade, group: str, /) -> bool:
        return self._counts.get((lint, grade), 0) >= _MOST

    def add(self, problem: Problem, /) -> None:
        key = problem.lint, problem.severity
        self._counts[key] = self._counts.get(key, 0) + 1
        if self._counts[key] <= _MOST:
            self._new.append(problem)

    def taken(self) -> list[Problem]:
        new, self._new = self._new, []
        return new


def _ended(ending: Ending, at: int) -> tuple[Exchange, Outcome]:
    exchange = Exchange(ending.exchange, at, ending.request or Message(()), name=ending.name)
    return exchange, Outcome(
        exchange, ending.request, ending.response, ending.reset, ending.details, ending.local_reply, (), (), 0, 0,
        at, at, ending.waiting, (),
    )  # fmt: skip


def _json(name: str, problem: Problem) -> dict[str, Any]:
    return {
        "file": name,
        "exchange": problem.exchange or None,
        "row": problem.row or None,
        "position": problem.position,
        "lint": problem.lint,
        "severity": problem.severity.name.lower(),
        "title": problem.title,
        "happened": problem.happened,
        "why": problem.why or None,
        "fix": problem.advice or None,
    }
