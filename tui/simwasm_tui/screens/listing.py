"""A box with a list in it: Enter, or a double click, chooses an entry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import Input

from simwasm_tui.items import Lines
from simwasm_tui.screens.modal import Modal
from simwasm_tui.text import Line
from simwasm_tui.widgets.virtual_list import VirtualList

T = TypeVar("T")


class Made:
    """Lines that are made of entries, each when it is seen."""

    def __init__(self, entries: Sequence[T], line: Callable[[T, int], Line]) -> None:
        self.entries = entries
        self._line = line

    def __len__(self) -> int:
        return len(self.entries)

    def line(self, index: int, width: int) -> Line:
        return self._line(self.entries[index], width)


class Listing(Modal[T]):
    """A box with a list."""

    EMPTY: ClassVar[str] = "There is nothing here."
    WHOLE: ClassVar[bool] = False
    """Whether the box is always as high as it can be."""
    DEFAULT_CSS = """
    Listing VirtualList { height: 1fr; }
    Listing #name { display: none; border: none; height: 1; padding: 0; background: $boost; }
    Listing.-naming #name { display: block; }
    """
    BINDINGS = [Binding("q", "leave", "Close", show=False)]  # noqa: RUF012

    def content(self) -> ComposeResult:
        yield VirtualList(empty=self.EMPTY)
        yield Input(id="name", compact=True)

    def on_mount(self) -> None:
        self.fill()
        self.list.focus()

    @property
    def list(self) -> VirtualList:
        """The list."""
        return self.query_one(VirtualList)

    def show(self, lines: Lines, cursor: int | None = None) -> None:
        """Show lines; the list is as high as they need, within bounds."""
        self.list.show(lines, cursor)
        if not self.WHOLE:
            most = 10 if self.has_class("-short") else 22
            self.list.styles.height = min(most, max(5, len(lines)))

    def fill(self) -> None:
        """Show the entries, or show them anew."""
        raise NotImplementedError

    # Giving names.

    def ask_name(self, name: str, placeholder: str, named: Callable[[str], None]) -> None:
        """Ask for a name below the list."""
        self._named = named
        self.add_class("-naming")
        typing = self.query_one("#name", Input)
        typing.value, typing.placeholder = name, placeholder
        typing.cursor_position = len(name)
        typing.focus()

    def action_leave(self) -> None:
        if self.has_class("-naming"):
            self._no_name()
        else:
            super().action_leave()

    def _no_name(self) -> None:
        self.remove_class("-naming")
        self.list.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._no_name()
        self._named(event.value.strip())
        self.fill()
