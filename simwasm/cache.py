"""Files worth making only once, in the user's cache folder.

Native code is kept here, and modules that were fetched. All of it will be run, so an entry is only believed if it is
ours and whole:

* the folder and the file belong to this user, and nobody else may write to them;
* the file begins with a digest over its key and its content, checked before anything looks at the content.

Rules that live here: whatever is wrong with an entry or with the folder, the answer is None or nothing
happens, never an error and never a guess; a file appears under its name only when it is complete; the least
recently used go first.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from threading import get_ident

FORMAT = b"simwasm cache 1\n"
LIMIT = 512 * 1024 * 1024

_DIGEST = sha256().digest_size
_ABANDONED_S = 3600.0
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


def user_folder() -> Path | None:
    """Where this user's cache is: `SIMWASM_CACHE_DIR` (empty: nowhere), or in `XDG_CACHE_HOME`."""
    chosen = os.environ.get("SIMWASM_CACHE_DIR")
    if chosen is not None:
        return Path(chosen) if chosen else None
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if base.is_absolute():
        return base / "simwasm"
    home = Path(os.path.expanduser("~"))
    return home / ".cache" / "simwasm" if home.is_absolute() else None


class Cache:
    """Keeps bytes by key in a folder; without one it keeps nothing."""

    def __init__(self, folder: Path | None, limit: int = LIMIT) -> None:
        self._folder = folder
        self._limit = limit

    def get(self, key: str) -> bytes | None:
        """What was put under the key, if it is there and beyond doubt."""
        if self._folder is None:
            return None
        try:
            path = self._path(self._folder, key)
            data = _read_ours(self._folder, path)
        except OSError:
            return None
        start = len(FORMAT) + _DIGEST
        content = data[start:]
        if data[:start] != FORMAT + _digest(key, content):
            return None
        with suppress(OSError):
            os.utime(path)
        return content

    def put(self, key: str, content: bytes) -> None:
        """Keep bytes, if that is possible."""
        if self._folder is None:
            return
        with suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _check_ours(self._folder.stat())
            _write_whole(self._path(self._folder, key), FORMAT + _digest(key, content) + content)
            self._prune(self._folder)

    @staticmethod
    def _path(folder: Path, key: str) -> Path:
        return folder / sha256(key.encode()).hexdigest()

    def _prune(self, folder: Path) -> None:
        """Remove the least recently used until the rest fits, and what a killed process left behind."""
        entries = sorted(_entries(folder), reverse=True)
        total = 0
        for used, size, path in entries:
            total += size
            abandoned = path.suffix == _UNFINISHED and used < time.time() - _ABANDONED_S
            if total > self._limit or abandoned:
                path.unlink(missing_ok=True)


_UNFINISHED = ".part"


def _digest(key: str, content: bytes) -> bytes:
    digest = sha256(key.encode() + b"\0")
    digest.update(content)
    return digest.digest()


def _check_ours(found: os.stat_result) -> None:
    """Refuse what others own or can write."""
    if not hasattr(os, "geteuid"):
        return
    if found.st_uid != os.geteuid() or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PermissionError("another user could have written this")


def _read_ours(folder: Path, path: Path) -> bytes:
    _check_ours(folder.stat())
    with open(os.open(path, os.O_RDONLY | _NO_FOLLOW), "rb") as file:
        found = os.fstat(file.fileno())
        _check_ours(found)
        if not stat.S_ISREG(found.st_mode):
            raise PermissionError("not a file")
        return file.read()


def _write_whole(path: Path, data: bytes) -> None:
    """Write a file that others see complete or not at all; it is readable by its owner only."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.{get_ident()}{_UNFINISHED}")
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_FOLLOW, 0o600)
    try:
        with open(handle, "wb") as file:
            file.write(data)
        os.replace(unfinished, path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def _entries(folder: Path) -> Iterator[tuple[float, int, Path]]:
    with os.scandir(folder) as found:
        for entry in found:
            with suppress(OSError):
                status = entry.stat(follow_symlinks=False)
                yield status.st_mtime, status.st_size, Path(entry.path)
