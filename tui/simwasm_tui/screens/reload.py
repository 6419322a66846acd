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
from simwasm.recipe import Recipe, files
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

_BECAME = {"was rebuilt": "is the new build now"}
"""What is said otherwise here."""

Stamp = tuple[int, ...]
"""What tells one content of a file from another, without reading it; empty if there is no file."""


def stamp(paths: tuple[str, ...]) -> Stamp:
    """How files are now."""
    try:
        found = [os.stat(path) for path in paths]
    except (OSError, ValueError):
        return ()
    return tuple(number for each in found for number in (each.st_mtime_ns, each.st_size, each.st_ino))


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
        read = files(recipe) if recipe is not None and recipe.plugin else ()
        if recipe is None or not read:
            return
        now = stamp(read)
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
        self.built = stamp(files(recipe))
        try:
            inputs = await to_thread(read_inputs, recipe)
        except (SimwasmError, OSError) as error:
            self.post_message(Complain(f"not reloaded: {error}"))
            return
        became = inputs.since(self.debugger.inputs)
        tape = self.debugger.tape
        places = tuple(place_of(tape, position) for position in self.viewer.bookmarks)
        self._verb(lambda: self._reloaded(inputs, places))
        self.say(f"{name_of(recipe.plugin)} {_BECAME.get(became, became)}.")

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
