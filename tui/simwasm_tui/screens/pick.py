"""A box in which one types some letters and chooses among what has them."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import Input

from simwasm_tui.fuzzy import fuzzy
from simwasm_tui.screens.modal import Modal
from simwasm_tui.text import Line, clean
from simwasm_tui.widgets.virtual_list import VirtualList


class _Names:
    def __init__(self, names: Sequence[str], places: list[int]) -> None:
        self._names = names
        self.places = places

    def __len__(self) -> int:
        return len(self.places)

    def line(self, index: int, width: int) -> Line:
        place = self.places[index]
        return ((f"{place:>6} ", "muted"), (clean(self._names[place]), ""))


class Pick(Modal[int]):
    """Choose a name; the answer is its place."""

    DEFAULT_CSS = """
    Pick VirtualList { height: 18; }
    Pick.-short VirtualList { height: 10; }
    Pick Input { border: none; height: 1; padding: 0; background: $boost; }
    """
    BINDINGS = [  # noqa: RUF012  # Textual reads it as a class variable
        Binding("down", "move(1)", show=False, priority=True),
        Binding("up", "move(-1)", show=False, priority=True),
        Binding("pagedown", "move(10)", show=False, priority=True),
        Binding("pageup", "move(-10)", show=False, priority=True),
    ]

    def __init__(self, heading: str, names: Sequence[str]) -> None:
        super().__init__()
        self._heading = heading
        self._names = names

    def heading(self) -> str:
        return self._heading

    def content(self) -> ComposeResult:
        yield Input(placeholder="some letters of its name", compact=True)
        yield VirtualList(empty="No name has these letters in this order.")

    def on_mount(self) -> None:
        self._fill("")
        self.query_one(Input).focus()

    def _fill(self, wanted: str) -> None:
        self.query_one(VirtualList).show(_Names(self._names, fuzzy(self._names, wanted)), 0)

    def on_input_changed(self, event: Input.Changed) -> None:
        self._fill(event.value.strip())

    def on_input_submitted(self) -> None:
        self._choose(self.query_one(VirtualList).cursor)

    def on_virtual_list_chosen(self, message: VirtualList.Chosen) -> None:
        self._choose(message.index)

    def _choose(self, index: int) -> None:
        lines = self.query_one(VirtualList).lines
        if isinstance(lines, _Names) and index < len(lines):
            self.dismiss(lines.places[index])

    def action_move(self, by: int) -> None:
        """Move in the list while one types."""
        self.query_one(VirtualList).action_move(by)

    def on_key(self, event: events.Key | None = None) -> None:
        self.say("")
