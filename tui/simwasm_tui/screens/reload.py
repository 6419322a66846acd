"""Noticing that the plugin was built again, and reading it anew: the run stands at the same place of the new build.

Rules: its file is looked at when the run comes to a stand and when the terminal gets the focus, never by a clock; what
cannot be read changes nothing. The run of the old build stays, as a branch to compare with.
"""

from __future__ import annotations

import os
from asyncio import to_thread
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from simwasm.debug.inputs import Inputs
from simwasm.debug.places import Place, find_place, place_of
from simwasm.debug.start import read_inputs
from simwasm.debug.stop import Stop
from simwasm.errors import SimwasmError
from simwasm.recipe import Recipe
from simwasm_tui.commands import keys_sign, row
from simwasm_tui.messages import Complain
from simwasm_tui.opening import name_of

if TYPE_CHECKING:
    from textual.screen import Screen

    from simwasm.debug.debugger import Debugger
    from simwasm_tui.sessions import Keeper
    from simwasm_tui.views import Viewer

    _Screen = Screen[None]
else:
    _Screen = object

Stamp = tuple[int, ...]
"""What tells one content of a file from another, without reading it; empty if there is no file."""


def stamp(path: str) -> Stamp:
    """How a file is now."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return ()
    return found.st_mtime_ns, found.st_size, found.st_ino


class Reloading(_Screen):
    """The command; mixed into the main screen."""

    debugger: Debugger
    viewer: Viewer
    keys: dict[str, str]
    keeper: Keeper
    built: Stamp | None = None
    """How the plugin's file was when it was read."""
    _gone = False

    if TYPE_CHECKING:

        def say(self, text: str) -> None: ...
        def renew(self) -> None: ...
        def _verb(self, verb: Callable[..., Future[Stop]], **words: bool) -> None: ...

    def look_at_build(self) -> None:
        """Say so if the plugin's file is another one than the one that was read: at every stop, until it is read."""
        recipe = self.keeper.start.recipe
        if recipe is None or not recipe.plugin:
            return
        now = stamp(recipe.plugin)
        if self.built is None:
            self.built = now
        name, gone, self._gone = name_of(recipe.plugin), self._gone, not now
        if now and now != self.built:
            sign = keys_sign(row("reload"), self.keys) or "^p Reload"
            self.say(f"{name} was written again: {sign} reads it and comes back to this place.")
        elif not now and not gone:
            self.say(f"{name} is not there any more; the run goes on with what was read.")

    def do_reload(self) -> None:
        """Read the plugin again, and stand at the same place of its run."""
        recipe = self.keeper.start.recipe
        if recipe is None:
            self.say("Nothing is known of where the plugin came from: it cannot be read again.")
        elif self.debugger.stop is None:
            self.say("It is still running. p pauses it.")
        else:
            self.say(f"Reading {name_of(recipe.plugin)}.")
            self.run_worker(self._reload(recipe), exclusive=True, group="reload")

    async def _reload(self, recipe: Recipe) -> None:
        self.built = stamp(recipe.plugin)
        try:
            inputs = await to_thread(_read, recipe)
        except (SimwasmError, OSError) as error:
            self.post_message(Complain(f"not reloaded: {error}"))
            return
        old = self.debugger.inputs.plugins[0].sha256
        same = inputs.plugins[0].sha256 == old
        tape = self.debugger.tape
        places = tuple(place_of(tape, position) for position in self.viewer.bookmarks)
        self._verb(lambda: self._reloaded(inputs, places))
        self.say(f"{name_of(recipe.plugin)} {'is the same as before' if same else 'is the new build now'}.")

    def _reloaded(self, inputs: Inputs, places: tuple[Place, ...]) -> Future[Stop]:
        def stands(ended: Future[Any]) -> None:
            if not ended.cancelled() and ended.exception() is None:
                self.app.call_later(self._bookmark, places)

        moved = self.debugger.reload(inputs)
        moved.add_done_callback(stands)
        return moved

    def _bookmark(self, places: tuple[Place, ...]) -> None:
        """Put the bookmarks where they are in the new run."""
        tape = self.debugger.tape
        self.viewer.bookmarks = tuple(sorted({find_place(tape, place) for place in places}))
        self.renew()


def _read(recipe: Recipe) -> Inputs:
    inputs = read_inputs(recipe)
    inputs.plugins[0].abi  # noqa: B018  # a plugin that cannot be used is told of before anything is left
    return inputs
