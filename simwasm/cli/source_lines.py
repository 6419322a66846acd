"""Lines of source between lines of code: where the source changes, its place and, if the file is here, its text.

Rules that live here: a file is looked for as the debug information names it, then, part by part shorter, below the
plugin's folder and the one that the user is in; a file that is too large or is none is one that is not here.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property, lru_cache
from pathlib import Path, PurePosixPath

from simwasm.trace.text import printable
from simwasm.wasm.lines import Lines, Place
from simwasm.wasm.module import Module

LARGEST = 4 << 20
_LONGEST = 200


class SourceLines:
    """The source of a module's code."""

    def __init__(self, module: Module, plugin: str) -> None:
        self._lines = Lines(module)
        self._folders = (Path(plugin).resolve().parent, Path.cwd())
        self._last: tuple[str, int] | None = None

    @cached_property
    def there(self) -> bool:
        """Whether there is anything to show."""
        return self._lines.there

    def forget(self) -> None:
        """A new function begins: tell its first place even if it was the last one told."""
        self._last = None

    def place(self, offset: int) -> Place | None:
        """Where the instruction comes from."""
        return self._lines.at(offset)

    def changed(self, offset: int) -> str | None:
        """The line of source of an instruction, if the one before it came from another."""
        place = self._lines.at(offset)
        if place is None or (place.file, place.line) == self._last:
            return None
        self._last = (place.file, place.line)
        return self.text(place)

    def text(self, place: Place) -> str:
        """A place and its text: `src/lib.rs:48  let x = 1;`."""
        lines = self._file(place.file)
        text = lines[place.line - 1].strip()[:_LONGEST] if 0 < place.line <= len(lines) else ""
        return printable(f"{place}  {text}".rstrip()).replace("\n", " ")

    @lru_cache(maxsize=64)  # noqa: B019  # it lives as long as the command
    def _file(self, path: str) -> tuple[str, ...]:
        for candidate in self._candidates(path):
            try:
                if candidate.is_file() and candidate.stat().st_size <= LARGEST:
                    return tuple(candidate.read_text("utf-8", "replace").splitlines())
            except (OSError, ValueError):
                continue
        return ()

    def _candidates(self, path: str) -> Iterator[Path]:
        parts = PurePosixPath(path.replace("\\", "/")).parts
        if parts[:1] == ("/",):
            yield Path(path)
            parts = parts[1:]
        if ".." not in parts:
            for folder in self._folders:
                yield from (folder.joinpath(*parts[first:]) for first in range(len(parts)))
