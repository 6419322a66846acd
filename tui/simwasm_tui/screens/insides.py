"""The commands about the inside of callbacks that open another screen: another value, a profile."""

from __future__ import annotations

from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING, Any

from simwasm.errors import Frame, SimwasmError
from simwasm_tui.messages import Assign, Complain, WriteBytes
from simwasm_tui.text import count

if TYPE_CHECKING:
    from textual.screen import Screen

    from simwasm.debug.debugger import Debugger
    from simwasm.debug.instants import Instants
    from simwasm.debug.profile import Profile
    from simwasm.debug.stop import Stop
    from simwasm_tui.model import View
    from simwasm_tui.screens.profiling import Wanted
    from simwasm_tui.widgets.body import Body

    _Screen = Screen[None]
else:
    _Screen = object

_MOMENT = 0.02


class Insides(_Screen):
    """The commands; mixed into the main screen."""

    debugger: Debugger
    view: View | None
    pending: list[Future[Any]]

    if TYPE_CHECKING:
        body: Body

        def say(self, text: str) -> None: ...
        def go(self, future: Future[Any]) -> None: ...
        def _stands(self) -> bool: ...
        def _verb(self, verb: Any, **words: bool) -> None: ...

    def on_assign(self, message: Assign) -> None:
        from simwasm_tui.screens.assigning import Assigning

        stop, held = self.debugger.stop, message.held
        if stop is None or stop.instant is None:
            return

        def assign(text: str) -> Future[Stop] | None:
            if self.debugger.stop is None:
                return None
            future = self.debugger.inside.assign(held.variable.slot, text, level=message.level)
            self.pending = [*self.pending, future]  # what is wrong with it is said in the box
            return future

        where = (
            stop.instant.name
            if not message.level
            else f"the function {count(message.level, 'level')} further out"
        )
        self.app.push_screen(Assigning(held, where, assign))

    def on_write_bytes(self, message: WriteBytes) -> None:
        self._verb(lambda: self.debugger.inside.write(message.at, message.data))
        self.say("Written, on a branch of its own: V lists them.")

    def do_profile(self) -> None:
        from simwasm.debug.profile import profile

        view = self.view
        if view is None or not self._stands():
            return
        if self.debugger.alone:
            self.say(self.debugger.alone)
            return

        def learnt(ended: Future[Instants]) -> None:
            """Count it in the plugins' thread, where the run waits meanwhile."""
            if ended.cancelled() or ended.exception() is not None:
                error = None if ended.cancelled() else ended.exception()
                if isinstance(error, SimwasmError):
                    self.post_message(Complain(str(error)))
                return
            instants = ended.result()
            self.debugger.ask(lambda: profile(instants)).add_done_callback(
                lambda counted: counted_up(counted, instants)
            )

        def counted_up(ended: Future[Profile], instants: Instants) -> None:
            if not ended.cancelled() and ended.exception() is None and not self.app._exit:
                self.app.call_later(self._profiled, ended.result(), instants)

        self.say("Counting the instructions of the callback…")
        future = self.debugger.inside.instants()
        self.pending = [*self.pending, future]
        future.add_done_callback(learnt)

    def _profiled(self, found: Profile, instants: Instants) -> None:
        from simwasm_tui.panes.wasm import Wasm
        from simwasm_tui.screens.profiling import Profiling

        def chosen(wanted: Wanted | None) -> None:
            view = self.view
            binary = (
                view.binaries.of(view, instants.vm)
                if view is not None and view.binaries is not None
                else None
            )
            if wanted is not None and wanted.function >= 0 and binary is not None:
                self.body.open("wasm")
                self.call_after_refresh(follow, binary.start(wanted.function))

        def follow(frame: Frame) -> None:
            pane = self.body.pane("wasm")
            if isinstance(pane, Wasm) and pane.ready and pane.binary is not None:
                pane.follow(frame)
            elif pane is not None:
                self.set_timer(_MOMENT, partial(follow, frame))

        self.say("")
        callback = self.debugger.tape.entered(instants.callback).function.name
        self.app.push_screen(Profiling(callback, found), chosen)
