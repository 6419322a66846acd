"""What all plugins of a process share: engines, files, compiled programs. A test pays for none of them twice.

Rules: a file is read again when its size or its time of change differs; a program belongs to the engine that compiled
it, so there is one engine of each name; nothing that a guest can change is shared.
"""

from __future__ import annotations

import atexit
from collections.abc import Hashable
from functools import cache, lru_cache
from pathlib import Path
from typing import cast

from simwasm.engines import find
from simwasm.engines.engine import Engine, Program
from simwasm.engines.load import load
from simwasm.errors import InputError
from simwasm.plugin import Plugin, read_bytes
from simwasm.wasm.rewrite import Limits

_PROGRAMS, _FILES = 32, 64


@cache
def engine(name: str | None) -> Engine:
    """The engine of that name; without one the best that loads, which is the one that has its name."""
    found = find.engine(name)
    return engine(found.name) if name is None else found


def program(engine: Engine, wasm: bytes, limits: Limits) -> Program:
    """A compiled module."""
    return _program(cast("Hashable", engine), wasm, limits)


@lru_cache(_PROGRAMS)
def _program(engine: Hashable, wasm: bytes, limits: Limits) -> Program:
    return load(cast("Engine", engine), wasm, limits)


def read(path: Path) -> bytes:
    """The bytes of a file: the same object for as long as the file is the same, so that its hash is known."""
    try:
        found = path.stat()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"{path}: cannot be read: {why}; is the path right?") from None
    return _content(str(path), found.st_mtime_ns, found.st_size, found.st_ino)


@lru_cache(_FILES)
def _content(path: str, changed_ns: int, size: int, inode: int) -> bytes:
    return read_bytes(path)


@lru_cache(_FILES)
def _parsed(wasm: bytes) -> Plugin:
    """Somebody who remembers what was found out about these bytes."""
    found = Plugin("", wasm)
    found.module  # noqa: B018  # it is read now, and kept
    return found


def known(plugin: Plugin) -> Plugin:
    """The plugin, its bytes parsed once for all that have the same."""
    return plugin.like(_parsed(plugin.wasm))


@atexit.register
def forget() -> None:
    """Let go of everything, before the interpreter takes the engines' own modules apart."""
    _program.cache_clear()
    engine.cache_clear()
