"""A desk as a session that can be kept, and a session brought back to a desk."""

from __future__ import annotations

from simwasm.debug.places import place_of
from simwasm.debug.plain.desk import Desk
from simwasm.debug.recent import remember
from simwasm.debug.restoring import restore
from simwasm.debug.saved_branch import saved_branch
from simwasm.debug.session_file import Bookmark, SavedSession, with_digests
from simwasm.errors import InputError, SimwasmError


def saved(desk: Desk) -> SavedSession:
    """What is kept of a desk."""
    if desk.start.recipe is None:
        raise InputError("save: nothing is known of where the plugin came from")
    before, debugger = desk.start.session or SavedSession(desk.start.recipe), desk.debugger
    stop = debugger.stop
    session = SavedSession(
        desk.start.recipe,
        breakpoints=debugger.breakpoints.to_json(),
        watches=tuple(desk.displays.values()),
        bookmarks=tuple(Bookmark(name, place) for name, place in desk.bookmarks.items()),
        place=place_of(debugger.tape, stop.position) if stop is not None else before.place,
        branches=tuple(each for each in map(saved_branch, debugger.branches) if each is not None),
        branch=debugger.branch.name if debugger.branch.parent is not None else "",
        filter=before.filter,
        view=before.view,
        others=before.others,
    )
    return with_digests(session, debugger.inputs.sha256)


def keep(desk: Desk) -> None:
    """Remember the session, if that is wanted and anything is known of it."""
    if desk.kept and desk.start.recipe is not None:
        remember(saved(desk))


def restore_breakpoints(desk: Desk) -> None:
    """Bring back what does not need a run."""
    session = desk.start.session
    if session is None:
        return
    desk.displays.update(enumerate(session.watches, 1))
    desk.bookmarks.update((each.name, each.place) for each in session.bookmarks)
    if session.breakpoints:
        try:
            desk.debugger.breakpoints.load(session.breakpoints)
        except SimwasmError as error:
            desk.say(f"the session's breakpoints are left out: {error}", "trap")


def restore_place(desk: Desk) -> None:
    """Go the other ways that the session went, and to where one stood."""
    session = desk.start.session
    if session is not None and desk.start.path is not None:
        for complaint in restore(desk.debugger, session, desk.wait):
            desk.say(complaint, "trap")
