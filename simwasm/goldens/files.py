"""Which files are goldens, and what plays each again.

Rules: a file that was named is a golden or a mistake; in a folder, recorded traffic and hidden folders are passed over,
and everything else that is called *.jsonl is a golden, so that one which is broken does not go unnoticed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import NoReturn

from simwasm.errors import BadModule, InputError, TraceError
from simwasm.goldens.playing import Player
from simwasm.goldens.recipes import recipe_from_json
from simwasm.goldens.redactions import own_of
from simwasm.trace.event import Observer
from simwasm.trace.file import open_trace
from simwasm.trace.parse import Header

_TRAFFIC = b'{"simwasm"'


def goldens(paths: Iterable[str]) -> tuple[str, ...]:
    """The goldens that these files and folders are, each once, in their order."""
    found = (os.path.normpath(file) for path in paths for file in _below(path))
    first: dict[str, str] = {}
    for file in found:
        first.setdefault(os.path.realpath(file), file)
    return tuple(first.values())


def _below(path: str) -> list[str]:
    if not os.path.isdir(path):
        return [path]
    found = sorted(_files(path))
    if not found:
        raise InputError(
            f"{path}: there is no golden in this folder; `simwasm run … --golden FILE` writes one"
        )
    return found


def _files(folder: str) -> Iterator[str]:
    for where, inside, names in os.walk(folder, onerror=_unreadable):
        inside[:] = [name for name in inside if not name.startswith(".")]
        for name in names:
            path = os.path.join(where, name)
            if name.endswith(".jsonl") and not _is_traffic(path):
                yield path


def _unreadable(error: OSError) -> NoReturn:
    raise InputError(f"{error.filename}: cannot be read: {error.strerror}")


def _is_traffic(path: str) -> bool:
    if not os.path.isfile(path):
        return False
    try:
        with open(path, "rb") as file:
            return file.read(len(_TRAFFIC)) == _TRAFFIC
    except OSError:
        return False  # it is told what is wrong with it when it is opened as a golden


def header(path: str) -> Header:
    """The first line of a golden."""
    try:
        golden = open_trace(path, ahead=0)
    except TraceError as error:
        advice = "restore it, or write it anew by `simwasm run … --golden`"
        joined = " If so, " if str(error).endswith("?") else "; "
        raise error if error.line else TraceError(f"{error}{joined}{advice}") from None
    golden.close()
    return golden.header


def played(path: str, header: Header, player: Player, also: Sequence[Observer] = ()) -> str:
    """The run of a golden's recipe, as the text that the golden has to have; observers in `also` are told of it."""
    assert header.recipe is not None
    recipe = recipe_from_json(header.recipe, path)
    try:
        return player.play(recipe, header.recipe, own_of(header.redacted), also)
    except BadModule as error:
        raise InputError(f"{path}:1: {recipe.plugin}: {error}") from None
    except InputError as error:
        text = str(error)
        raise InputError(text if text.startswith(path) else f"{path}:1: {text}") from None


def unplayable(header: Header) -> str:
    """Why a golden cannot be played by its recipe; empty if it can."""
    if header.recipe is not None:
        return ""
    if header.test:
        return f"pytest plays it: {header.test}"
    if was_golden(header):
        return "its recipe is missing: restore it, or write it anew by `simwasm run … --golden`"
    return "nothing in it tells how it is played again: it is a trace of --trace, and not of --golden"


def was_golden(header: Header) -> bool:
    """Whether a file was written as a golden: a trace names the builds of its plugins, or when it was made."""
    return not header.started_ns and not any(made.sha256 for made in header.plugins)
