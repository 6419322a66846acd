"""The application: one debugger at a time, its main screen, the themes and the user's keys.

What is to be debugged may still have to be read. Then a screen is there at once that says so, a thread imports what a
run needs and reads, and what goes wrong with it ends the application and is told as if there had been no screen.
"""

from __future__ import annotations

import signal
import sys
from asyncio import Event, TimeoutError, get_running_loop, sleep, wait_for
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from io import TextIOWrapper
from os import environ
from pathlib import Path
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from rich.text import Text
from textual import events
from textual.app import App
from textual.binding import Binding, BindingType
from textual.message_pump import MessagePump
from textual.widget import Widget
from textual.widgets import Input

from simwasm.cli.bring import bring
from simwasm.errors import SimwasmError
from simwasm_tui import crash, keymap
from simwasm_tui.commands import COMMANDS as TABLE
from simwasm_tui.ink import CLASSES
from simwasm_tui.messages import Changed, Complain
from simwasm_tui.palette import Commands, every_key
from simwasm_tui.panes.table import BY_ID, load
from simwasm_tui.screens.reading import Frames, Reading
from simwasm_tui.themes import DARK, THEMES

if TYPE_CHECKING:
    from simwasm.debug.debugger import Debugger
    from simwasm.debug.inputs import Inputs
    from simwasm.debug.start import Start
    from simwasm_tui.screens.main import MainScreen

