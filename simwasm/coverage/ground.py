"""What of a plugin can be reached: its blocks, functions and lines of source, callbacks and host calls.

Rules that live here: a line has code if an instruction comes from it, or if a function is inlined that it calls; what
its toolchain and its packages brought along is told apart (`own.py`).
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from hashlib import sha256
from itertools import accumulate
from pathlib import Path

from simwasm.abi.table import ALLOCATORS, callbacks
from simwasm.coverage.own import OwnNames, is_own_path
from simwasm.coverage.values import Function, Ground, Source, Written
from simwasm.plugin import Plugin
from simwasm.sources import find
from simwasm.wasm.blocks import NONE, blocks
from simwasm.wasm.decode import split
from simwasm.wasm.lines import Place
from simwasm.wasm.module import Body, Kind
from simwasm.wasm.names import function_names
from simwasm.wasm.toolchain import how_to_debug

Numbers = dict[int, None]
"""Blocks, each once, in order."""


def ground(plugin: Plugin) -> Ground:
    """What of a plugin can be reached."""
    return _Survey(plugin).ground()


class _Survey:
    """Goes through a plugin's functions."""

    def __init__(self, plugin: Plugin) -> None:
        self._plugin = plugin
        self._lines: dict[str, dict[int, Numbers]] = {}
        self._written: dict[str, dict[tuple[str, int], Numbers]] = {}
        self._own: dict[str, bool] = {}
        self._sizes: list[int] = []
        self._own_names = OwnNames(())

    def ground(self) -> Ground:
        """All of it."""
        plugin, module = self._plugin, self._plugin.module
        imported = module.imported(Kind.FUNCTION)
        names = function_names(module)
        self._own_names = OwnNames(names)
        functions = [
            self._function(index, names[index], body)
            for index, body in enumerate(module.bodies, len(imported))
        ]
        known = callbacks(plugin.abi)
        offered = (each.name for each in module.exports if each.kind is Kind.FUNCTION and each.name in known)
        return Ground(
            tuple(self._sizes),
            tuple(functions),
            tuple(each for each in map(self._source, sorted(self._lines)) if each.lines),
            tuple(sorted(name for name in offered if name.startswith("proxy_") and name not in ALLOCATORS)),
            tuple(sorted({item.name for item in imported})),
            "" if plugin.lines.there else f"there is {how_to_debug(module)}",
        )

    def _function(self, index: int, name: str, body: Body) -> Function:
        pieces = split(self._plugin.module.data, body.code, body.end, name)
        first = len(self._sizes)
        found = blocks(pieces)
        sizes = Counter(found.of)
        self._sizes += [sizes[block] for block in range(len(found.begins))]
        offsets = list(accumulate(map(len, pieces[:-1]), initial=body.code))
        of = [NONE if block == NONE else first + block for block in found.of]
        place = self._add_lines(name, body, offsets, of)
        return Function(index, name, first, len(self._sizes), self._has_written(name, place))

    def _has_written(self, name: str, place: Place | None) -> bool:
        """Whether a function is the user's; one that has no line, though there are lines, is not."""
        if self._plugin.lines.there:
            return place is not None and self._is_own(place.file)
        return name in self._own_names

    def _add_lines(self, name: str, body: Body, offsets: list[int], of: list[int]) -> Place | None:
        """Add the lines of a function, and give where it begins."""
        begins: Place | None = None
        has_own = False
        changes = list(self._plugin.lines.within(body.code, body.end))
        for at, (offset, place) in enumerate(changes):
            if place is None:
                continue
            begins = begins or place
            has_own = has_own or self._is_own(place.file)
            end = changes[at + 1][0] if at + 1 < len(changes) else body.end
            self._add(place, _between(offsets, of, offset, end))
        if has_own and begins is not None:
            begins = self._add_written(name, body, offsets, of, begins)
        return begins

    def _add_written(self, name: str, body: Body, offsets: list[int], of: list[int], begins: Place) -> Place:
        """Add the functions of the source that a function is made of, and give where it begins itself."""
        found = self._plugin.lines.written(body.code)
        for number, each in enumerate(found):
            reached = dict.fromkeys(
                block for begin, end in each.ranges for block in _between(offsets, of, begin, end)
            )
            if not number:
                reached, begins = dict.fromkeys(of), each.declared or begins
            if each.called is not None:
                self._add(each.called, reached)
            if each.declared is not None and self._is_own(each.declared.file):
                self._declare(each.name, each.declared, reached)
        if not found and self._is_own(begins.file):
            self._declare(name, begins, dict.fromkeys(of))
        return begins

    def _add(self, place: Place, found: Numbers) -> None:
        """Some blocks are of a line."""
        self._lines.setdefault(place.file, {}).setdefault(place.line, {}).update(found)

    def _declare(self, name: str, place: Place, found: Numbers) -> None:
        """Some blocks are of a function of the source."""
        self._written.setdefault(place.file, {}).setdefault((name, place.line), {}).update(found)

    def _is_own(self, path: str) -> bool:
        if path not in self._own:
            self._own[path] = is_own_path(path)
        return self._own[path]

    def _source(self, path: str) -> Source:
        own, lines = self._is_own(path), self._lines[path]
        there = self._here(path) if own else None
        return Source(
            path,
            own,
            _shown(there) if there is not None else "",
            sha256(there.read_bytes()).hexdigest() if there is not None else "",
            {line: _numbers(lines[line]) for line in sorted(lines) if _numbers(lines[line])},
            tuple(
                Written(name, line, _numbers(found))
                for (name, line), found in sorted(
                    self._written.get(path, {}).items(), key=lambda item: item[0][1]
                )
                if _numbers(found)
            ),
        )

    def _here(self, path: str) -> Path | None:
        """The file on this machine: below the plugin's folder, or below the one that the user is in."""
        folders = [folder for folder in (self._plugin.folder, Path.cwd()) if folder is not None]
        found = (find(path, self._plugin.remaps, folder) for folder in folders)
        return next((each for each in found if each is not None), None)


def _between(offsets: list[int], of: list[int], begin: int, end: int) -> Numbers:
    """The blocks of the instructions that begin in a range."""
    return dict.fromkeys(of[bisect_left(offsets, begin) : bisect_left(offsets, end)])


def _numbers(found: Numbers) -> tuple[int, ...]:
    return tuple(sorted(block for block in found if block != NONE))


def _shown(path: Path) -> str:
    """A path from the folder that the user is in, if it is below."""
    try:
        return path.resolve().relative_to(Path.cwd().resolve()).as_posix()
    except ValueError:
        return str(path.resolve())
