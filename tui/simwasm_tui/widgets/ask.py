"""One question in the line above the keys: a filter, a number, a breakpoint. Enter answers, Escape leaves it."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Input, Static

from simwasm_tui.messages import Say

_REMEMBERED = 50


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
        self._before: dict[str, list[str]] = {}
        self._question = ""
        self._recalled = 0

    def compose(self) -> ComposeResult:
        yield Static("", id="question", markup=False)
        yield Input(id="answer", compact=True, select_on_focus=False)

    @property
    def is_open(self) -> bool:
        """Whether it is being asked."""
        return self.display

    def ask(self, question: str, answered: Callable[[str], str], *, text: str = "", hint: str = "") -> None:
        """Ask. `answered` says what is wrong with an answer; with nothing wrong the question goes away."""
        self._question, self._answered, self._recalled = question, answered, 0
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
