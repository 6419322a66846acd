"""Two runs side by side as lines: the left one's row, a mark, the right one's row.

143 get_header_map_value(…) = "alice"  OK │≠│ 143 get_header_map_value(…)            NOT_FOUND
144 log(INFO, "start")                 OK │-│
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right

from simwasm.abi.table import ALLOCATORS
from simwasm.trace.alignment import Alignment, Difference, Pair
from simwasm.trace.explain import explain
from simwasm.trace.rows import Row
from simwasm_tui.rowline import body, status
from simwasm_tui.text import Line, Piece, cells, clean, fit, spread

INKS = {
    Difference.SAME: "line",
    Difference.RESULT: "changed",
    Difference.ARGUMENTS: "changed",
    Difference.ONLY_LEFT: "removed",
    Difference.ONLY_RIGHT: "added",
}
WORDS = {
    Difference.SAME: "same",
    Difference.RESULT: "answered otherwise",
    Difference.ARGUMENTS: "called otherwise",
    Difference.ONLY_LEFT: "only in A",
    Difference.ONLY_RIGHT: "only in B",
}


class Sides:
    """The pairs of an alignment that one sees, as lines."""

    def __init__(self, alignment: Alignment, *, changes_only: bool = False) -> None:
        self.alignment = alignment
        self.pairs = array("q", (at for at in range(len(alignment)) if not _allocates(alignment, at)))
        """Those that one sees: without the plugin's allocator, as in the trace."""
        seen = set(self.pairs)
        self.changes = array("q", (at for at in alignment.changes() if at in seen))
        """Which pairs differ."""
        self.changes_only = changes_only
        self._digits = len(f"{max(len(alignment.left), len(alignment.right)):,}")

    def __len__(self) -> int:
        return len(self.changes if self.changes_only else self.pairs)

    def pair_at(self, index: int) -> int:
        """Which pair is on a line."""
        return (self.changes if self.changes_only else self.pairs)[index]

    def place(self, pair: int) -> int:
        """On which line a pair is, or the next one that is seen."""
        return bisect_left(self.changes if self.changes_only else self.pairs, pair)

    def change_after(self, pair: int) -> int | None:
        """The next pair that differs."""
        at = bisect_right(self.changes, pair)
        return self.changes[at] if at < len(self.changes) else None

    def change_before(self, pair: int) -> int | None:
        """The last pair before it that differs."""
        at = bisect_left(self.changes, pair)
        return self.changes[at - 1] if at else None

    def line(self, index: int, width: int) -> Line:
        pair = self.alignment[self.pair_at(index)]
        left, right = self.alignment.rows(pair)
        half = (width - 3) // 2
        same = pair.difference is Difference.SAME
        ink = INKS[pair.difference]
        mark = "=" if same else pair.difference.value
        middle: Piece = (f"│{' ' if mark == '=' else mark}│", ink if not same else "line")
        return (*self._side(left, half, pair), middle, *self._side(right, width - 3 - half, pair))

    def _side(self, row: Row | None, width: int, pair: Pair) -> Line:
        if row is None:
            return ((" " * width, ""),)
        word, ink = status(row)
        number: Piece = (f"{row.index + 1:>{self._digits},} ", "muted")
        begin: Line = (number, ("  " * min(row.depth, 8), ""))
        room = width - cells(begin) - len(word) - bool(word)
        text = body(row) if cells(body(row)) <= room else body(row, briefly=True)
        line = spread((*begin, *text), ((word, ink),) if word else (), width)
        return line if pair.difference is not Difference.SAME else tuple((text, "muted") for text, _ in line)

    def explained(self, index: int, width: int) -> Line:
        """Why the pair on a line differs."""
        pair = self.alignment[self.pair_at(index)]
        word = WORDS[pair.difference]
        told = "" if pair.difference is Difference.SAME else explain(*self.alignment.rows(pair))
        return fit(((f"{word}  ", INKS[pair.difference]), (clean(told), "")), width)

    @property
    def summary(self) -> str:
        """How much is the same."""
        counted = [f"{len(self.pairs) - len(self.changes):,} same"]
        tally = self._tally()
        counted += [f"{number:,} {WORDS[kind]}" for kind, number in tally.items() if number]
        return " · ".join(counted)

    def _tally(self) -> dict[Difference, int]:
        found = dict.fromkeys(Difference, 0)
        for at in self.changes:
            found[self.alignment[at].difference] += 1
        return found


def _allocates(alignment: Alignment, at: int) -> bool:
    row = next(row for row in alignment.rows(alignment[at]) if row is not None)
    return row.entered.function.name in ALLOCATORS
