"""A trace file alone, as a run that one can walk through: with the same verbs and breakpoints, and no plugin behind it.

The file is read onto a tape in a thread of its own, so its first rows are there at once, however long it is. Rules:
what only a running plugin could tell (memory, stack, header maps, another answer) is refused with what to type to have
it; a file that ends early or is broken is read up to there, and `reading` has the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from time import monotonic, sleep
from typing import Any, NoReturn

from simwasm.abi.enums import LogLevel
from simwasm.abi.table import Abi, Side
from simwasm.debug.branch import Branch, Override
from simwasm.debug.debugger import Debugger
from simwasm.debug.inputs import Inputs
from simwasm.debug.state import State
from simwasm.debug.steps import first_row
from simwasm.debug.stop import Stop, Why
from simwasm.debug.tape import Line, Span, Tape
from simwasm.debug.worker import Motion, Worker
from simwasm.engines.engine import Memory
from simwasm.errors import Frame, InputError, TraceError
from simwasm.exchange import Exchange, Message
from simwasm.host.outcome import LogLine, Outcome
from simwasm.plugin import Plugin
from simwasm.trace.decode import Decoder, Replay
from simwasm.trace.event import Entered, Event, Left
from simwasm.trace.file import TraceFile
from simwasm.trace.formats import converter
from simwasm.trace.parse import Ending, Made, Wrong

ALONE = (
    "This is a trace alone, and no plugin runs behind it. "
    "To have this too: simwasm debug PLUGIN.wasm TRAFFIC, with what the trace was recorded with"
)
_PORTION, _REST = 500, 0.0005
"""Events that are read at once, and seconds until the next."""
_TELL = 0.2
"""After how many seconds whoever watches is told what is new."""
_WAIT = 0.005
_EMPTY = b"\0asm\1\0\0\0"
"""A module without anything in it."""


def is_trace(path: str) -> bool:
    """Whether a file is a trace, as its first line says."""
    try:
        with open(path, "rb") as file:
            head = file.read(4096)
    except (OSError, ValueError):
        return False
    first = head.removeprefix(b"\xef\xbb\xbf").lstrip().partition(b"\n")[0]
    return first.startswith(b"{") and b'"format"' in first and b'"plugins"' in first


@dataclass(frozen=True)
class Named(Plugin):
    """A plugin of which only the name, the digest and the ABI are known."""

    digest: str = ""
    version: Abi = Abi.V0_2_1

    @property
    def sha256(self) -> str:
        """The digest that the trace tells."""
        return self.digest

    @property
    def abi(self) -> Abi:
        """The ABI that the trace tells."""
        return self.version


class TraceReader(Debugger):
    """Somebody standing in a trace file."""

    alone = ALONE

    def __init__(self, trace: TraceFile, *, changed: Callable[[], None] = lambda: None) -> None:
        super().__init__(_inputs(trace), changed=changed)
        self.branch.tape = Tape(lambda: 0)  # how long a call took is not in the file
        self._plan_for(_Cursor(self.branch, changed, self._stopped_by), changed, 0)
        self.trace = trace
        self.reading: Future[None] = Future()
        """Has what is wrong with the file, once all of it was read."""
        self._leaving = Flag()
        self._reader = Thread(target=self._read, args=(changed,), name="simwasm trace", daemon=True)

    def open(self) -> Future[Stop]:
        """Begin to read, and stand on the first row of the first exchange as soon as it is there."""
        self._worker.start()
        self._reader.start()
        tape = self.tape

        def arrived(position: int) -> Why | None:
            return Why.ENTRY if tape.spans and position >= tape.spans[0].first else None

        def then() -> Motion | None:
            """Without any exchange all of the file has gone by: back to its first row."""
            over = self._worker.here.why is Why.END and len(tape.rows)
            return Motion(first_row(tape), Why.ENTRY) if over else None

        return self._worker.go(lambda: Motion(arrived=arrived, then=then, busy="reading"))

    def close(self) -> None:
        """Stop reading."""
        self._leaving.set()
        if self._reader.ident is not None:
            self._reader.join()
        super().close()
        self.trace.close()

    def _read(self, changed: Callable[[], None]) -> None:
        """In a thread of its own: put the whole file on tape."""
        filler, told = Filler(self.tape), 0.0
        try:
            for event in events(self.trace):
                filler.add(event)
                if not len(self.tape) % _PORTION:
                    if self._leaving.is_set():
                        break
                    sleep(_REST)  # whoever draws goes first
                    if monotonic() > told + _TELL:
                        told = monotonic()
                        changed()
        except TraceError as error:
            self.reading.set_exception(error)
        else:
            self.reading.set_result(None)
        self.tape.complete = True
        changed()

    # What a file cannot tell.

    def state(self) -> State:
        _refuse()

    def memory(self, vm: str = "") -> Memory:
        _refuse()

    def stack(self) -> Future[tuple[Frame, ...]]:
        return _refused()

    def changes(self, at: int, size: int, vm: str = "") -> Future[tuple[int, ...]]:
        return _refused()

    def override(self, position: int, override: Override) -> Future[Stop]:
        return _refused()

    def reload(self, inputs: Inputs) -> Future[Stop]:
        return _refused()


def _refuse() -> NoReturn:
    raise InputError(ALONE)


def _refused() -> Future[Any]:
    found: Future[Any] = Future()
    found.set_exception(InputError(ALONE))
    return found


def _inputs(trace: TraceFile) -> Inputs:
    header = trace.header
    plugins = tuple(map(_named, header.plugins)) or (_named(Made("?", "", Abi.V0_2_1)),)
    found = Inputs(plugins, engine=header.engine or None)
    return replace(found, profile=replace(found.profile, seed=header.seed))


def _named(made: Made) -> Named:
    return Named(made.name, _EMPTY, digest=made.sha256, version=made.abi)


class _Cursor(Worker):
    """Carries out plans by standing elsewhere: there is nothing to run."""

    def __init__(
        self, branch: Branch, changed: Callable[[], None], stopped_by: Callable[[int, Why], tuple[int, ...]]
    ) -> None:
        super().__init__(branch, changed, stopped_by)
        self._seen = 0

    def _moved(self, motion: Motion) -> Motion | None:
        self._motion = motion
        if motion.target:
            self.machine.at = motion.target
            self.exhausted = False
            return self._next(motion.why, motion.note)
        return self._next(self._onward(motion), "")

    def _onward(self, motion: Motion) -> Why:
        """Wait for what is being read until a rule is met, or the file ends."""
        machine, tape = self.machine, self.machine.branch.tape
        self.exhausted = False
        position = self._seen if motion.arrived else len(tape)
        while True:
            while position < len(tape):
                position += 1
                self._seen = machine.at = position
                if motion.arrived is not None and (why := motion.arrived(position)) is not None:
                    return why
            if machine.attention:
                return Why.PAUSED
            if tape.complete and position >= len(tape):
                self.exhausted, machine.at = True, len(tape)
                return Why.END
            sleep(_WAIT)


def events(trace: TraceFile) -> Iterator[Event | Ending]:
    """What the file tells, line by line; a `TraceError` where it cannot be read on."""
    replay = Replay(Decoder(trace.header), converter(trace.header.format))
    with Path(trace.path).open("rb") as file:
        file.readline()
        for number, line in enumerate(file, 2):
            try:
                yield from replay.line(line)
            except Wrong as wrong:
                cut = (
                    "; the rows before it are here"
                    if line.endswith(b"\n")
                    else ", and the file ends there: was the run killed?"
                )
                raise TraceError(f"{trace.path}: line {number} {wrong}{cut}") from None


class Filler:
    """Puts events on a tape, and finds exchanges and log lines among them."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self._open: list[tuple[Span, set[str]]] = []

    def add(self, event: Event | Ending) -> None:
        """Take the next one."""
        tape = self._tape
        if isinstance(event, Ending):
            self._ended(event)
            return
        if isinstance(event, Entered):
            if event.function.name == "proxy_on_context_create" and event.args[1]:
                self._begins(event)
        elif isinstance(event, Left) and not event.result:
            self._log(tape.entered(event.opened))
        tape.add(event)

    def _begins(self, entered: Entered) -> None:
        """A stream's context: of the exchange that began last, if this plugin has none of it yet."""
        if not self._open or entered.vm in self._open[-1][1]:
            span = self._tape.begin(Exchange(str(len(self._tape.spans) + 1), entered.at, Message(())))
            self._open.append((span, set()))
        span, plugins = self._open[-1]
        plugins.add(entered.vm)
        self._tape.belongs(entered.vm, entered.args[0], span)

    def _log(self, entered: Entered) -> None:
        function = entered.function
        if (
            function.side is Side.HOST
            and function.name == "proxy_log"
            and isinstance(entered.args[0], LogLevel)
        ):
            level, text = entered.args[:2]
            self._tape.lines.append(
                Line(len(self._tape), LogLine(entered.at, level, "?" if text is None else str(text)))
            )

    def _ended(self, ending: Ending) -> None:
        if not self._open:
            return
        span, _ = self._open.pop(0)
        asked = ending.request or Message(())
        span.exchange = replace(span.exchange, id=ending.exchange, name=ending.name, request=asked)
        span.outcome = _outcome(span.exchange, ending)
        span.last = len(self._tape)


def _outcome(exchange: Exchange, ending: Ending) -> Outcome:
    return Outcome(
        exchange, ending.request, ending.response, ending.reset, ending.details, ending.local_reply, (), (), 0, 0,
        exchange.started_ns, exchange.started_ns, ending.waiting, (),
    )  # fmt: skip
