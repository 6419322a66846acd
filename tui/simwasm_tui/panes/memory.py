"""The memory of the plugin."""

from __future__ import annotations

from textual.app import ComposeResult

from simwasm_tui.panes.pane import Pane
from simwasm_tui.widgets.virtual_list import VirtualList


class Memory(Pane):
    """The memory of the plugin."""

    HELP = "The memory of the plugin."

    def compose(self) -> ComposeResult:
        yield VirtualList(empty="The plugin has no memory yet.")
