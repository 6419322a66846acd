"""The command palette's content: every command with its key, those of all panes included."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.command import DiscoveryHit, Hit, Hits, Provider

from simwasm_tui.commands import COMMANDS, Command, keys_sign
from simwasm_tui.panes.table import PANES, load
from simwasm_tui.screens.table import screen_commands

if TYPE_CHECKING:
    from simwasm_tui.screens.main import MainScreen


def every_command() -> list[Command]:
    """The screen's commands, then those of the panes."""
    return [*COMMANDS, *(command for entry in PANES for command in load(entry).COMMANDS)]


def every_key() -> list[Command]:
    """All that a keymap may change: those of the other screens too."""
    return [*every_command(), *screen_commands()]


class Commands(Provider):
    """Finds commands by a part of their title or of their help."""

    @property
    def _main(self) -> MainScreen | None:
        from simwasm_tui.screens.main import MainScreen

        return self.screen if isinstance(self.screen, MainScreen) else None

    def _rows(self) -> list[tuple[str, Command, partial[None]]]:
        main = self._main
        if main is None:
            return []
        return [
            (_label(command, main.keys), command, partial(main.action_do, command.id))
            for command in every_command()
            if command.id != "palette"
        ]

    async def discover(self) -> Hits:
        for label, command, do in self._rows():
            yield DiscoveryHit(label, do, help=command.help)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for label, command, do in self._rows():
            score = max(matcher.match(label), matcher.match(command.help) / 2)
            if score > 0:
                yield Hit(score, matcher.highlight(label), do, help=command.help)


def _label(command: Command, changed: dict[str, str]) -> str:
    keys = keys_sign(command, changed)
    return f"{command.title}  ·  {keys}" if keys else command.title
