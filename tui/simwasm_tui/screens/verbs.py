"""What the commands of the main screen do: one method `do_<id>` for each row of `commands.py`.

Those that go to marks are in `marks.py`, those that change what one sees in `viewing.py`.
"""

from __future__ import annotations

from asyncio import sleep
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Any

from simwasm.debug.instant import Moment
from simwasm.debug.stop import Why
from simwasm.debug.unit import Unit
from simwasm.errors import SimwasmError
from simwasm_tui.messages import Complain, Say
from simwasm_tui.panes.coded import Placed
from simwasm_tui.panes.trace import Trace
from simwasm_tui.screens.marks import Marks
from simwasm_tui.screens.viewing import Viewing
from simwasm_tui.text import count
from simwasm_tui.widgets.virtual_list import VirtualList

if TYPE_CHECKING:
    from simwasm.debug.breakpoints import Breakpoint
    from simwasm.debug.debugger import Debugger
    from simwasm.debug.stop import Stop
    from simwasm_tui.model import View
    from simwasm_tui.views import Viewer
    from simwasm_tui.widgets.ask import Ask
    from simwasm_tui.widgets.body import Body

_SHOWN_IN = {Unit.LINE: "source", Unit.INSTRUCTION: "wasm"}
"""The pane in which a step of that unit is seen."""
_FILTER_HINT = "call:get_header* status!=OK · empty for all rows"
_PATIENCE = 0.3
"""Seconds for which keys wait for the run to stand."""
_MOMENT = 0.002


