"""The log: every line the plugin and the proxy wrote, each leading to the moment it was written."""

from __future__ import annotations

from textual.app import ComposeResult

from simwasm.abi.enums import LogLevel
from simwasm_tui.messages import Go
from simwasm_tui.model import View
from simwasm_tui.panes.pane import Pane
from simwasm_tui.text import Line, clean
from simwasm_tui.widgets.virtual_list import VirtualList

_LONG = 4000
_INKS = {
    LogLevel.TRACE: "muted",
    LogLevel.DEBUG: "muted",
    LogLevel.INFO: "",
    LogLevel.WARN: "warn",
    LogLevel.ERROR: "bad",
    LogLevel.CRITICAL: "bad",
}


class LogLines:
    """The lines of the log, as far as the view knows them."""

    def __init__(self, view: View) -> None:
        self.view = view

    def __len__(self) -> int:
        return self.view.lines

    def line(self, index: int, width: int) -> Line:
        line = self.view.tape.lines[index]
        level, text = line.log.level, line.log.text
        later = line.position >= self.view.position
        ink = "future" if later else _INKS.get(level, "")
        row = self.view.tape.rows.at(line.position) + 1
        name = level.name if isinstance(level, LogLevel) else str(level)
        shown = text if len(text) <= _LONG else f"{text[:_LONG]}… ({len(text):,} characters)"
        return (
            (f"{row:>6} ", "muted"),
            (f"{name:<8}", "future" if later else ink or "muted"),
            (clean(shown), ink),
        )


class Log(Pane):
    """The log."""

    HELP = (
        "What the plugin and the proxy wrote. Lines after the point where the run stands are dim: they are recorded "
        "but not written yet. Enter goes to the moment a line was written."
    )

    def compose(self) -> ComposeResult:
        yield VirtualList(
            empty="Nothing has been written to the log.\n\nA plugin writes with proxy_log.", follow=True
        )

    def count(self, view: View) -> None:
        self.head(badge="•" if view.lines else "")

    def draw(self, view: View, before: View | None) -> None:
        shown = self.query_one(VirtualList)
        if before is not None and before.last is view.last and before.tape is view.tape:
            shown.lines = LogLines(view)
            shown.grown(more=view.stop is None)
            return
        shown.show(LogLines(view))
        if view.stop is not None:
            shown.go(max(0, view.tape.lines_until(view.position) - 1), middle=True)
        self.head(note=f"{view.tape.lines_until(view.position):,} of {view.lines:,}" if view.lines else "")

    def on_virtual_list_chosen(self, message: VirtualList.Chosen) -> None:
        if self.view is not None and (position := self.view.tape.lines[message.index].position):
            self.post_message(Go(position))
