"""The call stack: where the plugin is in its own code, and the calls of the ABI around that."""

from __future__ import annotations

from textual.app import ComposeResult

from simwasm_tui.commands import VIEW, Command
from simwasm_tui.interior import NOWHERE, Held, Key
from simwasm_tui.messages import Assign, Go, Say
from simwasm_tui.model import View
from simwasm_tui.panes.coded import Coded
from simwasm_tui.panes.stack_lines import Inner, StackLines
from simwasm_tui.text import count
from simwasm_tui.widgets.virtual_list import NOTHING, VirtualList

_EMPTY = "Nothing is being called.\n\nPress s to take a step into a callback: its calls will be listed here."


class Stack(Coded):
    """The call stack."""

    HELP = (
        "The plugin's own functions, innermost first, and the calls of the ABI they belong to. Names are those of the "
        "module's name section, lines of source those of its debug information. Enter on a function shows its "
        "instructions and its source; on a call of the ABI it goes to that row. At an instruction each function has "
        "its arguments, and the one marked › what it holds: variables of the source, locals, operands, globals; ~ has "
        "changed since the stop before, + is new. Enter on a value gives it another one: the run forks."
    )
    COMMANDS = (
        Command(
            "stack.wasm",
            "w",
            "Show instructions",
            "Show the instructions of that function.",
            VIEW,
        ),
        Command("stack.source", "v", "Show source", "Show the source of that function.", VIEW),
    )

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._compared = NOWHERE
        self._before: dict[Key, str] = {}
        self._last: dict[Key, str] = {}

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
        self._compare()
        inside = Inner(self.interior, self._before) if self.interior.activations else None
        lines = StackLines(self._place[0], self._place[1].position, self.spots, self.chosen, inside)
        self.list.show(lines)
        self.head(note=count(len(self.spots), "frame") if self.spots else "")

    def _compare(self) -> None:
        """Keep the values of the stop before."""
        if self.interior.activations and self.interior is not self._compared:
            self._before, self._last = self._last, self.interior.values()
            self._compared = self.interior

    def _frame(self, open: str) -> None:
        lines = self.list.lines
        if isinstance(lines, StackLines) and len(lines):
            self.choose(max(0, lines.levels[self.list.cursor].frame), open)

    def _edit(self, held: Held) -> None:
        if held.editable:
            self.post_message(Assign(held, max(0, self.chosen)))
        elif held.variable.why:
            self.post_message(Say(held.variable.why))
        else:
            self.post_message(Say("This cannot be changed: a local, an operand or a global can."))

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
        if level.held is not None:
            self._edit(level.held)
        elif level.position:
            self.post_message(Go(level.position))
        elif level.frame >= 0:
            self.choose(level.frame, "source" if self.spots[level.frame].place is not None else "wasm")
