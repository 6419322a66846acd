"""Help: for a pane, what it shows and its keys; the manual, with every glyph and every key."""

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
_GLYPHS = (
    ("▶", "where the run stands: this line is announced and has not happened yet"),
    ("←", "a callback of the plugin begins"),
    ("→", "it returns, with what it returned"),
    ("✗", "a trap, or another problem"),
    ("▸", "a folded callback"),
    ("●", "a breakpoint; ○ one that is switched off"),
    ("◇", "a breakpoint that only writes a line; ◌ one that means nothing in this plugin"),
    ("◆", "a bookmark"),
    ("┄", "a call whose answer is not recorded yet"),
    ("!", "answered by the plugin or the proxy, not by the upstream"),
    ("+ - ~", "added, removed, changed"),
    ("▮ ▯", "in the timeline: what has happened, and what is recorded ahead"),
)
_IDEA = (
    "The run is recorded ahead, then you are brought to its first request. From there you can go anywhere, forwards "
    "and backwards: every step is looked up in the recording, and the plugin is brought to that moment, its memory "
    "included. A capital letter does backwards what the small one does forwards. What is dim is recorded, but lies "
    "ahead."
)


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


def manual(changed: dict[str, str]) -> tuple[str, FixedLines]:
    """Title and text of the manual."""
    glyphs = [((f"  {sign:<8}", "now"), (text, "")) for sign, text in _GLYPHS]
    return "Manual", FixedLines(
        (*_prose(_IDEA), (), (("Signs", "heading"),), *glyphs, (), *_commands(COMMANDS, changed))
    )


def _prose(text: str) -> Iterable[Line]:
    return [((line, ""),) for line in wrap(text, _WIDE)]


def _keys(pairs: Iterable[tuple[str, str]]) -> list[Line]:
    return [((f"  {keys:<12}", "key"), (text, "")) for keys, text in pairs]


def _commands(commands: Iterable[Command], changed: dict[str, str]) -> list[Line]:
    lines: list[Line] = []
    for group, rows in grouped(commands).items():
        lines.append(((group, "strong"),))
        for row in rows:
            keys = keys_sign(row, changed) or "–"
            lines.append(((f"  {keys:<12}", "key"), (f"{row.title:<30} ", ""), (row.help, "muted")))
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
