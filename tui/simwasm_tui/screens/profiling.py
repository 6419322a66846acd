"""Where the instructions of a callback went: its functions and its lines of source, the dearest first."""

from __future__ import annotations

from typing import NamedTuple

from textual.app import ComposeResult

from simwasm.debug.profile import LineShare, Profile, Share
from simwasm_tui.commands import Command
from simwasm_tui.screens.listing import Made
from simwasm_tui.screens.modal import Modal
from simwasm_tui.text import Line, clean, fit
from simwasm_tui.widgets.virtual_list import VirtualList

_BAR = 10
_NO_LINES = "No line of source is known: the plugin has no debug information. H tells how to build it."


class Wanted(NamedTuple):
    """What is to be shown: a function, or a line of source as a breakpoint has it."""

    function: int = -1


class Profiling(Modal[Wanted]):
    """Both lists."""

    ACTIONS = (
        Command("profiling.go", "enter", "Show the function", "Show the instructions of the function under the cursor.",
                short="show instructions"),
        Command("profiling.other", "tab", "Functions or lines", "Go to the other list.", short="functions or lines"),
    )  # fmt: skip
    DEFAULT_CSS = """
    Profiling > #box { max-width: 130; height: 80%; }
    Profiling.-short > #box { height: 100%; }
    Profiling VirtualList { height: 1fr; }
    Profiling #lines { margin-top: 1; }
    Profiling.-short #lines { margin-top: 0; }
    """

    def __init__(self, callback: str, found: Profile) -> None:
        super().__init__()
        self.callback = callback
        self.found = found

    def heading(self) -> str:
        found = self.found
        return (
            f"{self.callback}: {found.total:,} instructions in {len(found.functions):,} functions, "
            f"{found.covered:.0%} of their code"
        )

    def content(self) -> ComposeResult:
        yield VirtualList(id="functions", empty="No instruction was run.")
        yield VirtualList(id="lines", empty=_NO_LINES)

    def on_mount(self) -> None:
        functions, lines = self.query(VirtualList)
        functions.show(Made(self.found.functions, self._function))
        lines.show(Made(self.found.lines, self._line))
        functions.focus()

    def _part(self, own: int) -> Line:
        part = own / max(self.found.total, 1)
        bar = "█" * round(part * _BAR)
        return ((f"{own:>12,} ", "number"), (f"{part:>6.1%} ", "strong"), (f"{bar:<{_BAR}} ", "accent"))

    def _function(self, each: Share, width: int) -> Line:
        calls = f"  {each.calls:,} {'call' if each.calls == 1 else 'calls'}, {each.all:,} with all it calls"
        return fit((*self._part(each.own), (clean(each.name), "callback"), (calls, "muted")), width)

    def _line(self, each: LineShare, width: int) -> Line:
        folder, _, file = each.file.rpartition("/")
        return fit(
            (
                *self._part(each.own),
                (f"{clean(file)}:{each.line}", "string"),
                (f"  {clean(folder)}", "muted"),
            ),
            width,
        )

    def on_virtual_list_chosen(self, message: VirtualList.Chosen) -> None:
        if message.list.id == "functions":
            self.dismiss(Wanted(self.found.functions[message.index].function))
        else:
            self.dismiss(Wanted(self._function_of(self.found.lines[message.index])))

    def _function_of(self, line: LineShare) -> int:
        """The function that ran a line most."""
        code = self.found.code
        counts: dict[int, int] = {}
        for offset, count in self.found.counts.items():
            place = code.place(offset)
            if place is not None and (place.file, place.line) == (line.file, line.line):
                function = code.function_at(offset)
                counts[function] = counts.get(function, 0) + count
        return max(counts, key=counts.__getitem__, default=-1)

    def do_go(self) -> None:
        """Done by the lists."""

    def do_other(self) -> None:
        self.focus_next()