class Verbs(Marks, Viewing):
    """The commands; mixed into the main screen."""

    debugger: Debugger
    viewer: Viewer
    keys: dict[str, str]
    view: View | None
    filter: str
    pending: list[Future[Any]] = []  # noqa: RUF012  # replaced, never changed
    asker = "trace"
    """The pane that asks a question, and gets the focus back."""
    _since = 0.0
    typed_at = 0.0
    """When the last key came."""

    if TYPE_CHECKING:
        body: Body

        @property
        def ask_line(self) -> Ask: ...
        def say(self, text: str) -> None: ...
        def edit_breakpoint(self, given: Breakpoint | str) -> None: ...
        def go(self, future: Future[Any]) -> None: ...
        def renew(self) -> None: ...

    # Running.

    @property
    def moving(self) -> bool:
        """Whether something that was asked for has not been done yet, or is not seen yet."""
        view = self.view
        return any(not future.done() for future in self.pending) or (
            view is not None and view.stop is not self.debugger.stop
        )

    async def settled(self) -> None:
        """Wait for a short while until what was asked for is seen: what is typed next is meant for that."""
        self.typed_at = monotonic()
        while self.moving and monotonic() - self._since < _PATIENCE:
            await sleep(_MOMENT)

    def _verb(self, verb: Callable[..., Future[Stop]], **words: bool) -> None:
        if any(not future.done() for future in self.pending):
            self.say("It is still running. p pauses it.")
            return
        self._since = monotonic()
        self.go(verb(**words))

    def do_step(self) -> None:
        self._step(back=False)

    def _step(self, *, back: bool) -> None:
        """Go to the next row; over those of the allocator, unless they are shown."""
        trace = self._trace()
        self._verb(self.debugger.step, back=back, allocator=trace is not None and trace.allocator)

    def do_over(self) -> None:
        self._verb(self.debugger.over)

    def do_finish(self) -> None:
        self._verb(self.debugger.out)

    def do_continue(self) -> None:
        self._verb(self.debugger.proceed)

    def do_step_back(self) -> None:
        self._step(back=True)

    def do_over_back(self) -> None:
        self._verb(self.debugger.over, back=True)

    def do_finish_back(self) -> None:
        self._verb(self.debugger.out, back=True)

    def do_continue_back(self) -> None:
        self._verb(self.debugger.proceed, back=True)

    def do_restart(self) -> None:
        self._verb(self.debugger.restart)

    def do_record(self) -> None:
        self._verb(self.debugger.record)

    def goto(self, position: int, ticks: int = 0) -> None:
        """Go to a moment, unless it stands there."""
        view, moment = self.view, Moment(position, ticks)
        if view is not None and view.stop is not None and view.stop.moment == moment:
            return
        if ticks:
            self._verb(lambda: self.debugger.inside.goto(moment))
        else:
            self._verb(lambda: self.debugger.goto(position))

    def do_unit(self) -> None:
        if self.debugger.alone:
            self.say(self.debugger.alone)
            return
        self.debugger.unit = unit = self.debugger.unit.following
        self.say(f"One step is one {unit.value}.")
        if unit in _SHOWN_IN:
            self.body.bring(_SHOWN_IN[unit])
        self.renew()

    def _code_here(self) -> str | None:
        """What is under the cursor of a pane about code, as a breakpoint has it; None if another has the focus."""
        pane = self.body.focused_pane()
        if pane is None or pane.id not in ("wasm", "source"):
            return None
        assert isinstance(pane, Placed)
        if not pane.place_here:
            self.say("There is no code here.")
        return pane.place_here

    def do_run_to(self) -> None:
        where = self._code_here()
        if where is not None:
            if where:
                self._verb(lambda: self.debugger.run_to(where))
            return
        trace = self._trace()
        if trace is not None and trace.row >= 0:
            self.goto(self.debugger.tape.rows.position(trace.row))

    def do_goto(self) -> None:
        rows = len(self.debugger.tape.rows)

        def answered(text: str) -> str:
            digits = text.replace(",", "").strip()
            if not digits.isdigit() or not 1 <= int(digits[:12]) <= rows:
                return f"a row is a number from 1 to {rows:,}"
            self._return_focus()
            self.goto(self.debugger.tape.rows.position(int(digits) - 1))
            return ""

        self.ask_line.ask("Go to row", answered, hint=f"1–{rows:,}")

    def do_pause(self) -> None:
        if self.debugger.stop is None:
            self.debugger.pause()
        else:
            self.say("It stands already. c continues, s steps.")

    def do_interrupt(self) -> None:
        selected = self.get_selected_text()
        stop = self.debugger.stop
        if selected:
            self.app.copy_to_clipboard(selected)
            self.say("Copied.")
        elif stop is None:
            self.debugger.pause()
            self.say("Pausing. ^c again ends a plugin that computes with a trap.")
        elif stop.why is Why.COMPUTING:
            self._verb(self.debugger.step)
            self.debugger.interrupt()
        else:
            self.say("It stands already. q leaves the debugger.")

    # Breakpoints.

    def _break_here(self) -> str:
        """Where a breakpoint would be set; empty if nowhere."""
        where, trace = self._code_here(), self._trace()
        if where is not None or trace is None or trace.row < 0:
            return where or ""
        return self.debugger.tape.rows[trace.row].entered.function.name

    def do_break(self) -> None:
        where = self._break_here()
        if not where:
            return
        breakpoints = self.debugger.breakpoints
        before = breakpoints.find(where)
        if before is None:
            try:
                number = breakpoints.add(where).number
            except SimwasmError as error:  # a file's name may be anything
                self.post_message(Complain(str(error)))
                return
            self.say(f"Breakpoint {number} on {where}. B writes a condition.")
        else:
            breakpoints.remove(before.number)
            self.say(f"Breakpoint {before.number} on {where} is gone.")
        self.renew()

    def do_break_edit(self) -> None:
        where = self._break_here()
        self.edit_breakpoint(self.debugger.breakpoints.find(where) or where)

    # Finding and keeping.

    def do_filter(self) -> None:
        trace = self._trace()
        if trace is None:
            return

        def answered(text: str) -> str:
            wrong = trace.filter_by(text.strip())
            if not wrong:
                self.filter = trace.expression
                self._return_focus()
            return wrong

        from simwasm.trace.query import complete

        self.ask_line.ask("Filter", answered, text=trace.expression, hint=_FILTER_HINT, complete=complete)

    def do_copy(self) -> None:
        focused = self.focused
        if isinstance(focused, VirtualList) and len(focused.lines):
            text = focused.text_of(focused.cursor).strip()
            self.app.copy_to_clipboard(text)
            self.say(f"Copied {count(len(text), 'character')}.")
        else:
            self.say("There is nothing to copy here.")

    # The rest.

    def do_suspend(self) -> None:
        self.app.action_suspend_process()

    def do_theme(self) -> None:
        self.app.search_themes()

    def do_palette(self) -> None:
        self.app.action_command_palette()

    def do_help(self) -> None:
        from simwasm_tui.screens.help import Help, pane_help

        pane = self.body.focused_pane()
        if pane is not None:
            self.app.push_screen(Help(*pane_help(pane, self.keys)))

    def do_back(self) -> None:
        self.back()

    def do_quit(self) -> None:
        if not self.back():
            self.app.exit()

    def back(self) -> bool:
        """Leave what is open; whether anything was."""
        body, trace = self.body, self._trace()
        if self.ask_line.is_open:
            self.ask_line.close()
            self._return_focus()
        elif body.wanted.zoomed:
            body.arrange_as(replace(body.wanted, zoomed=""))
        elif trace is not None and trace.expression:
            trace.filter_by("")
            self.filter = ""
        else:
            return False
        return True

    def _return_focus(self) -> None:
        asker, self.asker = self.asker, "trace"
        self.body.open(asker)

    def _trace(self) -> Trace | None:
        pane = self.body.pane("trace")
        return pane if isinstance(pane, Trace) else None

    def on_say(self, message: Say) -> None:
        self.say(message.text)
