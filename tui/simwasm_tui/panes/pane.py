"""A pane: one part of the screen, with a title in the line above it, that draws views.

To add a pane: a file here with a class like this, and a row in `panes/table.py`.

    class Memory(Pane):
        HELP = "The plugin's memory, sixteen bytes a line…"
        COMMANDS = (Command("memory.goto", "g", "Go to address…", "…", "Memory"),)

        def compose(self) -> ComposeResult:
            yield VirtualList(empty="The plugin has no memory yet.\\nPress s to take the first step.")

        def draw(self, view: View, before: View | None) -> None:
            self.query_one(VirtualList).show(lines_of(view))

        def do_goto(self) -> None: ...

`draw` is called when something has changed and the pane can be seen; a pane that is a hidden tab is given the newest
view when it is shown. Panes ask for things by messages (`messages.py`). What takes time is asked for with
`self.ask(view, question, then)`: it is answered in the plugins' thread, and dropped if the run has gone on meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar, runtime_checkable

from textual.binding import Binding, BindingType
from textual.widget import Widget

from simwasm.errors import SimwasmError
from simwasm_tui.messages import Complain, HeadingChanged

if TYPE_CHECKING:
    from simwasm.errors import Frame
    from simwasm_tui.commands import Command
    from simwasm_tui.model import View

T = TypeVar("T")

_OF_A_PLUGIN = frozenset(("inspector", "memory", "source", "wasm", "stack", "eval"))
"""The panes that show nothing of a trace file alone."""


def bindings(commands: tuple[Command, ...]) -> list[BindingType]:
    """The keys of commands, each with its id and its explanation."""
    return [
        Binding(
            command.keys,
            f"do('{command.id}')",
            command.title,
            show=False,
            id=command.id,
            tooltip=command.help,
            priority=command.urgent,
        )
        for command in commands
        if command.keys
    ]


@runtime_checkable
class Framed(Protocol):
    """What draws the lines with the headings around panes."""

    def reframe(self) -> None: ...


class Pane(Widget):
    """One part of the screen."""

    BLANK = True
    """It draws nothing itself: what is in it fills it."""
    HELP: ClassVar[str] = ""
    """What it shows and how it is read: a few sentences, for `?`."""
    COMMANDS: ClassVar[tuple[Command, ...]] = ()
    DEFAULT_CSS = "Pane { layout: vertical; }"

    def __init_subclass__(cls, **options: Any) -> None:
        if cls.COMMANDS and "BINDINGS" not in cls.__dict__:
            cls.BINDINGS = bindings(cls.COMMANDS)
        super().__init_subclass__(**options)

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.view: View | None = None
        self.note = ""
        """What stands at the end of the heading."""
        self.badge = ""
        """What stands behind the title: a number, or a dot where there is something to see."""
        self._drawn: View | None = None
        self.ready = False

    def on_mount(self) -> None:
        self.ready = True
        if self.view is not None:
            self.take(self.view)

    def draw(self, view: View, before: View | None) -> None:
        """Show a view; `before` is the one that was drawn last."""

    def take(self, view: View) -> None:
        """Be given the newest view: drawn at once if the pane can be seen."""
        self.view = view
        self.count(view)
        if self.display and self.ready and view is not self._drawn:
            before, self._drawn = self._drawn, view
            if view.alone and self.id in _OF_A_PLUGIN:
                self._teach(view.alone)
            else:
                self.draw(view, before)

    def _teach(self, text: str) -> None:
        """Say in the pane's list why there is nothing in it."""
        from simwasm_tui.widgets.virtual_list import VirtualList

        for shown in self.query(VirtualList):
            shown.empty = text
            shown.refresh()

    def show_bytes(self, at: int, size: int, name: str) -> None:
        """Show bytes of the plugin's memory, if that is what the pane does."""

    def show_code(self, frame: Frame, vm: str) -> None:
        """Show where a frame is in the plugin's code, if that is what the pane does."""

    def count(self, view: View) -> None:
        """Set the badge, which is seen even while the pane is a hidden tab."""

    def head(self, *, note: str | None = None, badge: str | None = None) -> None:
        """Change what the heading says."""
        new = (self.note if note is None else note, self.badge if badge is None else badge)
        if new != (self.note, self.badge):
            self.note, self.badge = new
            around: object = self.parent
            if isinstance(around, Framed):
                around.reframe()
            self.post_message(HeadingChanged())

    def ask(self, view: View, question: Callable[[], T], then: Callable[[T], None]) -> None:
        """Have something asked while the run stands, and go on with the answer here."""
        if view.debugger is None:
            return

        def answered(future: Future[T]) -> None:
            error = future.exception() if not future.cancelled() else None
            if future.cancelled() or self.app._exit:
                return
            if isinstance(error, SimwasmError):
                self.post_message(Complain(str(error), view.position))
            elif error is None:
                self.app.call_later(arrived, future.result())

        def arrived(answer: T) -> None:
            if self.view is not None and self.view.stop is view.stop and self.is_attached:
                then(answer)

        view.debugger.ask(question).add_done_callback(answered)

    def action_do(self, command: str) -> None:
        """Do one of the pane's commands."""
        from simwasm_tui.commands import method

        getattr(self, method(command))()
