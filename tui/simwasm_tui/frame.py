"""The lines between the panes, with their headings in them: drawn around areas, joints and all.

    ─ 1 Streams ──────────┬─ 2 ABI trace ──────────────────── 142–152 of 392 ─┬━ 3 Inspect ━━━━━━━━

The pane that has the focus has a heavy line, so that one sees it without colours. Pure: areas and headings in, pieces
out; a piece that can be clicked is in `spots` too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import NamedTuple

from simwasm_tui.layout import Area
from simwasm_tui.text import Line, Piece, cells, fit

_UP, _DOWN, _LEFT, _RIGHT = 1, 2, 4, 8
_LINES = {
    _UP | _DOWN: "│", _LEFT | _RIGHT: "─", _LEFT: "─", _RIGHT: "─", _UP: "│", _DOWN: "│",
    _DOWN | _RIGHT: "┌", _DOWN | _LEFT: "┐", _UP | _RIGHT: "└", _UP | _LEFT: "┘",
    _UP | _DOWN | _RIGHT: "├", _UP | _DOWN | _LEFT: "┤", _DOWN | _LEFT | _RIGHT: "┬",
    _UP | _LEFT | _RIGHT: "┴", _UP | _DOWN | _LEFT | _RIGHT: "┼",
}  # fmt: skip

_HEAVY = str.maketrans("─┬┴┼├┤", "━┯┷┿┝┥")

_LEAST = 6
"""Cells of a note."""


class Tab(NamedTuple):
    """One of the panes in an area."""

    pane: str
    title: str
    active: bool = True


class Heading(NamedTuple):
    """What stands in the first line of an area."""

    key: str
    tabs: tuple[Tab, ...]
    note: str = ""
    focused: bool = False


class Spot(NamedTuple):
    """A place that can be clicked, and the pane it stands for."""

    x: int
    y: int
    width: int
    pane: str


class Frame:
    """All of it, for one size; asked line by line."""

    def __init__(self, where: Mapping[str, Area], headings: Mapping[str, Heading]) -> None:
        self.spots: list[Spot] = []
        self._cells: dict[int, dict[int, int]] = {}
        self._heavy: dict[int, range] = {}
        self._texts: dict[int, list[tuple[int, Line]]] = {}
        for slot, area in where.items():
            self._draw(area)
            if slot in headings:
                self._head(area, headings[slot])

    def line(self, y: int, width: int) -> Line:
        """The pieces of a line; empty where no line is drawn."""
        pieces: list[Piece] = []
        x = 0
        for start, text in sorted((*self._texts.get(y, ()), (width, ()))):
            pieces += self._lines(y, x, start)
            pieces += text
            x = start + cells(text)
        return tuple(pieces)

    def _lines(self, y: int, start: int, end: int) -> Iterable[Piece]:
        row, heavy = self._cells.get(y, {}), self._heavy.get(y, range(0))
        for is_heavy, places in groupby(range(start, end), heavy.__contains__):
            text = "".join(_LINES.get(row.get(at, 0), " ") for at in places)
            yield (text.translate(_HEAVY), "focus") if is_heavy else (text, "line")

    def _draw(self, area: Area) -> None:
        x, y, width, height = area
        first = x - 1 if x else x
        for at in range(first, x + width):
            self._join(at, y, (_LEFT if at > first else 0) | (_RIGHT if at < x + width else 0))
        self._join(x + width, y, _LEFT)
        if x:
            for at in range(y, y + height):
                self._join(x - 1, at, _DOWN)
                self._join(x - 1, at + 1, _UP)

    def _join(self, x: int, y: int, bits: int) -> None:
        row = self._cells.setdefault(y, {})
        row[x] = row.get(x, 0) | bits

    def _head(self, area: Area, heading: Heading) -> None:
        x, y, width, _ = area
        if heading.focused:
            self._heavy[y] = range(x, x + width)
        tabs = fit(self._tabs(x + 1, y, heading), width - 1)
        texts = self._texts.setdefault(y, [])
        texts.append((x + 1, tabs))
        room = width - cells(tabs) - 3
        if heading.note and room >= _LEAST:
            note: Line = (*fit(((f" {heading.note}", "note"),), room - 1), (" ", ""))
            texts.append((x + width - 1 - cells(note), note))

    def _tabs(self, x: int, y: int, heading: Heading) -> Line:
        found: list[Piece] = [(f" {heading.key} ", "key")] if heading.key else [(" ", "")]
        at = x + cells(tuple(found))
        alone = len(heading.tabs) == 1
        for tab in heading.tabs:
            text = f"{tab.title} " if alone else f"[{tab.title}]" if tab.active else f" {tab.title} "
            strong = ("focused" if heading.focused else "title") if tab.active else "tab"
            found.append((text, strong))
            self.spots.append(Spot(at, y, len(text), tab.pane))
            at += len(text)
        return tuple(found) if alone else (*found, (" ", ""))
