"""The trace: one line for each crossing of the ABI, the run's past bright and its recorded future dim."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from simwasm.abi.table import ALLOCATORS
from simwasm.debug.conditions import matching_rows
from simwasm.debug.tape import Tape
from simwasm.trace.query import Query, QueryError, compile
from simwasm.trace.rows import Kind, Row
from simwasm_tui.commands import FIND, VIEW, Command
from simwasm_tui.messages import Go, Look
from simwasm_tui.model import View
from simwasm_tui.outline import Outline
from simwasm_tui.panes.pane import Pane
from simwasm_tui.rowline import row_line
from simwasm_tui.text import Line, count
from simwasm_tui.widgets.virtual_list import VirtualList

_EMPTY = (
    "Nothing has crossed the ABI yet.\n\n"
    "Each callback of the plugin and each of its host calls will be a line here.\n"
    "Press s to take the first step, c to run."
)
_NONE_LEFT = "No row is as the filter wants it.\n\nPress / to change the filter, empty to see all rows."


_PORTION = 5_000
"""Rows taken in for a view while the run moves: the plugin has the rest of the time."""


class TraceLines:
    """The rows of an outline, as lines."""

    def __init__(
        self,
        outline: Outline,
        signs: Callable[[Row], str],
        digits: int,
        now: int,
        *,
        inside: bool,
        whose: bool,
    ) -> None:
        self.outline = outline
        self._signs = signs
        self._digits = digits
        self._now = now
        self._inside = inside
        self._whose = whose

    def __len__(self) -> int:
        return len(self.outline)

    def line(self, index: int, width: int) -> Line:
        outline = self.outline
        which = outline[index]
        row = outline.tape.rows[which]
        folded = outline.calls_in(which) if which in outline.folded else -1
        sign = self._signs(row)
        return row_line(
            row,
            width,
            digits=self._digits,
            now=self._now,
            inside=self._inside,
            mark=sign,
            folded=folded,
            whose=self._whose,
        )


class TraceList(VirtualList):
    """A list in which left and right fold, as in a tree."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "fold(True)", "Fold", show=False),
        Binding("right", "fold(False)", "Unfold", show=False),
        Binding("shift+left", "sideways(-8)", "Left", show=False),
        Binding("shift+right", "sideways(8)", "Right", show=False),
    ]

    def action_fold(self, fold: bool) -> None:
        pane = self.parent
        assert isinstance(pane, Trace)
        pane.fold(fold)


