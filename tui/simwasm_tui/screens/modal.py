"""A box over the screen: a title, what one looks at or fills in, and a line with the keys that work in it.

To add one: a class like this in a file of its own, a row in `screens/table.py`, and a method `do_<id>` that opens it.

    class Bookmarks(Modal[int]):
        HEADING = "Bookmarks"
        ACTIONS = (Command("bookmarks.delete", "d", "Delete", "Remove the bookmark under the cursor."),)

        def content(self) -> ComposeResult: ...
        def do_delete(self) -> None: ...

Rules: Escape always leaves it and changes nothing; what is wrong is said in the box and stays until it is put right.
"""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from simwasm_tui.commands import Command, key_sign, method
from simwasm_tui.panes.pane import bindings
from simwasm_tui.text import Line, clean, fit
from simwasm_tui.widgets.line import Drawn

T = TypeVar("T")


class Foot(Drawn):
    """The keys of a box, or what there is to say."""

    DEFAULT_CSS = "Foot { height: 1; background: $panel; }"

    def __init__(self, commands: tuple[Command, ...]) -> None:
        super().__init__(id="foot")
        self.said = ""
        self._commands = commands

    def say(self, text: str) -> None:
        """Say something in place of the keys; nothing shows them again."""
        self.said = text
        self.refresh()

    def made(self, y: int, width: int) -> Line:
        if self.said:
            return fit(((clean(self.said), "accent"),), width)
        pieces: list[tuple[str, str]] = []
        for command in self._commands:
            if command.keys:
                sign = key_sign(command.keys.split(",")[0])
                pieces += [(sign, "key"), (f" {command.short or command.title.lower()}  ", "muted")]
        return fit((*pieces, ("esc", "key"), (" close", "muted")), width)


class Modal(ModalScreen[T]):
    """A box over the screen."""

    HEADING: ClassVar[str] = ""
    ACTIONS: ClassVar[tuple[Command, ...]] = ()
    DEFAULT_CSS = """
    Modal { align: center middle; background: $background 60%; }
    Modal > #box { width: 90%; max-width: 100; height: auto; max-height: 90%; background: $panel; padding: 1 2; }
    Modal VirtualList { background: $panel; }
    Modal .heading { text-style: bold; color: $primary; height: auto; margin-bottom: 1; }
    Modal .wrong { color: $error; height: auto; }
    Modal .note { color: $foreground 60%; height: auto; }
    Modal Foot { margin-top: 1; }
    .-short Modal > #box, Modal.-short > #box { padding: 0 2; max-height: 100%; }
    Modal.-short Foot, Modal.-short .heading { margin: 0; }
    """
    BINDINGS = [Binding("escape", "leave", "Close", show=False)]  # noqa: RUF012

    def __init_subclass__(cls, **options: Any) -> None:
        if cls.ACTIONS and "BINDINGS" not in cls.__dict__:
            cls.BINDINGS = bindings(cls.ACTIONS)
        super().__init_subclass__(**options)

    def heading(self) -> str:
        """The title."""
        return self.HEADING

    def content(self) -> ComposeResult:
        """What is in the box."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        with Vertical(id="box"):
            yield Static(clean(self.heading()), classes="heading", markup=False)
            yield from self.content()
            yield Foot(self.ACTIONS)

    def on_resize(self) -> None:
        self.set_class(self.size.height < 30, "-short")

    def say(self, text: str) -> None:
        """Say something in the last line, until the next key."""
        self.query_one(Foot).say(text)

    def on_key(self) -> None:
        self.say("")

    def action_leave(self) -> None:
        """Leave the box without an answer."""
        self.dismiss(None)

    def action_do(self, command: str) -> None:
        """Do one of the box's commands."""
        getattr(self, method(command))()
