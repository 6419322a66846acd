"""The table that a run prints: plain text, one line a figure."""

from __future__ import annotations

from collections.abc import Iterable

from benchmarks.row import Row

_HEAD = ("name", "what", "ours", "peer", "ratio", "target", "verdict")
_RIGHT = {"ours", "peer", "ratio"}


def table(rows: Iterable[Row]) -> str:
    """Rows in aligned columns."""
    cells = [_HEAD, *map(_cells, rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(_line(line, widths) for line in cells)


def line(row: Row) -> str:
    """One row by itself."""
    return "  ".join(filter(None, _cells(row)))


def _cells(row: Row) -> tuple[str, ...]:
    ours, peer = row.unit.text(row.ours), row.unit.text(row.peer)
    target = row.target.text(row) if row.target else ""
    return row.name, row.what, ours, peer, _ratio(row), target, row.verdict


def _ratio(row: Row) -> str:
    """Two digits behind the point, or the first two that are not 0."""
    if not row.peer:
        return ""
    return f"{row.ratio:.2f}x" if row.ratio >= 0.1 else f"{row.ratio:.2g}x"


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    placed = zip(_HEAD, cells, widths, strict=True)
    return "  ".join(
        f"{cell:>{w}}" if head in _RIGHT else f"{cell:<{w}}" for head, cell, w in placed
    ).rstrip()
