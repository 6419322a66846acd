"""The instructions of the current function."""

from __future__ import annotations

from textual.app import ComposeResult

from simwasm_tui.panes.pane import Pane
from simwasm_tui.widgets.virtual_list import VirtualList


class Wasm(Pane):
    """The instructions of the current function."""

    HELP = "The instructions of the current function."

    def compose(self) -> ComposeResult:
        yield VirtualList(empty="No function is being called.")
