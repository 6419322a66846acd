"""A widget of a few lines that are made anew when it is told to: the header, the timeline, the keys."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from simwasm_tui.ink import style_of
from simwasm_tui.text import Line


class Drawn(Widget):
    """Lines of pieces, drawn with the theme's inks."""

    ALLOW_SELECT: ClassVar[bool] = False

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._inks: dict[str, Style] = {}
        self._base = Style.null()

    def made(self, y: int, width: int) -> Line:
        """The pieces of a line."""
        raise NotImplementedError

    def render_lines(self, crop: Region) -> list[Strip]:
        self._base = self.rich_style  # which costs more than a line, so it is asked once for all of them
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        width, base = self.size.width, self._base
        pieces = self.made(y, width)
        segments = (Segment(text, base + self._ink(ink) if ink else base) for text, ink in pieces)
        return Strip(segments).simplify().crop_extend(0, width, base)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._inks.clear()

    def _ink(self, name: str) -> Style:
        style = self._inks.get(name)
        if style is None:
            style = self._inks[name] = style_of(self, f"ink--{name}")
        return style
