"""One thing that was checked, as a value that every form of report is made of.

Rule: the texts may come from a plugin or a file and hold anything; whoever writes them makes them `printable`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from simwasm.trace.text import printable


class Verdict(str, Enum):
    """How a check went."""

    PASSED = "passed"
    FAILED = "failed"
    """It was not as it was expected to be."""
    ERROR = "error"
    """It could not be checked."""
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Check:
    """One check: `Check("denies", "suite.yaml", 12, Verdict.FAILED, "status: expected 403, came 200")`."""

    name: str
    file: str
    line: int = 0
    """Where in the file it is written; 0 for the file as a whole."""
    verdict: Verdict = Verdict.PASSED
    message: str = ""
    """In one line what is wrong, or why it was skipped."""
    details: str = ""
    """All there is to tell of it, in lines."""
    took_s: float = 0.0

    @property
    def place(self) -> str:
        """The file, and the line if there is one."""
        return f"{self.file}:{self.line}" if self.line else self.file


def exit_status(checks: Iterable[Check]) -> int:
    """0 all is well, 1 something is not as expected, 2 something could not be checked."""
    found = {check.verdict for check in checks}
    return 2 if Verdict.ERROR in found else int(Verdict.FAILED in found)


def one_line(text: str) -> str:
    """A text in one line that cannot break out of it."""
    return printable(" ".join(text.split("\n"))).replace("\t", " ")


def counted(checks: Iterable[Check]) -> str:
    """How many passed and did not: `2 failed, 7 passed`."""
    verdicts = [check.verdict for check in checks]
    counts = ((verdicts.count(verdict), verdict) for verdict in _ORDER)
    return ", ".join(f"{count:,} {_NOUNS.get(verdict, verdict.value)}" for count, verdict in counts if count)


def from_here(file: str) -> str:
    """A path as it is seen from the current folder, with slashes, if it is below that."""
    relative = os.path.relpath(file) if os.path.isabs(file) else os.path.normpath(file)
    return (file if relative.startswith("..") else relative).replace(os.sep, "/")


_ORDER = (Verdict.FAILED, Verdict.ERROR, Verdict.SKIPPED, Verdict.PASSED)
_NOUNS = {Verdict.ERROR: "not checked"}
