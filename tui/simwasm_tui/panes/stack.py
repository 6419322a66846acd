"""The call stack: where the plugin is in its own code, and the calls of the ABI around that."""

from __future__ import annotations

from textual.app import ComposeResult

from simwasm_tui.commands import VIEW, Command
from simwasm_tui.messages import Go
from simwasm_tui.model import View
from simwasm_tui.panes.coded import Coded
from simwasm_tui.panes.stack_lines import StackLines
from simwasm_tui.text import count
from simwasm_tui.widgets.virtual_list import NOTHING, VirtualList

_EMPTY = "Nothing is being called.\n\nPress s to take a step into a callback: its calls will be listed here."


class Stack(Coded):
    """The call stack."""

    HELP = (
        "The plugin's own functions, innermost first, and the calls of the ABI they belong to. Names are those of the "
        "module's name section, lines of source those of its debug information. Enter on a function shows its "
        "instructions and its source; on a call of the ABI it goes to that row."
    )
    COMMANDS = (
        Command(
            "stack.wasm",
            "w",
            "Show instructions",
            "Show the instructions of that function.",
            VIEW,
        ),
        Command("stack.source", "u", "Show source", "Show the source of that function.", VIEW),
    )

    def compose(self) -> ComposeResult:
        yield VirtualList(empty=_EMPTY)

    @property
    def list(self) -> VirtualList:
        """The lines."""
        return self.query_one(VirtualList)

    def draw(self, view: View, before: View | None) -> None:
        super().draw(view, before)
        if not view.position:
            self.list.show(NOTHING)

    def show_spots(self) -> None:
        view = self.view
        if view is None or self._place is None:
            return
        lines = StackLines(self._place[0], self._place[1], self.spots, self.chosen)
        self.list.show(lines)
        self.head(note=count(len(self.spots), "frame") if self.spots else "")

    def _frame(self, open: str) -> None:
        lines = self.list.lines
        if isinstance(lines, StackLines) and len(lines):
            self.choose(max(0, lines.levels[self.list.cursor].frame), open)

    def do_wasm(self) -> None:
        """Show the instructions of that function."""
        self._frame("wasm")

    def do_source(self) -> None:
        """Show the source of that function."""
        self._frame("source")

    def on_virtual_list_chosen(self, message: VirtualList.Chosen) -> None:
        lines = message.list.lines
        assert isinstance(lines, StackLines)
        level = lines.levels[message.index]
        if level.position:
            self.post_message(Go(level.position))
        else:
            self.choose(level.frame, "source" if self.spots[level.frame].place is not None else "wasm")
