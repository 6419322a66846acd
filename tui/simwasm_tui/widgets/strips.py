"""The strips of a list's lines, each drawn once: with its colours, cut to the list, as the terminal gets it.

A strip remembers what Textual makes of it on the way to the terminal, so that a line that was seen before costs
nothing. What is kept holds as long as the list is as wide and scrolled sideways as it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.cache import LRUCache
from textual.selection import Selection
from textual.strip import Strip

from simwasm_tui.items import Lines
from simwasm_tui.text import Line

_KEPT = 2048


class Sight(NamedTuple):
    """What of a list is seen."""

    x: int = 0
    top: int = 0
    width: int = 0
    base: Style | None = None
    """The list's own style; None while it is not known."""
    cursor: int = -1
    """The line that is drawn as the one under the cursor; -1 for none."""
    selection: Selection | None = None


class Strips:
    """What has been drawn."""

    def __init__(self) -> None:
        self._kept: LRUCache[tuple[int, bool], Strip] = LRUCache(_KEPT)
        self._lines: LRUCache[tuple[int, int], Line] = LRUCache(_KEPT)
        """Of what they were drawn, by index and width: the cursor's line is drawn twice."""
        self._for = (0, 0)

    def line(self, lines: Lines, index: int, width: int) -> Line:
        """A line, made once."""
        found = self._lines.get((index, width))
        if found is None:
            found = self._lines[index, width] = lines.line(index, width)
        return found

    def get(self, index: int, sight: Sight) -> Strip | None:
        """A line's strip, if it was drawn already."""
        if self._for != (sight.x, sight.width):
            self._kept.clear()
            self._for = (sight.x, sight.width)
        return self._kept.get((index, index == sight.cursor))

    def keep(self, index: int, sight: Sight, strip: Strip) -> None:
        """Keep what `get` did not find."""
        self._kept[index, index == sight.cursor] = strip

    def discard(self, index: int) -> None:
        """Draw a line anew when it is seen next."""
        for under_cursor in (False, True):
            self._kept.discard((index, under_cursor))
        self._lines.discard((index, self._for[1]))

    def clear(self) -> None:
        """Draw everything anew."""
        self._kept.clear()
        self._lines.clear()


def cut(strip: Strip, x: int, width: int, style: Style) -> Strip:
    """What of a line is in sight: one that goes on says so."""
    if strip.cell_length > x + width > 0:
        strip = Strip([*strip.crop(0, x + width - 1), Segment("…", style)])
    return strip.crop_extend(x, x + width, style)


def marked(strip: Strip, start: int, end: int, style: Style) -> Iterable[Segment]:
    """A strip's segments, those between two characters in another style; -1 is the end."""
    at = 0
    for text, own, _ in strip:
        first = min(max(0, start - at), len(text))
        last = len(text) if end == -1 else min(max(first, end - at), len(text))
        own = own or Style()
        for part, ink in ((text[:first], own), (text[first:last], own + style), (text[last:], own)):
            if part:
                yield Segment(part, ink)
        at += len(text)
