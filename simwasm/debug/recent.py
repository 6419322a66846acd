"""Sessions that were not saved by anybody: the last state of each plugin with its traffic.

They are in the user's state folder, one file for each, and make "recent sessions" and bring breakpoints back after the
debugger was killed. Rules: never more than `MOST`; a file that cannot be read or written is as good as none, since
nobody asked for it.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from simwasm.debug.session_file import SavedSession, load, save
from simwasm.errors import SimwasmError
from simwasm.recipe import Recipe

MOST = 50
_SUFFIX = ".simwasm"


@dataclass(frozen=True, slots=True)
class Recent:
    """A session that is remembered."""

    path: Path
    """Its file; opened like any session file."""
    used_ns: int
    """When it was written, since the epoch."""
    session: SavedSession


def state_folder() -> Path | None:
    """Where this user's state is: `SIMWASM_STATE_DIR` (empty: nowhere), or in `XDG_STATE_HOME`."""
    chosen = os.environ.get("SIMWASM_STATE_DIR")
    if chosen is not None:
        return Path(chosen) if chosen else None
    base = Path(os.environ.get("XDG_STATE_HOME", ""))
    if base.is_absolute():
        return base / "simwasm"
    home = Path(os.path.expanduser("~"))
    return home / ".local" / "state" / "simwasm" if home.is_absolute() else None


def remember(session: SavedSession) -> None:
    """Keep a session, in place of the last one of the same plugin and traffic."""
    path = _path(session.recipe)
    if path is None:
        return
    with suppress(OSError, SimwasmError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        save(path, session, sync=False)
        for _, old in _files(path.parent)[MOST:]:
            old.unlink(missing_ok=True)


def remembered(recipe: Recipe) -> SavedSession | None:
    """What is remembered of a plugin with its traffic."""
    path = _path(recipe)
    with suppress(OSError, SimwasmError):
        return load(path) if path is not None and path.is_file() else None
    return None


def recent() -> tuple[Recent, ...]:
    """What is remembered, the newest first; files that are broken are left out."""
    folder = state_folder()
    found = []
    for used, path in _files(folder / "sessions") if folder is not None else ():
        with suppress(OSError, SimwasmError):
            found.append(Recent(path, used, load(path)))
    return tuple(found)


def _path(recipe: Recipe) -> Path | None:
    folder = state_folder()
    if folder is None:
        return None
    names = "\0".join(os.path.abspath(path) for path in (recipe.plugin, *recipe.traffic))
    key = sha256(names.encode("utf-8", "surrogateescape")).hexdigest()[:32]
    return folder / "sessions" / f"{key}{_SUFFIX}"


def _files(folder: Path) -> list[tuple[int, Path]]:
    """The files with when they were written, the newest first."""
    found = []
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(_SUFFIX) and not entry.name.startswith("."):
                with suppress(OSError):
                    found.append((entry.stat().st_mtime_ns, Path(entry.path)))
    return sorted(found, reverse=True)
