"""The source text of the function at the stop, as far as the plugin says where it came from."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial

from textual.app import ComposeResult

from simwasm import sources
from simwasm.errors import InputError
from simwasm.sources import Remap
from simwasm.wasm.debuginfo import DebugKind
from simwasm.wasm.lines import Place
from simwasm.wasm.toolchain import ADVICE
from simwasm_tui import code_marks, source_text
from simwasm_tui.binaries import Binary
from simwasm_tui.commands import FIND, VIEW, Command
from simwasm_tui.messages import Question, Renew, Say
from simwasm_tui.model import View
from simwasm_tui.panes.coded import Coded
from simwasm_tui.text import Line
from simwasm_tui.widgets.virtual_list import NOTHING, VirtualList

_NOWHERE = "No function of the plugin is being called.\n\nPress s to step into a callback."
_ADVICE = "\n".join(f"{language.value}: {advice}" for language, advice in ADVICE.items())
_TEACH = f"""{{why}}

To see source here, build the plugin with debug information:

{_ADVICE}

Meanwhile Wasm shows the instructions, and Stack the functions."""
_UNKNOWN = "Nothing is known of where this function came from.\n\n{name} was built without debug information."


class SourceLines:
    """A file, as lines."""

    def __init__(self, lines: tuple[Line, ...], line: int, marks: Mapping[int, str]) -> None:
        self._lines = lines
        self._marks = marks
        self._here = line - 1
        self._digits = max(3, len(str(len(lines))))

    def __len__(self) -> int:
        return len(self._lines)

    def line(self, index: int, width: int) -> Line:
        here = index == self._here
        gutter: Line = (
            ("▶" if here else " ", "now"),
            (self._marks.get(index + 1, " "), "mark"),
            (f"{index + 1:>{self._digits}} ", "now" if here else "muted"),
        )
        return (*gutter, *self._lines[index])


class Source(Coded):
    """The source text."""

    HELP = (
        "The line of source that makes the call at this stop, marked ▶, as the plugin's debug information tells it. "
        "b stops at the line under the cursor, t runs to it; u makes s, n and f go by lines. Paths in it are those of "
        "the machine where the plugin was built: r says which folder here stands for one there. a goes to the caller, "
        "and . back to the stop."
    )
    COMMANDS = (
        Command(
            "source.remap",
            "r",
            "Say where sources are…",
            "Say which folder here a folder of the build is.",
            FIND,
        ),
        Command("source.caller", "a", "The caller", "Show the function that called this one.", VIEW),
        Command("source.here", "full_stop", "Where the run stands", "Go back to the line at the stop.", FIND),
    )

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.place: Place | None = None
        """What is shown."""
        self._files: dict[str, tuple[Line, ...]] = {}
        self._marks: dict[int, str] = {}

    def compose(self) -> ComposeResult:
        yield VirtualList(empty=_NOWHERE)

    @property
    def _remaps(self) -> tuple[Remap, ...]:
        known = self.view.binaries if self.view is not None else None
        said = self.binary.plugin.remaps if self.binary is not None else ()
        return (*(known.remaps if known is not None else ()), *said)

    @property
    def list(self) -> VirtualList:
        """The lines."""
        return self.query_one(VirtualList)

    def draw(self, view: View, before: View | None) -> None:
        super().draw(view, before)
        self._mark()
        if view.stop is not None and not self.spots:
            self._say_why(None)

    def show_spots(self) -> None:
        binary = self.binary
        chosen = self.chosen if self.wished else self._nearest()
        spot = self.spots[chosen] if chosen < len(self.spots) else None
        if spot is None or binary is None:
            self._nothing(_NOWHERE)
        elif not binary.lines.there:
            self._say_why(binary)
        elif spot.place is not None:
            shown = partial(self._show, spot.place)
            self.run_worker(shown, exclusive=True, group="file")  # type: ignore[arg-type]  # of a union
        else:
            self._nothing(_UNKNOWN.format(name=spot.frame.name))

    def _nearest(self) -> int:
        """The innermost frame whose source is here: a library's rarely is."""
        places = [(index, spot.place) for index, spot in enumerate(self.spots) if spot.place is not None]
        here = (index for index, place in places if self._is_here(place.file))
        return next(here, places[0][0] if places else 0)

    def _is_here(self, file: str) -> bool:
        brought = self.binary is not None and self.binary.lines.content(file) is not None
        return brought or sources.find(file, self._remaps) is not None

    def _say_why(self, binary: Binary | None) -> None:
        binary = binary or self.binary
        if binary is None or binary.lines.there:
            self._nothing(_NOWHERE)
            return
        names = binary.health().kind is DebugKind.NAMES
        why = (
            "has the names of its functions, but no debug information"
            if names
            else "has no debug information"
        )
        why += f" ({binary.health().problem})" if binary.health().problem else ""
        self._nothing(_TEACH.format(why=f"The plugin {binary.name} {why}."))

    def _nothing(self, why: str) -> None:
        self.place = None
        self.list.empty = why
        self.list.show(NOTHING)
        self.head(note="")

    async def _show(self, place: Place) -> None:
        known = self._files.get(place.file)
        if known is None:
            known = self._files[place.file] = await asyncio.to_thread(self._read, place.file)
        self.place = place
        self.head(note=f"{'/'.join(place.file.split('/')[-2:])}:{place.line}{self._doubt()}")
        if not known:
            self.list.empty = (
                f"{place}\n\nThis file is not on this machine, or not where it was when the plugin was built.\n"
                "Press r to say which folder here stands for one there, or start simwasm in the project's folder."
            )
            self.list.show(NOTHING)
            return
        self._show_lines(known, place)
        self.list.go(place.line - 1, middle=True)

    def _show_lines(self, known: tuple[Line, ...], place: Place) -> None:
        self._marks = code_marks.lines(self.view.breakpoints, place) if self.view is not None else {}
        self.list.show(SourceLines(known, place.line, self._marks))

    def _mark(self) -> None:
        """Show breakpoints as they are now."""
        place = self.place
        known = self._files.get(place.file) if place is not None else None
        if place is None or not known or self.view is None:
            return
        if code_marks.lines(self.view.breakpoints, place) != self._marks:
            self._show_lines(known, place)

    @property
    def place_here(self) -> str:
        """The line under the cursor, as a breakpoint has it; empty if there is none."""
        if self.place is None or not len(self.list.lines):
            return ""
        return code_marks.at_line(self.place.file, self.list.cursor + 1)

    def _read(self, file: str) -> tuple[Line, ...]:
        brought = self.binary.lines.content(file) if self.binary is not None else None
        if brought is not None:
            return source_text.lines(brought, file.rpartition("/")[2])
        path = sources.find(file, self._remaps)
        return source_text.lines(sources.read(path), path.name) if path is not None else ()

    def _doubt(self) -> str:
        binary = self.binary
        stale = binary is not None and binary.health().kind is DebugKind.STALE
        return " · the code was changed after these lines were written" if stale else ""

    def do_remap(self) -> None:
        """Ask which folder here stands for one there."""

        def answered(text: str) -> str:
            try:
                remap = sources.remap(text)
            except InputError as error:
                return str(error)
            if self.view is not None and self.view.binaries is not None:
                self.view.binaries.remaps = (remap, *self.view.binaries.remaps)
            self._files.clear()
            self.show_spots()
            self.post_message(Renew())
            return ""

        text = f"{self.place.file.rpartition('/')[0]}=" if self.place is not None else ""
        self.post_message(Question(self.id or "", "Folder there=here", answered, text=text))

    def do_caller(self) -> None:
        """Show the function that called this one."""
        chosen = self.chosen if self.wished else self._nearest()
        if chosen + 1 < len(self.spots):
            self.choose(chosen + 1)
        else:
            self.post_message(Say("The host called this function."))

    def do_here(self) -> None:
        """Go back to the line at the stop."""
        self.forget_wish()
