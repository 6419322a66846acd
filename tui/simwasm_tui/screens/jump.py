"""Jumping: a letter on every pane and every tab; the next key goes there."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.screen import ModalScreen
from textual.widgets import Label

from simwasm_tui.frame import Spot

_LETTERS = "asdfghjklqwertyuiopzxcvbnm"


class Jump(ModalScreen[str]):
    """Letters over the screen."""

    DEFAULT_CSS = """
    Jump { background: $background 40%; }
    Jump Label { position: absolute; width: auto; background: $accent; color: $background; text-style: bold; }
    """

    def __init__(self, spots: list[Spot]) -> None:
        super().__init__()
        self.spots = dict(zip(_LETTERS, spots, strict=False))

    def compose(self) -> ComposeResult:
        for letter, spot in self.spots.items():
            label = Label(f" {letter} ", markup=False)
            label.styles.offset = (max(0, spot.x - 2), spot.y)
            yield label

    def on_key(self, event: events.Key) -> None:
        event.stop()
        spot = self.spots.get(event.key)
        self.dismiss(spot.pane if spot else None)

    def on_click(self) -> None:
        self.dismiss(None)
