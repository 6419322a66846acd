"""Lines of source between lines of code: where the source changes, its place and, if the file is here, its text.

Rule: a file is looked for as everywhere (`simwasm.sources`), below the plugin's folder and below the one that the user
is in; one that is not here has no text.
"""

from __future__ import annotations

from argparse import Namespace
from functools import cached_property, lru_cache, partial
from pathlib import Path

from simwasm.debug_options import debug_file, remaps
from simwasm.sources import beside, find, read
from simwasm.trace.text import printable
from simwasm.wasm.lines import Lines, Place
from simwasm.wasm.module import Module

_LONGEST = 200


class SourceLines:
    """The source of a module's code, with the words that say where it is."""

    def __init__(self, module: Module, words: Namespace) -> None:
        folder = Path(words.plugin).resolve().parent
        debug = debug_file(module, words.debug_file) if words.debug_file else None
        self._lines = Lines(module, partial(beside, folder), debug)
        self._folders = (folder, Path.cwd())
        self._remaps = remaps(words.source_map)
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
        brought = self._lines.content(path)
        if brought is not None:
            return tuple(brought.splitlines())
        found = (find(path, self._remaps, folder) for folder in self._folders)
        here = next((each for each in found if each is not None), None)
        return tuple(read(here).splitlines()) if here is not None else ()
