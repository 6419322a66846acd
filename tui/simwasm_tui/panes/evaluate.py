"""Expressions."""

from __future__ import annotations

from textual.app import ComposeResult

from simwasm_tui.panes.pane import Pane
from simwasm_tui.widgets.virtual_list import VirtualList


class Evaluate(Pane):
    """Expressions."""

    HELP = "Expressions."

    def compose(self) -> ComposeResult:
        yield VirtualList(empty="Nothing was asked yet.")
