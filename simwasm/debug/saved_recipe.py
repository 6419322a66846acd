"""The options of a recipe as a session file holds them: those that are not as by default, under their own names.

Rule: a file that an option names (`@FILE`, a callout's script) is written relative to the session's folder if it is
below it, so that the folder can be handed over; it is read as a path from there if such a file exists.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from simwasm.recipe import Recipe
from simwasm.traffic.json_field import Field

_FILES = ("plugin", "traffic")
_TEXTS = (
    "config", "vm_config", "name", "root_id", "vm_id", "engine", "log_level", "fail_policy", "debug_file",
    "listener", "filter",
)  # fmt: skip
_LISTS = ("module", "env", "callout", "allow", "fault", "source_map")
_NUMBERS = ("fuel", "memory", "seed", "reload_after", "concurrency", "buffer_limit", "limit")
_FLAGS = ("together", "network")
LOG_LEVELS = ("trace", "debug", "info", "warn", "error", "critical")


def portable(path: str, folder: Path) -> str:
    """A path as it is written into a file of this folder; an address is the same everywhere."""
    if "://" in path:
        return path
    resolved, above = Path(os.path.abspath(path)), Path(os.path.abspath(folder))
    return resolved.relative_to(above).as_posix() if resolved.is_relative_to(above) else str(resolved)


def options_to_json(
    recipe: Recipe, folder: Path, name: Callable[[str, Path], str] = portable
) -> dict[str, Any]:
    """What is not as by default; `name` names a file from a folder."""
    found: dict[str, Any] = {}
    for each in fields(recipe):
        value = getattr(recipe, each.name)
        if each.name not in _FILES and value != (None if each.default is MISSING else each.default):
            found[each.name] = _told(each.name, value, lambda path: name(path, folder))
    return found


def options_from_json(found: Field, folder: Path) -> dict[str, Any]:
    """The arguments of a recipe."""
    given: dict[str, Any] = {}
    for key in sorted(found.keys()):
        value = found.find(key)
        if value is not None:
            given[key] = _told(key, _read(found, key, value), lambda path: os.path.normpath(folder / path))
    if given.get("log_level", "info") not in LOG_LEVELS:
        raise found.get("log_level").wrong(f"must be one of {', '.join(LOG_LEVELS)}")
    return given


def _read(options: Field, key: str, value: Field) -> Any:
    if key in _TEXTS:
        return value.text()
    if key == "module" and isinstance(value.value, str):
        return (value.text(),)  # there was one, once
    if key in _LISTS:
        return tuple(each.text() for each in value.items())
    if key in _NUMBERS:
        return value.integer()
    if key in _FLAGS:
        return value.flag()
    known = ", ".join((*_TEXTS, *_LISTS, *_NUMBERS, *_FLAGS))
    raise options.wrong(f"does not know {key!r}; known are {known}")


def _told(name: str, value: Any, path: Callable[[str], str]) -> Any:
    """An option's value with the files in it named otherwise."""
    if name in ("config", "vm_config") and value[:1] == "@" and value != "@-":
        return "@" + path(value[1:])
    if name == "debug_file":
        return path(value)
    if name == "module":
        return tuple(_module(each, path) for each in value)
    if name == "source_map":
        return tuple(_remap(each, path) for each in value)
    if name == "callout":
        return tuple(_callout(each, path) for each in value)
    return value


def _remap(text: str, path: Callable[[str], str]) -> str:
    """`/build=folder` with the folder as it is named elsewhere."""
    there, _, here = text.partition("=")
    return f"{there}={path(here)}"


def _module(text: str, path: Callable[[str], str]) -> str:
    """`NAME=FILE` or `FILE` with the file as it is named elsewhere; an address is the same everywhere."""
    if "://" in text:
        return text
    name, equals, file = text.partition("=")
    return f"{name}={path(file)}" if equals and "/" not in name else path(text)


def _callout(text: str, path: Callable[[str], str]) -> str:
    """`auth=script.json` with the script's path as it is named elsewhere."""
    cluster, equals, answer = text.partition("=")
    try:
        named = path(answer) if os.path.isfile(answer) or os.path.isfile(path(answer)) else answer
    except ValueError:
        return text
    return f"{cluster}{equals}{named}"
