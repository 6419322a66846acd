"""`simwasm convert`: recorded traffic of any format written in another, one exchange after the other.

Rules: a conversion that fails leaves no file; what was left out, lost or broken is told on standard error as it comes,
and counted at the end; of those that come up while reading only so many are told one by one, and all of a writer's.
"""

from __future__ import annotations

import signal
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO, NoReturn

from simwasm.cli.progress import Progress
from simwasm.errors import InputError, SimwasmError, TrafficError
from simwasm.exchange import Exchange
from simwasm.trace.text import printable
from simwasm.traffic.importer import IMPORTERS, read_source
from simwasm.traffic.notes import Notes
from simwasm.traffic.opening import Source, sources
from simwasm.traffic.saving import no_input, saved
from simwasm.traffic.selection import selection
from simwasm.traffic.writer import WRITERS, chosen_writer

_TOLD = 20
"""Notes of a kind that are told one by one."""


def command(words: Namespace) -> int:
    """Convert; 0, or 1 if nothing may be lost and something was."""
    if words.formats or words.to == "help":
        print(_formats())
        return 0
    if not words.traffic:
        raise InputError("what is to be converted? name a file, a folder, a pattern, or - for standard input")
    chosen = selection(words.filter, words.limit)
    writer = chosen_writer(words.to, words.output)
    reading = _Reading(words)
    told = _Told(Progress(lambda: reading.position, reading.size, most=words.limit))
    exchanges = chosen.of(reading.exchanges(told.notes, told.tick))
    try:
        with _terminable(), _output(words.output) as stream:
            writer.write(told.counted(exchanges), stream, told.notes)
            stream.flush()
    finally:
        told.hide()
    where = "" if words.output == "-" else f" to {words.output}"
    told.end(f"read, written{where} as {writer.name}")
    return int(words.strict and told.lossy)


@contextmanager
def _terminable() -> Iterator[None]:
    """Leave as if it were interrupted when this process is told to end, so that no part of a file stays behind."""

    def ended(number: int, frame: object) -> NoReturn:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, ended)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class _Reading:
    """The files that are read, and how far."""

    def __init__(self, words: Namespace) -> None:
        self._words = words
        self._read = 0
        self._source: Source | None = None

    def exchanges(self, notes: Notes, begun: Callable[[], None]) -> Iterator[Exchange]:
        for source in sources(self._words.traffic, notes):
            no_input(self._words.output, source.name)
            self._source = source
            begun()
            yield from read_source(source, notes)
            self._read, self._source = self._read + source.position(), None

    @property
    def position(self) -> int:
        """How many bytes have been read."""
        return self._read + (self._source.position() if self._source else 0)

    def size(self) -> int | None:
        """How many bytes there are; None if nobody knows."""
        with suppress(SimwasmError, OSError):
            sizes = [source.size for source in sources(self._words.traffic)]
            return None if None in sizes else sum(size or 0 for size in sizes)
        return None


@contextmanager
def _output(path: str) -> Iterator[BinaryIO]:
    if path == "-":
        yield sys.stdout.buffer
    else:
        with saved(path) as stream:
            yield stream


class _Told:
    """Tells what comes up, and counts it."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._exchanges = 0
        self._left_out = 0
        self._broken = 0
        self._reading = True
        self.notes = Notes(self._hear_left_out, self._hear_broken)

    @property
    def lossy(self) -> bool:
        """Whether anything did not come through as it was."""
        return self._left_out + self._broken > 0

    def counted(self, exchanges: Iterator[Exchange]) -> Iterator[Exchange]:
        for exchange in exchanges:
            self._exchanges += 1
            self.tick()
            yield exchange
        self._reading = False

    def tick(self) -> None:
        """Tell how far it is: after every exchange, and with every file, of which many may be no traffic."""
        self._progress.tick(self._exchanges)

    def hide(self) -> None:
        """Take away how far it was."""
        self._progress.hide()

    def end(self, what: str) -> None:
        counts = [f"{_count(self._exchanges, 'exchange')} {what}"]
        if self._left_out:
            counts.append(f"{_count(self._left_out, 'note')} on what was left out or lost")
        if self._broken:
            counts.append(f"{_count(self._broken, 'place')} that could not be read")
        self._tell("; ".join(counts))

    def _hear_left_out(self, text: str) -> None:
        self._left_out += 1
        self._tell_some(text, self._left_out, "more is left out or lost, and only counted from here on")

    def _hear_broken(self, error: TrafficError) -> None:
        self._broken += 1
        self._tell_some(f"{error}; left out", self._broken, "more is broken, and only counted from here on")

    def _tell_some(self, text: str, number: int, more: str) -> None:
        if number <= _TOLD or not self._reading:
            self._tell(text)
        elif number == _TOLD + 1:
            self._tell(more)

    def _tell(self, text: str) -> None:
        self._progress.hide()
        print(printable(f"simwasm: {text}"), file=sys.stderr)


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def _formats() -> str:
    """What can be read and written."""
    read = (f"  {importer.name}" for importer in IMPORTERS)
    width = max(len(" ".join(writer.formats)) for writer in WRITERS)
    written = (f"  {' '.join(writer.formats):{width}}  {writer.name}" for writer in WRITERS)
    return "\n".join(
        ["read, whatever the file is called:", *read, "written, by these names of --to:", *written]
    )