class Trace(Pane):
    """The trace."""

    HELP = (
        "Every crossing of the ABI, in order. ← is a callback of the plugin, → what it returned, ✗ a trap; the lines "
        "between are the host calls it made, with their status and how long each took. ▶ is where the run stands: that "
        "line is announced and has not happened yet. ▷ is amid the "
        "plugin's code behind a line. What comes after it is recorded and dim. ● is a breakpoint, "
        "◆ a bookmark. Enter goes to a line, left and right fold a callback. The plugin's allocator is left out: "
        "press a to see it."
    )
    COMMANDS = (
        Command("trace.fold_all", "minus", "Fold all callbacks", "Show one line for each callback.", VIEW),
        Command("trace.unfold_all", "plus", "Unfold all callbacks", "Show everything inside callbacks.", VIEW),
        Command("trace.allocator", "a", "Show the allocator", "Show or hide calls of the plugin's allocator.", VIEW),
        Command("trace.here", ".", "Find where the run stands", "Put the cursor back on ▶.", FIND),
    )  # fmt: skip

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.outline: Outline | None = None
        self._query: Query | None = None
        self.expression = ""
        self.allocator = False
        self._growing = False
        self._unreached = False
        """The run stands on a row that is still to be taken in."""
        self._followed: Tape | None = None
        """The tape on which the cursor was put where the run stands; on another, what was in sight does not matter."""
        self.list: VirtualList = TraceList(empty=_EMPTY)
        self.list.at_once = self._foot

    def compose(self) -> ComposeResult:
        yield self.list

    @property
    def row(self) -> int:
        """The row under the cursor; -1 if there is none."""
        outline = self.outline
        return outline[self.list.cursor] if outline is not None and self.list.cursor < len(outline) else -1

    def draw(self, view: View, before: View | None) -> None:
        moved = before is None or view.last is not before.last
        same = before is not None and self.outline is not None and self.outline.tape is view.tape
        if not same:
            self._begin(view.tape)
        outline = self.outline
        assert outline is not None
        more = outline.grow(view.rows, 0 if view.stop is not None else _PORTION)
        if same and not moved and before is not None and _marked_alike(view, before):
            self.list.grown(more=view.stop is None)
        else:
            self.list.show(self._lines(view))
        strayed = same and before is not None and before.last is None and self.list.cursor > 0
        if (moved or not same) and not strayed:  # whoever looks about while it records is left there
            self.follow(view)
        self._foot()
        if more and not self._growing and view.stop is not None:
            self._growing = True
            self.call_later(self._grow)

    def _outline(self, tape: Tape) -> Outline:
        query = self._query
        among = None if query is None else lambda first, last: matching_rows(query, tape, first, last)
        return Outline(tape, among, allocator=self.allocator)

    def _lines(self, view: View) -> TraceLines:
        assert self.outline is not None
        inside, digits = view.instant is not None, max(3, len(str(view.rows)))
        whose = len(view.inputs.plugins) > 1
        return TraceLines(
            self.outline, self._signs(view), digits, self._now(view), inside=inside, whose=whose
        )

    def _now(self, view: View) -> int:
        """The position that bears ▶: inside the allocator, which is left out, it is that of the call around it."""
        outline, row = self.outline, view.row
        assert outline is not None
        if row < 0 or self.allocator or view.tape.rows[row].entered.function.name not in ALLOCATORS:
            return view.tape.rows.position(row) if view.instant is not None and row >= 0 else view.position
        place = outline.place(row)
        return (
            view.tape.rows.position(outline[place]) if place >= 0 and self._query is None else view.position
        )

    def _begin(self, tape: Tape) -> None:
        folded = self.outline.folded if self.outline is not None and self.outline.tape is tape else set()
        self.outline = self._outline(tape)
        if folded:
            self.outline.grow(len(tape.rows), len(tape.rows))
            for row in sorted(folded):
                self.outline.fold(row)

    def _grow(self) -> None:
        """Take in the rest of a long tape, a portion at a time, so that keys are heard in between."""
        view, outline = self.view, self.outline
        self._growing = False
        if view is None or outline is None:
            return
        more = outline.grow(view.rows)
        self.list.grown(more=more)
        self._foot()
        if more:
            self._growing = True
            self.set_timer(0.001, self._grow)
        elif view.stop is not None and self._unreached:
            self.follow(view)

    def follow(self, view: View) -> None:
        """Put the cursor on the row where the run stands."""
        outline = self.outline
        assert outline is not None
        self._unreached = not outline.has(view.row)
        if view.row >= 0 and len(outline):
            for callback in [row for row in outline.folded if row < view.row <= outline.end_of(row)]:
                outline.unfold(callback)
            anew = self._followed is not None and self._followed is not view.tape
            self._followed = view.tape
            self.list.go(max(0, outline.place(view.row)), middle=True, anew=anew)

    def _signs(self, view: View) -> Callable[[Row], str]:
        bookmarks = set(view.bookmarks)

        def sign(row: Row) -> str:
            if row.position in bookmarks:
                return "◆"
            return breakpoint_sign(view, row)

        return sign

    def _foot(self) -> None:
        outline, view = self.outline, self.view
        if outline is None or view is None:
            return
        shown, top = len(outline), self.list.scroll_offset.y
        bottom = min(shown, top + max(1, self.list.size.height))
        if not shown or self.list.size.height <= 0:  # it has no place yet: it tells when it has
            self.head(note="")
            return
        text = f"{outline[top] + 1:,}–{outline[bottom - 1] + 1:,} of {view.rows:,}" if top < shown else ""
        if self.expression:
            text = f"{self.expression} · {count(shown, 'row')} of {view.rows:,}"
        self.head(note=text)

    def on_resize(self) -> None:
        self.call_after_refresh(self._foot)

    # Folding, filtering.

    def fold(self, fold: bool) -> None:
        """Fold the callback around the cursor, or unfold it."""
        outline = self.outline
        if outline is None or self.row < 0:
            return
        callback = outline.callback_of(self.row)
        if callback < 0:
            return
        (outline.fold if fold else outline.unfold)(callback)
        self._redraw(callback)

    def do_fold_all(self) -> None:
        """Fold every callback of the host."""
        outline, view = self.outline, self.view
        if outline is None or view is None or self.row < 0:
            return
        here = self.row
        for place in range(len(outline) - 1, -1, -1):
            row = outline.tape.rows[outline[place]]
            if row.kind is Kind.CALLBACK and not row.depth:
                outline.fold(row.index)
        self._redraw(here)

    def do_unfold_all(self) -> None:
        """Unfold every callback."""
        outline, here = self.outline, self.row
        if outline is None:
            return
        for row in sorted(outline.folded, reverse=True):
            outline.unfold(row)
        self._redraw(here)

    def do_allocator(self) -> None:
        """Show or hide the plugin's allocator."""
        self.allocator = not self.allocator
        self._again()

    def do_here(self) -> None:
        """Put the cursor back on the row where the run stands."""
        if self.view is not None:
            self.follow(self.view)

    def filter_by(self, expression: str) -> str:
        """Show only the rows that an expression describes; with an empty one, all. Says what is wrong with it."""
        try:
            query = compile(expression) if expression else None
        except QueryError as error:
            return str(error)
        self.expression, self._query = expression, query
        self.list.empty = _NONE_LEFT if expression else _EMPTY
        self._again()
        return ""

    def _again(self) -> None:
        view, row = self.view, self.row
        if view is None:
            return
        self.outline = self._outline(view.tape)
        more = self.outline.grow(view.rows)
        self._redraw(row)
        if more:
            self._grow()

    def _redraw(self, row: int) -> None:
        view, outline = self.view, self.outline
        assert view is not None
        assert outline is not None
        self.list.show(self._lines(view), max(0, outline.place(row)))
        self._foot()

    # What the list tells.

    def on_virtual_list_moved(self) -> None:
        if self.row >= 0:
            self.post_message(Look(self.row))

    def on_virtual_list_seen(self) -> None:
        self.call_after_refresh(self._foot)  # what it was before everything has its place

    def on_virtual_list_chosen(self) -> None:
        if self.outline is not None and self.row >= 0:
            self.post_message(Go(self.outline.tape.rows.position(self.row)))


def _marked_alike(view: View, before: View) -> bool:
    """Whether the lines that were there look as they did."""
    return (
        view.bookmarks == before.bookmarks
        and view.breakpoints == before.breakpoints
        and view.hits is before.hits
        and len(str(view.rows)) == len(str(before.rows))
    )


def breakpoint_sign(view: View, row: Row) -> str:
    """The sign of a breakpoint that is come by on a row: ●, or ○ for one that is switched off."""
    last = row.position
    if row.kind is Kind.HOST_CALL and row.ended is not None:
        last = row.ended.seq
    found = " "
    for breakpoint in view.breakpoints:
        hits = view.hits.get(breakpoint.number)
        if hits is not None and hits.on(row.position, last):
            if breakpoint.stops:
                return "●"
            found = "○"
    return found
