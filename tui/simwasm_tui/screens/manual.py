"""The manual: how the debugger is used, in one scrolling text that can be searched."""

from __future__ import annotations

from simwasm_tui import handbook
from simwasm_tui.commands import COMMANDS, Command, grouped, keys_sign
from simwasm_tui.screens.listing import Listing
from simwasm_tui.text import Line
from simwasm_tui.widgets.virtual_list import FixedLines


class Manual(Listing[None]):
    """The text."""

    HEADING = "Manual"
    ACTIONS = (
        Command("manual.search", "slash", "Search", "Find a word.", short="search"),
        Command("manual.next", "n", "Next", "Find it again.", short="next"),
        Command("manual.before", "N", "Before", "Find it above.", short="before"),
        Command("manual.close", "f1", "Close", "Go back.", short="close"),
    )
    WHOLE = True
    DEFAULT_CSS = """
    Manual > #box { height: 90%; max-width: 110; }
    """

    def __init__(self, keys: dict[str, str]) -> None:
        super().__init__()
        self.keys = keys
        self.wanted = ""
        self._source = handbook.read()

    def fill(self) -> None:
        text = [*handbook.lines(self._source, self.list.room)]
        self.list.show(FixedLines([*text, *_changed(self.keys)]))

    def on_resize(self) -> None:
        super().on_resize()
        self.call_after_refresh(self.fill)

    def do_search(self) -> None:
        self.ask_name(self.wanted, "a word of the manual", self._search)

    def _search(self, text: str) -> None:
        self.wanted = text
        self.call_after_refresh(self._find, back=False)

    def do_next(self) -> None:
        self._find(back=False)

    def do_before(self) -> None:
        self._find(back=True)

    def _find(self, *, back: bool) -> None:
        wanted = self.wanted.lower()
        if wanted and not self.list.find(lambda line: wanted in line.lower(), back=back):
            self.say(f"The manual does not say {self.wanted!r}.")

    def do_close(self) -> None:
        self.dismiss(None)


def _changed(keys: dict[str, str]) -> list[Line]:
    """The keys that the user has otherwise."""
    if not keys:
        return []
    lines: list[Line] = [(), (("Keys that your keymap changes", "heading"),)]
    for rows in grouped(COMMANDS).values():
        lines += [
            ((f"  {keys_sign(row, keys):<12}", "key"), (row.title, "")) for row in rows if row.id in keys
        ]
    return lines
