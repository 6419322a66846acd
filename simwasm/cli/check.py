"""`simwasm check`: goldens, played again and compared, on one engine or on all of them."""

from __future__ import annotations

import time
from argparse import Namespace
from dataclasses import replace

from simwasm.cli import output
from simwasm.cli.engines import engines
from simwasm.errors import PluginError, SimwasmError, TraceError, Trap
from simwasm.goldens import files
from simwasm.goldens.comparing import Mismatch, compare_golden
from simwasm.goldens.playing import Player
from simwasm.goldens.recipes import recipe_from_json, words_of
from simwasm.goldens.shown import of_golden
from simwasm.goldens.writing import write_golden
from simwasm.reports.check import Check, Verdict, from_here
from simwasm.reports.report import Report, form
from simwasm.trace.event import Event
from simwasm.trace.event_rows import EventRows
from simwasm.trace.parse import Header
from simwasm.trace.text import printable

_WRITTEN = "written anew"


def command(words: Namespace) -> int:
    """Check each; 0 if all are as they were, 1 if one is not, 2 if one cannot be checked."""
    players = [Player(engine) for engine in engines(words.engine)]
    stream = output.stdout()
    output.has_room("--junit", words.junit)
    report = Report(output.teller(stream), form(words.format, output.ink(words, stream)))
    for path in files.goldens(words.golden):
        for player in players:
            begun = time.perf_counter()
            check = _checked(path, player, update=words.update, named=path in words.golden)
            name = [from_here(path)]
            if len(players) > 1 and check.verdict is not Verdict.SKIPPED:
                name.append(f"[{player.engine.name}]")
            if check.message == _WRITTEN:
                name.append(f"({_WRITTEN})")
            report.add(replace(check, name=printable(" ".join(name)), took_s=time.perf_counter() - begun))
            if check.verdict is Verdict.SKIPPED:
                break
    return report.end(words.junit)


def _checked(path: str, player: Player, *, update: bool, named: bool) -> Check:
    """How a golden fares on one engine."""
    try:
        header = files.header(path)
        why = files.unplayable(header)
        if why:
            wrong = not header.test and (named or files.was_golden(header))
            verdict = Verdict.ERROR if wrong else Verdict.SKIPPED
            return Check("", path, 1, verdict, printable(why))
        return _compared(path, header, player, update)
    except SimwasmError as error:
        return _failed(path, error)
    except OSError as error:
        return Check("", path, 0, Verdict.ERROR, printable(f"{error.filename or path}: {error.strerror}"))


def _compared(path: str, header: Header, player: Player, update: bool) -> Check:
    found = files.played(path, header, player)
    try:
        mismatch = compare_golden(path, found)
    except TraceError:
        if not update:
            raise
    else:
        if mismatch is None:
            return Check("", path)
        if not update:
            return _differs(path, header, mismatch, _row(path, header, player, mismatch))
    write_golden(path, found)
    return Check("", path, message=_WRITTEN)


def _row(path: str, header: Header, player: Player, mismatch: Mismatch) -> str:
    """Where the debugger finds the row that differs; it is played again for that, since a golden lacks rows."""
    events: list[Event] = []
    files.played(path, header, player, [events.append])
    rows = EventRows(events)
    row = of_golden(rows, mismatch.row)
    return "" if row is None else f" --row {row.index + 1}"


def _differs(path: str, header: Header, mismatch: Mismatch, row: str) -> Check:
    assert header.recipe is not None
    look = f"To look at it: simwasm debug {words_of(recipe_from_json(header.recipe, path))}{row}"
    details = "\n".join(filter(None, (mismatch.details, mismatch.advice, look)))
    return Check("", path, mismatch.line, Verdict.FAILED, printable(mismatch.headline), details)


def _failed(path: str, error: SimwasmError) -> Check:
    """A plugin that does not start any more is not what its golden tells; all else is no comparison."""
    broken = isinstance(error, Trap) or error.__class__ is PluginError
    message, line = str(error), error.line if isinstance(error, TraceError) else 0
    if message.startswith(f"{path}:1: "):
        message, line = message.removeprefix(f"{path}:1: "), 1
    message = message.removeprefix(f"{path}: ").removeprefix(f"line {line} ")
    if broken:
        message = f"the plugin does not start: {message}"
    return Check("", path, line, Verdict.FAILED if broken else Verdict.ERROR, printable(message))
