"""The calls that are open."""

from __future__ import annotations

from textual.app import ComposeResult

from simwasm_tui.panes.pane import Pane
from simwasm_tui.widgets.virtual_list import VirtualList


class Stack(Pane):
    """The calls that are open."""

    HELP = "The calls that are open."

    def compose(self) -> ComposeResult:
        yield VirtualList(empty="No call is open.")
