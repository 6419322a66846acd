"""The debugger on a screen at which a test types: a real run, a real application, no terminal.

async def test(terminal): ...
    async with on_screen("http_auth/browser") as at:
        await at.press("s", "n")
        assert at.stop.row == 3
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from itertools import count
from time import monotonic
from typing import Any, TypeVar

from debugging import WAIT, inputs_of
from simwasm_tui.app import DebuggerApp
from simwasm_tui.model import View
from simwasm_tui.panes.pane import Pane
from simwasm_tui.panes.trace import Trace
from simwasm_tui.screens.main import MainScreen
from simwasm_tui.text import plain
from simwasm_tui.widgets.virtual_list import VirtualList
from textual.pilot import Pilot
from textual.widget import Widget

from simwasm.debug.debugger import Debugger
from simwasm.debug.inputs import Inputs
from simwasm.debug.start import Start
from simwasm.debug.stop import Stop
from simwasm.recipe import Recipe

T = TypeVar("T")
_TICK_NS = 3_000
_MOMENT = 0.002


class Ticking(DebuggerApp):
    """An application whose tapes have a clock that goes on by the same amount with every event."""

    def made(self, inputs: Inputs) -> Debugger:
        debugger = super().made(inputs)
        debugger.tape._clock = count(0, _TICK_NS).__next__
        return debugger


class Terminal:
    """An application, what can be pressed, and what is seen."""

    def __init__(self, app: DebuggerApp, pilot: Pilot[int]) -> None:
        self.app = app
        self.pilot = pilot

    @property
    def main(self) -> MainScreen:
        assert self.app.main is not None
        return self.app.main

    @property
    def debugger(self) -> Debugger:
        assert self.app.debugger is not None
        return self.app.debugger

    @property
    def stop(self) -> Stop:
        """Where it stands."""
        assert self.debugger.stop is not None
        return self.debugger.stop

    @property
    def view(self) -> View:
        """What the panes were given last."""
        assert self.main.view is not None
        return self.main.view

    @property
    def trace(self) -> Trace:
        pane = self.pane("trace")
        assert isinstance(pane, Trace)
        return pane

    @property
    def said(self) -> str:
        """What the last line says; empty if it shows keys."""
        from simwasm_tui.widgets.keys import Keys

        return self.main.query_one(Keys).said

    def pane(self, name: str) -> Pane:
        pane = self.main.body.pane(name)
        assert pane is not None, f"no pane {name} was made"
        return pane

    def listed(self, name: str) -> VirtualList:
        """The list in a pane."""
        return self.pane(name).query_one(VirtualList)

    def lines(self, name: str) -> list[str]:
        """The texts of all lines of a pane's list."""
        shown = self.listed(name)
        return [plain(shown.lines.line(index, shown.room)).rstrip() for index in range(len(shown.lines))]

    async def press(self, *keys: str) -> None:
        """Press keys, one after the other, each when what came before has been done."""
        for key in keys:
            await self.pilot.press(key)
            await self.settle()

    async def type(self, text: str) -> None:
        """Type a text."""
        names = {" ": "space", "!": "exclamation_mark", ":": "colon", "=": "equals_sign", "*": "asterisk"}
        await self.pilot.press(*(names.get(char, char) for char in text))
        await self.settle()

    async def click(self, widget: Widget, x: int, y: int, times: int = 1) -> None:
        """Click at a place of a widget."""
        await self.pilot.click(widget, offset=(x, y), times=times)
        await self.settle()

    async def settle(self) -> None:
        """Wait until the run stands, and everything has been drawn."""
        end = monotonic() + WAIT
        while monotonic() < end:
            debugger, main = self.app.debugger, self.app.main
            if main is None or debugger is None:
                break
            stands = debugger.stop is not None and all(future.done() for future in main.pending)
            if stands and main.view is not None and main.view.stop is debugger.stop and main.looked_up:
                await asyncio.wrap_future(debugger.ask(lambda: None))  # after all that was asked before
                break
            await asyncio.sleep(_MOMENT)
        await self.pilot.pause()

    def screen(self) -> list[str]:
        """What is seen, line by line."""
        strips = self.app.screen._compositor.render_strips()
        return ["".join(segment.text for segment in strip).rstrip() for strip in strips]


@asynccontextmanager
async def on_screen(
    what: str | Inputs | Start,
    size: tuple[int, int] = (120, 40),
    *,
    theme: str = "",
    keymap: str = "",
    recipe: Recipe | None = None,
    start: Start | None = None,
    settled: bool = True,
) -> AsyncIterator[Terminal]:
    """A debugger on a screen, standing on its first row unless `settled` says not to wait for that."""
    if start is not None:
        what = start
    if not isinstance(what, Start):
        inputs = inputs_of(what) if isinstance(what, str) else what
        what = Start(inputs, recipe, theme=theme, keymap=keymap)
    app = Ticking(what)
    async with app.run_test(size=size) as pilot:
        terminal = Terminal(app, pilot)
        if settled:
            await terminal.settle()
        yield terminal


def run(test: Coroutine[Any, Any, T]) -> T:
    """Run an asynchronous test."""
    return asyncio.run(test)
