"""Session files, `*.simwasm`: what was being debugged and where one stood, for a colleague or for tomorrow.

    {"simwasm_session": 1,
     "plugin": {"file": "plugin.wasm", "sha256": "…"}, "traffic": [{"file": "login.har", "sha256": "…"}],
     "options": {"config": "@plugin.json", "callout": ["auth=403"]},
     "breakpoints": […], "watches": ["body.request"], "bookmarks": [{"name": "here", "place": {…}}],
     "place": {"exchange": 3, "callback": "proxy_on_request_headers", "nth": 1}, "view": {…}}

Rules: a file below the session's folder is written relative to it, any other absolute; keys that are not known are
kept and written again; a file appears under its name only when it is complete; whatever is wrong with one is a
`ConfigError` that says where and what to do.
"""

from __future__ import annotations

import glob
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from simwasm.debug.places import Place
from simwasm.debug.saved_branch import SavedBranch
from simwasm.debug.saved_recipe import options_from_json, options_to_json, portable
from simwasm.errors import ConfigError, InputError
from simwasm.recipe import Recipe
from simwasm.traffic.json_field import Field, parse
from simwasm.traffic.opening import STDIN

FORMAT = 1
_MARK = "simwasm_session"
_KNOWN = {
    _MARK, "plugin", "traffic", "options", "breakpoints", "watches", "bookmarks", "place", "branches", "branch",
    "filter", "view",
}  # fmt: skip
_REMEDY = "write it anew with `save`, or correct it"
_LARGEST = 64 << 20


@dataclass(frozen=True, slots=True)
class Bookmark:
    """A place with a name."""

    name: str
    place: Place


@dataclass(frozen=True, slots=True)
class SavedSession:
    """Everything that a session file holds. Paths are as they can be opened from here."""

    recipe: Recipe
    sha256: str = ""
    """The digest of the plugin; empty where it is not known."""
    traffic_sha256: tuple[str, ...] = ()
    breakpoints: Any = None
    """As `Breakpoints` writes and reads itself."""
    watches: tuple[str, ...] = ()
    """Expressions."""
    bookmarks: tuple[Bookmark, ...] = ()
    place: Place = Place()  # noqa: RUF009  # it is frozen
    branches: tuple[SavedBranch, ...] = ()
    branch: str = ""
    """The branch one stood on; empty for the run as it was."""
    filter: str = ""
    view: Mapping[str, Any] = field(default_factory=dict)
    """What a screen wants to find again; nobody else looks into it."""
    others: Mapping[str, Any] = field(default_factory=dict)
    """Keys that are not known here."""

    def missing(self) -> tuple[str, ...]:
        """A sentence for each file that is not there."""
        files = [(self.recipe.plugin, "the plugin", self.sha256)]
        hashes = (*self.traffic_sha256, *[""] * len(self.recipe.traffic))
        files += [
            (path, "a recording", hashed) for path, hashed in zip(self.recipe.traffic, hashes, strict=False)
        ]
        return tuple(
            f"{what} {path} is not there{f' (sha256 {hashed[:12]}… was expected)' if hashed else ''}; "
            "put it back, or change its path in the session file"
            for path, what, hashed in files
            if not _is_there(path)
        )

    def changed(self, plugin: str) -> tuple[str, ...]:
        """A sentence for each file that is another one than it was, the plugin's digest being this."""
        found = []
        if self.sha256 and self.sha256 != plugin:
            found.append(
                f"{self.recipe.plugin} has changed since the session was saved (sha256 {self.sha256[:12]}… then, "
                f"{plugin[:12]}… now): breakpoints and places are found again by name"
            )
        for path, hashed in zip(self.recipe.traffic, self.traffic_sha256, strict=False):
            if hashed and digest(path) not in ("", hashed):
                found.append(f"{path} has changed since the session was saved: exchanges are found by number")
        return tuple(found)


def _is_there(path: str) -> bool:
    """Whether something of that name can be read; of an address, nobody knows before."""
    return "://" in path or os.path.exists(path) or (glob.has_magic(path) and bool(glob.glob(path)))


def with_digests(session: SavedSession, plugin: str) -> SavedSession:
    """The session with the digests of its files as they are now, the plugin's being this."""
    return replace(session, sha256=plugin, traffic_sha256=tuple(map(digest, session.recipe.traffic)))


def digest(path: str) -> str:
    """The digest of a file; empty if it cannot be read."""
    try:
        found = os.stat(path)
        return _digest(path, found.st_size, found.st_mtime_ns, found.st_ino)
    except (OSError, ValueError):
        return ""


@lru_cache(maxsize=64)
def _digest(path: str, size: int, changed_ns: int, inode: int) -> str:
    """The digest of a file as it was then: a session is kept often, and its recordings may be large."""
    whole = sha256()
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            whole.update(piece)
    return whole.hexdigest()


def save(path: str | Path, session: SavedSession, *, sync: bool = True) -> None:
    """Write a session file, whole or not at all; `sync` waits until it would outlive a loss of power."""
    try:
        _write_whole(Path(path), dumps(session, Path(path).absolute().parent), sync)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"{path}: cannot be written: {why}") from None


