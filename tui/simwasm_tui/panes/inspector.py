"""Header maps and what changed in them, bodies, properties and the call itself."""

from __future__ import annotations

from textual.app import ComposeResult

from simwasm_tui.panes.pane import Pane
from simwasm_tui.widgets.virtual_list import VirtualList


class Inspector(Pane):
    """Header maps and what changed in them, bodies, properties and the call itself."""

    HELP = "Header maps and what changed in them, bodies, properties and the call itself."

    def compose(self) -> ComposeResult:
        yield VirtualList(empty="The state of the exchange will be shown here.")
