"""A session brought back to a debugger whose run is recorded: the other ways it went, and where one stood.

Rule: what cannot be brought back is told and left out; the rest is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future

from simwasm.debug.debugger import Debugger
from simwasm.debug.override_text import fitting
from simwasm.debug.places import find_place, place_of
from simwasm.debug.saved_branch import SavedBranch
from simwasm.debug.session_file import SavedSession
from simwasm.debug.stop import Stop
from simwasm.errors import InputError, SimwasmError

Wait = Callable[[Future[Stop]], object]
"""Waits until a verb is done."""


def restore(debugger: Debugger, session: SavedSession, wait: Wait) -> Iterator[str]:
    """Go the other ways that a session went, and to where one stood; give what cannot be brought back."""
    for each in session.branches:
        try:
            _fork(debugger, each, wait)
        except SimwasmError as error:
            yield f"the branch `{each.name}` is left out: {error}"
    wanted = next((each for each in debugger.branches if each.name == session.branch), None)
    target = wanted or debugger.branches[0]
    if target is not debugger.branch:
        wait(debugger.switch(target))
    if session.place.callback and len(debugger.tape):
        wait(debugger.goto(find_place(debugger.tape, session.place)))


def _fork(debugger: Debugger, saved: SavedBranch, wait: Wait) -> None:
    """Answer once more as it was done then."""
    parent = next((each for each in debugger.branches if each.name == saved.parent), None)
    if parent is None:
        raise InputError(f"there is no branch `{saved.parent}` it could leave")
    if parent is not debugger.branch:
        wait(debugger.switch(parent))
    position = find_place(debugger.tape, saved.place)
    if not position or place_of(debugger.tape, position) != saved.place:
        raise InputError("the call that was answered there is not in this run")
    said = fitting(debugger.tape.entered(position).function, saved.override)
    wait(debugger.override(debugger.tape.opening(position), said))
    debugger.branch.name = saved.name
