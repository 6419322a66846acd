"""Lines that stand for something: a value one can watch, bytes one can go to, a part one can fold; and lists of lists.

What a pane's list shows is made of these where the lines differ in what can be done with them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from textwrap import wrap
from typing import NamedTuple, Protocol, overload

from simwasm_tui.text import Line, clean, plain


class Item(NamedTuple):
    """A line, and what it stands for."""

    line: Line = ()
    watch: str = ""
    """The expression that gives its value."""
    bytes: tuple[int, int] | None = None
    """Where its bytes are in the plugin's memory, and how many."""
    fold: str = ""
    """The part that it is the heading of."""
    name: str = ""
    """What it is about, in a word."""
    told: str = ""
    """What there is to say of it, in the last line while the cursor is on it."""


class Items(tuple[Item, ...]):
    """Items, as a list shows them."""

    def line(self, index: int, width: int) -> Line:
        return self[index].line


class Due(Sequence[Item]):
    """Items of which many are made only when they are seen."""

    def __init__(self, due: Sequence[Item | Callable[[], Item]]) -> None:
        self._due = due

    def __len__(self) -> int:
        return len(self._due)

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> Due: ...
    def __getitem__(self, index: int | slice) -> Item | Due:
        if isinstance(index, slice):
            return Due(self._due[index])
        found = self._due[index]
        return found if isinstance(found, Item) else found()

    def line(self, index: int, width: int) -> Line:
        return self[index].line


class Lines(Protocol):
    """What a list shows."""

    def __len__(self) -> int: ...
    def line(self, index: int, width: int, /) -> Line: ...


class Chain:
    """Several lists, one behind the other."""

    def __init__(self, parts: Iterable[Lines]) -> None:
        self.parts: Sequence[Lines] = tuple(parts)
        self._ends = tuple(accumulate(len(part) for part in self.parts))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def line(self, index: int, width: int) -> Line:
        part, inside = self._place(index)
        return part.line(inside, width)

    def item(self, index: int) -> Item:
        """What a line stands for; nothing, where it is only a line."""
        if not 0 <= index < len(self):
            return Item()
        part, inside = self._place(index)
        return part[inside] if isinstance(part, (Items, Due)) else Item()

    def _place(self, index: int) -> tuple[Lines, int]:
        which = bisect_right(self._ends, index)
        return self.parts[which], index - (self._ends[which - 1] if which else 0)


def item_at(lines: Lines, index: int) -> Item:
    """What a line of any list stands for."""
    if isinstance(lines, Chain):
        return lines.item(index)
    return lines[index] if isinstance(lines, (Items, Due)) and 0 <= index < len(lines) else Item()


def heading(text: str, note: str = "", *, fold: str = "", folded: bool = False) -> Item:
    """The first line of a part."""
    sign = ("▸ " if folded else "▾ ") if fold else ""
    return Item(((sign, "muted"), (text, "strong"), (f"  {note}" if note else "", "muted")), fold=fold)


def prose(text: str, width: int, ink: str = "muted", indent: str = "") -> list[Item]:
    """A text over as many lines as it needs."""
    room = max(8, width - len(indent))
    return [Item(((indent + line, ink),)) for line in wrap(clean(text), room)]


def filtered(items: Iterable[Item], wanted: str) -> Items:
    """The items whose text has a text in it, whatever its case; headings stay."""
    lowered = wanted.lower()
    return Items(
        item
        for item in items
        if not lowered
        or lowered in plain(item.line).lower()
        or any(ink == "strong" for _, ink in item.line[:2])
    )