def load(path: str | Path) -> SavedSession:
    """Read a session file."""
    try:
        with open(path, "rb") as file:
            data = file.read(_LARGEST + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"{path}: cannot be read: {why}; is the path right?") from None
    return loads(data, str(path), Path(path).absolute().parent)


def dumps(session: SavedSession, folder: Path) -> bytes:
    """The content of a session file that will be in a folder."""
    if STDIN in (session.recipe.plugin, *session.recipe.traffic):
        raise InputError(
            "what came from standard input can be read only once: put it into a file to save the session"
        )
    hashes = (*session.traffic_sha256, *[""] * len(session.recipe.traffic))
    content: dict[str, Any] = {
        _MARK: FORMAT,
        "plugin": _file(session.recipe.plugin, session.sha256, folder),
        "traffic": [_file(*each, folder) for each in zip(session.recipe.traffic, hashes, strict=False)],
        "options": options_to_json(session.recipe, folder),
        "breakpoints": session.breakpoints,
        "watches": list(session.watches),
        "bookmarks": [{"name": each.name, "place": each.place.to_json()} for each in session.bookmarks],
        "place": session.place.to_json(),
        "branches": [each.to_json() for each in session.branches],
        "branch": session.branch,
        "filter": session.filter,
        "view": dict(session.view),
    }
    kept = {key: value for key, value in content.items() if value or key == "plugin"}
    return (json.dumps(kept | dict(session.others), indent=1) + "\n").encode()


def loads(data: bytes, where: str, folder: Path) -> SavedSession:
    """A session from the content of its file, which is in a folder."""
    if len(data) > _LARGEST:
        raise ConfigError(f"{where}: is larger than {_LARGEST >> 20} MiB, which no session is; {_REMEDY}")
    try:
        return _session(parse(data, where, _REMEDY), folder)
    except RecursionError:
        raise ConfigError(f"{where}: is nested too deeply; {_REMEDY}") from None
    except ConfigError:
        raise
    except InputError as error:
        text = str(error)
        raise ConfigError(text if text.startswith(where) else f"{where}: {text}; {_REMEDY}") from None


def _session(top: Field, folder: Path) -> SavedSession:
    _check_format(top)
    plugin, traffic = top.get("plugin"), list(top.each("traffic"))
    options = top.find("options")
    recipe = Recipe(
        _opened(plugin, folder),
        tuple(_opened(each, folder) for each in traffic),
        **(options_from_json(options, folder) if options is not None else {}),
    )
    place, breakpoints, view = top.find("place"), top.find("breakpoints"), top.find("view")
    members = top.value if isinstance(top.value, dict) else {}
    return SavedSession(
        recipe,
        plugin.text_of("sha256"),
        tuple(each.text_of("sha256") for each in traffic),
        breakpoints.value if breakpoints is not None else None,
        tuple(each.text() for each in top.each("watches")),
        tuple(Bookmark(each.get("name").text(), _place(each.get("place"))) for each in top.each("bookmarks")),
        Place() if place is None else _place(place),
        tuple(SavedBranch.from_json(each) for each in top.each("branches")),
        top.text_of("branch"),
        top.text_of("filter"),
        {} if view is None else {key: view.get(key).value for key in sorted(view.keys()) if view.find(key)},
        {key: value for key, value in members.items() if key not in _KNOWN},
    )


def _check_format(top: Field) -> None:
    if top.find(_MARK) is None:
        raise top.wrong(f'is no session of simwasm: it has no "{_MARK}"')
    number = top.get(_MARK).integer()
    if number > FORMAT:
        raise ConfigError(
            f"{top.where}: was written by a newer simwasm (format {number}; this one reads {FORMAT}): update simwasm"
        )
    if number < 1:
        raise top.wrong(f"has format {number}, which there never was")


def _place(found: Field) -> Place:
    try:
        return Place.from_json(found.value)
    except InputError as error:
        raise found.wrong(f"cannot be used: {error}") from None


def _file(path: str, hashed: str, folder: Path) -> dict[str, str]:
    return {"file": portable(path, folder)} | ({"sha256": hashed} if hashed else {})


def _opened(found: Field, folder: Path) -> str:
    """The path of a file that is named in a session, as it can be opened from here."""
    text = found.get("file").text()
    try:
        os.fsencode(text)
    except ValueError:
        raise found.wrong("names a file by what cannot be a path") from None
    if not text or "\0" in text:
        raise found.wrong("names a file by what cannot be a path")
    return text if "://" in text else str(folder / text)


def _write_whole(path: Path, data: bytes, sync: bool) -> None:
    """Others see the file complete or as it was before."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(unfinished, "wb") as file:
            file.write(data)
            if sync:
                file.flush()
                os.fsync(file.fileno())
        os.replace(unfinished, path)
    except BaseException:
        with suppress(OSError):
            unfinished.unlink()
        raise
