"""`simwasm test`: the cases of suites, played and judged, on one engine or on all of them."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from simwasm.cli import output
from simwasm.cli.engines import engines
from simwasm.errors import InputError
from simwasm.reports.check import from_here, one_line
from simwasm.reports.report import Report, form
from simwasm.suites import find
from simwasm.suites.bench import Options
from simwasm.suites.case import Case
from simwasm.suites.run import Kept, run

if TYPE_CHECKING:
    from simwasm.coverage.collector import Collector


def command(words: Namespace) -> int:
    """Play them; 0 if all is as expected, 1 if something is not, 2 if something cannot be played."""
    stream = output.stdout()
    if words.schema:
        from simwasm.suites.schema import schema_text

        print(schema_text(), file=stream, end="")
        return 0
    if not words.suite:
        raise InputError("name a suite, or a folder with some: simwasm test suite.yaml")
    part = words.only.lower()
    cases = [case for case in find.cases(words.suite) if case.error or part in case.name.lower()]
    if not cases and not part:
        raise InputError(f"{', '.join(words.suite)}: there is no test in it")
    if not cases:
        raise InputError(f"-k {words.only}: no case is called like that; --list lists them")
    if words.list:
        for case in cases:
            if case.error:
                raise case.error
            print(f"{one_line(from_here(case.file))}:{case.line}: {one_line(case.name)}", file=stream)
        return 0
    output.has_room("--junit", words.junit)
    output.has_room("--coverage", words.coverage)
    report = Report(output.teller(stream), form(words.format, output.ink(words, stream)))
    collector = _collector() if words.coverage else None
    try:
        _run(words, cases, report, collector)
    finally:
        if collector is not None:
            collector.save(words.coverage)
    return report.end(words.junit)


def _collector() -> Collector:
    from simwasm.coverage.collector import Collector  # for those who want to know

    return Collector()


def _run(words: Namespace, cases: Sequence[Case], report: Report, collector: Collector | None) -> None:
    names = [None] if words.engine is None else [each.name for each in engines(words.engine)]
    kept = Kept(Path(words.traces)) if words.traces else None
    for case in cases:
        for name in names:
            options = Options(name, words.plugin, words.update, words.config, collector)
            suffix = f" [{name}]" if len(names) > 1 else ""
            report.add(run(case, options, kept, suffix))
