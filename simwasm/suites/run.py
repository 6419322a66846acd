"""Cases, run: each on its own bench, judged, its trace kept where it failed.

    check = run(case, Options(engine="wasmtime"), Kept(Path("traces")))

Rules: a plugin that fails is a failed case; a case that cannot be played is an error; the trace of a case that passes
is not written, and one that it left before is taken away.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from simwasm.errors import InputError, PluginError, SimwasmError
from simwasm.reports.check import Check, Verdict, from_here
from simwasm.suites.bench import Bench, Options
from simwasm.suites.case import Case, Miss
from simwasm.trace.text import printable

_LONGEST = 120
_FOREIGN = re.compile(r"[^\w.=-]+")


@dataclass(frozen=True, slots=True)
class Kept:
    """The folder that traces of failed cases go to."""

    folder: Path

    def path(self, case: Case, name: str) -> Path:
        """The file of a case; a few digits tell it from one of the same name in another suite."""
        stem = _FOREIGN.sub("-", name).strip("-.")[:_LONGEST] or "case"
        digits = sha256(f"{from_here(case.file)}\n{name}".encode("utf-8", "surrogatepass")).hexdigest()[:6]
        return self.folder / f"{Path(case.file).stem}-{stem}-{digits}.trace.jsonl"


def run(case: Case, options: Options, kept: Kept | None = None, suffix: str = "") -> Check:
    """Play a case, and say how it went."""
    name = f"{case.name}{suffix}"
    if case.error is not None:
        return Check(name, case.file, *_place(str(case.error), case))
    if case.skip:
        return Check(name, case.file, case.line, Verdict.SKIPPED, case.skip)
    bench = Bench(options)
    begun = time.perf_counter()
    try:
        check = _judged(case, name, bench, kept)
    finally:
        with contextlib.suppress(SimwasmError):
            bench.close()
    return _timed(check, time.perf_counter() - begun)


def _timed(check: Check, took: float) -> Check:
    return Check(check.name, check.file, check.line, check.verdict, check.message, check.details, took)


def _judged(case: Case, name: str, bench: Bench, kept: Kept | None) -> Check:
    found: list[Miss] = []
    broken: SimwasmError | None = None
    try:
        found.extend(case.play(bench))
    except SimwasmError as error:
        broken = error
    file = kept.path(case, name) if kept is not None else None
    if broken is not None and not isinstance(broken, PluginError):
        return Check(name, case.file, *_place(str(broken), case), _told(found, bench, file))
    if broken is not None:
        found.insert(0, Miss(f"the plugin failed: {broken}"))
    if not found:
        if file is not None:
            with contextlib.suppress(OSError):
                file.unlink()
        return Check(name, case.file, case.line)
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return Check(
        name, case.file, found[0].line or case.line, Verdict.FAILED, f"{found[0].message}{more}",
        _told(found, bench, file),
    )  # fmt: skip


def _place(text: str, case: Case) -> tuple[int, Verdict, str]:
    """That it cannot be played; an error that names a place in the same file is told with that line."""
    match = re.match(re.escape(case.file) + r"(?::(\d+))?(?::\d+)?: ", text)
    line, message = (int(match[1] or 0), text[match.end() :]) if match else (case.line, text)
    return line, Verdict.ERROR, message


def _told(found: Sequence[Miss], bench: Bench, file: Path | None) -> str:
    """All that is to tell: each miss with its details, the arrow log, and where the trace is."""
    parts: list[str] = []
    told: set[str] = set()
    for miss in found:
        parts.append(_one(miss, len(found) > 1, told))
        told.add(miss.details)
    row = next((miss.row for miss in found if miss.row is not None), None)
    traces = [plugin.trace for plugin in bench.plugins if plugin.trace.entries]
    if traces:
        parts.append(f"── what crossed ──\n{_short(traces[-1].text)}")
        parts.append(_kept(traces[-1], file, row))
    return "\n".join(part for part in parts if part)


def _one(miss: Miss, several: bool, told: set[str]) -> str:
    """A miss with its details, if these were not told before; alone it needs no headline."""
    details = "" if miss.details in told else miss.details
    if not several:
        return details
    head = f"line {miss.line}: {miss.message}" if miss.line else miss.message
    return "\n".join((head, *(f"    {line}" for line in details.split("\n") if line)))


_MOST_LINES = 200


def _short(text: str) -> str:
    lines = printable(text).rstrip("\n").split("\n")
    if len(lines) <= _MOST_LINES:
        return "\n".join(lines)
    return "\n".join((f"… {len(lines) - _MOST_LINES:,} lines before", *lines[-_MOST_LINES:]))


def _kept(trace: Any, file: Path | None, row: int | None) -> str:
    """Write the trace, and say how it is opened."""
    if file is None:
        return ""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        trace.save(file)
    except (OSError, InputError) as error:
        return f"the trace could not be written: {error}"
    shown = os.path.relpath(file)
    at = len(trace.rows) if row is None else row
    return f"the trace: simwasm debug {shlex.quote(shown)} --row {at}"
