"""From what was typed or dropped to what is to be opened: plugin, traffic, a session, a trace.

A terminal gives dropped files as paths in quotes, with escaped spaces, or as `file://`; they may come in any order.
Rules: a file's name says what it is, and its first line where the name does not, or the field that it was typed into;
errors say which field they belong to.
"""

from __future__ import annotations

import glob
import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from simwasm.debug.reader import is_trace
from simwasm.debug.start import Start, start_from, start_reading, start_with
from simwasm.errors import BadModule, SimwasmError
from simwasm.recipe import Recipe

SESSION, PLUGIN = ".simwasm", (".wasm", ".wat", ".yaml", ".yml", ".tar")
TRAFFIC = (".har", ".jsonl", ".json", ".http", ".rest", ".curl", ".flow", ".flows", ".pb", ".gz", ".zst")
_MOST = 200
"""Names of files that are offered at once."""


@dataclass(frozen=True)
class Wrong:
    """What is wrong, and with which field."""

    field: str
    text: str


@dataclass(frozen=True)
class Chosen:
    """What is to be opened, by kind."""

    plugin: str = ""
    traffic: tuple[str, ...] = ()
    session: str = ""
    trace: str = ""


def paths(text: str) -> list[str]:
    """The paths in what was typed or dropped."""
    try:
        words = shlex.split(text)
    except ValueError:
        words = text.split()
    if len(words) > 1 and os.path.exists(os.path.expanduser(text.strip())):
        words = [text.strip()]  # spaces in a name
    return [_path(word) for word in words]


def _path(word: str) -> str:
    if word.startswith("file://"):
        word = unquote(urlsplit(word).path)
    return os.path.expanduser(word)


def sort(words: Sequence[str]) -> Chosen:
    """Which path is what."""
    chosen = Chosen()
    for path in words:
        if path.endswith(SESSION):
            chosen = replace(chosen, session=path)
        elif path.endswith(PLUGIN) or path.startswith(("oci://", "http://", "https://")):
            chosen = replace(chosen, plugin=path)
        elif is_trace(path):
            chosen = replace(chosen, trace=path)
        elif path not in chosen.traffic:
            chosen = replace(chosen, traffic=(*chosen.traffic, path))
    return chosen


def understand(plugin: str, traffic: str) -> Chosen | Wrong:
    """What the two fields mean; a path may stand in either."""
    first, second = paths(plugin), paths(traffic)
    for field, words in (("plugin", first), ("traffic", second)):
        for path in words:
            if wrong := absent(path):
                return Wrong(field, wrong)
    chosen = sort([*first, *second])
    if not chosen.plugin and first and not chosen.session and not chosen.trace:
        chosen = replace(
            chosen, plugin=first[0], traffic=tuple(path for path in chosen.traffic if path != first[0])
        )
    if not (chosen.plugin or chosen.session or chosen.trace):
        return Wrong(
            "plugin", "a plugin is needed: its .wasm file, the YAML that configures it, or a .simwasm session"
        )
    return chosen


def missing(path: str) -> str:
    """Why a file cannot be opened, as far as one sees from outside."""
    return f"{path} is a folder" if "\0" not in path and os.path.isdir(path) else absent(path)


def absent(path: str) -> str:
    """Why nothing can be read by this name, be it that of a file, a folder, a pattern or an address."""
    if "\0" in path:
        return "that cannot be a path"
    there = "://" in path or os.path.exists(path) or (glob.has_magic(path) and glob.glob(path))
    return "" if there else f"{path} is not there"


def start_of(chosen: Chosen) -> Start | Wrong:
    """Read what was chosen."""
    try:
        if chosen.session:
            return start_from(chosen.session)
        if chosen.trace and not chosen.plugin:
            return start_reading(chosen.trace)
        return start_with(Recipe(chosen.plugin, chosen.traffic))
    except SimwasmError as error:
        text = f"{chosen.plugin}: {error}" if isinstance(error, BadModule) else str(error)
        return Wrong("traffic" if any(path in text for path in chosen.traffic) else "plugin", text)


@dataclass(frozen=True)
class Name:
    """A path that may stand in a field."""

    text: str
    start: int


def complete_path(text: str, cursor: int) -> list[Name]:
    """Files and folders whose path begins with what stands before the cursor."""
    start = _last_word(text[:cursor])
    typed = text[start:cursor].replace("\\ ", " ").strip("'\"")
    folder, begun = os.path.split(typed)
    try:
        with os.scandir(os.path.expanduser(folder) or ".") as entries:
            found = [(entry.name, entry.is_dir()) for entry in entries if _fits(entry.name, begun)]
    except (OSError, ValueError):
        return []
    found.sort(
        key=lambda entry: (not entry[1] and not entry[0].endswith((SESSION, *PLUGIN, *TRAFFIC)), entry[0])
    )
    return [
        Name(os.path.join(folder, name).replace(" ", "\\ ") + ("/" if is_folder else ""), start)
        for name, is_folder in found[:_MOST]
    ]


def _fits(name: str, begun: str) -> bool:
    return (
        name.startswith(begun) and (begun.startswith(".") or not name.startswith(".")) and name.isprintable()
    )


def _last_word(text: str) -> int:
    at = len(text)
    while at and not (text[at - 1] == " " and text[at - 2 : at - 1] != "\\"):
        at -= 1
    return at


def name_of(path: str) -> str:
    """A short name for a file: with its folder where it is called plugin.wasm."""
    found = Path(path)
    return f"{found.parent.name}/{found.name}" if found.stem == "plugin" and found.parent.name else found.name
