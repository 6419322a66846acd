"""The main screen: listens to panes and keys, gives verbs to the debugger, and hands every pane the newest view.

Everything the run does comes back by one way: the debugger says `changed`, from its own thread; a view is made, while
it runs a few times a second, and given to the panes. While nothing changes nothing runs here, not even a timer.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen
from textual.widgets import Static

from simwasm.errors import SimwasmError
from simwasm_tui import layout
from simwasm_tui.commands import COMMANDS, method
from simwasm_tui.messages import (
    Changed,
    Complain,
    Do,
    EditBreakpoint,
    Go,
    HeadingChanged,
    Look,
    OpenPane,
    Question,
    Say,
    ShowBytes,
    ShowCode,
    Watch,
)
from simwasm_tui.model import HitRows
from simwasm_tui.panes.pane import Pane, bindings
from simwasm_tui.panes.trace import Trace
from simwasm_tui.screens.insides import Insides
from simwasm_tui.screens.openers import Openers
from simwasm_tui.screens.reload import Reloading
from simwasm_tui.screens.saving import Saving
from simwasm_tui.screens.verbs import Verbs
from simwasm_tui.views import Viewer
from simwasm_tui.widgets.ask import Ask
from simwasm_tui.widgets.body import Body
from simwasm_tui.widgets.header import Header
from simwasm_tui.widgets.keys import Keys
from simwasm_tui.widgets.timeline import Timeline

if TYPE_CHECKING:
    from simwasm.debug.debugger import Debugger
    from simwasm_tui.model import View
    from simwasm_tui.sessions import Keeper

_FRAME = 1 / 8
"""Seconds between views while it runs: the plugin has the rest of the time."""
_TYPING_FRAME = 1 / 2
"""Between views while somebody types: what keys do is drawn before what the run does."""
_UNSEEN = 0.3
"""Seconds that the run may move before that is shown."""
_BREATH = 0.002
_TINY = "The terminal is too small for the debugger:\nit needs {} columns and {} lines."


class MainScreen(Openers, Insides, Reloading, Saving, Verbs, Screen[None]):
    """The debugger's screen."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(COMMANDS)
    AUTO_FOCUS = ""
    BLANK = True

    def __init__(self, debugger: Debugger, keeper: Keeper, keys: dict[str, str]) -> None:
        super().__init__()
        self.debugger = debugger
        self.keeper = keeper
        self.viewer = Viewer(debugger, keeper.title)
        self.keys = keys
        self.body = Body(id="body")
        self.filter = ""
        """What the trace is filtered by."""
        self._looking = False
        self._asked: Future[dict[int, HitRows]] | None = None
        self._recorded: Callable[[], None] | None = None
        self.view: View | None = None
        self._drawn_at = 0.0
        self._waiting = False
        self._moving = False
        """The run has begun to move, and that is not shown yet."""

    def compose(self) -> ComposeResult:
        yield Header()
        yield Timeline()
        yield self.body
        yield Ask()
        yield Keys(self.keys)
        yield Static(_TINY.format(*layout.LEAST), id="tiny", markup=False)

    def on_mount(self) -> None:
        self.look_as_wished()
        self.renew()
        self.call_after_refresh(self._opened)

    def _opened(self) -> None:
        if self.focused is None:  # somebody may have asked for something already
            self.body.open("trace")

    def _restore_filter(self) -> None:
        """Filter the trace as it was in an earlier session, as soon as there is a trace."""
        pane = self.body.pane("trace")
        if not self.filter or not isinstance(pane, Trace) or not pane.ready or pane.expression:
            return
        if wrong := pane.filter_by(self.filter):
            self.filter = ""
            self.post_message(Complain(f"the session's filter is left out: {wrong}"))

    # The parts.

    @property
    def ask_line(self) -> Ask:
        """The question line."""
        return self.query_one(Ask)

    def say(self, text: str) -> None:
        """Say something in the last line, until the next key."""
        self.query_one(Keys).say(text)

    def when_recorded(self, then: Callable[[], None]) -> None:
        """Do something once the run has been recorded and stands."""
        self._recorded = then

    # Views.

    def on_changed(self) -> None:
        now = monotonic()
        if self.debugger.stop is None and self.view is not None and self.view.stop is not None:
            self._begun()
            return
        wait = self._drawn_at + (_TYPING_FRAME if now - self.typed_at < _TYPING_FRAME else _FRAME) - now
        if wait <= 0 or self.debugger.stop is not None:
            self.renew()
        elif not self._waiting:
            self._waiting = True
            self.set_timer(wait, self.renew)

    def _begun(self) -> None:
        """The run moves, having stood: what is over at once is seen as where it led, and a mere question not at all."""
        self.app.changes_seen()  # type: ignore[attr-defined]  # ours, see app.py
        if not self._moving:
            self._moving = True
            self.set_timer(_UNSEEN, self._still_moves)

    def _still_moves(self) -> None:
        self._moving = False
        if self.debugger.stop is None:
            self.renew()

    def renew(self) -> None:
        """Look at the debugger, and show it."""
        self._waiting = False
        self._drawn_at = monotonic()
        self.app.changes_seen()  # type: ignore[attr-defined]  # ours, see app.py
        before, self.view = self.view, self.viewer.view()
        view = self.view
        self.query_one(Header).take(view)
        self.query_one(Timeline).take(view)
        self.body.take(view)
        self._restore_filter()
        if self.viewer.more and view.stop is not None and not self._looking:
            self._looking = True
            self.set_timer(_BREATH, self._look_on)
        if self._recorded is not None and view.stop is not None:
            then, self._recorded = self._recorded, None
            then()
        if (question := self.viewer.look_up()) is not None:
            self._asked = self.debugger.ask(question)
            self._asked.add_done_callback(self._looked_up)
        self.keeper.changed(self)
        if view.stop is not None and (before is None or view.stop is not before.stop):
            self.look_at_build()

    def _look_on(self) -> None:
        """Look for problems on the rest of a long tape, a portion at a time, so that keys are heard in between."""
        self._looking = self.viewer.look_on()
        if self._looking:
            self.set_timer(_BREATH, self._look_on)
        else:
            self.renew()

    @property
    def looked_up(self) -> bool:
        """Whether everything has been asked that the newest view needs."""
        return self._asked is None or self._asked.done()

    def _looked_up(self, answered: Future[dict[int, HitRows]]) -> None:
        if not answered.cancelled() and answered.exception() is None:
            self.viewer.hits = answered.result()
            self.post_message(Changed())

    def go(self, future: Future[Any]) -> None:
        """Let the debugger do something; if it cannot, say why."""
        self.pending = [kept for kept in self.pending if not kept.done()] + [future]

        def done(ended: Future[Any]) -> None:
            error = None if ended.cancelled() else ended.exception()
            if isinstance(error, SimwasmError):
                self.post_message(Complain(str(error)))
            elif error is not None:
                self.post_message(Complain(f"the debugger failed: {type(error).__name__}: {error}"))

        future.add_done_callback(done)

    # What panes ask for.

    def on_go(self, message: Go) -> None:
        self.goto(message.position, message.ticks)

    def on_look(self, message: Look) -> None:
        self.viewer.looked = message.row
        if self.view is not None:
            self.view = replace(self.view, looked=message.row)
            pane = self.body.pane("inspector")
            if pane is not None:
                pane.take(self.view)

    def on_do(self, message: Do) -> None:
        self.action_do(message.command)

    def on_open_pane(self, message: OpenPane) -> None:
        self.body.open(message.pane)

    def on_renew(self) -> None:
        self.renew()

    def on_edit_breakpoint(self, message: EditBreakpoint) -> None:
        self.edit_breakpoint(message.breakpoint or "")

    def on_question(self, message: Question) -> None:
        def answered(text: str) -> str:
            wrong = message.answered(text)
            if not wrong:
                self._return_focus()
            return wrong

        self.asker = message.pane
        self.ask_line.ask(message.question, answered, text=message.text, hint=message.hint)

    def on_show_bytes(self, message: ShowBytes) -> None:
        self._show(
            "memory", lambda pane: pane.show_bytes(message.at, message.size, message.name), message.open
        )

    def on_show_code(self, message: ShowCode) -> None:
        for name in ("wasm", "source", "stack"):
            self._show(name, lambda pane: pane.show_code(message.frame, message.vm), name == message.open)

    def _show(self, name: str, show: Callable[[Pane], None], open: bool) -> None:
        """Have a pane show something; one that nobody has seen yet is made only if it is to be opened."""
        if open:
            self.body.open(name)
        pane = self.body.pane(name)
        if pane is not None:
            show(pane)
        elif open:
            self.call_after_refresh(self._show, name, show, False)

    def on_watch(self, message: Watch) -> None:
        self.viewer.watches = message.texts
        self.renew()

    def on_say(self, message: Say) -> None:
        self.say(message.text)

    def on_complain(self, message: Complain) -> None:
        self.viewer.complain(message.position, message.text)
        self.say(f"✗ {message.text}")
        self.renew()

    def on_heading_changed(self, message: HeadingChanged) -> None:
        message.stop()
        self._restore_filter()
        self.body.reframe()

    def action_do(self, command: str) -> None:
        """Do a command by its id, wherever it belongs to."""
        pane, dot, _ = command.rpartition(".")
        if not dot:
            getattr(self, method(command))()
            return
        if self.body.pane(pane) is None:
            self.body.open(pane)
        self.call_after_refresh(self._do_in, pane, command)

    def _do_in(self, name: str, command: str) -> None:
        pane = self.body.pane(name)
        if isinstance(pane, Pane):
            pane.action_do(command)

    # Size, focus, keys.

    def on_resize(self, event: events.Resize) -> None:
        width, height = event.size
        least_width, least_height = layout.LEAST
        self.set_class(width < least_width or height < least_height, "-tiny")
        self.set_class(height < layout.SHORT, "-short")

    def on_descendant_focus(self) -> None:
        self.body.focus_moved()

    def on_descendant_blur(self) -> None:
        self.body.focus_moved()
