"""The problems of a run: those that are alike are counted, with the first of them.

Rules: whatever a plugin makes up there are so many kinds and no more, so that the longest run holds as much as a short
one; two halves of a run merge into what the whole would have been, the earlier half first.
"""

from __future__ import annotations

from typing import Any

from simwasm.lints.lint import Problem
from simwasm.trace.query.grades import Grade

MOST_OF_AN_EXCHANGE = 1_000
"""How many of an exchange are told one by one."""
MOST_ALIKE = 100
"""How many groups a lint may have; what its later ones have in common is not looked at."""

Key = tuple[str, str]


class Problems:
    """What was found, from the warnings on; all of them one by one, or only the first of those that are alike."""

    def __init__(self, *, all: bool) -> None:
        self.alike: dict[Key, tuple[Problem, int]] = {}
        """The first of those that are alike, and how many they are, by lint and group."""
        self._groups: dict[str, int] = {}
        self._new: list[Problem] = []
        self._all = all

    def again(self, lint: str, grade: Grade, group: str) -> bool:
        """Count one that is like another, unless all are wanted."""
        if self._all or grade is Grade.NOTE:
            return False
        key = self._key(lint, group)
        found = self.alike.get(key)
        if found is not None:
            self.alike[key] = found[0], found[1] + 1
        return found is not None

    def add(self, problem: Problem, times: int = 1) -> None:
        """Note one; notes are for the debugger."""
        if problem.severity is Grade.NOTE:
            return
        key = self._key(problem.lint, problem.group)
        first, count = self.alike.get(key) or self._first(key, problem)
        self.alike[key] = first, count + times
        if self._all and len(self._new) < MOST_OF_AN_EXCHANGE:
            self._new.append(problem)

    def _key(self, lint: str, group: str) -> Key:
        """Where a problem is counted: with its group, or with all others once there are too many groups."""
        key = lint, group
        return key if key in self.alike or self._groups.get(lint, 0) < MOST_ALIKE else (lint, "")

    def _first(self, key: Key, problem: Problem) -> tuple[Problem, int]:
        self._groups[key[0]] = self._groups.get(key[0], 0) + 1
        return problem, 0

    def merge(self, other: Problems) -> None:
        """Add those of another part of the run; the first place of those that are alike is the earlier one."""
        for problem, times in other.alike.values():
            key = self._key(problem.lint, problem.group)
            first, count = self.alike.get(key) or self._first(key, problem)
            earlier = first if _place(first) <= _place(problem) else problem
            self.alike[key] = earlier, count + times
        self._new += other._new[: MOST_OF_AN_EXCHANGE - len(self._new)]

    def __len__(self) -> int:
        """How many there are, those that are alike counted once."""
        return len(self.alike)

    def worst_first(self) -> list[tuple[Problem, int]]:
        """The first of those that are alike, and how many they are."""
        return sorted(self.alike.values(), key=lambda found: -found[0].severity)

    def new(self) -> list[dict[str, Any]]:
        """Those that were not given before, as JSON."""
        found, self._new = self._new, []
        return [problem_json(problem) for problem in found]


def _place(problem: Problem) -> tuple[bool, int]:
    """What orders places: those of no exchange come last."""
    return not problem.exchange, problem.exchange


def problem_json(problem: Problem) -> dict[str, Any]:
    """A problem as JSON; what it does not have is left out."""
    found = {
        "lint": problem.lint,
        "severity": problem.severity.name.lower(),
        "title": problem.title,
        "row": problem.row,
        "plugin": problem.vm,
        "happened": problem.happened,
        "why": problem.why,
        "fix": problem.advice,
    }
    return {name: value for name, value in found.items() if value}
