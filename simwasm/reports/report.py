"""A report under way: each check is told when it is known, and all of them at the end.

    report = Report(print, form("github"))
    report.add(Check("denies", "suite.yaml", 12, Verdict.FAILED, "status: expected 403, came 200"))
    report.end()

Rule: a form gives lines, and nothing here knows where they go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from simwasm.errors import InputError
from simwasm.reports.check import Check, exit_status
from simwasm.reports.github import GitHub
from simwasm.reports.tap import Tap
from simwasm.reports.text import Ink, Text
from simwasm.trace.text import plain

FORMATS = ("text", "tap", "github")


class Form(Protocol):
    """How a report is written."""

    def begin(self) -> Iterator[str]:
        """What stands before everything."""
        ...

    def check(self, number: int, check: Check) -> Iterator[str]:
        """What is said of a check; they are numbered from 1."""
        ...

    def end(self, checks: Sequence[Check]) -> Iterator[str]:
        """What stands behind everything."""
        ...


def form(name: str, ink: Ink = plain) -> Form:
    """The form of that name."""
    forms: dict[str, Form] = {"text": Text(ink), "tap": Tap(), "github": GitHub()}
    return forms[name]


class Report:
    """Checks, told as they come."""

    def __init__(self, write: Callable[[str], object], form: Form) -> None:
        self.checks: list[Check] = []
        self._write = write
        self._form = form
        self._started = datetime.now()
        self._tell(form.begin())

    def add(self, check: Check) -> None:
        """Tell of one more."""
        self.checks.append(check)
        self._tell(self._form.check(len(self.checks), check))

    def end(self, junit_file: str = "") -> int:
        """Tell what came of all, write a JUnit report if one is wanted, and give the exit status."""
        self._tell(self._form.end(self.checks))
        if junit_file:
            self._write_junit(junit_file)
        return exit_status(self.checks)

    def _write_junit(self, file: str) -> None:
        from simwasm.reports.junit import junit

        try:
            Path(file).write_text(junit(self.checks, self._started), encoding="utf-8", newline="\n")
        except OSError as error:
            raise InputError(f"--junit {file}: cannot be written: {error.strerror}") from None

    def _tell(self, lines: Iterable[str]) -> None:
        for line in lines:
            self._write(line)
