"""The commands that open another screen over the main one, and what becomes of its answer."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simwasm.debug.branch import Branch
from simwasm.debug.breakpoints import Breakpoint
from simwasm.debug.export_subject import Subject
from simwasm.debug.instant import Moment
from simwasm.errors import SimwasmError
from simwasm.trace.event import Left
from simwasm.trace.rows import Row
from simwasm.trace.text import value_text
from simwasm_tui.messages import Complain
from simwasm_tui.text import count
from simwasm_tui.typed import typed

if TYPE_CHECKING:
    from textual.screen import Screen

    from simwasm.debug.debugger import Debugger
    from simwasm_tui.model import View
    from simwasm_tui.panes.trace import Trace
    from simwasm_tui.screens.bookmarks import Spot
    from simwasm_tui.screens.branches import Chosen
    from simwasm_tui.screens.diff import Destination, Side
    from simwasm_tui.screens.override import Answer
    from simwasm_tui.sessions import Keeper
    from simwasm_tui.views import Viewer

    _Screen = Screen[None]
else:
    _Screen = object


class Openers(_Screen):
    """The commands; mixed into the main screen."""

    debugger: Debugger
    viewer: Viewer
    view: View | None
    keys: dict[str, str]
    keeper: Keeper

    if TYPE_CHECKING:

        def say(self, text: str) -> None: ...
        def go(self, future: Future[Any]) -> None: ...
        def goto(self, position: int, ticks: int = 0) -> None: ...
        def renew(self) -> None: ...
        def _trace(self) -> Trace | None: ...
        def _verb(self, verb: Any, **words: bool) -> None: ...

    # Breakpoints.

    def edit_breakpoint(self, given: Breakpoint | str) -> None:
        """Ask for a breakpoint: another wording of one there is, or a new one."""
        from simwasm_tui.screens.breakpoint_editor import BreakpointEditor

        where, kept = (given, None) if isinstance(given, str) else ("", given)
        view = self.view
        binary = self.viewer.binaries.of(view) if view is not None else None
        own = binary.names[binary.imported :] if binary is not None else ()
        self.app.push_screen(BreakpointEditor(self.debugger.tape, kept, where, own), self._edited)

    def _edited(self, written: Breakpoint | None) -> None:
        if written is None:
            return
        names = ("where", "condition", "ignore", "every", "message", "enabled")
        settings = {name: getattr(written, name) for name in names}
        breakpoints = self.debugger.breakpoints
        try:
            if written.number:
                breakpoints.change(written.number, **settings)
            else:
                breakpoints.add(settings.pop("where"), **settings)
        except SimwasmError as error:  # it went away meanwhile
            self.post_message(Complain(str(error)))
        self.renew()

    # Marks.

    def do_bookmark_list(self) -> None:
        from simwasm_tui.screens.bookmarks import Bookmarks

        def chosen(spot: Spot | None) -> None:
            if spot is not None:
                self._to(spot.branch, spot.position, spot.ticks)
            self.renew()

        self.app.push_screen(Bookmarks(self.viewer), chosen)

    def do_stop_before(self) -> None:
        history = self.viewer.history
        if len(history) < 2:
            self.say("This is the first stop.")
            return
        history.pop()
        branch, stop = history[-1]
        self._to(branch, *stop.moment)

    def _to(self, branch: Branch, position: int, ticks: int = 0) -> None:
        """Go to a moment, on another branch if need be."""
        if branch is self.debugger.branch:
            self.goto(position, ticks)
        else:
            self._switch(branch, position, ticks)

    def _switch(self, branch: Branch, position: int = 0, ticks: int = 0) -> None:
        """Go to another branch: to a moment of it, or to the place that is like this one."""
        self._verb(lambda: self.debugger.switch(branch))
        if position:
            self.go(self.debugger.inside.goto(Moment(position, ticks)))

    # Other ways.

    def do_override(self) -> None:
        from simwasm_tui.screens.override import Overriding, refusal

        row = self._row_under()
        if row is None:
            return
        if not self._stands():
            return
        if self.debugger.alone:
            self.say(self.debugger.alone)
            return
        if why := refusal(row.entered.function):
            self.say(f"This cannot be answered otherwise: {why}.")
            return
        ended = row.ended if isinstance(row.ended, Left) else None
        self.app.push_screen(Overriding(row.entered.seq, row.entered, ended), self._overridden)

    def _overridden(self, answer: Answer | None) -> None:
        if answer is not None:
            self._verb(lambda: self.debugger.override(*answer))

    def do_branches(self) -> None:
        from simwasm_tui.screens.branches import Branches

        self.app.push_screen(Branches(self.debugger), self._branch_chosen)

    def _branch_chosen(self, chosen: Chosen | None) -> None:
        if chosen is None:
            self.renew()
        elif chosen.compare:
            self.compare(self._side(chosen.branch))
        elif chosen.branch is not self.debugger.branch:
            self._switch(chosen.branch)

    def do_diff(self) -> None:
        others = [branch for branch in self.debugger.branches if branch is not self.debugger.branch]
        if len(others) == 1:
            self.compare(self._side(others[0]))
        elif others:
            self.do_branches()
        else:
            self.do_diff_file()

    def do_diff_file(self) -> None:
        from simwasm_tui.screens.diff_file import DiffFile

        def chosen(side: Side | None) -> None:
            if side is not None:
                self.compare(side)

        self.app.push_screen(DiffFile(self.debugger.inputs), chosen)

    def compare(self, other: Side) -> None:
        """Show another run beside this one."""
        from simwasm_tui.screens.diff import Diff

        self.app.push_screen(Diff(other, self._side(self.debugger.branch)), self._compared)

    def _compared(self, where: Destination | None) -> None:
        if where is not None:
            self._to(where.branch, where.branch.tape.rows.position(where.row))

    def _side(self, branch: Branch) -> Side:
        from simwasm_tui.screens.diff import Side

        note = "" if branch.tape.complete else "not recorded to the end"
        return Side(branch.name, branch.tape.rows, branch, note)

    # Asking who.

    def do_writers(self, name: str = "") -> None:
        """List what is there and who wrote it; `name` is a header's, to begin with."""
        from simwasm_tui.screens.writers import Thing, Writers, things

        debugger = self.debugger
        tape, stop = debugger.tape, debugger.stop
        if stop is None or not self._stands():
            return
        if debugger.alone:
            self.say(debugger.alone)
            return

        def asked(answer: Future[tuple[Thing, ...]]) -> None:
            if not answer.cancelled() and answer.exception() is None:
                self.app.call_later(shown, answer.result())

        def shown(found: tuple[Thing, ...]) -> None:
            self.app.push_screen(Writers(tape, stop.position, found, name), self._went)

        debugger.ask(lambda: tuple(things(debugger.state(), tape))).add_done_callback(asked)

    def _went(self, position: int | None) -> None:
        if position is not None:
            self.goto(position)

    # Keeping.

    def do_export(self, name: str = "") -> None:
        from simwasm_tui.screens.export import Export

        tape, row = self.debugger.tape, self._row_under()
        if row is None or not self._stands():
            return
        span = tape.span_of(row.entered) or tape.span_at(row.position)
        about = row if name else None  # an export without a name is about the exchange
        subject = Subject(
            self.debugger.inputs,
            tape,
            span,
            about,
            self.keeper.start.recipe,
            Path.cwd(),
            self.debugger.branch.overrides,
        )
        self.app.push_screen(Export(subject, name), self._exported)

    def do_assert(self) -> None:
        self.do_export("test")

    def _exported(self, said: str | None) -> None:
        if said:
            self.say(said)

    def do_copy_value(self) -> None:
        row = self._row_under()
        if row is None:
            return
        value = value_of(row)
        if value is None:
            self.say("This call has no value: y copies its line.")
        else:
            self.app.copy_to_clipboard(value)
            self.say(f"Copied {count(len(value), 'character')}.")

    # Looking.

    def do_health(self) -> None:
        from simwasm_tui.screens.health import Health

        self.app.push_screen(Health(self.debugger))

    def do_manual(self) -> None:
        from simwasm_tui.screens.manual import Manual

        self.app.push_screen(Manual(self.keys))

    def do_open(self) -> None:
        from simwasm_tui.screens.start import StartScreen

        self.app.push_screen(StartScreen(over=True))

    # What they stand on.

    def _row_under(self) -> Row | None:
        """The row under the cursor."""
        trace = self._trace()
        if trace is None or trace.row < 0:
            self.say("There is no row yet.")
            return None
        return self.debugger.tape.rows[trace.row]

    def _stands(self) -> bool:
        if self.debugger.stop is None:
            self.say("It is still running. p pauses it.")
        return self.debugger.stop is not None


def value_of(row: Row) -> str | None:
    """The longest thing that a call gave, or else was given, as text; None if it is about nothing long."""
    ended = row.ended
    given = ended.values if isinstance(ended, Left) else ()
    long = [typed(value) for value in (given or row.entered.args) if isinstance(value, (str, bytes, tuple))]
    if not long and isinstance(ended, Left) and ended.result is not None:
        long = [value_text(ended.result)]
    return max(long, key=len, default=None)
