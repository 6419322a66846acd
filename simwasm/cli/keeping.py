"""Who keeps a run besides what is printed: its trace file, its golden."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from simwasm.cli import golden as goldens
from simwasm.cli import setup
from simwasm.cli.watch import opened
from simwasm.errors import InputError
from simwasm.host.outcome import Outcome
from simwasm.plugin import Plugin
from simwasm.recording import Recording
from simwasm.replay.player import Keeper
from simwasm.session import Session
from simwasm.trace.event import Observer
from simwasm.trace.timing import Timing


class _Trace:
    """Writes a trace file."""

    def __init__(self, recording: Recording, timing: Timing | None) -> None:
        self.observer: Observer = recording
        self._recording = recording
        self._timing = timing

    def starting(self, session: Session) -> None:
        if self._timing is not None:
            self._timing.burnt = session.burnt

    def started(self) -> None:
        if self._timing is not None:
            self._timing.since()

    def finished(self, outcome: Outcome) -> None:
        self._recording.finished(outcome)


class _Golden:
    """Hears what becomes part of a golden."""

    def __init__(self, golden: goldens.Golden, observer: Observer) -> None:
        self.observer = observer
        self.finished = golden.finished

    def starting(self, session: Session) -> None:
        """It measures nothing."""

    def started(self) -> None:
        """It measures nothing."""


@contextmanager
def keeping(
    words: Namespace, plugins: Sequence[Plugin], engine: str, now_ns: int, golden: goldens.Golden
) -> Iterator[list[Keeper]]:
    """Open what is to be kept, and close it whatever happens."""
    if words.timing and words.trace is None:
        raise InputError("--timing: what calls took is noted in the trace: add --trace FILE")
    keepers: list[Keeper] = []
    file = None
    if words.trace is not None:
        file = sys.stdout if words.trace == "-" else opened(words.trace, "--trace")
        timing = Timing() if words.timing else None
        rules = setup.profile(words)
        recording = Recording(file.write, plugins, profile=rules, now_ns=now_ns, engine=engine, timing=timing)
        keepers.append(_Trace(recording, timing))
    keepers += [_Golden(golden, observer) for observer in golden.observers]
    try:
        yield keepers
    finally:
        if file is not None and file is not sys.stdout:
            file.close()
