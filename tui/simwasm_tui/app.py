"""The application: one debugger, one main screen, the themes and the user's keys."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual.app import App

from simwasm.debug.debugger import Debugger
from simwasm.debug.inputs import Inputs
from simwasm_tui import keymap
from simwasm_tui.messages import Changed, Complain
from simwasm_tui.palette import Commands, every_command
from simwasm_tui.screens.main import MainScreen
from simwasm_tui.themes import DARK, THEMES


class DebuggerApp(App[int]):
    """The debugger in a terminal."""

    TITLE = "simwasm"
    CSS_PATH = "app.tcss"
    COMMANDS: ClassVar = {Commands}
    ENABLE_COMMAND_PALETTE = True

    def __init__(self, inputs: Inputs, *, title: str = "", keys: Path | None = None, theme: str = "") -> None:
        super().__init__()
        for own in THEMES:
            self.register_theme(own)
        self.theme = theme if theme in self.available_themes else DARK.name
        self._told = False
        self._keys_path = keys
        self.debugger = Debugger(inputs, changed=self.changed)
        self._shown_title = title
        self.main: MainScreen | None = None

    def on_mount(self) -> None:
        if self.no_color:
            self.add_class("-no-color")
        wishes = self._wishes()
        self.set_keymap(wishes.keys)
        self.main = MainScreen(self.debugger, self._shown_title, wishes.keys)
        self.push_screen(self.main)
        for wrong in wishes.wrong:
            self.main.post_message(Complain(wrong))
        self.main.go(self.debugger.open())

    def on_unmount(self) -> None:
        self.debugger.close()

    def _wishes(self) -> keymap.Keymap:
        path = self._keys_path or keymap.default_path()
        if not path.exists():
            return keymap.Keymap({})
        return keymap.read(path, frozenset(command.id for command in every_command()))

    def changed(self) -> None:
        """Be told, from any thread and as often as you like, that the debugger has changed."""
        if not self._told and self.main is not None:
            self._told = True
            self.main.post_message(Changed())

    def changes_seen(self) -> None:
        """From now on, be told again."""
        self._told = False


def run(inputs: Inputs, *, title: str = "", theme: str = "", keys: Path | None = None) -> int:
    """Show the debugger in the terminal until the user leaves; the answer is the exit status."""
    return DebuggerApp(inputs, title=title, theme=theme, keys=keys).run() or 0
