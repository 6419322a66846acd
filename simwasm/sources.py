"""Source files of a plugin: finding them on this machine, and their text.

A plugin's debug information has the paths of the machine it was built on. A file is looked for as it is written, with
the beginnings replaced that the user has given, and, part by part shorter, below the folder one is in.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from simwasm.errors import InputError

LARGEST = 4 << 20


class Remap(NamedTuple):
    """The beginning of a path, and what it is here."""

    there: str
    here: str


def remap(text: str) -> Remap:
    """`/build=/home/ann/plugin`: a folder of the build, and the one here that stands for it."""
    there, equals, here = text.partition("=")
    if not equals or not there.strip() or not here.strip():
        raise InputError("write it as /build/folder=/folder/here")
    folder = Path(here.strip()).expanduser()
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}")
    return Remap(there.strip().rstrip("/") + "/", f"{folder.absolute()}/")


def remaps_of(saved: object) -> tuple[Remap, ...]:
    """Those that a session file holds; what is none is left out."""
    pairs = saved if isinstance(saved, list) else []
    return tuple(
        Remap(*pair)
        for pair in pairs
        if isinstance(pair, list) and len(pair) == 2 and all(isinstance(each, str) for each in pair)
    )


def find(path: str, remaps: Iterable[Remap] = (), home: Path | None = None) -> Path | None:
    """The file of that path on this machine."""
    for candidate in _candidates(path, remaps, home or Path.cwd()):
        try:
            if candidate.is_file() and candidate.stat().st_size <= LARGEST:
                return candidate
        except (OSError, ValueError):
            continue
    return None


def _candidates(path: str, remaps: Iterable[Remap], home: Path) -> Iterable[Path]:
    for there, here in remaps:
        if path.startswith(there):
            yield Path(here + path[len(there) :])
    parts = PurePosixPath(path.replace("\\", "/")).parts
    if parts[:1] == ("/",):
        yield Path(path)
        parts = parts[1:]
    if ".." not in parts:
        for first in range(len(parts)):
            yield home.joinpath(*parts[first:])


def read(path: Path) -> str:
    """The text of a file; nothing if it cannot be read."""
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


def beside(folder: Path, name: str) -> bytes | None:
    """The contents of a file in a folder; None if there is none that can be read."""
    try:
        path = folder / name
        return path.read_bytes() if path.is_file() else None
    except (OSError, ValueError):
        return None
