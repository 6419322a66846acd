"""Who watches a command's session: the printer, the trace file, and the lints, which count the crossings too."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TextIO

from simwasm.backtrace import Backtraces
from simwasm.cli import setup
from simwasm.cli.output import Ink, log_printer
from simwasm.costs import Costs
from simwasm.errors import InputError
from simwasm.host.outcome import LogLine, Outcome
from simwasm.lints.lints import Lints
from simwasm.plugin import Plugin
from simwasm.recording import Recording
from simwasm.replay.problems import Problems
from simwasm.session import Session
from simwasm.trace.envoy_text import EnvoyText
from simwasm.trace.event import Observer
from simwasm.trace.query.grades import Grade
from simwasm.trace.text import ArrowLog, Frames, printable
from simwasm.trace.timing import Timing

OnLog = Callable[[LogLine], None]


class Watch:
    """The observers of one command."""

    def __init__(
        self,
        recorder: Recording | None,
        observers: list[Observer],
        on_log: OnLog | None,
        *,
        each: bool,
        costs: bool,
        frames: Frames,
        timing: Timing | None = None,
        together: bool = False,
        several: bool = False,
    ) -> None:
        self.costs = Costs(several=several) if costs else None
        """What calls cost, if somebody wants to know."""
        self._timing = timing
        self.problems = Problems(all=each)
        self.exchanges = 0
        """How many have ended."""
        self.on_log = on_log
        """Who is told of log lines; nobody where the crossings that wrote them are printed."""
        self._recorder = recorder
        self._lints = Lints(
            self.problems, whose=self._whose, least=Grade.WARNING, frames=frames, several=several
        )
        self._started = False
        self._together = together
        self._crossed = 0
        self.observers: list[Observer] = [*observers, self._lints, *([self.costs] if self.costs else [])]

    def start(self, session: Session) -> None:
        """Start the plugins: what they cross until they are up belongs to no exchange."""
        for each in (self.costs, self._timing):
            if each:
                each.burnt = session.burnt
        session.start()
        for each in (self.costs, self._timing):
            if each:
                each.since()
        self._started = True
        self._crossed = self._lints.crossings

    def finished(self, outcome: Outcome) -> int:
        """Note an outcome; how many crossings there were since the one before."""
        if self._recorder is not None:
            self._recorder.finished(outcome)
        self.exchanges += 1
        self._lints.finished(self.exchanges, outcome.exchange, outcome)
        before, self._crossed = self._crossed, self._lints.crossings
        return self._crossed - before

    def stopped(self) -> None:
        """Note that the run is over."""
        self._lints.over()

    def _whose(self, vm: str, context: int) -> int:
        """They run one after the other, so it is the next that ends; together, nobody can tell."""
        return self.exchanges + 1 if self._started and not self._together else 0


@contextmanager
def watching(
    words: Namespace, plugins: Sequence[Plugin], engine: str, now_ns: int, printer: tuple[TextIO, Ink] | None
) -> Iterator[Watch]:
    """Open what the words ask for, and close it whatever happens."""
    observers: list[Observer] = []
    frames = Backtraces(plugins)
    together = getattr(words, "together", False)
    on_log: OnLog | None = None if printer is not None else log_printer(words)
    if printer is not None:
        stream, colour = printer
        if words.format == "envoy":
            text = EnvoyText(_writer(stream), plugins)
            observers.append(text)
            on_log = partial(_told_as_envoy_does, text)
        else:
            observers.append(ArrowLog(_writer(stream), ink=colour, frames=frames, whose=len(plugins) > 1))
    if words.timing and words.trace is None:
        raise InputError("--timing: what calls took is noted in the trace: add --trace FILE")
    if words.trace is None:
        yield Watch(
            None,
            observers,
            on_log,
            each=words.json,
            costs=words.cost,
            frames=frames,
            together=together,
            several=len(plugins) > 1,
        )
        return
    file = sys.stdout if words.trace == "-" else opened(words.trace, "--trace")
    try:
        rules = setup.profile(words)
        timing = Timing() if words.timing else None
        recorder = Recording(file.write, plugins, profile=rules, now_ns=now_ns, engine=engine, timing=timing)
        yield Watch(
            recorder,
            [*observers, recorder],
            on_log,
            each=words.json,
            costs=words.cost,
            frames=frames,
            timing=timing,
            together=together,
            several=len(plugins) > 1,
        )
    finally:
        if file is not sys.stdout:
            file.close()


def _told_as_envoy_does(text: EnvoyText, line: LogLine) -> None:
    text.log(line.at, line.level.name, printable(line.text))


def opened(path: str, option: str) -> TextIO:
    """A trace file for writing: a name that is not UTF-8 becomes an escape of JSON's."""
    try:
        return open(path, "w", encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise InputError(f"{option} {path}: cannot be written: {error.strerror}") from None


def _writer(stream: TextIO) -> Callable[[str], object]:
    """Write at once where somebody looks, so that a callback which hangs is on the screen."""
    if not stream.isatty():
        return stream.write

    def write(text: str) -> None:
        stream.write(text)
        stream.flush()

    return write
