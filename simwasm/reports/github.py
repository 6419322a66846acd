"""A report as annotations of GitHub Actions: what is wrong is shown at its line in the pull request.

Rules: a line of a command is never broken, its text is escaped as the runner reads it; paths are seen from the current
folder, which in a workflow is the repository; nothing else that a plugin said is printed, so that it gives no commands.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from simwasm.reports.check import Check, Verdict, counted, from_here, one_line
from simwasm.trace.text import printable

_COMMANDS = {Verdict.FAILED: "error", Verdict.ERROR: "error", Verdict.SKIPPED: "notice"}
_LONGEST = 16_000
"""More than that of details is not shown anywhere."""
_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


class GitHub:
    """Commands of the runner."""

    def begin(self) -> Iterator[str]:
        yield from ()

    def check(self, number: int, check: Check) -> Iterator[str]:
        command = _COMMANDS.get(check.verdict)
        if command is None:
            return
        properties = {
            "file": one_line(from_here(check.file)),
            "line": check.line,
            "title": one_line(check.name),
        }
        told = ",".join(
            f"{key}={str(value).translate(_PROPERTY)}" for key, value in properties.items() if value
        )
        text = printable("\n".join(filter(None, (check.message, check.details))))
        yield f"::{command} {told}::{_cut(text).translate(_DATA)}"

    def end(self, checks: Sequence[Check]) -> Iterator[str]:
        yield counted(checks) or "nothing to check"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…\n({len(text):,} characters in all)"
