"""Source files: finding them on this machine, and their lines with colours.

A plugin's debug information has the paths of the machine it was built on. A file is looked for as it is written, with
the beginnings replaced that the user has given, and, part by part shorter, below the folder one is in.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from simwasm_tui.text import Line, clean

LARGEST = 4 << 20
_COLOURED = 200_000
"""Characters up to which a file is coloured."""


class Remap(NamedTuple):
    """The beginning of a path, and what it is here."""

    there: str
    here: str


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


def lines(text: str, name: str) -> tuple[Line, ...]:
    """The lines of a file, in the theme's inks as far as its language is known."""
    if len(text) <= _COLOURED and (coloured := _coloured(text, name)):
        return coloured
    return tuple(((clean(line.expandtabs(4)), ""),) for line in text.splitlines())


def _coloured(text: str, name: str) -> tuple[Line, ...]:
    from pygments.lexers import get_lexer_for_filename  # takes a while, and most never look at source
    from pygments.token import Comment, Keyword, Name, Number, String
    from pygments.util import ClassNotFound

    try:
        lexer = get_lexer_for_filename(name, stripnl=False)
    except ClassNotFound:
        return ()
    inks = ((Comment, "muted"), (String, "string"), (Keyword, "callback"), (Number, "number"),
            (Name.Function, "accent"), (Name.Class, "accent"))  # fmt: skip
    found: list[Line] = []
    current: list[tuple[str, str]] = []
    for token, part in lexer.get_tokens(text):
        ink = next((ink for kind, ink in inks if token in kind), "")
        for index, piece in enumerate(part.split("\n")):
            if index:
                found.append(tuple(current))
                current = []
            if piece:
                current.append((clean(piece.replace("\t", "    ")), ink))
    return (*found, tuple(current)) if current else tuple(found)
