"""The start screen: open a plugin with traffic, go on with a session, or look at a sample.

What is dropped on the terminal arrives as pasted text, wherever it lands. What is wrong stands below its field and
stays there until the field is changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import time_ns
from typing import TYPE_CHECKING, ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.screen import Screen
from textual.widgets import Static

from simwasm.debug.places import Place
from simwasm.debug.recent import Recent, recent
from simwasm.debug.start import Start, start_with
from simwasm.errors import SimwasmError
from simwasm_tui.commands import Command, method
from simwasm_tui.opening import (
    PLUGIN,
    SESSION,
    TRAFFIC,
    Chosen,
    Name,
    Wrong,
    complete_path,
    missing,
    name_of,
    paths,
    sort,
    start_of,
    understand,
)
from simwasm_tui.panes.pane import bindings
from simwasm_tui.samples import Sample, samples
from simwasm_tui.screens.form import Field, Typing
from simwasm_tui.screens.modal import Foot
from simwasm_tui.text import Line, clean, spread
from simwasm_tui.widgets.virtual_list import VirtualList

if TYPE_CHECKING:
    from simwasm_tui.app import DebuggerApp

_WHAT = (
    "simwasm runs a Proxy-Wasm plugin against recorded requests and lets you stop anywhere, go back, and see "
    "everything. Type or drop the path of a plugin (.wasm, or its .yaml) and of its traffic, or choose below."
)
_HOUR = 3600


@dataclass(frozen=True)
class Entry:
    """A line of the list: something to open, or a heading."""

    text: Line
    right: str = ""
    recent: Recent | None = None
    sample: Sample | None = None


class EntryLines(tuple[Entry, ...]):
    """The entries, as a list shows them."""

    def line(self, index: int, width: int) -> Line:
        entry = self[index]
        return spread(entry.text, ((entry.right, "muted"),) if entry.right else (), width)


class StartScreen(Screen[None]):
    """Asks what to debug, and begins with it."""

    ACTIONS: ClassVar[tuple[Command, ...]] = (
        Command("start.open", "enter", "Open", "Debug what is in the fields, or under the cursor.", short="open"),
        Command("start.next", "tab", "Next field", "Complete a path, or go to the next field.", short="complete, next"),
        Command("start.quit", "escape,ctrl+q", "Leave", "Leave the start screen.", short="leave", urgent=True),
    )  # fmt: skip
    BINDINGS = bindings((ACTIONS[2],))
    DEFAULT_CSS = """
    StartScreen { background: $background; padding: 1 2 0 2; }
    StartScreen #name { height: 2; color: $primary; text-style: bold; }
    StartScreen #what { height: auto; color: $foreground 70%; margin-bottom: 1; max-width: 100; }
    StartScreen Field { max-width: 120; }
    StartScreen VirtualList { height: 1fr; margin-top: 1; }
    StartScreen Foot { dock: bottom; }
    StartScreen.-short { padding: 0 1; }
    StartScreen.-short #name { height: 1; }
    StartScreen.-short #what { margin: 0; }
    StartScreen.-short VirtualList { margin: 0; }
    """

    def __init__(self, *, over: bool = False) -> None:
        super().__init__()
        self.over = over
        """Whether there is a main screen below to go back to."""
        self.busy = ""

    def compose(self) -> ComposeResult:
        yield Static("simwasm debug", id="name", markup=False)
        yield Static(_WHAT, id="what", markup=False)
        yield Field(
            "plugin",
            id="plugin",
            hint="plugin.wasm, wasmplugin.yaml, or session.simwasm",
            check=_wrong_path,
            complete=_complete,
        )
        yield Field("traffic", id="traffic", hint="traffic.har …", check=_wrong_path, complete=_complete)
        yield VirtualList(empty="")
        yield Foot(self.ACTIONS[:2])

    def on_mount(self) -> None:
        self.list.show(EntryLines(entries(recent(), samples(), time_ns())))
        self._over_heading(1)
        for typing in self.query(Typing):
            typing.dropped = self._dropped
        self.query(Typing).first().focus()

    def on_resize(self) -> None:
        self.set_class(self.size.height < 30, "-short")

    @property
    def list(self) -> VirtualList:
        """What can be chosen."""
        return self.query_one(VirtualList)

    def field(self, name: str) -> Field:
        """One of the two fields."""
        return self.query_one(f"#{name}", Field)

    # Choosing.

    def on_virtual_list_moved(self, message: VirtualList.Moved) -> None:
        entry = self._entry(message.index)
        if entry is not None and entry.recent is None and entry.sample is None:
            self._over_heading(1 if message.index < len(self.list.lines) - 1 else -1)

    def _over_heading(self, step: int) -> None:
        index = self.list.cursor
        while (entry := self._entry(index)) is not None:
            if entry.recent is not None or entry.sample is not None:
                self.list.go(index)
                return
            index += step

    def _entry(self, index: int) -> Entry | None:
        lines = self.list.lines
        return lines[index] if isinstance(lines, EntryLines) and 0 <= index < len(lines) else None

    def on_virtual_list_chosen(self, message: VirtualList.Chosen) -> None:
        entry = self._entry(message.index)
        if entry is None:
            return
        if entry.sample is not None:
            self._fill(entry.sample.recipe.plugin, entry.sample.recipe.traffic)
            self._open(entry.sample)
        elif entry.recent is not None:
            self._fill(entry.recent.session.recipe.plugin, entry.recent.session.recipe.traffic)
            self._open(entry.recent)

    def _fill(self, plugin: str, traffic: tuple[str, ...]) -> None:
        """Show in the fields what is being opened, so that it can be corrected if it fails."""
        self.field("plugin").text = plugin
        self.field("traffic").text = " ".join(path.replace(" ", "\\ ") for path in traffic)

    # Typing and dropping.

    def on_paste(self, event: events.Paste) -> None:
        """Something was dropped while no field has the focus."""
        event.stop()
        self._dropped(event.text)

    def _dropped(self, text: str) -> bool:
        """Put files that were dropped each into the field of its kind; whether they are files at all."""
        dropped = paths(text.replace("\n", " "))
        if not dropped or any(missing(path) for path in dropped):
            return False
        chosen = sort(dropped)
        first = chosen.session or chosen.trace or chosen.plugin
        before = paths(self.field("traffic").text)
        self._fill(first or self.field("plugin").text, (*before, *chosen.traffic))
        return True

    def on_field_changed(self, message: Field.Changed) -> None:
        message.stop()
        self.query_one(Foot).say("")

    def on_field_entered(self, message: Field.Entered) -> None:
        message.stop()
        found = understand(self.field("plugin").text, self.field("traffic").text)
        if isinstance(found, Wrong):
            self._wrong(found)
        else:
            self._open(found)

    def _wrong(self, wrong: Wrong) -> None:
        self.busy = ""
        self.query_one(Foot).say("")
        field = self.field(wrong.field)
        field.complain(wrong.text)
        field.query_one("Typing").focus()

    # Opening.

    def _open(self, what: Chosen | Sample | Recent) -> None:
        if self.busy:
            return
        self.busy = "Opening…"
        self.query_one(Foot).say(self.busy)
        self._read(what)

    @work(thread=True, exit_on_error=False)
    def _read(self, what: Chosen | Sample | Recent) -> None:
        """Read the files, which may be large, away from the screen."""
        self.app.call_from_thread(self._was_read, read(what))

    def _was_read(self, found: Start | Wrong) -> None:
        if isinstance(found, Wrong):
            self._wrong(found)
            return
        app: DebuggerApp = self.app  # type: ignore[assignment]  # ours, see app.py
        self.dismiss(None)
        app.begin(found)

    # What is done.

    def action_do(self, command: str) -> None:
        """Do one of the screen's commands."""
        getattr(self, method(command))()

    def do_quit(self) -> None:
        if self.over:
            self.dismiss(None)
        else:
            self.app.exit()


