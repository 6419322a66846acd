"""Eval: expressions about the stop, worked out where one types them, or watched at every stop."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from simwasm.debug.expression_completion import complete
from simwasm.debug.expressions import parse
from simwasm.errors import ExpressionError
from simwasm_tui.commands import FIND, STOPS, Command
from simwasm_tui.items import item_at
from simwasm_tui.messages import Say, Watch
from simwasm_tui.model import View
from simwasm_tui.panes.evaluate_lines import Answer, answer, lines
from simwasm_tui.panes.pane import Pane
from simwasm_tui.sight import Sight, see
from simwasm_tui.text import clean, common, count
from simwasm_tui.widgets.virtual_list import VirtualList

_EMPTY = """Press = and type an expression, Enter works it out, tab completes it:

headers.request[":path"]      property["source.address"]      body.request      args.key
shared["k"]    metric["n"]    memory[0x2f40:16]    u32(0x2f40)    text(0x2f40, 16)

w on a result watches it: it is worked out again at every stop."""
_REMEMBERED = 200
_SHOWN = 12


class Typing(Input):
    """The line in which one types."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete", "Complete", show=False, priority=True),
        Binding("escape", "leave", "Leave", show=False),
        Binding("up", "recall(1)", "Before", show=False),
        Binding("down", "recall(-1)", "After", show=False),
        Binding("ctrl+w", "watch", "Watch it", show=False),
    ]

    @property
    def pane(self) -> Evaluate:
        """The pane it belongs to."""
        assert isinstance(self.parent, Evaluate)
        return self.parent

    def action_complete(self) -> None:
        self.pane.complete()

    def action_leave(self) -> None:
        self.pane.list.focus()

    def action_recall(self, by: int) -> None:
        self.pane.recall(by)

    def action_watch(self) -> None:
        self.pane.toggle(self.value)


class Evaluate(Pane):
    """Expressions and what they come to."""

    HELP = (
        "Expressions about the stop: they read everything and change nothing. Those watched come first, worked out "
        "anew at every stop, ~ where the value is another one than at the stop before. = types one, tab completes "
        "names, arrows bring back earlier ones, ^w watches what is typed, esc leaves the line."
    )
    COMMANDS = (
        Command(
            "eval.type", "equals_sign,i", "Type an expression", "Work out an expression at this stop.", FIND
        ),
        Command(
            "eval.watch", "w", "Watch it", "Work this expression out at every stop, or no longer.", STOPS
        ),
        Command(
            "eval.delete",
            "d,delete",
            "Remove",
            "Remove the watch or the result under the cursor.",
            STOPS,
        ),
    )
    DEFAULT_CSS = """
    Evaluate Typing { border: none; height: 1; padding: 0; background: $panel; }
    Evaluate Typing:focus { border: none; }
    """

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.asked: tuple[Answer, ...] = ()
        """What was asked, the newest first."""
        self.watched: tuple[Answer, ...] = ()
        self.history: list[str] = []
        self._recalled = 0
        self._before: dict[str, str] = {}
        """What the watches came to at the previous stop."""
        self._sight: Sight | None = None

    def compose(self) -> ComposeResult:
        yield VirtualList(empty=_EMPTY)
        yield Typing(placeholder="= types an expression", compact=True, select_on_focus=False)

    @property
    def list(self) -> VirtualList:
        """The results."""
        return self.query_one(VirtualList)

    @property
    def typing(self) -> Typing:
        """The line in which one types."""
        return self.query_one(Typing)

    # Drawing.

    def draw(self, view: View, before: View | None) -> None:
        if view.stop is not None and (self._sight is None or not self._sight.of(view)):
            self._before = {each.text: each.value for each in self.watched}
            self._sight = see(view)
        self.watched = tuple(self._answer(text) for text in view.watches)
        self._show()

    def _answer(self, text: str) -> Answer:
        return answer(text, self._sight.scope if self._sight is not None else None)

    def _show(self) -> None:
        room = self.list.room or self.size.width
        self.list.show(lines(self.watched, self._before, self.asked, room))
        self.head(note=count(len(self.watched), "watch", "watches") if self.watched else "")

    def on_resize(self, event: events.Resize) -> None:
        self._show()

    # Typing.

    def do_type(self) -> None:
        """Type an expression."""
        self.typing.focus()

    def on_input_submitted(self, message: Input.Submitted) -> None:
        message.stop()
        text = message.value.strip()
        if not text:
            return
        row = self.view.row if self.view is not None else -1
        self.asked = (self._answer(text)._replace(row=row), *self.asked)[:_REMEMBERED]
        if text not in self.history[-1:]:
            self.history.append(text)
            del self.history[:-_REMEMBERED]
        self._recalled = 0
        self.typing.value = ""
        self._show()
        self.list.go(len(self.watched) + (2 if self.watched else 0))

    def recall(self, by: int) -> None:
        """Bring back what was typed before."""
        self._recalled = max(0, min(len(self.history), self._recalled + by))
        self.typing.value = self.history[-self._recalled] if self._recalled else ""
        self.typing.cursor_position = len(self.typing.value)

    def complete(self) -> None:
        """Complete what is typed, as far as it is clear; otherwise tell what there is."""
        if self._sight is None:
            return
        typing = self.typing
        start, words = complete(typing.value, typing.cursor_position, self._sight.scope)
        if not words:
            self.post_message(Say("Nothing begins like that."))
            return
        after = typing.value[typing.cursor_position :]
        typed = typing.value[start : typing.cursor_position]
        begun = common(words)
        if len(begun) > len(typed):
            typing.value = typing.value[:start] + begun + after
            typing.cursor_position = start + len(begun)
        if len(words) > 1:
            more = f" … {len(words) - _SHOWN} more" if len(words) > _SHOWN else ""
            self.post_message(Say(clean("  ".join(words[:_SHOWN])) + more))

    # Watching.

    def toggle(self, text: str) -> None:
        """Watch an expression, or no longer."""
        text = text.strip()
        view = self.view
        if view is None or not text:
            return
        if text in view.watches:
            self.post_message(Watch(tuple(each for each in view.watches if each != text)))
            return
        try:
            parse(text)
        except ExpressionError as error:
            self.post_message(Say(f"That cannot be watched: {error}"))
            return
        self.post_message(Watch((*view.watches, text)))

    def do_watch(self) -> None:
        """Watch the expression under the cursor, or no longer."""
        item = item_at(self.list.lines, self.list.cursor)
        if item.watch:
            self.toggle(item.watch)
        else:
            self.post_message(Say("There is no expression on this line; = types one."))

    def do_delete(self) -> None:
        """Remove the watch or the result under the cursor."""
        item = item_at(self.list.lines, self.list.cursor)
        if item.name == "watch":
            self.toggle(item.watch)
        elif item.watch:
            first = len(self.list.lines) - len(self.asked)
            gone = self.list.cursor - first
            self.asked = tuple(each for index, each in enumerate(self.asked) if index != gone)
            self._show()

    def on_virtual_list_chosen(self, message: VirtualList.Chosen) -> None:
        item = item_at(message.list.lines, message.index)
        self.typing.value = item.watch or self.typing.value
        self.typing.cursor_position = len(self.typing.value)
        self.typing.focus()
