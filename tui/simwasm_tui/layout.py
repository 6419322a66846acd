"""Where the panes are: areas of the screen, made from its size and from what the user asked for.

    left     │ centre         │ beside │ right
    left_low │                │        │
    ───────────────────────────────────────────
    strip

An area's first line is its heading; a column between two areas is the line that separates them. Pure: sizes in,
areas out. A slot that is missing from the answer has no place on this screen; its panes are then tabs of the strip.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

NARROW, WIDE = 100, 160
SHORT = 30
_BESIDE = 0.22
_SPLIT = 9
"""Lines of a column that is worth being parted."""
LEAST = (60, 16)
"""The smallest terminal in which anything can be seen."""


class Area(NamedTuple):
    """A part of the screen, its heading included."""

    x: int
    y: int
    width: int
    height: int


class Layout(NamedTuple):
    """How the space is shared, and which pane the strip shows first."""

    name: str
    strip: float
    """The strip's share of the height."""
    pane: str
    right: float = 0.27
    """The share of the right column."""


LAYOUTS = (
    Layout("ABI", 0.28, "memory"),
    Layout("Source", 0.55, "source"),
    Layout("Wasm", 0.55, "wasm"),
    Layout("Memory", 0.55, "memory", 0.24),
)


@dataclass(frozen=True, slots=True)
class Arrangement:
    """What the user asked for."""

    layout: Layout = LAYOUTS[0]
    tree: bool | None = None
    """Whether the left column is shown; None: as the width allows."""
    zoomed: str = ""
    """The slot that has the whole screen."""


def areas(width: int, height: int, wanted: Arrangement, *, lines: bool = True) -> dict[str, Area]:
    """Where each slot is; `lines` is whether there are lines of source, which are worth a column beside the trace."""
    if wanted.zoomed:
        return {wanted.zoomed: Area(0, 0, width, height)}
    low = min(max(5, round(height * wanted.layout.strip)), height - 6)
    found = _columns(width, height - low, wanted, beside=lines or wanted.layout.pane == "source")
    found["strip"] = Area(0, height - low, width, low)
    return found


def _columns(width: int, height: int, wanted: Arrangement, *, beside: bool) -> dict[str, Area]:
    widths = _widths(width, wanted, beside=beside)
    found: dict[str, Area] = {}
    x = 0
    for slot, size in widths:
        found[slot] = Area(x, 0, size, height)
        x += size + 1
    if "left" in found and height >= _SPLIT:
        x, _, size, _ = found["left"]
        low = max(4, height // 3)
        found["left"] = Area(x, 0, size, height - low)
        found["left_low"] = Area(x, height - low, size, low)
    return found


def _widths(width: int, wanted: Arrangement, *, beside: bool) -> list[tuple[str, int]]:
    sides: list[tuple[str, int]] = []
    if wanted.tree if wanted.tree is not None else width >= NARROW:
        sides.append(("left", min(max(24, round(width * 0.21)), 40)))
    after: list[tuple[str, int]] = []
    if width >= WIDE and beside:
        after.append(("beside", round(width * _BESIDE)))
    if width >= NARROW:
        share = wanted.layout.right if width < WIDE else _BESIDE
        after.append(("right", min(max(30, round(width * share)), 60)))
    taken = sum(size + 1 for _, size in (*sides, *after))
    return [*sides, ("centre", width - taken), *after]
