"""`simwasm check`: goldens, played again and compared, on one engine or on all of them."""

from __future__ import annotations

import os
import sys
import time
from argparse import Namespace

from simwasm.cli import output
from simwasm.engines.engine import Engine
from simwasm.engines.find import engine as find_engine
from simwasm.engines.find import names
from simwasm.errors import EngineUnavailable, PluginError, SimwasmError, TraceError, Trap
from simwasm.goldens import files
from simwasm.goldens.comparing import compare_golden
from simwasm.goldens.playing import Player
from simwasm.goldens.recipes import recipe_from_json, words_of
from simwasm.goldens.writing import write_golden
from simwasm.reports.check import Check, Verdict, from_here
from simwasm.reports.report import Report, form
from simwasm.trace.parse import Header
from simwasm.trace.text import printable


def command(words: Namespace) -> int:
    """Check each; 0 if all are as they were, 1 if one is not, 2 if one cannot be checked."""
    players = [Player(engine) for engine in engines(words.engine)]
    stream = output.stdout()
    report = Report(lambda line: print(line, file=stream), form(words.format, output.ink(words, stream)))
    for path in files.goldens(words.golden):
        for player in players:
            engine = f" on {player.engine.name}" if len(players) > 1 else ""
            begun = time.perf_counter()
            verdict, line, message, details = _checked(words, path, player)
            took = time.perf_counter() - begun
            name = f"{from_here(path)}{engine}{message if verdict is Verdict.PASSED else ''}"
            report.add(Check(printable(name), path, line, verdict, printable(message), details, took))
            if verdict is Verdict.SKIPPED:
                break
    return report.end(words.junit)


def engines(wanted: str | None) -> list[Engine]:
    """The engine of that name, or all that load; without a name the first."""
    if wanted != "all":
        return [find_engine(wanted)]
    found = []
    for name in names():
        try:
            found.append(find_engine(name))
        except EngineUnavailable as error:
            print(f"simwasm: {error}", file=sys.stderr)
    return found


_Told = tuple[Verdict, int, str, str]
"""A verdict with its line, message and details."""


def _checked(words: Namespace, path: str, player: Player) -> _Told:
    try:
        header = files.header(path)
        why = files.unplayable(header)
        if why:
            named = path in words.golden and not header.test
            return (Verdict.ERROR if named else Verdict.SKIPPED), 1, why, ""
        return _compared(words, path, files.played(path, header, player), header)
    except SimwasmError as error:
        return _error(path, error)
    except OSError as error:
        return Verdict.ERROR, 0, f"{os.fspath(error.filename or path)}: {error.strerror}", ""


def _compared(words: Namespace, path: str, found: str, header: Header) -> _Told:
    try:
        mismatch = compare_golden(path, found)
    except TraceError:
        if not words.update:
            raise
    else:
        if mismatch is None:
            return Verdict.PASSED, 0, "", ""
        if not words.update:
            assert header.recipe is not None
            look = f"To look at it: simwasm debug {words_of(recipe_from_json(header.recipe, path))}"
            details = "\n".join(filter(None, (mismatch.details, mismatch.advice, look)))
            return Verdict.FAILED, mismatch.line, mismatch.headline, details
    write_golden(path, found)
    return Verdict.PASSED, 0, " (written anew)", ""


def _error(path: str, error: SimwasmError) -> _Told:
    """A run that a plugin broke off differs from its golden; with anything else there is nothing to compare."""
    broken = isinstance(error, Trap) or error.__class__ is PluginError
    line = error.line if isinstance(error, TraceError) else 0
    text = str(error)
    if text.startswith(f"{path}:1: "):
        line = 1
    message = text.removeprefix(f"{path}:1: ").removeprefix(f"{path}: ").removeprefix(f"line {line} ")
    if isinstance(error, Trap):
        message = f"the plugin does not start: {message}"
    return (Verdict.FAILED if broken else Verdict.ERROR), line, message, ""
