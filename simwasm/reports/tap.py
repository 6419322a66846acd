"""A report in the Test Anything Protocol, version 14 (testanything.org).

Rules: the plan comes last, so that a run which was broken off is no complete report; a YAML block tells of what is
wrong; strings in it are JSON's, which YAML reads, too; details are a literal block, whose first line is not indented.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from simwasm.reports.check import Check, Verdict, one_line
from simwasm.trace.text import printable

_SEVERITIES = {Verdict.FAILED: "fail", Verdict.ERROR: "error"}


class Tap:
    """Test points."""

    def begin(self) -> Iterator[str]:
        yield "TAP version 14"

    def check(self, number: int, check: Check) -> Iterator[str]:
        word = "not ok" if check.verdict in _SEVERITIES else "ok"
        why = f" # SKIP {_escaped(check.message)}" if check.verdict is Verdict.SKIPPED else ""
        yield f"{word} {number} - {_escaped(check.name)}{why}".rstrip()
        if check.verdict in _SEVERITIES:
            yield from (f"  {line}".rstrip() for line in _diagnostics(check))

    def end(self, checks: Sequence[Check]) -> Iterator[str]:
        yield f"1..{len(checks)}"


def _diagnostics(check: Check) -> Iterator[str]:
    yield "---"
    yield f"message: {_quoted(check.message)}"
    yield f"severity: {_SEVERITIES[check.verdict]}"
    yield "at:"
    yield f"  file: {_quoted(check.file)}"
    if check.line:
        yield f"  line: {check.line}"
    yield f"duration_ms: {check.took_s * 1000:.3f}"
    if check.details:
        yield "details: |"
        yield f"  {one_line(check.place)}:"
        yield from (f"  {line}" for line in printable(check.details).replace("\t", "    ").split("\n"))
    yield "..."


def _quoted(text: str) -> str:
    return json.dumps(one_line(text), ensure_ascii=False)


def _escaped(text: str) -> str:
    """A description: `#` would begin a directive."""
    return one_line(text).replace("\\", "\\\\").replace("#", "\\#")
