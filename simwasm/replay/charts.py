"""Charts, drawn as SVG: no script, no font, nothing from elsewhere; a pointer that rests on a mark is told its figures.

Rule: whoever asks for a chart brings texts that are escaped already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

WIDTH, HEIGHT = 1024, 160
_LEFT, _BELOW, _ABOVE = 72, 18, 8
_ROOM = HEIGHT - _BELOW - _ABOVE
_LEAST = 1.5
"""What is there at all can be seen."""

STYLE = """
.chart { width: 100%; height: auto; display: block; } .chart text { fill: var(--soft); font: 12px system-ui; }
.chart line { stroke: var(--line); } .chart g:hover { opacity: .65; }
.c0 { fill: var(--good); background: var(--good); }
.c1 { fill: var(--link); background: var(--link); } .c2 { fill: var(--fair); background: var(--fair); }
.c3 { fill: var(--poor); background: var(--poor); } .c4 { fill: var(--soft); background: var(--soft); }
.legend span { display: inline-block; width: .8em; height: .8em; border-radius: 2px; margin: 0 .4em 0 1em; }
h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; }
@media (max-width: 40rem) { .chart { min-width: 40rem; } .chart text { font-size: 14px; } }
"""


class Column(NamedTuple):
    """One column: its parts from below, and what is told of it."""

    parts: Sequence[float]
    told: str


def columns(
    found: Sequence[Column],
    ends: tuple[str, str],
    shown: Callable[[float], str] = "{:,.0f}".format,
    kinds: Sequence[int] = (0, 1, 2, 3, 4),
) -> str:
    """Columns side by side, their parts on each other; `ends` is told below the first and the last."""
    most = max((sum(column.parts) for column in found), default=0)
    if not most:
        return "<p>None.</p>"
    step = (WIDTH - _LEFT) / len(found)
    marks = "".join(
        _column(column, _LEFT + index * step, step, most, kinds) for index, column in enumerate(found)
    )
    return _chart(marks, (shown(most), shown(most / 2), shown(0)), ends)


def _column(column: Column, left: float, step: float, most: float, kinds: Sequence[int]) -> str:
    return f"<g><title>{column.told}</title>{''.join(_parts(column, left, step, most, kinds))}</g>"


def _parts(column: Column, left: float, step: float, most: float, kinds: Sequence[int]) -> Iterator[str]:
    bottom = float(_ABOVE + _ROOM)
    yield f'<rect x="{left:.1f}" y="{_ABOVE}" width="{step:.1f}" height="{_ROOM}" fill="transparent"/>'
    for kind, part in zip(kinds, column.parts, strict=False):
        if part:
            height = max(part / most * _ROOM, _LEAST)
            bottom -= height
            yield (
                f'<rect class="c{kind}" x="{left:.1f}" y="{max(bottom, 0):.1f}" width="{max(step - 1, 1):.1f}" '
                f'height="{height:.1f}"/>'
            )


def _chart(marks: str, scale: Iterable[str], ends: tuple[str, str]) -> str:
    heights = (_ABOVE, _ABOVE + _ROOM / 2, _ABOVE + _ROOM)
    lines = "".join(
        f'<line x1="{_LEFT}" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{label}</text>'
        for y, label in zip(heights, scale, strict=True)
    )
    first, last = ends
    below = (
        f'<text x="{_LEFT}" y="{HEIGHT - 3}">{first}</text>'
        f'<text x="{WIDTH}" y="{HEIGHT - 3}" text-anchor="end">{last}</text>'
    )
    drawn = f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">{lines}{marks}{below}</svg>'
    return f'<div class="wide">{drawn}</div>'


def legend(names: Iterable[str]) -> str:
    """Which colour is what."""
    return (
        '<p class="legend">'
        + "".join(f'<span class="c{n}"></span>{name}' for n, name in enumerate(names))
        + "</p>"
    )


def share(part: float, whole: float, kind: int) -> str:
    """A bar that shows a part of a whole."""
    percent = 100 * part / whole if whole else 0
    return f'<span class="bar"><i class="c{kind}" style="width:{percent:.1f}%"></i></span>'
