"""What panes ask for: they never do it themselves. The screen listens, and turns it into verbs of the debugger."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.message import Message

from simwasm.errors import Frame

if TYPE_CHECKING:
    from simwasm.debug.breakpoints import Breakpoint
    from simwasm_tui.interior import Held


class Go(Message):
    """Go to a position of the run."""

    def __init__(self, position: int, ticks: int = 0) -> None:
        super().__init__()
        self.position = position
        self.ticks = ticks
        """Instructions behind it, to stand inside of a callback."""


class Look(Message):
    """Another row of the trace was chosen to be looked at."""

    def __init__(self, row: int) -> None:
        super().__init__()
        self.row = row

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, Look)


class Do(Message):
    """Do a command, by its id; mouse clicks on keys ask for that."""

    def __init__(self, command: str) -> None:
        super().__init__()
        self.command = command


class OpenPane(Message):
    """Bring a pane into sight and give it the focus."""

    def __init__(self, pane: str) -> None:
        super().__init__()
        self.pane = pane


class Question(Message):
    """Ask for a line of text. `answered` says what is wrong with it; where nothing is, `pane` gets the focus back."""

    def __init__(
        self, pane: str, question: str, answered: Callable[[str], str], *, text: str = "", hint: str = ""
    ) -> None:
        super().__init__()
        self.pane = pane
        self.question = question
        self.answered = answered
        self.text = text
        self.hint = hint


class ShowBytes(Message):
    """Show bytes of the plugin's memory; `open` brings the memory into sight."""

    def __init__(self, at: int, size: int, name: str = "", *, open: bool = False) -> None:
        super().__init__()
        self.at = at
        self.size = size
        self.name = name
        self.open = open


class ShowCode(Message):
    """Show where a frame of the plugin's call stack is: its instructions, and its source text."""

    def __init__(self, frame: Frame, vm: str, *, open: str = "") -> None:
        super().__init__()
        self.frame = frame
        self.vm = vm
        self.open = open
        """The pane to be brought into sight: `wasm` or `source`."""


class Assign(Message):
    """Give something that a function holds another value."""

    def __init__(self, held: Held, level: int) -> None:
        super().__init__()
        self.held = held
        self.level = level


class WriteBytes(Message):
    """Put bytes into the plugin's memory."""

    def __init__(self, at: int, data: bytes) -> None:
        super().__init__()
        self.at = at
        self.data = data


class Watch(Message):
    """These expressions are to be shown at every stop."""

    def __init__(self, texts: tuple[str, ...]) -> None:
        super().__init__()
        self.texts = texts


class Say(Message):
    """Tell the user something in the last line, until the next key."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class Complain(Message):
    """Something went wrong: put it among the problems, where it stays readable, and tell."""

    def __init__(self, text: str, position: int = 0) -> None:
        super().__init__()
        self.text = text
        self.position = position


class Changed(Message):
    """The debugger stands elsewhere, or the tape has grown. Many of these become one."""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, Changed)


class Renew(Message):
    """Something that the views show has been changed: make a new one."""


class EditBreakpoint(Message):
    """Ask for another wording of a breakpoint, or for a new one."""

    def __init__(self, breakpoint: Breakpoint | None) -> None:
        super().__init__()
        self.breakpoint = breakpoint


class HeadingChanged(Message):
    """A pane's title or note is another one."""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, HeadingChanged)
