"""One question in the line above the keys: a filter, a number, a breakpoint. Enter answers, Escape leaves it.

Where it is known what may be typed, ⇥ completes it, and the line below says what there is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Protocol

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Input, Static

from simwasm_tui.messages import Say
from simwasm_tui.text import clean, common

_REMEMBERED = 50
_SHOWN = 8


class Word(Protocol):
    """Something that may be typed: it takes the place of what is between its start and the cursor."""

    @property
    def text(self) -> str: ...
    @property
    def start(self) -> int: ...
    @property
    def doc(self) -> str: ...


Complete = Callable[[str, int], Sequence[Word]]
"""Gives what may be typed in a text at a place."""


class Answer(Input):
    """The place for an answer."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete", "Complete", show=False, priority=True)
    ]

    def action_complete(self) -> None:
        if isinstance(self.parent, Ask):
            self.parent.complete()


class Ask(Horizontal):
    """A question and the place for its answer."""

    DEFAULT_CSS = """
    Ask { height: 1; background: $panel; }
    Ask Static { width: auto; padding: 0 1; color: $primary; text-style: bold; }
    Ask Input { width: 1fr; border: none; height: 1; padding: 0; background: $panel; }
    Ask Input:focus { border: none; }
    """

    def __init__(self) -> None:
        super().__init__(id="ask")
        self.display = False
        self._answered: Callable[[str], str] | None = None
        self._complete: Complete | None = None
        self._before: dict[str, list[str]] = {}
        self._question = ""
        self._recalled = 0

    def compose(self) -> ComposeResult:
        yield Static("", id="question", markup=False)
        yield Answer(id="answer", compact=True, select_on_focus=False)

    @property
    def is_open(self) -> bool:
        """Whether it is being asked."""
        return self.display

    def ask(
        self,
        question: str,
        answered: Callable[[str], str],
        *,
        text: str = "",
        hint: str = "",
        complete: Complete | None = None,
    ) -> None:
        """Ask. `answered` says what is wrong with an answer; with nothing wrong the question goes away."""
        self._question, self._answered, self._recalled = question, answered, 0
        self._complete = complete
        self.query_one("#question", Static).update(question)
        answer = self.query_one(Input)
        answer.placeholder = hint
        answer.value = text
        self.display = True
        answer.cursor_position = len(text)
        self.screen.set_focus(answer)  # at once: the next key is meant for it

    def close(self) -> None:
        """Stop asking."""
        self.display = False
        self._answered = None

    def complete(self) -> None:
        """Type what is clear already, and say what may follow."""
        words, answer = self._words(), self.query_one(Input)
        if not words:
            if self._complete is not None:
                self.post_message(Say("Nothing that may stand here begins like that."))
            return
        start, cursor = words[0].start, answer.cursor_position
        begun = common([word.text for word in words])
        if len(words) == 1 or len(begun) > cursor - start:
            answer.value = answer.value[:start] + begun + answer.value[cursor:]
            answer.cursor_position = start + len(begun)
        self._tell(words)

    def _words(self) -> Sequence[Word]:
        """What may be typed at the cursor."""
        answer = self.query_one(Input)
        return self._complete(answer.value, answer.cursor_position) if self._complete is not None else ()

    def _tell(self, words: Sequence[Word]) -> None:
        if len(words) == 1:
            self.post_message(Say(clean(f"{words[0].text}  {words[0].doc}")))
        elif words:
            more = f" … {len(words) - _SHOWN} more" if len(words) > _SHOWN else ""
            self.post_message(Say("⇥ " + clean("  ".join(word.text for word in words[:_SHOWN])) + more))

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        if event.value and self.is_open:
            self._tell(self._words())

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if self._answered is None:
            return
        if wrong := self._answered(event.value):
            self.post_message(Say(f"✗ {wrong}"))
            return
        kept = self._before.setdefault(self._question, [])
        if event.value and event.value not in kept[-1:]:
            kept.append(event.value)
            del kept[:-_REMEMBERED]
        self.close()

    def on_key(self, event: events.Key) -> None:
        kept = self._before.get(self._question, [])
        if event.key in ("up", "down") and kept:
            event.stop()
            self._recalled = max(0, min(len(kept), self._recalled + (1 if event.key == "up" else -1)))
            answer = self.query_one(Input)
            answer.value = kept[-self._recalled] if self._recalled else ""
            answer.cursor_position = len(answer.value)
