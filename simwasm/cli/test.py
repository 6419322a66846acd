"""`simwasm test`: the cases of suites, played and judged, on one engine or on all of them."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from simwasm.cli import output
from simwasm.engines.find import engine as find_engine
from simwasm.engines.find import names
from simwasm.errors import EngineUnavailable, InputError
from simwasm.reports.check import from_here, one_line
from simwasm.reports.report import Report, form
from simwasm.suites import find
from simwasm.suites.bench import Covering, Options
from simwasm.suites.case import Case
from simwasm.suites.run import Kept, run


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
    report = Report(lambda line: print(line, file=stream), form(words.format, output.ink(words, stream)))
    covering = Covering() if words.coverage else None
    try:
        _run(words, cases, report, covering)
    finally:
        if covering is not None:
            covering.collector.save(words.coverage)
    return report.end(words.junit)


def _run(words: Namespace, cases: Sequence[Case], report: Report, covering: Covering | None) -> None:
    engines = _engines(words.engine)
    kept = Kept(Path(words.traces)) if words.traces else None
    for case in cases:
        for name in engines:
            options = Options(name, words.plugin, words.update, words.config, covering)
            suffix = f" [{name}]" if len(engines) > 1 else ""
            report.add(run(case, options, kept, suffix))


def _engines(wanted: str | None) -> list[str | None]:
    """The engine of that name, or all that load; without a name the case decides."""
    if wanted != "all":
        if wanted is not None:
            find_engine(wanted)
        return [wanted]
    found: list[str | None] = []
    for name in names():
        try:
            find_engine(name)
        except EngineUnavailable as error:
            print(f"simwasm: {error}", file=sys.stderr)
        else:
            found.append(name)
    return found
