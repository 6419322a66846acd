"""Help for the focused pane: what it shows, its keys, and those that work everywhere."""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import wrap

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from simwasm_tui.commands import COMMANDS, Command, grouped, keys_sign
from simwasm_tui.panes.pane import Pane
from simwasm_tui.panes.table import BY_ID
from simwasm_tui.text import Line
from simwasm_tui.widgets.virtual_list import FixedLines, VirtualList

_WIDE = 72


def pane_help(pane: Pane, changed: dict[str, str]) -> tuple[str, FixedLines]:
    """Title and text for a pane."""
    entry = BY_ID[pane.id or ""]
    own = (
        [*_prose(pane.HELP), (), *_commands(pane.COMMANDS, changed)]
        if pane.COMMANDS
        else [*_prose(pane.HELP)]
    )
    moving = [
        (),
        *_keys([("↑ ↓ j k", "line"), ("pgup pgdn", "page"), ("home end", "first, last"), ("⏎", "go there")]),
    ]
    return entry.title, FixedLines((*own, *moving, (), *_commands(COMMANDS, changed)))


def _prose(text: str) -> Iterable[Line]:
    return [((line, ""),) for line in wrap(text, _WIDE)]


def _keys(pairs: Iterable[tuple[str, str]]) -> list[Line]:
    return [((f"  {keys:<12} ", "key"), (text, "")) for keys, text in pairs]


def _commands(commands: Iterable[Command], changed: dict[str, str]) -> list[Line]:
    lines: list[Line] = []
    for group, rows in grouped(commands).items():
        lines.append(((group, "strong"),))
        for row in rows:
            keys = keys_sign(row, changed) or "–"
            lines.append(((f"  {keys:<12} ", "key"), (f"{row.title:<30} ", ""), (row.help, "muted")))
        lines.append(())
    return lines[:-1]


class Help(ModalScreen[None]):
    """A page of text over the screen."""

    DEFAULT_CSS = """
    Help { align: center middle; background: $background 60%; }
    Help > Vertical { width: 90%; max-width: 116; height: 85%; background: $panel; padding: 1 2; }
    Help Static { text-style: bold; color: $primary; height: 2; }
    """
    BINDINGS = [Binding("escape,q,f1,question_mark", "dismiss(None)", "Close", show=False)]  # noqa: RUF012

    def __init__(self, title: str, lines: FixedLines) -> None:
        super().__init__()
        self._title = title
        self._lines = lines

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(f"{self._title}  (esc closes)", markup=False)
            yield VirtualList(self._lines)

    def on_mount(self) -> None:
        self.query_one(VirtualList).focus()
