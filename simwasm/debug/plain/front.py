"""The line debugger from its first line to its last: where lines come from, and what becomes of errors.

Lines come from files of commands, then from a person or a pipe. Rules: an error is a sentence and never the end, except
in a batch, where the first one is, told with its file and line; what a file or pipe says is written out as if it had
been typed, so that the output can be read alone.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TextIO

from simwasm.debug.debugger import Debugger
from simwasm.debug.plain.command import find, split
from simwasm.debug.plain.desk import Desk, Ink
from simwasm.debug.plain.sessions import keep, restore_breakpoints, restore_place
from simwasm.debug.plain.stops import tell
from simwasm.debug.plain.table import COMMANDS
from simwasm.debug.plain.terminal import Terminal
from simwasm.debug.reader import TraceReader
from simwasm.debug.start import Start
from simwasm.debug.stop import Why
from simwasm.errors import InputError, PluginError, SimwasmError, TraceError
from simwasm.plugin import read_bytes
from simwasm.trace.text import printable

_DEEPEST = 20
_NOTHING = (
    "debug --plain: give a plugin and its traffic, a session or a trace: "
    "simwasm debug --plain plugin.wasm login.har"
)


class Terms(NamedTuple):
    """How the line debugger is to work."""

    files: tuple[Path, ...]
    batch: bool
    stream: TextIO
    ink: Ink


class Failed(SimwasmError):
    """A command failed in a batch."""


@dataclass
class _Loop:
    """Takes line after line."""

    desk: Desk
    terms: Terms
    typing: bool
    """A person types."""
    last: str = ""
    depth: int = 0

    def do(self, line: str, where: str) -> None:
        """Do what a line says; `where` is its file and number."""
        try:
            self.command(line)
        except KeyboardInterrupt:
            self.desk.say("interrupted")
            self.desk.settle()
        except (Failed, BrokenPipeError):
            raise
        except SimwasmError as error:
            self._complain(str(error), where)
        except Exception as error:  # a front door: a mistake of ours must not take the user's session with it
            self._complain(f"simwasm itself failed: {type(error).__name__}: {error}", where)
        finally:
            self.desk.flush()

    def command(self, line: str) -> None:
        """Do what a line says."""
        text = line.strip()
        if text.startswith("#"):
            return
        if not text:
            text = self.last if self.typing and not self.depth else ""
            if not text:
                return
        word, rest = split(text)
        command, form = find(COMMANDS, word)
        self.last = ""
        self.desk.know()
        before = self.desk.debugger.breakpoints.serial, len(self.desk.bookmarks), len(self.desk.displays)
        command.run(self.desk, f"{form} {rest}".strip() if form else rest)
        if before != (
            self.desk.debugger.breakpoints.serial,
            len(self.desk.bookmarks),
            len(self.desk.displays),
        ):
            keep(self.desk)
        if command.repeats:
            self.last = word if command.word in ("list", "x") else text

    def _complain(self, text: str, where: str) -> None:
        place = f"{where}: " if where else ""
        self.desk.flush()
        print(printable(f"simwasm: {place}{text}"), file=sys.stderr, flush=True)
        if self.terms.batch:
            raise Failed(text)

    def source(self, path: Path) -> None:
        """Do what a file's lines say."""
        if self.depth >= _DEEPEST:
            raise InputError(f"source: {path}: files that source each other are too deep")
        text = read_bytes(path).decode("utf-8", "surrogateescape")
        self.depth += 1
        try:
            for number, line in enumerate(text.splitlines(), 1):
                self._read(line, f"{path}:{number}")
                if self.desk.leaving:
                    return
        finally:
            self.depth -= 1

    def _read(self, line: str, where: str) -> None:
        """Write a line that nobody typed, and do it."""
        if line.strip() and not line.strip().startswith("#"):
            self.desk.say(prompt(self.desk) + line.strip())
        self.do(line, where)

    def pipe(self, lines: Iterable[str]) -> None:
        """Do what standard input says."""
        for number, line in enumerate(lines, 1):
            self._read(line, f"standard input:{number}")
            if self.desk.leaving:
                return

    def typed(self, lines: Iterable[str]) -> None:
        """Do what a person types."""
        for line in lines:
            self.do(line, "")
            if self.desk.leaving:
                return


def prompt(desk: Desk) -> str:
    """Where one is, before every line."""
    stop, tape = desk.debugger.stop, desk.debugger.tape
    row = stop.row + 1 if stop is not None else 0
    branch = f" {printable(desk.debugger.branch.name)}" if desk.debugger.branch.name != "run" else ""
    return f"(simwasm{branch} {row}/{len(tape.rows)}{'' if tape.complete else '+'}) "


def run(start: Start, terms: Terms) -> int:
    """Debug line by line; the exit status."""
    debugger = _debugger(start)
    desk = Desk(debugger, start, terms.stream, terms.ink)
    typing = sys.stdin.isatty() and not terms.batch
    desk.typing, desk.kept = typing, typing and not terms.files
    loop = _Loop(desk, terms, typing)
    desk.source = loop.source
    try:
        with _ctrl_c(desk):
            _open(desk)
            _lines(loop)
        keep(desk)
    except Failed:
        return 1
    finally:
        debugger.close()
    return 0


def _debugger(start: Start) -> Debugger:
    """A run, or a trace file alone."""
    if start.trace is not None:
        return TraceReader(start.trace)
    if start.inputs is None:
        raise InputError(_NOTHING)
    return Debugger(start.inputs)


@contextmanager
def _ctrl_c(desk: Desk) -> Iterator[None]:
    """Have ctrl-c do what it does here, where it can be had."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, lambda number, frame: desk.press())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _open(desk: Desk) -> None:
    """Record the run, and tell where it stands."""
    for note in desk.start.notes:
        desk.say(note, "reason")
    restore_breakpoints(desk)
    stop = desk.wait(desk.debugger.open())
    if isinstance(desk.debugger, TraceReader):
        _read(desk, desk.debugger)
    if stop.why is Why.FAILED and not len(desk.debugger.tape):
        raise PluginError(stop.note)
    restore_place(desk)
    if desk.start.row:
        desk.wait(desk.debugger.to_row(desk.start.row - 1))
    kept = len(desk.debugger.breakpoints)
    if kept:
        desk.say(
            f"{kept} breakpoint{'' if kept == 1 else 's'} of the last time; `info breakpoints` lists them"
        )
    if desk.debugger.stop is not None:
        tell(desk, desk.debugger.stop)
    desk.flush()


def _read(desk: Desk, reader: TraceReader) -> None:
    """Wait for all of a trace file, so that a script finds the same every time; a person need not wait."""
    desk.say("This is a trace alone: one can walk through it, and no plugin runs behind it.", "reason")
    if desk.typing and not reader.reading.done():
        return
    try:
        reader.reading.result()
    except TraceError as error:
        desk.say(str(error), "trap")


def _lines(loop: _Loop) -> None:
    desk, terms = loop.desk, loop.terms
    for path in terms.files:
        loop.source(path)
        if desk.leaving:
            return
    if loop.typing:
        with Terminal(desk, lambda: prompt(desk)) as terminal:
            loop.typed(terminal)
    elif not (terms.batch and terms.files):
        loop.pipe(sys.stdin)
