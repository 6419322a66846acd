"""A line of tabs: the chosen one stands out, a dot marks those in which something has changed."""

from __future__ import annotations

from collections.abc import Collection

from textual import events
from textual.message import Message

from simwasm_tui.text import Line
from simwasm_tui.widgets.line import Drawn


def tab_line(tabs: tuple[str, ...], chosen: int, dotted: Collection[int]) -> Line:
    """The line."""
    found: list[tuple[str, str]] = []
    for index, tab in enumerate(tabs):
        begin = ("[" if index == chosen else " ") * (not index)
        end = "]" if index == chosen else "[" if index + 1 == chosen else " "
        name = f"{begin}{tab}{'•' if index in dotted else ''}{end}"
        found.append((name, "focused" if index == chosen else "tab"))
    return tuple(found)


class Tabs(Drawn):
    """Tabs, with shorter names for little room."""

    DEFAULT_CSS = "Tabs { height: 1; }"

    class Chosen(Message):
        """A tab was clicked."""

        def __init__(self, tab: str) -> None:
            super().__init__()
            self.tab = tab

    def __init__(self, tabs: tuple[str, ...], narrow: tuple[str, ...]) -> None:
        super().__init__()
        self._tabs, self._narrow = tabs, narrow
        self._chosen = tabs[0]
        self._dotted: Collection[str] = ()

    def show(self, chosen: str, dotted: Collection[str]) -> None:
        """Show which one is chosen, and which have changed."""
        self._chosen, self._dotted = chosen, dotted
        self.refresh()

    def names(self, width: int) -> tuple[str, ...]:
        """The names for a width."""
        return self._tabs if sum(len(tab) + 2 for tab in self._tabs) <= width else self._narrow

    def made(self, y: int, width: int) -> Line:
        dotted = [index for index, tab in enumerate(self._tabs) if tab in self._dotted]
        return tab_line(self.names(width), self._tabs.index(self._chosen), dotted)

    def on_click(self, event: events.Click) -> None:
        at = 0
        for tab, (text, _) in zip(self._tabs, self.made(0, self.size.width), strict=True):
            at += len(text)
            if event.x < at:
                self.post_message(self.Chosen(tab))
                return
