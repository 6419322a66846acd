"""The inspector: everything one can see of the host at the stop, and what comes of it."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.widget import Widget

from simwasm.debug.state import State
from simwasm_tui.commands import FIND, STOPS, VIEW, Command
from simwasm_tui.items import Chain, Item, Items, Lines, item_at
from simwasm_tui.messages import Question, Say, ShowBytes, Watch
from simwasm_tui.model import View
from simwasm_tui.panes import inspector_body, inspector_headers, inspector_host
from simwasm_tui.panes.inspector_body import Form, body_lines
from simwasm_tui.panes.inspector_call import action_items, call_items
from simwasm_tui.panes.inspector_headers import Since, header_items, then
from simwasm_tui.panes.inspector_host import metric_items, property_items, shared_items
from simwasm_tui.panes.pane import Pane
from simwasm_tui.sight import Sight, see
from simwasm_tui.widgets.tabs import Tabs
from simwasm_tui.widgets.virtual_list import VirtualList

TABS = ("Headers", "Body", "Properties", "Shared", "Metrics", "Call")
_NARROW = ("Hdr", "Body", "Prop", "Shr", "Met", "Call")
_CHANGED = {
    "Headers": inspector_headers.changed,
    "Body": inspector_body.changed,
    "Properties": inspector_host.properties_changed,
    "Shared": inspector_host.shared_changed,
    "Metrics": inspector_host.metrics_changed,
}
"""How each tab finds out whether it has something new."""
_EMPTY = "The run does not stand anywhere yet.\n\nPress s to take the first step, c to run."
_TITLE = (("─ ", "muted"), ("Returned Action", "muted"), (" ", "muted"))
_LOW = 10
"""Lines below which there is but one for the action."""
_MOVING = "The run moves.\n\nPress p to pause it."


class Inspector(Pane):
    """The inspector."""

    HELP = (
        "Everything one can see of the host at the stop, a tab each; a dot marks tabs in which something has changed "
        "since the previous stop. In Headers ~ is changed, + new and - gone, since a moment that d chooses. In Call, "
        "moving over an argument shows its bytes in the memory. Below stands what the callback's result means now, "
        "and who can resume what it stops."
    )
    COMMANDS = (
        Command("inspector.next_tab", "greater_than_sign", "Next tab", "Show the next tab of the inspector.", VIEW),
        Command("inspector.tab_before", "less_than_sign", "Tab before", "Show the tab before this one.", VIEW),
        Command("inspector.since", "d", "Compare with…",
                "Show header changes since the callback's entry, the previous stop or the stream's start.", VIEW),
        Command("inspector.form", "v", "Show bodies as…", "Show bodies as fits, as text, hexadecimal or JSON.", VIEW),
        Command("inspector.filter", "slash", "Filter the tab…", "Show only lines with a text in them.", FIND),
        Command("inspector.watch", "w", "Watch this value", "Show the value at every stop, in Eval.", STOPS),
    )  # fmt: skip
    DEFAULT_CSS = """
    Inspector #action { height: auto; max-height: 50%; }
    """

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.tab = TABS[0]
        self.since = Since.CALLBACK
        self.form = Form.FITTING
        self.wanted = ""
        self.sight: Sight | None = None
        self.before: State | None = None
        """The state at the previous stop."""
        self._changed: frozenset[str] = frozenset()
        """The tabs in which something is otherwise than it was then."""
        self._looked_before = -1
        """Where the trace's cursor was when the run came here: that is not a wish to look there."""
        self._drawn_of: tuple[object, ...] = ()
        self._folded: frozenset[str] = frozenset()
        self._places: dict[str, int] = {}

    def compose(self) -> ComposeResult:
        yield Tabs(TABS, _NARROW)
        yield VirtualList(empty=_EMPTY, id="content")
        yield ActionBox()

    @property
    def list(self) -> VirtualList:
        """The lines of the tab."""
        return self.query_one("#content", VirtualList)

    # Drawing.

    def count(self, view: View) -> None:
        if self.sight is not None and self.sight.tape is not view.tape:
            self._looked_before = -1
        if view.stop is not None and (self.sight is None or not self.sight.of(view)):
            self.before = self.sight.state if self.sight is not None else None
            self.sight = see(view)
            self._changed = self._different()
            self._looked_before = view.looked
        self.head(badge="•" if self._changed else "")

    def _different(self) -> frozenset[str]:
        if self.sight is None:
            return frozenset()
        state = self.sight.state
        return frozenset(tab for tab, changed in _CHANGED.items() if changed(state, self.before))

    def draw(self, view: View, before: View | None) -> None:
        of = self._of(view)
        if of == self._drawn_of:
            return
        self._drawn_of = of
        tabs = self.query_one(Tabs)
        tabs.show(self.tab, self._changed)
        self.head(note=self._note(view))
        if view.stop is None:
            self.list.empty = _MOVING if view.busy else _EMPTY
        if self.sight is not None:
            kept = self._places.get(self.tab, 0)
            self.list.show(self._lines(view, self.sight), kept if kept != self.list.cursor else None)
            box = self.query_one(ActionBox)
            box.show_items(
                action_items(self.sight.state, self.sight.tape, self.sight.stop.position, self._room)
            )

    def _of(self, view: View) -> tuple[object, ...]:
        """Everything that decides how it looks: most of what happens to a view is of no concern here."""
        call = (*self._looked(view), len(view.tape)) if self.tab == "Call" else ()
        shown = (self.tab, self.since, self.form, self.wanted, self._folded, self._room)
        return (self.sight, self.before, view.stop is None, view.busy != "", *shown, *call)

    @property
    def _room(self) -> int:
        return max(16, self.list.room or self.size.width - 1)

    def _note(self, view: View) -> str:
        if self.tab == "Headers":
            return f"Δ {self.since.value}"
        if self.tab == "Call":
            row = self._looked(view)[1]
            return f"row {row + 1:,}" if row >= 0 else ""
        if self.tab == "Body":
            return self.form.value
        return f"/{self.wanted}" if self.wanted else "Δ previous stop"

    def _lines(self, view: View, sight: Sight) -> Lines:
        state, room, wanted = sight.state, self._room, self.wanted
        if self.tab == "Headers":
            return header_items(state, then(state, sight.tape, self.since, self.before), room, wanted)
        if self.tab == "Body":
            return body_lines(state, self.form, room, self._folded)
        if self.tab == "Call":
            position, _ = self._looked(view)
            memory = sight.memory if position == sight.stop.position else None
            return call_items(view.tape, position, memory, room, sight.stop.position)
        items = {"Properties": property_items, "Shared": shared_items, "Metrics": metric_items}[self.tab]
        return items(state, self.before, room, wanted)

    def _looked(self, view: View) -> tuple[int, int]:
        """The position and the row of the call that is shown: that under the trace's cursor."""
        chosen = view.looked != self._looked_before and 0 <= view.looked < view.rows
        row = view.looked if chosen else view.row
        return (view.tape.rows.position(row) if row >= 0 else 0), row

    def _again(self) -> None:
        if self.view is not None:
            self.draw(self.view, self.view)

    def on_resize(self, event: events.Resize) -> None:
        self._drawn_of = ()  # what is under the tab goes by the height
        self._again()

    # Tabs.

    def choose(self, tab: str) -> None:
        """Show a tab."""
        self._places[self.tab] = self.list.cursor
        self.tab = tab
        self._again()

    def on_tabs_chosen(self, message: Tabs.Chosen) -> None:
        self.choose(message.tab)
        self.list.focus()

    def do_next_tab(self) -> None:
        """Show the next tab."""
        self.choose(TABS[(TABS.index(self.tab) + 1) % len(TABS)])

    def do_tab_before(self) -> None:
        """Show the tab before this one."""
        self.choose(TABS[TABS.index(self.tab) - 1])

    def do_since(self) -> None:
        """Compare headers with the next of the moments."""
        self.since = self.since.next
        self.tab = "Headers"
        self._again()

    def do_form(self) -> None:
        """Show bodies in the next form."""
        self.form = self.form.next
        self.tab = "Body"
        self._again()

    def do_filter(self) -> None:
        """Ask for a text, and show only lines with it."""

        def answered(text: str) -> str:
            self.wanted = text.strip()
            self._again()
            return ""

        self.post_message(
            Question(self.id or "", "Lines with", answered, text=self.wanted, hint="empty for all")
        )

    # Lines.

    def do_watch(self) -> None:
        """Show the value under the cursor at every stop."""
        item = item_at(self.list.lines, self.list.cursor)
        if not item.watch or self.view is None:
            self.post_message(
                Say("There is no value to watch on this line: choose a header, a property, a metric…")
            )
        elif item.watch in self.view.watches:
            self.post_message(Say(f"It is watched already: {item.watch}"))
        else:
            self.post_message(Watch((*self.view.watches, item.watch)))
            self.post_message(Say(f"Watching {item.watch}; Eval shows it at every stop."))

    def on_virtual_list_moved(self, message: VirtualList.Moved) -> None:
        if message.list is not self.list:
            return
        self._places[self.tab] = message.index
        item = item_at(self.list.lines, message.index)
        if item.told and self.list.has_focus:
            self.post_message(Say(item.told))
        if item.bytes is not None:
            self.post_message(ShowBytes(*item.bytes, item.name))

    def on_virtual_list_chosen(self, message: VirtualList.Chosen) -> None:
        item = item_at(message.list.lines, message.index)
        if item.fold:
            self._folded ^= {item.fold}
            self._again()
        elif item.bytes is not None:
            self.post_message(ShowBytes(*item.bytes, item.name, open=True))


class ActionBox(VirtualList, can_focus=False):
    """What the callback's result means, under the tab."""

    def __init__(self) -> None:
        super().__init__(id="action")

    def show_items(self, items: Items) -> None:
        """Show what it means, as far as there is room."""
        height = self.parent.size.height if isinstance(self.parent, Widget) else 12
        lines = Chain([Items([Item((*_TITLE, ("─" * max(1, (self.room or 30) - 18), "muted")))]), items])
        if height < _LOW:
            lines = Chain(
                [Items([Item(tuple(piece for item in items for piece in (*item.line, (" ", ""))))])]
            )
        self.styles.height = min(len(lines), max(1, height // 2))
        self.show(lines, 0)
