"""The breakpoints: where the run will stop, and how often it would have."""

from __future__ import annotations

from textual.app import ComposeResult

from simwasm_tui.model import View
from simwasm_tui.panes.pane import Pane
from simwasm_tui.widgets.virtual_list import VirtualList


class BreakpointList(Pane):
    """The breakpoints."""

    HELP = "● stops the run, ○ is switched off. Press b on a row of the trace to set one, B to write a condition."

    def compose(self) -> ComposeResult:
        yield VirtualList(empty="None yet.\nb on a row of the trace\nsets one.")

    def draw(self, view: View, before: View | None) -> None:
        pass
