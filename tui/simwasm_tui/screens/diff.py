"""Two runs side by side, aligned by call: another branch, a rebuilt plugin's run, or a trace file.

The two are put side by side in a thread of its own. Rule: nothing here runs a plugin; Enter closes the screen and says
where to go.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from textual import work
from textual.app import ComposeResult
from textual.screen import Screen
from textual.widgets import Static
from textual.worker import get_current_worker

from simwasm.debug.branch import Branch
from simwasm.errors import SimwasmError
from simwasm.trace.align import align
from simwasm.trace.rows import Rows
from simwasm_tui.aligned import Sides
from simwasm_tui.commands import Command, method
from simwasm_tui.panes.pane import bindings
from simwasm_tui.screens.modal import Foot
from simwasm_tui.text import Line, clean, fit
from simwasm_tui.widgets.line import Drawn
from simwasm_tui.widgets.virtual_list import NOTHING, VirtualList


@dataclass(frozen=True)
class Side:
    """One of the two runs."""

    name: str
    rows: Rows
    branch: Branch | None = None
    """None for a trace file: one cannot go there."""
    note: str = ""
    """What one should know of it: that it was made with another build."""


class Destination(NamedTuple):
    """Where to go: a row of a branch."""

    branch: Branch
    row: int


class Why(Drawn):
    """Why the pair under the cursor differs."""

    DEFAULT_CSS = "Why { height: 1; background: $boost; }"

    def __init__(self) -> None:
        super().__init__(id="why")
        self.line: Line = ()

    def tell(self, line: Line) -> None:
        """Tell something else."""
        self.line = line
        self.refresh()

    def made(self, y: int, width: int) -> Line:
        return fit(((" ", ""), *self.line), width)


class Diff(Screen[Destination]):
    """The comparison."""

    ACTIONS: ClassVar[tuple[Command, ...]] = (
        Command("diff.go", "enter", "Go there", "Go to the call under the cursor, on its branch.", short="go there"),
        Command("diff.next", "n,right_square_bracket", "Next difference", "Go to the next row that differs.",
                short="next"),
        Command("diff.before", "N,left_square_bracket", "Difference before", "Go to the row before that differs.",
                short="before"),
        Command("diff.only", "d", "Only differences", "Leave out what is the same, or show it again.",
                short="only differences"),
        Command("diff.close", "q,escape", "Close", "Go back to the main screen.", short="close"),
    )  # fmt: skip
    BINDINGS = bindings(ACTIONS)
    DEFAULT_CSS = """
    Diff { background: $background; }
    Diff #names { height: 1; background: $panel; color: $foreground; text-style: bold; }
    Diff #sum { height: auto; max-height: 3; color: $foreground 70%; padding: 0 1; }
    """

    def __init__(self, left: Side, right: Side) -> None:
        super().__init__()
        self.left = left
        self.right = right
        self.sides: Sides | None = None

    def compose(self) -> ComposeResult:
        yield Static("", id="names", markup=False)
        yield Static(self._about("Putting the two runs side by side…"), id="sum", markup=False)
        yield VirtualList(empty="")
        yield Why()
        yield Foot(self.ACTIONS[:-1])

    def on_mount(self) -> None:
        self.list.focus()
        self._align()

    @property
    def list(self) -> VirtualList:
        """The pairs."""
        return self.query_one(VirtualList)

    def on_resize(self) -> None:
        half = (self.size.width - 4) // 2
        left, right = (fit(((clean(f" {letter} {side.name}"), ""),), half)
                       for letter, side in (("A", self.left), ("B", self.right)))  # fmt: skip
        line = "".join(text for text, _ in left).ljust(half) + "│ │" + "".join(text for text, _ in right)
        self.query_one("#names", Static).update(line)

    # The comparison.

    @work(thread=True, exit_on_error=False)
    def _align(self) -> None:
        worker = get_current_worker()
        try:
            sides = Sides(align(self.left.rows, self.right.rows))
        except SimwasmError as error:
            self.app.call_from_thread(self._failed, str(error))
            return
        if not worker.is_cancelled:
            self.app.call_from_thread(self._aligned, sides)

    def _failed(self, text: str) -> None:
        self.list.empty = f"✗ {text}"
        self.list.show(NOTHING)
        self.query_one("#sum", Static).update(self._about(""))

    def _aligned(self, sides: Sides) -> None:
        self.sides = sides
        self.list.empty = "The two runs do not differ.\n\nPress d to see all rows, q to go back."
        self.query_one("#sum", Static).update(self._about(sides.summary))
        self.list.show(sides, sides.place(sides.changes[0]) if sides.changes else 0)
        self._explain()

    def _about(self, summary: str) -> str:
        notes = [
            f"{letter}: {side.note}" for letter, side in (("A", self.left), ("B", self.right)) if side.note
        ]
        return clean(" · ".join(filter(None, (summary, *notes))))

    def _explain(self) -> None:
        sides = self.sides
        if sides is not None and len(sides):
            self.query_one(Why).tell(sides.explained(self.list.cursor, self.size.width - 2))

    def on_virtual_list_moved(self) -> None:
        self._explain()

    def on_key(self) -> None:
        self.query_one(Foot).say("")

    # What is done.

    def action_do(self, command: str) -> None:
        """Do one of the screen's commands."""
        getattr(self, method(command))()

    def do_next(self) -> None:
        self._to_change(1)

    def do_before(self) -> None:
        self._to_change(-1)

    def _to_change(self, step: int) -> None:
        sides = self.sides
        if sides is None or not len(sides):
            return
        here = sides.pair_at(self.list.cursor)
        found = sides.change_after(here) if step > 0 else sides.change_before(here)
        if found is None:
            self.query_one(Foot).say(f"There is no difference {'after' if step > 0 else 'before'} this row.")
        else:
            self.list.go(sides.place(found), middle=True)

    def do_only(self) -> None:
        sides = self.sides
        if sides is None:
            return
        pair = sides.pair_at(self.list.cursor) if len(sides) else 0
        sides.changes_only = not sides.changes_only
        self.list.show(sides, min(sides.place(pair), max(0, len(sides) - 1)))
        self._explain()

    def on_virtual_list_chosen(self) -> None:
        self.do_go()

    def do_go(self) -> None:
        sides = self.sides
        if sides is None or not len(sides):
            return
        pair = sides.alignment[sides.pair_at(self.list.cursor)]
        for side, row in ((self.right, pair.right), (self.left, pair.left)):
            if row is not None and side.branch is not None:
                self.dismiss(Destination(side.branch, row))
                return
        self.query_one(Foot).say("Only the trace file has this row: there is no run to go to.")

    def do_close(self) -> None:
        self.dismiss(None)
