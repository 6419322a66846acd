"""What the commands of the line debugger work with: the debugger, where to write, and what the user has set.

Rule: everything that is written goes through `say`, which lets nothing through that could move a cursor.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO, TypeVar

from simwasm.debug.activations import Activation
from simwasm.debug.branch import Branch
from simwasm.debug.breakpoints import Breakpoint
from simwasm.debug.code import Code
from simwasm.debug.debugger import Debugger
from simwasm.debug.expression_scope import Scope
from simwasm.debug.expressions import evaluate
from simwasm.debug.places import Place
from simwasm.debug.plain.formats import Format
from simwasm.debug.start import Start
from simwasm.debug.stop import Stop
from simwasm.errors import InputError, StillRunning
from simwasm.trace.rows import Kind, Row
from simwasm.trace.text import printable

T = TypeVar("T")
Ink = Callable[[str, str], str]
_PATIENCE_S = 1.0


@dataclass(slots=True)
class Settings:
    """What `set` changes."""

    context: int = 1
    """How many rows are shown before and behind the one where the run stops."""
    lines: int = 10
    """How many rows `list` shows."""
    loglines: int = 20
    """How many log lines are shown that were passed on the way."""


@dataclass(slots=True)
class Desk:
    """One user at work."""

    debugger: Debugger
    start: Start
    stream: TextIO
    ink: Ink
    settings: Settings = field(default_factory=Settings)
    displays: dict[int, str] = field(default_factory=dict)
    """Expressions whose value is shown at every stop, by number."""
    bookmarks: dict[str, Place] = field(default_factory=dict)
    format: Format = Format()  # noqa: RUF009  # it is a tuple
    """How `x` showed memory last, and where that ended."""
    examined: int = 0
    known: dict[int, Breakpoint] = field(default_factory=dict)
    """Breakpoints by number, those too that have gone when they had stopped the run."""
    told: tuple[Branch | None, int] = (None, 0)
    """The branch and the position of the last stop that was told."""
    listed: int = -1
    """The last row that `list` has shown; -1 for none since the last stop."""
    pressed: int = 0
    """How often ctrl-c was pressed since the run moves."""
    leaving: bool = False
    source: Callable[[Path], None] | None = None
    """Does what a file's lines say."""
    typing: bool = False
    """A person sits there: what takes long is told."""
    kept: bool = False
    """The session is remembered whenever it changes."""

    def know(self) -> None:
        """Remember breakpoints before the run moves: temporary ones go when it stops."""
        self.known.update((each.number, each) for each in self.debugger.breakpoints)

    # Writing.

    def say(self, text: str = "", style: str = "") -> None:
        """Write lines."""
        for line in text.split("\n"):
            self.stream.write((self.ink(style, printable(line)) if style else printable(line)) + "\n")

    def write(self, line: str) -> None:
        """Write a line that is safe and coloured already."""
        self.stream.write(line + "\n")

    def flush(self) -> None:
        """Let what was written be seen."""
        self.stream.flush()

    # Where one is.

    @property
    def stop(self) -> Stop:
        """Where the run stands."""
        stop = self.debugger.stop
        if stop is None:
            raise StillRunning("the run is moving; press ctrl-c to have it stand still")
        return stop

    @property
    def row(self) -> Row:
        """The row one is on."""
        index = self.stop.row
        if index < 0:
            raise InputError("no row is here yet: the run has not begun")
        return self.debugger.tape.rows[index]

    def code(self) -> Code:
        """The code of the plugin whose call one is at."""
        plugin = self.debugger.inputs.plugin_in(self.row.entered.vm)
        if plugin is None:
            raise InputError("no plugin is here")
        return self.debugger.code(plugin)

    def activations(self) -> tuple[Activation, ...]:
        """The functions of the plugin that are active, innermost first; none where one is at a call."""
        if self.stop.instant is None:
            return ()
        return self.wait(self.debugger.inside.activations())

    def value(self, text: str) -> Any:
        """The value of an expression."""
        return evaluate(text, self.scope())

    def scope(self) -> Scope:
        """What expressions read from here."""
        stop, state = self.stop, None if self.debugger.alone else self.debugger.state()
        if stop.row < 0:
            return Scope(state)
        if stop.instant is not None:
            active = self.activations()
            variables = self.wait(self.debugger.inside.globals())
            return Scope(
                state,
                self.row.entered,
                None,
                self.debugger.memory(),
                active[0] if active else None,
                variables,
            )
        row = self.row
        over = row.kind in (Kind.RETURN, Kind.TRAP) or stop.why.passed or stop.position > row.position
        try:
            memory = self.debugger.memory()
        except InputError:
            memory = None
        return Scope(state, row.entered, row.ended if over else None, memory)

    # Waiting.

    def wait(self, future: Future[T]) -> T:
        """The result, however long it takes; who waits for long at a terminal is told for what."""
        self.pressed = 0
        if self.typing:
            wait([future], _PATIENCE_S)
            if not future.done():
                self.say(f"{self.debugger.busy or 'running'} …  ctrl-c pauses it", "reason")
                self.flush()
        return future.result()

    def press(self) -> None:
        """Ctrl-c: pause what moves, and end the plugin's call if that did not help; otherwise end what is done here."""
        if self.debugger.stop is not None:
            raise KeyboardInterrupt
        self.pressed += 1
        if self.pressed == 1:
            self.debugger.pause()
        else:
            self.debugger.interrupt()

    def settle(self) -> None:
        """Wait until the run stands, whatever was to happen."""
        self.debugger.pause()
        self.wait(self.debugger.ask(lambda: None))
