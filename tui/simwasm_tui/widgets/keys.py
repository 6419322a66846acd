"""The last line: the most useful keys, as many as there is room for; or, for a while, what there is to say."""

from __future__ import annotations

from textual import events

from simwasm_tui.commands import COMMANDS, Command, key_sign
from simwasm_tui.messages import Do
from simwasm_tui.text import Line, Piece, cells, clean, fit
from simwasm_tui.widgets.line import Drawn


class Keys(Drawn):
    """The last line."""

    DEFAULT_CSS = "Keys { height: 1; dock: bottom; }"

    def __init__(self, changed: dict[str, str]) -> None:
        super().__init__(id="keys")
        self._changed = changed
        self._said = ""
        self._spots: list[tuple[int, int, str]] = []

    def say(self, text: str) -> None:
        """Say something until the next key; nothing shows the keys again."""
        if text != self._said:
            self._said = text
            self.refresh()

    @property
    def said(self) -> str:
        """What it says; empty if it shows keys."""
        return self._said

    def made(self, y: int, width: int) -> Line:
        if self._said:
            self._spots = []
            return fit(((" " + clean(self._said), "accent"),), width)
        line: list[Piece] = []
        spots, x = [], 0
        for command in chosen(self._changed, width):
            sign = _sign(command, self._changed)
            pieces: Line = ((f" {sign}", "key"), (f" {command.short} ", "muted"))
            spots.append((x, x + cells(pieces), command.id))
            x += cells(pieces)
            line += pieces
        self._spots = spots
        return tuple(line)

    def on_click(self, event: events.Click) -> None:
        for first, end, command in self._spots:
            if first <= event.x < end:
                self.post_message(Do(command))


def _sign(command: Command, changed: dict[str, str]) -> str:
    return key_sign(changed.get(command.id, command.keys).split(",")[0].strip())


def chosen(changed: dict[str, str], width: int) -> list[Command]:
    """The commands that have room, in the table's order: the lowest ranks."""
    found: list[Command] = []
    room = width
    for command in sorted((item for item in COMMANDS if item.foot), key=lambda item: item.foot):
        sign = _sign(command, changed)
        size = len(sign) + len(command.short) + 3
        if sign and size <= room:
            found.append(command)
            room -= size
    return [command for command in COMMANDS if command in found]
