"""Sessions that are watched for problems, without a tape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from switchboard import Case, switchboard

from simwasm.engines import find
from simwasm.exchange import Exchange
from simwasm.lints.lint import Problem
from simwasm.lints.lints import Lints
from simwasm.plugin import Plugin
from simwasm.session import Session
from simwasm.trace.query.grades import Grade


class Kept(list[Problem]):
    """Takes every problem."""

    def again(self, lint: str, grade: Grade, group: str) -> bool:
        return False

    def add(self, problem: Problem) -> None:
        self.append(problem)


def problems_of_run(plugin: Plugin, exchanges: Sequence[Exchange], **options: Any) -> tuple[Problem, ...]:
    """The problems of a session, as they are found."""
    kept = Kept()
    number = 0
    lints = Lints(kept, whose=lambda vm, context: number + 1)
    session = Session([plugin], engine=find.engine(None), observers=[lints], **options)
    with session:
        for outcome in session.replay(exchanges):
            number += 1
            lints.finished(number, outcome.exchange, outcome)
    lints.over()
    return tuple(kept)


def problems_of_case(case: Case, *, times: int = 1, **options: Any) -> tuple[Problem, ...]:
    """The problems of an exchange, or the same several times, with a plugin that makes the calls of a case."""
    return problems_of_run(Plugin("board", switchboard([case])), [case.exchange(0)] * times, **options)
