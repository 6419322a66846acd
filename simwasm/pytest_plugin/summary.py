"""What is said about goldens behind the tests, when they are updated.

Rule: what a test wrote comes with its report, so it does not matter which process ran it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from simwasm.pytest_plugin.running import STALE, WROTE

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

_MOST = 20


def tell(reporter: TerminalReporter) -> None:
    """Which goldens were written, and which nobody asks for any more."""
    reports = [
        each for kind in reporter.stats.values() for each in kind if isinstance(each, pytest.TestReport)
    ]
    wrote = _said(reports, WROTE)
    stale = _said(reports, STALE) | set(getattr(reporter.config, STALE, ()))
    reporter.section("goldens", "-")
    reporter.line(f"{_goldens(len(wrote))} written anew" if wrote else "every golden is as it was")
    _list(reporter, sorted(wrote))
    if stale:
        reporter.line(f"{_goldens(len(stale))} that no test asks for any more; remove them if that is right:")
        _list(reporter, sorted(stale))


def _said(reports: list[pytest.TestReport], about: str) -> set[str]:
    return {path for report in reports for path in getattr(report, about, ())}


def _goldens(count: int) -> str:
    return f"{count} golden{'s' if count != 1 else ''}"


def _list(reporter: TerminalReporter, paths: list[str]) -> None:
    for path in paths[:_MOST]:
        reporter.line(f"  {path}")
    if len(paths) > _MOST:
        reporter.line(f"  … and {len(paths) - _MOST} more")
