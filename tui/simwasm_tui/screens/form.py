"""Fields to fill in: a label, a place to type, and below it what is wrong, or else what may be typed there.

What is wrong is said while one types, and a form is not accepted as long as anything is. Tab completes what was begun,
and otherwise goes to the next field.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os.path import commonprefix  # of texts, which it does as well
from typing import Protocol

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input, Static

from simwasm_tui.text import clean


class Candidate(Protocol):
    """Something that may stand where the cursor is."""

    @property
    def text(self) -> str: ...
    @property
    def start(self) -> int:
        """What is between here and the cursor is what it takes the place of."""
        ...


Check = Callable[[str], str]
"""What is wrong with a text; empty if nothing is."""
Complete = Callable[[str, int], Sequence[Candidate]]
_SHOWN = 12


class Typing(Input):
    """The place to type."""

    BINDINGS = [  # noqa: RUF012  # Textual reads it as a class variable
        Binding("tab", "complete", "Complete", show=False),
        Binding("down", "app.focus_next", "Next field", show=False),
        Binding("up", "app.focus_previous", "Field before", show=False),
    ]

    class Completed(Message):
        """Tab was pressed."""

    dropped: Callable[[str], bool] | None = None
    """Takes a pasted text that means files; False leaves it to the field."""

    def _on_paste(self, event: events.Paste) -> None:
        if self.dropped is not None and self.dropped(event.text):
            event.stop()
            event.prevent_default()

    def action_complete(self) -> None:
        self.post_message(self.Completed())


class Field(Vertical):
    """One field."""

    DEFAULT_CSS = """
    Field { height: auto; }
    Field Horizontal { height: 1; }
    Field .label { width: 11; color: $foreground 70%; }
    Field Typing { width: 1fr; border: none; height: 1; padding: 0; background: $boost; }
    Field Typing:focus { border: none; background: $background; }
    Field .under { height: auto; min-height: 1; max-height: 2; padding-left: 11; color: $foreground 50%; }
    Field .under.-wrong { color: $error; }
    """

    class Changed(Message):
        """Another text stands in a field."""

        def __init__(self, field: Field) -> None:
            super().__init__()
            self.field = field

    class Entered(Message):
        """Enter was pressed in a field."""

        def __init__(self, field: Field) -> None:
            super().__init__()
            self.field = field

    def __init__(
        self,
        label: str,
        text: str = "",
        *,
        id: str,
        hint: str = "",
        check: Check | None = None,
        complete: Complete | None = None,
    ) -> None:
        super().__init__(id=id)
        self._label = label
        self._first = text
        self._hint = hint
        self._check = check
        self._complete = complete
        self.wrong = ""

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Static(self._label, classes="label", markup=False)
            yield Typing(self._first, placeholder=self._hint, compact=True, select_on_focus=False)
        yield Static("", classes="under", markup=False)

    def on_mount(self) -> None:
        self.query_one(Typing).cursor_position = len(self._first)

    @property
    def text(self) -> str:
        """What stands there."""
        found = self.query_one(Typing) if self.is_mounted and self.children else None
        return self._first if found is None else found.value

    @text.setter
    def text(self, text: str) -> None:
        typing = self.query_one(Typing)
        typing.value = text
        typing.cursor_position = len(text)

    def look(self) -> str:
        """See whether anything is wrong, and say it."""
        self.complain(self._check(self.text) if self._check is not None else "")
        return self.wrong

    def complain(self, wrong: str) -> None:
        """Say what is wrong, which may be known only to others."""
        self.wrong = wrong
        under = self.query_one(".under", Static)
        under.set_class(bool(wrong), "-wrong")
        under.update(clean(f"✗ {wrong}") if wrong else self._choices())

    def _candidates(self) -> list[Candidate]:
        typing = self.query_one(Typing)
        if self._complete is None or not typing.has_focus:
            return []
        at = typing.cursor_position
        typed = typing.value
        return [each for each in self._complete(typed, at) if typed[each.start : at] != each.text]

    def _choices(self) -> str:
        names = [each.text for each in self._candidates()]
        more = " …" if len(names) > _SHOWN else ""
        return "⇥ " + clean("  ".join(names[:_SHOWN])) + more if names else ""

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.look()
        self.post_message(self.Changed(self))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Entered(self))

    def on_descendant_focus(self) -> None:
        if not self.wrong:
            self.complain("")

    def on_descendant_blur(self) -> None:
        if not self.wrong:
            self.query_one(".under", Static).update("")

    def on_typing_completed(self, event: Typing.Completed) -> None:
        event.stop()
        typing, found = self.query_one(Typing), self._candidates()
        at, begun = typing.cursor_position, ""
        if found and typing.value:
            begun = typing.value[found[0].start : at]
            alike = [each.text for each in found if each.text.lower().startswith(begun.lower())]
            longer = commonprefix(alike) if alike else found[0].text  # noqa: RUF071
            if len(longer) > len(begun) or not alike:
                typing.value = typing.value[: found[0].start] + longer + typing.value[at:]
                typing.cursor_position = found[0].start + len(longer)
                return
        self.screen.focus_next()
