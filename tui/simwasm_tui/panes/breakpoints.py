"""The breakpoints: where the run will stop, and how often it comes by there.

● 1 get_header_map_value                12
○ 2 proxy_log if level>=WARN             3
◌ 3 on_request_hedaers   no such function
"""

from __future__ import annotations

from textual.app import ComposeResult

from simwasm.debug.breakpoints import Breakpoint
from simwasm_tui.breakpoint_text import written
from simwasm_tui.commands import STOPS, Command
from simwasm_tui.messages import EditBreakpoint, Renew
from simwasm_tui.model import View
from simwasm_tui.panes.pane import Pane
from simwasm_tui.rowline import short
from simwasm_tui.text import Line, clean, spread
from simwasm_tui.widgets.virtual_list import VirtualList


class BreakpointLines:
    """One line for each."""

    def __init__(self, view: View) -> None:
        self.view = view

    def __len__(self) -> int:
        return len(self.view.breakpoints)

    def line(self, index: int, width: int) -> Line:
        each = self.view.breakpoints[index]
        here = self.view.stop is not None and each.number in self.view.stop.breakpoints
        left: Line = (
            ("▶" if here else " ", "now"),
            (sign(each) + " ", "mark" if each.stops else "muted"),
            (f"{each.number} ", "muted"),
            (clean(short(written(each))), "" if each.enabled else "muted"),
        )
        if each.suspended:
            return (*left, ("  " + clean(each.suspended), "warn"))
        hits = self.view.hits.get(each.number)
        return spread(left, ((f"{len(hits):,}", "muted"),) if hits is not None else (), width)


def sign(breakpoint: Breakpoint) -> str:
    """● stops, ◇ only says something, ○ is switched off, ◌ means nothing now."""
    if breakpoint.suspended:
        return "◌"
    if not breakpoint.enabled:
        return "○"
    return "◇" if breakpoint.message else "●"


def _known(view: View) -> tuple[object, ...]:
    return view.breakpoints, id(view.hits), view.stop


class BreakpointList(Pane):
    """The breakpoints."""

    HELP = (
        "● stops the run, ◇ writes a line and goes on, ○ is switched off, ◌ means nothing in this plugin and says why. "
        "The number at the end is how often the recorded run comes by there. Press b on a row of the trace to set one, "
        'B to write a condition, as in: get_header* if key~"auth" hits >3.'
    )
    COMMANDS = (
        Command("breakpoints.switch", "x", "Breakpoint on or off", "Switch the breakpoint on or off.", STOPS),
        Command("breakpoints.remove", "d,delete", "Remove breakpoint", "Take the breakpoint away.", STOPS),
        Command("breakpoints.add", "plus", "New breakpoint…", "Write a breakpoint.", STOPS),
    )

    def compose(self) -> ComposeResult:
        yield VirtualList(
            empty="None yet.\n\nb on a row of the trace sets one, B writes one with a condition."
        )

    def draw(self, view: View, before: View | None) -> None:
        if before is None or _known(view) != _known(before):
            self.query_one(VirtualList).show(BreakpointLines(view))

    def _chosen(self) -> Breakpoint | None:
        cursor = self.query_one(VirtualList).cursor
        return self.view.breakpoints[cursor] if self.view and cursor < len(self.view.breakpoints) else None

    def on_virtual_list_chosen(self) -> None:
        if (chosen := self._chosen()) is not None:
            self.post_message(EditBreakpoint(chosen))

    def do_add(self) -> None:
        """Write a breakpoint."""
        self.post_message(EditBreakpoint(None))

    def do_switch(self) -> None:
        """Switch the breakpoint on or off."""
        view, chosen = self.view, self._chosen()
        if view is not None and view.debugger is not None and chosen is not None:
            view.debugger.breakpoints.change(chosen.number, enabled=not chosen.enabled)
            self.post_message(Renew())

    def do_remove(self) -> None:
        """Take the breakpoint away."""
        view, chosen = self.view, self._chosen()
        if view is not None and view.debugger is not None and chosen is not None:
            view.debugger.breakpoints.remove(chosen.number)
            self.post_message(Renew())
