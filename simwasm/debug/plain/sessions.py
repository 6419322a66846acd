"""A desk as a session that can be kept, and a session brought back to a desk."""

from __future__ import annotations

from simwasm.debug.override_text import fitting
from simwasm.debug.places import find_place, place_of
from simwasm.debug.plain.desk import Desk
from simwasm.debug.recent import remember
from simwasm.debug.saved_branch import SavedBranch, saved_branch
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
    return with_digests(session, debugger.inputs.plugins[0].sha256)


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
    if session is None or desk.start.path is None:
        return
    for each in session.branches:
        try:
            _fork(desk, each)
        except SimwasmError as error:
            desk.say(f"the branch `{each.name}` is left out: {error}", "trap")
    wanted = next((each for each in desk.debugger.branches if each.name == session.branch), None)
    target = wanted or desk.debugger.branches[0]
    if target is not desk.debugger.branch:
        desk.wait(desk.debugger.switch(target))
    if session.place.callback and len(desk.debugger.tape):
        desk.wait(desk.debugger.goto(find_place(desk.debugger.tape, session.place)))


def _fork(desk: Desk, saved: SavedBranch) -> None:
    """Answer once more as it was done then."""
    debugger = desk.debugger
    parent = next((each for each in debugger.branches if each.name == saved.parent), None)
    if parent is None:
        raise InputError(f"there is no branch `{saved.parent}` it could leave")
    if parent is not debugger.branch:
        desk.wait(debugger.switch(parent))
    position = find_place(debugger.tape, saved.place)
    if not position or place_of(debugger.tape, position) != saved.place:
        raise InputError("the call that was answered there is not in this run")
    said = fitting(debugger.tape.entered(position).function, saved.override)
    desk.wait(debugger.override(debugger.tape.opening(position), said))
    debugger.branch.name = saved.name
