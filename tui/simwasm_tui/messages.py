"""What panes ask for: they never do it themselves. The screen listens, and turns it into verbs of the debugger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from simwasm.debug.breakpoints import Breakpoint


class Go(Message):
    """Go to a position of the run."""

    def __init__(self, position: int) -> None:
        super().__init__()
        self.position = position


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
