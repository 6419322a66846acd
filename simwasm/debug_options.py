"""What options say of a plugin's source: `--debug-file FILE`, `--source-map BUILD=HERE`.

Rule: a file with debug information is of one module; of a chain it is the one whose it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from simwasm.errors import InputError
from simwasm.plugin import Plugin, read_bytes
from simwasm.sources import Remap, remap

if TYPE_CHECKING:
    from simwasm.wasm.companions import Told as DebugInfo
    from simwasm.wasm.module import Module


def debug_infos(found: tuple[Plugin, ...], file: str) -> tuple[DebugInfo | None, ...]:
    """The debug information in a file, for the plugin whose it is."""
    if not file or len(found) == 1:
        return tuple(debug_file(each.module, file) if file else None for each in found)
    from simwasm.wasm.companions import told_by

    data = read_bytes(file)
    debugs = [told_by(each.module, data, file) for each in found]
    if all(debug.problem for debug in debugs):
        raise InputError(f"--debug-file: {debugs[0].problem}")
    return tuple(None if debug.problem else debug for debug in debugs)


def debug_file(module: Module, file: str) -> DebugInfo:
    """The debug information in a file that the user has named, which has to be this module's."""
    from simwasm.wasm.companions import told_by  # for those who have such a file

    found = told_by(module, read_bytes(file), file)
    if found.problem:
        raise InputError(f"--debug-file: {found.problem}")
    return found


def remaps(texts: Iterable[str]) -> tuple[Remap, ...]:
    """The folders that `--source-map` was said with."""
    return tuple(map(_remap, texts))


def _remap(text: str) -> Remap:
    try:
        return remap(text)
    except InputError as error:
        raise InputError(f"--source-map {text}: {error}") from None
