"""The source of the plugin."""

from __future__ import annotations

from textual.app import ComposeResult

from simwasm_tui.panes.pane import Pane
from simwasm_tui.widgets.virtual_list import VirtualList


class Source(Pane):
    """The source of the plugin."""

    HELP = "The source of the plugin."

    def compose(self) -> ComposeResult:
        yield VirtualList(empty="No source: the plugin has no debug information.")
