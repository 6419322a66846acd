"""The user's own keys: a JSON file of command ids and keys, in the folder for settings.

    {"step": "f11", "step_back": "shift+f11", "continue": "f5,c"}

A file that cannot be used costs nothing but its own wishes: whatever is wrong is a sentence, and the rest goes on.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import NamedTuple

_KEY = re.compile(r"(?:(?:ctrl|shift|alt|super|meta|hyper)\+)*(?:\S|[a-z][a-z0-9_]*)")
_LARGEST = 1 << 20


class Keymap(NamedTuple):
    """Keys by command id, and what could not be used."""

    keys: dict[str, str]
    wrong: tuple[str, ...] = ()


def default_path() -> Path:
    """Where the file is."""
    from platformdirs import user_config_path  # nobody else needs it

    return user_config_path("simwasm") / "keys.json"


def read(path: Path, known: frozenset[str]) -> Keymap:
    """Read the file, if there is one."""
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
        if len(data) > _LARGEST:
            return Keymap({}, (f"{path}: the keymap is larger than a MiB; it is not used",))
        wishes = json.loads(data)
    except FileNotFoundError:
        return Keymap({})
    except (OSError, ValueError, RecursionError) as error:
        return Keymap({}, (f"{path}: the keymap is not used: {error}",))
    if not isinstance(wishes, dict):
        return Keymap({}, (f"{path}: the keymap is not used: it is not an object of command ids and keys",))
    return _usable(path, wishes, known)


def _usable(path: Path, wishes: dict[object, object], known: frozenset[str]) -> Keymap:
    keys: dict[str, str] = {}
    wrong: list[str] = []
    for command, wish in wishes.items():
        if command not in known:
            wrong.append(f"{path}: there is no command `{command}`; the manual (F1) lists them")
        elif not isinstance(wish, str) or not all(_KEY.fullmatch(key.strip()) for key in _split(wish)):
            wrong.append(f"{path}: {wish!r} is no key for `{command}`; write f5, ctrl+n or x")
        else:
            keys[str(command)] = ",".join(key.strip() for key in _split(wish))
    return Keymap(keys, tuple(wrong))


def _split(wish: str) -> list[str]:
    return ["comma"] if wish.strip() == "," else wish.split(",")
