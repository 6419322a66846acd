"""What is kept of a session: brought back when it is opened again, and written when the user leaves or changes it.

A session without a recipe, as a program makes it, is not kept. Rules: changes are written soon, by a thread, so that
a debugger that is killed loses a moment and no key waits for a disk; one write at a time, the newest last.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from os.path import basename
from typing import TYPE_CHECKING

from simwasm.debug.places import find_place, place_of
from simwasm.debug.recent import remember
from simwasm.debug.restoring import restore
from simwasm.debug.saved_branch import saved_branch
from simwasm.debug.session_file import Bookmark, SavedSession, save, with_digests
from simwasm.errors import InputError, SimwasmError
from simwasm_tui.messages import Complain

if TYPE_CHECKING:
    from simwasm.debug.debugger import Debugger
    from simwasm.debug.start import Start
    from simwasm_tui.screens.main import MainScreen


_SOON = 0.5
"""Seconds after a change until it is written."""
_UNNAMED = re.compile(r"row \d+")
"""The name of a bookmark that nobody gave one."""


class Keeper:
    """Keeps one session."""

    def __init__(self, start: Start, debugger: Debugger) -> None:
        self.start = start
        self.debugger = debugger
        self.wrong: list[str] = []
        """What could not be brought back."""
        self._seen: tuple[object, ...] = ()
        """What the newest change led to."""
        self._restored = False
        """Until then there is nothing new to be kept."""
        self._waiting = False
        self._digests: tuple[str, ...] | None = None
        """Of the recordings, as they were when this was kept first."""
        self._writer = ThreadPoolExecutor(1, "simwasm sessions")
        self._load_breakpoints()

    @property
    def title(self) -> str:
        """What is replayed, in a few words."""
        recipe = self.start.recipe
        if self.start.trace is not None:
            return basename(str(self.start.trace.path))
        if recipe is None or not recipe.traffic:
            return ""
        first, *others = recipe.traffic
        return basename(first) + (f" +{len(others)}" if others else "")

    def _load_breakpoints(self) -> None:
        saved = self.start.session
        if saved is None or not saved.breakpoints:
            return
        try:
            self.debugger.breakpoints.load(saved.breakpoints)
        except SimwasmError as error:
            self.wrong.append(f"the session's breakpoints are left out: {error}")

    def restore(self, screen: MainScreen) -> None:
        """Bring back the place, the bookmarks and the filter, when the run has been recorded."""
        saved = self.start.session

        def recorded() -> None:
            self._restored = True
            if saved is None:
                return
            tape = self.debugger.tape
            named = {find_place(tape, each.place): each.name for each in saved.bookmarks}
            screen.viewer.bookmarks = tuple(sorted(named))
            screen.viewer.names = {at: name for at, name in named.items() if not _UNNAMED.fullmatch(name)}
            self._writer.submit(self._go_there, saved, screen)

        screen.when_recorded(recorded)
        if saved is not None:
            screen.filter = saved.filter
            screen.viewer.watches = saved.watches
            screen.take_look(saved.view)

    def _go_there(self, saved: SavedSession, screen: MainScreen) -> None:
        """Bring back branches and place, which waits for the run."""
        try:
            for complaint in restore(self.debugger, saved, lambda moved: moved.result()):
                screen.post_message(Complain(complaint))
        except SimwasmError:
            pass  # it was closed meanwhile

    def save(self, screen: MainScreen, path: str) -> None:
        """Write the session to a file that others can open."""
        made = self._session(screen)
        if made is None:
            raise InputError("nothing is known of where the plugin came from")
        save(path, made())

    def changed(self, screen: MainScreen) -> None:
        """Be told that something may be other than it was: if so, it is written soon."""
        view = screen.view
        if view is None or view.last is None or not self._restored:
            return
        now = (
            view.tape,
            view.position,
            self.debugger.breakpoints.serial,
            (screen.viewer.bookmarks, *screen.viewer.names.values()),
            screen.viewer.watches,
            screen.filter,
            screen.viewer.binaries.remaps,
        )
        if now == self._seen:
            return
        first, self._seen = not self._seen, now
        if not first and not self._waiting:
            self._waiting = True
            screen.set_timer(_SOON, lambda: self._write(screen))

    def keep(self, screen: MainScreen) -> None:
        """Write what is to be brought back, and wait until it is written: this is the end."""
        self._write(screen)
        self._writer.shutdown()

    def _write(self, screen: MainScreen) -> None:
        self._waiting = False
        made = self._session(screen)
        if made is not None:
            self._writer.submit(lambda: remember(made()))

    def _session(self, screen: MainScreen) -> Callable[[], SavedSession] | None:
        """What makes the session as it is now; to be called in the writing thread, as it may take a while."""
        start, debugger = self.start, self.debugger
        view = screen.view
        if start.recipe is None or view is None or view.last is None:
            return None
        tape, position, bookmarks = view.tape, view.position, screen.viewer.bookmarks
        names = dict(screen.viewer.names)
        before = start.session or SavedSession(start.recipe)
        session = replace(
            before,
            recipe=start.recipe,
            breakpoints=debugger.breakpoints.to_json(),
            watches=screen.viewer.watches,
            filter=screen.filter,
            view=screen.look(),
        )
        plugin = debugger.inputs.sha256
        branch = debugger.branch

        def made() -> SavedSession:
            places = tuple(
                Bookmark(names.get(each) or f"row {tape.rows.at(each) + 1}", place_of(tape, each))
                for each in bookmarks
            )
            placed = replace(
                session,
                bookmarks=places,
                place=place_of(tape, position),
                branches=tuple(filter(None, map(saved_branch, debugger.branches))),
                branch=branch.name if branch.parent is not None else "",
            )
            if self._digests is None:
                self._digests = with_digests(placed, plugin).traffic_sha256
            return replace(placed, sha256=plugin, traffic_sha256=self._digests)

        return made
