"""What is seen while plugin and traffic are read: the debugger's screen, and nothing in it yet.

A long recording takes seconds, and what runs a plugin longer to import than all that is drawn here. Rules: nothing
is imported here that only a run needs; keys are kept for the debugger, but for those that leave.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os.path import basename

from textual import events
from textual.app import ComposeResult
from textual.screen import Screen

from simwasm_tui.layout import LEAST, SHORT
from simwasm_tui.text import Line, clean, spread
from simwasm_tui.widgets.body import Body
from simwasm_tui.widgets.keys import Keys
from simwasm_tui.widgets.line import Drawn

_INTERRUPTED = 130
"""What a shell is told of a program that ended by control and c."""


class Title(Drawn):
    """The first line: what is read."""

    DEFAULT_CSS = "Title { height: 1; dock: top; background: $panel; }"

    def __init__(self, files: Sequence[str]) -> None:
        super().__init__()
        self._line: Line = tuple((f"{clean(basename(file))}  ", "strong") for file in files)

    def made(self, y: int, width: int) -> Line:
        name: Line = ((" simwasm ", "heading"), (" ", ""))
        return spread((*name, *self._line), (("▶ ", "accent"), ("reading", "accent"), (" ", "")), width)


class Space(Drawn):
    """Where the timeline is going to be."""

    DEFAULT_CSS = "Space { height: 2; background: $background; } .-short Space { height: 1; }"

    def made(self, y: int, width: int) -> Line:
        return ()


class Frames(Body):
    """The lines between the panes."""

    def rearrange(self) -> None:
        width, height = self.size
        if self.is_mounted and width and height >= LEAST[1] // 2:
            self._reframe(self.where(self.size))
            self.refresh()

    def shown(self) -> list[str]:
        """The panes that have a place."""
        where = self.where(self.size)
        return sorted({self.active(slot, where) for slot in where} - {""})


class Reading(Screen[None]):
    """The screen; `keys` are those that the user wants otherwise, by command."""

    AUTO_FOCUS = ""

    def __init__(self, files: Sequence[str], keys: Mapping[str, str]) -> None:
        super().__init__()
        self.files = files
        self.typed: list[events.Key] = []
        """The keys that were pressed meanwhile."""
        self._keys = dict(keys)

    def compose(self) -> ComposeResult:
        yield Title(self.files)
        yield Space()
        yield Frames(id="body")
        yield Keys(self._keys)

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.height < SHORT, "-short")

    def keeps(self, event: events.Key) -> bool:
        """Leave, or keep the key; False for one that the application knows what to do with."""
        key = event.key
        if key in self._all("suspend", "ctrl+z") or key == "ctrl+q":
            return False
        if key == "ctrl+c":
            self.app.exit(return_code=_INTERRUPTED)
        elif key in self._all("quit", "q"):
            self.app.exit()
        else:
            self.typed.append(events.Key(key, event.character))
        return True

    def _all(self, command: str, usual: str) -> list[str]:
        """The keys of a command."""
        return [key.strip() for key in self._keys.get(command, usual).split(",")]
