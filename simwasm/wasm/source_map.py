"""Source maps: the lines of a plugin that has no DWARF, as AssemblyScript and Binaryen write them.

For Wasm a map has one line, whose columns are offsets in the file. Rules that live here: a map that cannot be read has
no lines; numbers are checked against what they count before they are used; a map may be in sections (`sections`), each
of which begins at an offset of its own.
"""

from __future__ import annotations

import json
import posixpath
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import Any

from simwasm.wasm.dwarf.rows import Place

LARGEST = 64 << 20
_MOST = 4_000_000
_MOST_SECTIONS = 1000
_DIGITS = {
    ord(digit): value
    for value, digit in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
}
_BITS, _MORE = 5, 32
_OUTPUT = ".wasm"
"""AssemblyScript names its output as the folder of the sources, which it is not."""
_HIGHEST = 1 << 32


class SourceMap:
    """The places of a map, by offset."""

    def __init__(self, data: bytes) -> None:
        self._offsets: array[int] = array("Q")
        self._files: array[int] = array("q")
        self._lines: array[int] = array("L")
        self._columns: array[int] = array("L")
        self._names: list[str] = []
        self._contents: dict[str, str] = {}
        try:
            self._read(json.loads(data) if len(data) <= LARGEST else None)
        except (ValueError, RecursionError, OverflowError):
            self._offsets = array("Q")

    @property
    def there(self) -> bool:
        """Whether it has any place."""
        return bool(self._offsets)

    def at(self, offset: int, since: int = 0) -> Place | None:
        """The line of the instruction at an offset in the file, if it or one before it, from `since` on, has one."""
        index = bisect_right(self._offsets, offset) - 1
        if index < 0 or self._files[index] < 0 or self._offsets[index] < since:
            return None
        name = self._names[self._files[index]]
        return Place(name, self._lines[index], self._columns[index]) if name else None

    def within(self, begin: int, end: int) -> Iterator[tuple[int, Place | None]]:
        """The places from an offset on, up to another one: from where on each holds."""
        for index in range(bisect_left(self._offsets, begin), bisect_left(self._offsets, end)):
            offset = self._offsets[index]
            if index + 1 == len(self._offsets) or self._offsets[index + 1] != offset:
                yield offset, self.at(offset)

    def places(self) -> Iterator[tuple[int, Place]]:
        """Every offset that is told of, with its place."""
        for offset in self._offsets:
            place = self.at(offset)
            if place is not None:
                yield offset, place

    def content(self, file: str) -> str | None:
        """The text of a file, if the map has it."""
        return self._contents.get(file)

    def _read(self, content: Any) -> None:
        found: list[tuple[int, int, int, int]] = []
        for offset, part in _parts(content):
            first = len(self._names)
            self._name_sources(part)
            sources = len(self._names) - first
            for column, source, line, position in _segments(part.get("mappings")):
                known = 0 <= source < sources and 0 <= line < _HIGHEST and 0 <= position < _HIGHEST
                line, position = (line, position) if known else (0, 0)
                if len(found) < _MOST and 0 <= column < _HIGHEST:
                    file = first + source if known else -1
                    found.append((offset + column, file, line + known, position + known))
        found.sort(key=lambda row: row[0])
        for target, index in (
            (self._offsets, 0),
            (self._files, 1),
            (self._lines, 2),
            (self._columns, 3),
        ):
            target.extend(row[index] for row in found)

    def _name_sources(self, part: dict[str, Any]) -> None:
        root = part.get("sourceRoot")
        sources, contents = part.get("sources"), part.get("sourcesContent")
        for index, source in enumerate(sources if isinstance(sources, list) else []):
            name = source if isinstance(source, str) else ""
            if isinstance(root, str) and name and not root.endswith(_OUTPUT):
                name = posixpath.normpath(posixpath.join(root, name))
            self._names.append(name)
            text = contents[index] if isinstance(contents, list) and index < len(contents) else None
            if isinstance(text, str) and name:
                self._contents[name] = text


def _parts(content: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    """A map, or those that it is made of, each with the offset it begins at."""
    if not isinstance(content, dict):
        return
    sections = content.get("sections")
    if not isinstance(sections, list):
        yield 0, content
        return
    for section in sections[:_MOST_SECTIONS]:
        if isinstance(section, dict) and isinstance(section.get("map"), dict):
            offset = section.get("offset")
            column = offset.get("column") if isinstance(offset, dict) else 0
            yield column if isinstance(column, int) and 0 <= column < _HIGHEST else 0, section["map"]


def _segments(mappings: object) -> Iterator[tuple[int, int, int, int]]:
    """Offset, source, line and column of every segment; a source of -1 where it has none."""
    if not isinstance(mappings, str):
        return
    column = source = line = position = 0
    for segment in mappings.partition(";")[0].split(","):
        fields = _numbers(segment)
        if not fields:
            continue
        column += fields[0]
        if len(fields) < 4:
            yield column, -1, 0, 0
            continue
        source, line, position = source + fields[1], line + fields[2], position + fields[3]
        yield column, source, line, position


def _numbers(segment: str) -> list[int]:
    """The numbers of a segment in base 64, the lowest bit of each its sign; none if it is broken."""
    found: list[int] = []
    value = shift = 0
    for digit in segment:
        bits = _DIGITS.get(ord(digit))
        if bits is None or shift > 60:
            return []
        value |= (bits & (_MORE - 1)) << shift
        shift += _BITS
        if not bits & _MORE:
            found.append(-(value >> 1) if value & 1 else value >> 1)
            value = shift = 0
    return found