_PATIENCE = 0.1
_MOMENT = 0.002
_ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""Signals that end the debugger as q does."""


class Unread(NamedTuple):
    """A start that is still to be read, from these files."""

    read: Callable[[], Start]
    files: Sequence[str]
    theme: str = ""
    keymap: str = ""


class DebuggerApp(App[int]):
    """The debugger in a terminal."""

    TITLE = "simwasm"
    CSS_PATH = Path(__file__).with_name("app.tcss")
    COMPONENT_CLASSES: ClassVar[set[str]] = set(CLASSES)
    COMMANDS: ClassVar = {Commands}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+z", "suspend_process", show=False, priority=True, id="suspend")
    ]

    def __init__(self, start: Start | Unread) -> None:
        super().__init__(ansi_color=True if "NO_COLOR" in environ else None)  # grey is a colour too
        for own in THEMES:
            self.register_theme(own)
        self._paint(start.theme if start.theme in self.available_themes else DARK.name)
        self.beginning = start
        self.debugger: Debugger | None = None
        self.main: MainScreen | None = None
        self.unreadable: SimwasmError | OSError | None = None
        """Why there was nothing to debug."""
        self._told = False
        self._urgent = frozenset[str]()
        """The keys that pause and interrupt."""
        self._wishes = keymap.Keymap({})

    def _paint(self, name: str) -> None:
        """Have a theme and its classes from the start; for what comes later, all style sheets are applied again."""
        self.set_class(self.no_color, "-no-color", update=False)
        theme = self.available_themes[name]
        if theme.ansi:  # which filters its colours too
            self.theme = name
            return
        self.set_reactive(App.theme, name)
        self.set_class(theme.dark, "-dark-mode", update=False)
        self.set_class(not theme.dark, "-light-mode", update=False)
        self.set_class(True, f"-theme-{name}", update=False)
        self.stylesheet.set_variables(self.get_css_variables())

    def on_mount(self) -> None:
        with suppress(NotImplementedError, RuntimeError):  # Windows; a thread other than the main one
            for number in _ENDING:
                get_running_loop().add_signal_handler(number, self.exit, None, 128 + number)
        self._wishes = self._read_keys()
        self.set_keymap(self._wishes.keys)
        self._urgent = frozenset(
            key.strip()
            for command in TABLE
            if command.id in ("pause", "interrupt")
            for key in self._wishes.keys.get(command.id, command.keys).split(",")
        )
        if isinstance(self.beginning, Unread):
            self._read(self.beginning)
        else:
            self.begin(self.beginning)

    def _read(self, unread: Unread) -> None:
        """Say what is read, and read it as soon as that is seen."""
        screen = Reading(unread.files, self._wishes.keys)

        def seen() -> None:
            shown = screen.query_one(Frames).shown()
            Thread(target=self._reads, args=(unread, shown), name="simwasm reads", daemon=True).start()

        self.push_screen(screen)
        screen.call_after_refresh(seen)

    def _reads(self, unread: Unread, panes: Sequence[str]) -> None:
        """Read, and import what shows it, in a thread."""
        found: Future[Start] = Future()
        try:
            start = unread.read()
            bring("simwasm_tui.screens.main")
            for pane in panes:
                load(BY_ID[pane])
            found.set_result(start)
        except Exception as error:  # a front door: it is raised again where it can be told
            found.set_exception(error)
        self.call_later(self._has_read, found)

    def _has_read(self, found: Future[Start]) -> None:
        try:
            self.begin(found.result())
        except (SimwasmError, OSError) as error:
            self.unreadable = error
            self.exit()

    def begin(self, start: Start) -> None:
        """Debug something: what was debugged before is over. A start with nothing shows the start screen."""
        self.end()
        if start.inputs is None and start.trace is None:
            from simwasm_tui.screens.start import StartScreen  # most are given something to debug

            self.push_screen(StartScreen())
            return
        from simwasm_tui.screens.main import MainScreen  # with all that a run needs
        from simwasm_tui.sessions import Keeper

        self.beginning = start
        self._told = False
        self.debugger = debugger = self.opened(start)
        keeper = Keeper(start, debugger)
        self.main = main = MainScreen(debugger, keeper, self._wishes.keys)
        before = self.screen
        if isinstance(before, Reading):
            self.switch_screen(main)
            for key in before.typed:
                self.post_message(key)
        else:
            self.push_screen(main)
        for note in (*self._wishes.wrong, *self._no_theme(), *keeper.wrong, *start.notes):
            main.post_message(Complain(note))
        main.go(debugger.open())
        if start.row:
            main.go(debugger.to_row(start.row - 1))
        keeper.restore(main)

    def _no_theme(self) -> tuple[str, ...]:
        """What is wrong with the theme that was asked for."""
        wanted, known = self.beginning.theme, sorted(self.available_themes)
        return (f"there is no theme `{wanted}`; there are {', '.join(known)}",) * (
            bool(wanted) and wanted not in known
        )

    def opened(self, start: Start) -> Debugger:
        """What is debugged: a run, or a trace file alone."""
        if start.inputs is not None:
            return self.made(start.inputs)
        assert start.trace is not None
        from simwasm.debug.reader import TraceReader  # most debug a plugin

        reader = TraceReader(start.trace, changed=self.changed)
        reader.reading.add_done_callback(self._was_read)
        return reader

    def _was_read(self, reading: Future[None]) -> None:
        """A trace file has come to its end; what was wrong with it is a problem."""
        error, main = reading.exception(), self.main
        if error is not None and main is not None:
            main.post_message(Complain(str(error)))

    def made(self, inputs: Inputs) -> Debugger:
        """A debugger that tells of its changes here."""
        from simwasm.debug.debugger import Debugger

        return Debugger(inputs, changed=self.changed)

    def end(self) -> None:
        """Let the debugger go, and remember what was debugged."""
        debugger, main = self.debugger, self.main
        self.debugger = self.main = None
        if main is not None:
            main.keeper.keep(main)
            if main.is_attached:
                main.dismiss()
        if debugger is not None:
            debugger.close()

    async def on_event(self, event: events.Event) -> None:
        """Do what a key means before the next one is looked at, so that nothing typed quickly goes astray.

        Textual would send it round, to the focused widget, its screen and back here, and the next key behind it to
        whatever has the focus meanwhile. Keys also wait for where the keys before them lead; only those that stop the
        run do not.
        """
        if not isinstance(event, events.Key) or event.is_forwarded:
            await super().on_event(event)
            return
        self.app_focus = True  # whoever types has it, whatever the terminal told
        if isinstance(self.screen, Reading) and self.screen.keeps(event):
            return
        await self._takes_keys()
        main, focused = self.main, self.focused
        if main is not None:
            main.debugger.give_way()
            if event.key not in self._urgent:
                await main.settled()
            main.say("")
        typing = isinstance(focused, Input) and focused.check_consume_key(event.key, event.character)
        urgent = await self._check_bindings(event.key, priority=True)
        if not urgent and (typing or not await self._check_bindings(event.key)):
            await super().on_event(event)
        if isinstance(focused, Input):
            await _handled(focused)

    async def _takes_keys(self) -> None:
        """Wait, not for long, until a screen that was opened by the key before has somebody to type at."""
        end = monotonic() + _PATIENCE
        while self.screen.focused is None and monotonic() < end:
            if self.screen.is_mounted and not self.screen.query(Input):
                return
            await sleep(_MOMENT)

    def on_unmount(self) -> None:
        debugger, main = self.debugger, self.main
        self.debugger = self.main = None
        if main is not None:
            main.keeper.keep(main)
        if debugger is not None:
            debugger.close()

    def on_app_focus(self) -> None:
        """The user comes back, perhaps from building the plugin."""
        if self.main is not None:
            self.main.look_at_build()

    def _fatal_error(self) -> None:  # what Textual does with an exception that nobody expected
        """Leave the terminal as it was, and say what happened in a line; the rest goes to a file."""
        if self._exception is not None and not self._exit_renderables:
            self.panic(Text(crash.told(self._exception)))

    def _read_keys(self) -> keymap.Keymap:
        path = Path(self.beginning.keymap) if self.beginning.keymap else keymap.default_path()
        if not self.beginning.keymap and not path.exists():
            return keymap.Keymap({})
        return keymap.read(path, frozenset(command.id for command in every_key()))

    def changed(self) -> None:
        """Be told, from any thread and as often as you like, that the debugger has changed."""
        main = self.main
        if not self._told and main is not None:
            self._told = True
            main.post_message(Changed())

    def changes_seen(self) -> None:
        """From now on, be told again."""
        self._told = False


async def _handled(widget: Widget) -> None:
    """Wait, not for long, until a widget and what is around it have looked at what was sent to them."""
    node: MessagePump | None = widget
    while isinstance(node, Widget):
        done = Event()
        if not node.call_later(done.set):
            return
        with suppress(TimeoutError):
            await wait_for(done.wait(), _PATIENCE)
        node = node._parent


def read_and_run(read: Callable[[], Start], files: Sequence[str], *, theme: str, keymap: str) -> int:
    """Show the debugger as `run` does, and read meanwhile what it starts with."""
    return run(Unread(read, files, theme, keymap))


def run(start: Start | Unread) -> int:
    """Show the debugger in the terminal until the user leaves; the answer is the exit status."""
    for stream in (sys.__stdout__, sys.__stderr__):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(
                errors="replace"
            )  # a terminal without UTF-8 shows ? for what it has no sign for
    app = DebuggerApp(start)
    try:
        app.run()
    except Exception as error:  # a front door: what goes wrong while it ends is told like anything else
        print(crash.told(error), file=sys.stderr)
        return 1
    finally:
        if app.debugger is not None:  # it failed
            app.debugger.close()
    if app.unreadable is not None:
        raise app.unreadable
    return app.return_code or 0
