"""What is kept of a session: brought back when it is opened again, and written when the user leaves or changes it.

A session without a recipe, as a program makes it, is not kept.
"""

from __future__ import annotations

from os.path import basename
from typing import TYPE_CHECKING

from simwasm.debug.places import find_place, place_of
from simwasm.debug.recent import remember
from simwasm.debug.session_file import Bookmark, SavedSession, with_digests
from simwasm.errors import SimwasmError

if TYPE_CHECKING:
    from simwasm.debug.debugger import Debugger
    from simwasm.debug.start import Start
    from simwasm_tui.screens.main import MainScreen


class Keeper:
    """Keeps one session."""

    def __init__(self, start: Start, debugger: Debugger) -> None:
        self.start = start
        self.debugger = debugger
        self.wrong: list[str] = []
        """What could not be brought back."""
        self._load_breakpoints()

    @property
    def title(self) -> str:
        """What is replayed, in a few words."""
        recipe = self.start.recipe
        if self.start.trace is not None:
            return basename(str(self.start.trace.path))
        if recipe is None or not recipe.traffic:
            return ""
        more = f" +{len(recipe.traffic) - 1}" if len(recipe.traffic) > 1 else ""
        return basename(recipe.traffic[0]) + more

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
        if saved is None:
            return

        def recorded() -> None:
            tape = self.debugger.tape
            screen.viewer.bookmarks = tuple(
                sorted({find_place(tape, each.place) for each in saved.bookmarks})
            )
            if saved.place.callback and len(tape):
                screen.goto(find_place(tape, saved.place))

        screen.when_recorded(recorded)
        screen.filter_on_open = saved.filter

    def keep(self, screen: MainScreen) -> None:
        """Write what is to be brought back."""
        start, debugger = self.start, self.debugger
        view = screen.view
        if start.recipe is None or view is None or view.last is None:
            return
        tape, before = view.tape, start.session or SavedSession(start.recipe)
        session = SavedSession(
            start.recipe,
            breakpoints=debugger.breakpoints.to_json(),
            watches=before.watches,
            bookmarks=tuple(
                Bookmark(f"row {tape.rows.at(position) + 1}", place_of(tape, position))
                for position in screen.viewer.bookmarks
            ),
            place=place_of(tape, view.position),
            branches=before.branches,
            filter=screen.filter,
            view=before.view,
            others=before.others,
        )
        remember(with_digests(session, debugger.inputs.plugins[0].sha256))
