"""The commands that keep: sessions, bookmarks, settings, files of commands."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from pathlib import Path

from simwasm.debug.places import place_of
from simwasm.debug.plain.command import Command, UsageError, number, wants
from simwasm.debug.plain.desk import Desk, Settings
from simwasm.debug.plain.sessions import saved
from simwasm.debug.plain.stepping import assign
from simwasm.debug.session_file import save as write
from simwasm.errors import InputError

_GROUP = "keeping"


def save(desk: Desk, rest: str) -> None:
    """Write the session."""
    path = Path(rest) if rest else desk.start.path
    if path is None:
        raise wants("save", "FILE.simwasm")
    if path.suffix != ".simwasm":
        path = path.with_name(path.name + ".simwasm")
    write(path, saved(desk))
    desk.start = replace(desk.start, path=path)
    if any(branch.edit is not None for branch in desk.debugger.branches):
        desk.say("branches that were made by changing what the plugin holds are not kept in it", "reason")
    desk.say(f"saved to {path}; `simwasm debug {path}` opens it")


def source(desk: Desk, rest: str) -> None:
    """Do what a file says."""
    if not rest:
        raise wants("source", "FILE")
    assert desk.source is not None
    desk.source(Path(rest))


def bookmark(desk: Desk, rest: str) -> None:
    """Give this place a name, or list those that have one."""
    if rest:
        desk.bookmarks[rest] = place_of(desk.debugger.tape, desk.stop.position)
        desk.say(f"`goto {rest}` comes back here")
        return
    for name, place in desk.bookmarks.items():
        told = " ".join(f"{key}={value}" for key, value in place.to_json().items())
        desk.say(f"  {name}  {told}")
    if not desk.bookmarks:
        desk.say("there are no bookmarks; `bookmark NAME` makes one here")


def settings(desk: Desk, rest: str) -> None:
    """Change a setting, or list them; or change what the plugin holds."""
    if assign(desk, rest):
        return
    names = [each.name for each in fields(Settings)]
    name, _, value = rest.replace("=", " ", 1).partition(" ")
    if not name:
        for each in names:
            desk.say(f"  {each} {getattr(desk.settings, each)}")
        return
    if re.match(r"[lsg]\d|(local|stack|global|memory)\[", name):
        raise UsageError("set: use it as `set l0 = 5`, or `set memory[0x2f40] = 2a 00`; `help set` says more")
    if name not in names:
        raise InputError(f"set: there is no setting `{name}`; there is {', '.join(names)}")
    found = number(value.strip(), f"set {name}: a setting")
    if not 0 <= found <= 1000:
        raise InputError(f"set: {name} is between 0 and 1,000")
    setattr(desk.settings, name, found)


def leave(desk: Desk, rest: str) -> None:
    """Leave."""
    desk.leaving = True


COMMANDS = (
    Command("save", save, "write the session: breakpoints, bookmarks, displays, branches, this place", "[FILE]",
            group=_GROUP),
    Command("bookmark", bookmark, "give this place a name; alone, list them", "[NAME]", ("bm",), group=_GROUP),
    Command("source", source, "do what the lines of a file say", "FILE", group=_GROUP),
    Command("set", settings, "change a setting, or a value of the plugin's; alone, list settings",
            "[NAME NUMBER | l0 = VALUE | s0 = VALUE | g0 = VALUE | memory[ADDRESS] = BYTES]",
            more="  context: rows before and behind a stop   lines: rows of `list`   loglines: log lines at a stop\n"
                 "  l0 is a local, s0 an operand, g0 a global; what follows from it goes on a branch of its own",
            group=_GROUP, words=lambda desk: (each.name for each in fields(Settings))),
    Command("quit", leave, "leave", "", ("q", "exit"), group=_GROUP),
)  # fmt: skip
