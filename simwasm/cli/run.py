"""`simwasm run`: recorded exchanges through a plugin, every crossing printed, a line for each exchange at the end."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Iterable
from itertools import chain

from simwasm import recipe as recipes
from simwasm.cli import golden as goldens
from simwasm.cli import output, problems, setup
from simwasm.cli.collecting import collecting
from simwasm.cli.rounds import Rounds
from simwasm.cli.watch import Watch, watching
from simwasm.engines.find import engine as find_engine
from simwasm.errors import InputError
from simwasm.exchange import Exchange
from simwasm.host.access_log import access_log_line
from simwasm.host.outcome import Outcome
from simwasm.session import Session
from simwasm.trace.text import plain

_UPSTREAM = "127.0.0.1:80"


def command(words: Namespace) -> int:
    """Replay; 0, or 1 if the plugin trapped, a status was not the expected one, or there must be no problem."""
    if words.repeat is not None and words.repeat < 1:
        raise InputError(f"--repeat: {words.repeat} is no number of rounds")
    goldens.check(words)
    plugins = setup.plugins(words)
    stream = output.stdout()
    colour = output.ink(words, stream)
    exchanges = recipes.exchanges(setup.recipe(words), output.notes())
    first = next(exchanges, None)
    now = first.started_ns if first is not None else 0
    printer = None if words.quiet or words.json else (stream, colour)
    golden = goldens.Golden(words, plugins, now)
    engine = find_engine(words.engine).name
    with collecting(words, plugins) as collector, watching(words, plugins, engine, now, printer) as watch:
        observers = [*watch.observers, *golden.observers]
        session = setup.session(
            words, plugins, observers=observers, now_ns=now, on_log=watch.on_log, collector=collector
        )
        watch.start(session)
        report = _Report(words, watch, golden, colour)
        rounds = None
        if first is not None:
            rounds = _replay(session, chain([first], exchanges), words, report)
        session.stop()
        watch.stopped()
        for problem in rounds.problems() if rounds else ():
            watch.problems.add(problem)
    report.end()
    golden.write()
    output.missed(session.proxy.faults)
    problems.tell(words, watch, rounds)
    failed = session.proxy.traps > 0
    return int(failed or report.unexpected or (words.strict and len(watch.problems) > 0))


def _replay(
    session: Session, exchanges: Iterable[Exchange], words: Namespace, report: _Report
) -> Rounds | None:
    """Replay once as they are read, or all of them again and again."""
    if words.repeat is None:
        for outcome in session.replay(exchanges, together=words.together):
            report.add(outcome)
        return None
    again = list(exchanges)
    rounds = Rounds(session, len(again))
    for _ in range(words.repeat):
        for outcome in session.replay(again, together=words.together):
            report.add(outcome)
        rounds.ended()
    return rounds


class _Report:
    """The lines behind the crossings, and what was not as expected."""

    def __init__(self, words: Namespace, watch: Watch, golden: goldens.Golden, colour: output.Ink) -> None:
        self._words = words
        self._golden = golden
        self._watch = watch
        self._colour = colour
        self._number = 0
        self._lines: list[str] = []
        self.unexpected = False

    def add(self, outcome: Outcome) -> None:
        self._number += 1
        crossings = self._watch.finished(outcome)
        self._golden.finished(outcome)
        instructions = self._watch.costs.since() if self._watch.costs else None
        words = self._words
        if words.access_log:
            print(access_log_line(outcome, "upstream", _UPSTREAM))
        if words.json:
            found = output.outcome_json(outcome, instructions)
            print(json.dumps(problems.with_new(found, self._watch.problems)))
        elif words.quiet:
            print(output.summary(self._number, outcome, crossings, self._colour, instructions))
        else:
            summary = output.summary(self._number, outcome, crossings, plain, instructions)
            print(self._colour("ok", f"── {summary}"))
            self._lines.append(output.summary(self._number, outcome, crossings, self._colour, instructions))
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
