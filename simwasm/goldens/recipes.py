"""The recipe in a golden's header: what plays it again, with files named from the golden's folder.

    "recipe": {"plugin": "../plugin.wasm", "traffic": ["login.har"], "callout": ["auth=auth.json"]}

Rules: the fields are those of a `Recipe` that are not as by default, in their order; what does not decide what a plugin
does, such as the engine, is none of them; what cannot be read a second time, such as standard input, is refused.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from simwasm.chain import name_of
from simwasm.debug.saved_recipe import options_from_json, options_to_json
from simwasm.errors import ConfigError, InputError
from simwasm.recipe import Recipe
from simwasm.traffic.json_field import Field
from simwasm.traffic.opening import STDIN

_REMEDY = "write it anew by `simwasm run … --golden`, or correct it"
_FILES = ("plugin", "traffic")
_NOT_KEPT = ("engine", "debug_file", "source_map")


def recipe_to_json(recipe: Recipe, golden: str | Path) -> dict[str, Any]:
    """A recipe for a golden of this path."""
    folder = Path(golden).parent
    if why := _unrepeatable(recipe):
        raise InputError(f"--golden: {why}")
    options = options_to_json(recipe, folder, named)
    options = _name(recipe) | options
    return {
        "plugin": named(recipe.plugin, folder),
        "traffic": [named(path, folder) for path in recipe.traffic],
        **{key: _listed(value) for key, value in options.items() if key not in _NOT_KEPT},
    }


def _unrepeatable(recipe: Recipe) -> str:
    """What of a recipe may be otherwise when it is played again; empty if nothing is."""
    for option, text in (("--config", recipe.config), ("--vm-config", recipe.vm_config)):
        if text == "@-" or (text[:1] == "@" and _flows(text[1:])):
            return f"{option} {text} can be read only once: put the configuration into a file"
    for path in (recipe.plugin, *recipe.traffic):
        if path == STDIN or _flows(path):
            return f"{path} can be read only once: put it into a file"
    for text in recipe.callout:
        if text.partition("=")[2].startswith(("http://", "https://")):
            return f"--callout {text}: a server may answer otherwise next time: script it"
    return ""


def _flows(path: str) -> bool:
    """Whether a path is a pipe or a device, which may also be named where it leads to a file."""
    return os.path.abspath(path).startswith(("/dev/", "/proc/")) or (
        os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)
    )


def _name(recipe: Recipe) -> dict[str, str]:
    """The plugin's name if it is that of the folder, which may be called otherwise elsewhere."""
    path = Path(recipe.plugin)
    return {"name": name_of(path)} if path.name == "plugin.wasm" else {}


def _listed(value: Any) -> Any:
    """A value as it is when it is read again."""
    return list(value) if isinstance(value, tuple) else value


def words_of(recipe: Recipe) -> str:
    """What is typed behind `simwasm debug` for the same run."""
    words = [recipe.plugin, *recipe.traffic]
    for field in fields(Recipe)[2:]:
        value, option = getattr(recipe, field.name), f"--{field.name.replace('_', '-')}"
        if value == field.default:
            continue
        if value is True:
            words.append(option)
        else:
            for each in value if isinstance(value, tuple) else (value,):
                words += [option, str(each)]
    return shlex.join(words)


def named(path: str, folder: Path) -> str:
    """A file as it is named from a folder, with slashes; an address is the same everywhere."""
    if "://" in path:
        return path
    return Path(os.path.relpath(path, folder)).as_posix()


def recipe_from_json(content: Mapping[str, Any], golden: str | Path) -> Recipe:
    """The recipe in the header of a golden."""
    folder = Path(golden).parent
    top = Field({"recipe": dict(content)}, f"{golden}:1", _REMEDY).get("recipe")
    options = {key: value for key, value in content.items() if key not in _FILES}
    try:
        recipe = Recipe(
            _opened(top.get("plugin"), folder),
            tuple(_opened(each, folder) for each in top.get("traffic").items()),
            **options_from_json(top.holding(_nameable(top, options)), folder),
        )
    except InputError as error:
        raise ConfigError(str(error)) from None
    if why := _unrepeatable(recipe):
        raise ConfigError(f"{golden}:1: {why}")
    return recipe


def _opened(found: Field, folder: Path) -> str:
    _nameable(found, found.text())
    return found.text() if "://" in found.text() else os.path.normpath(folder / found.text())


def _nameable(found: Field, value: Any) -> Any:
    """Some values, whose texts can be part of a path; those that are no text are looked at when they are read."""
    texts = [value] if isinstance(value, str) else value.values() if isinstance(value, dict) else value
    for each in texts:
        if isinstance(each, list):
            _nameable(found, [text for text in each if isinstance(text, str)])
        elif isinstance(each, str) and not _can_be_path(each):
            raise found.wrong("has a text that cannot be part of a path")
    return value


def _can_be_path(text: str) -> bool:
    try:
        return b"\0" not in os.fsencode(text)
    except ValueError:
        return False