def read(what: Chosen | Sample | Recent) -> Start | Wrong:
    """What is to be opened, read."""
    try:
        if isinstance(what, Sample):
            return start_with(what.recipe)
        if isinstance(what, Recent):
            gone = what.session.missing()
            return Wrong("plugin", gone[0]) if gone else start_with(what.session.recipe)
        return start_of(what)
    except SimwasmError as error:
        return Wrong("plugin", str(error))


def _wrong_path(text: str) -> str:
    """What is wrong with a path while it is typed: only that it is a folder, or none at all."""
    return "that cannot be a path" if "\0" in text else ""


def _complete(text: str, cursor: int) -> list[Name]:
    """Folders, and the files that can be opened here; nothing before something was typed."""
    if not text[:cursor].strip():
        return []
    return [
        name for name in complete_path(text, cursor) if name.text.endswith(("/", SESSION, *PLUGIN, *TRAFFIC))
    ]


# The list.


def entries(kept: tuple[Recent, ...], known: tuple[Sample, ...], now_ns: int) -> list[Entry]:
    """What the list shows."""
    found = [_heading("Recent")]
    found += [_recent(each, now_ns) for each in kept]
    if not kept:
        found.append(
            _said(
                "None yet: whatever you debug is remembered here, with its breakpoints and where you stood."
            )
        )
    found += [Entry(()), _heading("Samples")]
    found += [_sample(each) for each in known]
    if not known:
        found.append(_said("None here: they come with a checkout of simwasm, in its folder samples/."))
    return found


def _heading(text: str) -> Entry:
    return Entry(((text, "strong"),))


def _said(text: str) -> Entry:
    return Entry((("  " + text, "muted"),))


def _sample(sample: Sample) -> Entry:
    traffic = " ".join(map(name_of, sample.recipe.traffic))
    return Entry(((f"  {sample.name:<26} ", "call"), (traffic, "muted")), sample=sample)


def _recent(kept: Recent, now_ns: int) -> Entry:
    session = kept.session
    traffic = " ".join(map(name_of, session.recipe.traffic))
    gone = "  ✗ not there any more" if session.missing() else ""
    line: Line = (
        (f"  {clean(name_of(session.recipe.plugin)):<26} ", "call"),
        (f"{clean(traffic):<24} ", ""),
        (clean(_place(session.place)), "muted"),
        (gone, "bad"),
    )
    return Entry(line, ago(now_ns - kept.used_ns), recent=kept)


def _place(place: Place) -> str:
    if not place.callback:
        return ""
    number = f"#{place.exchange} " if place.exchange else ""
    return f"{number}{place.callback}" + (f" › {place.call}" if place.call else "")


def ago(ns: int) -> str:
    """How long ago something was, in a few letters."""
    seconds = max(0, ns // 1_000_000_000)
    for size, name in ((24 * _HOUR, "days"), (_HOUR, "hours"), (60, "min")):
        if seconds >= size:
            number = seconds // size
            return f"{number} {name if number > 1 or name == 'min' else name[:-1]} ago"
    return "just now"
