"""Lines for the terminal: pieces of text, each with the name of an ink; and making anybody's text harmless.

A line is data, so that it can be made and tested without a terminal. What an ink looks like is said once, in
`app.tcss`. Rules: text that a plugin or a file had a hand in goes through `clean` before it becomes a piece; markup
is never read out of text; every width is counted in cells.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

from rich.cells import cell_len, set_cell_size

Piece = tuple[str, str]
"""Text, and the name of its ink; an empty name is the pane's own."""
Line = tuple[Piece, ...]

INKS = (
    "muted", "strong", "ok", "bad", "warn", "accent", "callback", "call", "string", "number", "reason", "action",
    "added", "removed", "changed", "future", "past", "now", "mark", "heading", "key",
    "line", "focus", "title", "focused", "tab", "note",
)  # fmt: skip
"""Every ink there is."""

_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0", "\x1b": "\\e"}
_STACK = 2
"""Marks that one letter may carry."""


def clean(text: str) -> str:
    """Text that stays in its line and in its cells: what cannot be printed is written as an escape."""
    return text if text.isascii() and text.isprintable() else "".join(_harmless(text))


def _harmless(text: str) -> Iterable[str]:
    carried = _STACK
    for char in text:
        if not char.isprintable():
            yield _escape(char)
            carried = _STACK
        elif unicodedata.category(char) in ("Mn", "Me"):
            carried += 1
            yield char if carried <= _STACK and not "\ufe00" <= char <= "\ufe0f" else _escape(char)
        else:
            yield char
            carried = 0


def _escape(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if short := _SHORT.get(char):
        return short
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def value(item: object, limit: int = 120) -> str:
    """One value of a call, on one line."""
    from simwasm.trace.text import value_text  # what is drawn before a run has no values

    return clean(value_text(item, limit))


def cells(line: Line) -> int:
    """How wide a line is."""
    return sum(cell_len(text) for text, _ in line)


def plain(line: Line) -> str:
    """A line's text alone."""
    return "".join(text for text, _ in line)


def fit(line: Line, width: int) -> Line:
    """A line that is at most this wide; one that was wider ends in `…`."""
    if cells(line) <= width:
        return line
    if width < 1:
        return ()
    found: list[Piece] = []
    room = width - 1
    for text, ink in line:
        size = cell_len(text)
        if size > room:
            found.append((set_cell_size(text, room), ink))
            break
        found.append((text, ink))
        room -= size
    return (*found, ("…", "muted"))


def spread(left: Line, right: Line, width: int, fill: str = " ", ink: str = "") -> Line:
    """Two lines in one, the second at its end; the first gives way."""
    room = width - cells(right)
    if room <= 0:
        return fit(right, width)
    left = fit(left, max(0, room - 1)) if right else fit(left, width)
    gap = width - cells(left) - cells(right)
    return (*left, (fill * gap, ink), *right)


def took(ns: int) -> str:
    """A duration in at most six cells; nothing where nobody measured."""
    if ns <= 0:
        return ""
    for unit, size in (("s", 1_000_000_000), ("ms", 1_000_000), ("µs", 1_000)):
        if ns >= size:
            amount = ns / size
            return f"{amount:.0f}{unit}" if amount >= 10 or unit == "µs" else f"{amount:.1f}{unit}"
    return f"{ns}ns"


def count(number: int, noun: str, nouns: str = "") -> str:
    """A number with its noun: `1 row`, `2 rows`."""
    return f"{number:,} {noun if number == 1 else nouns or noun + 's'}"


def common(words: Sequence[str]) -> str:
    """What all words begin with."""
    if not words:
        return ""
    first, last = min(words), max(words)
    return first[
        : next((index for index, char in enumerate(first) if last[index : index + 1] != char), len(first))
    ]
