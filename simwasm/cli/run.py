"""`simwasm run`: recorded exchanges through a plugin, every crossing printed, a line for each exchange at the end."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Iterator

from simwasm import recipe as recipes
from simwasm.cli import output, setup
from simwasm.cli.watch import Watch, watching
from simwasm.engines.find import engine as find_engine
from simwasm.exchange import Exchange
from simwasm.host.access_log import access_log_line
from simwasm.host.outcome import Outcome
from simwasm.session import Session
from simwasm.trace.text import plain

_UPSTREAM = "127.0.0.1:80"


def command(words: Namespace) -> int:
    """Replay; 0, or 1 if the plugin trapped or a status was not the expected one."""
    plugin = setup.plugin(words)
    stream = output.stdout()
    colour = output.ink(words, stream)
    exchanges = recipes.exchanges(
        setup.recipe(words), lambda text: print(f"simwasm: {text}", file=sys.stderr)
    )
    first = next(exchanges, None)
    now = first.started_ns if first is not None else 0
    printer = None if words.quiet or words.json else (stream, colour)
    with watching(words, plugin, find_engine(words.engine).name, now, printer) as watch:
        session = setup.session(words, plugin, observers=watch.observers, now_ns=now, on_log=watch.on_log)
        session.start()
        watch.started()
        report = _Report(words, watch, colour)
        if first is not None:
            _replay(session, first, exchanges, report)
        session.stop()
    report.end()
    output.missed(session.proxy.faults)
    failed = session.proxy.traps > 0
    return int(failed or report.unexpected)


def _replay(session: Session, first: Exchange, rest: Iterator[Exchange], report: _Report) -> None:
    def all_of_them() -> Iterator[Exchange]:
        yield first
        yield from rest

    for outcome in session.replay(all_of_them()):
        report.add(outcome)


class _Report:
    """The lines behind the crossings, and what was not as expected."""

    def __init__(self, words: Namespace, watch: Watch, colour: output.Ink) -> None:
        self._words = words
        self._watch = watch
        self._colour = colour
        self._number = 0
        self._lines: list[str] = []
        self.unexpected = False

    def add(self, outcome: Outcome) -> None:
        self._number += 1
        crossings = self._watch.finished(outcome)
        words = self._words
        if words.access_log:
            print(access_log_line(outcome, "upstream", _UPSTREAM))
        if words.json:
            print(json.dumps(output.outcome_json(outcome)))
        elif words.quiet:
            print(output.summary(self._number, outcome, crossings, self._colour))
        else:
            print(self._colour("ok", f"── {output.summary(self._number, outcome, crossings, plain)}"))
            self._lines.append(output.summary(self._number, outcome, crossings, self._colour))
        if words.expect is not None and outcome.status != words.expect:
            self.unexpected = True
            print(
                f"simwasm: #{self._number} ended with {outcome.status}, not {words.expect}", file=sys.stderr
            )

    def end(self) -> None:
        """Say it all once more, together."""
        if not self._number:
            print("simwasm: there was no exchange in the traffic", file=sys.stderr)
        elif self._lines and self._number > 1:
            print("\n" + "\n".join(self._lines))
