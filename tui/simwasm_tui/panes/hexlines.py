"""Bytes as lines: an address, the bytes in hexadecimal, and what is printable of them.

    0002f40 [61 75 74 68 6f 72 69 7a  61 74 69 6f 6e]00 00 00 │authorization...│

Marks stand between the bytes: `[ ]` around those of an argument, `* *` around those that have changed. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from simwasm_tui.text import Line, Piece

BRACKETS = {"argument": "[]", "found": "{}", "changed": "**"}
"""What stands around a run of bytes; the first of these is drawn where two would be."""
_INKS = {"argument": "string", "found": "now", "changed": "changed"}


def columns_for(width: int, digits: int, most: int = 16) -> int:
    """How many bytes a line of this width has room for: 16, 8 or 4."""
    return next((number for number in (16, 8) if number <= most and width_of(number, digits) <= width), 4)


def width_of(columns: int, digits: int) -> int:
    """How wide a line is."""
    return digits + 1 + columns * 3 + 1 + (columns > 8) + columns + 2


def hex_line(
    address: int,
    data: bytes,
    columns: int,
    digits: int,
    marks: Mapping[str, Collection[int]] | None = None,
    cursor: int = -1,
) -> Line:
    """One line. `marks` are the places in `data` that stand out, by kind; `cursor` is a place too."""
    marks = marks or {}
    kinds = [_kind(index, marks) for index in range(len(data))]
    pieces: list[Piece] = [(f"{address:0{digits}x} ", "muted")]
    for index in range(columns):
        gap = " " if columns > 8 and index == columns // 2 else ""
        pieces.append((_between(index, kinds) + gap, "now" if _edge(index, kinds) else ""))
        text = f"{data[index]:02x}" if index < len(data) else "  "
        pieces.append((text, "heading" if index == cursor else _ink(index, data, kinds)))
    pieces.append((_between(columns, kinds) + "│", "now" if _edge(columns, kinds) else "muted"))
    for index in range(columns):
        char = chr(data[index]) if index < len(data) and 32 <= data[index] < 127 else "."
        shown = char if index < len(data) else " "
        pieces.append((shown, "heading" if index == cursor else _ink(index, data, kinds)))
    return (*_joined(pieces), ("│", "muted"))


def _kind(index: int, marks: Mapping[str, Collection[int]]) -> str:
    return next((kind for kind in BRACKETS if index in marks.get(kind, ())), "")


def _ink(index: int, data: bytes, kinds: list[str]) -> str:
    if index >= len(data):
        return ""
    return _INKS.get(kinds[index]) or ("muted" if data[index] == 0 else "")


def _edge(index: int, kinds: list[str]) -> bool:
    return _between(index, kinds) != " "


def _between(index: int, kinds: list[str]) -> str:
    """What stands before the byte at a place: the mark that begins there, or the one that has ended."""
    before = kinds[index - 1] if 0 < index <= len(kinds) else ""
    here = kinds[index] if index < len(kinds) else ""
    if before == here:
        return " "
    first, second = (BRACKETS[before][1] if before else "", BRACKETS[here][0] if here else "")
    return "|" if first and second else first or second


def _joined(pieces: list[Piece]) -> list[Piece]:
    """The same text in fewer pieces."""
    found: list[Piece] = []
    for text, ink in pieces:
        if found and found[-1][1] == ink:
            found[-1] = (found[-1][0] + text, ink)
        else:
            found.append((text, ink))
    return found


class HexBytes:
    """Bytes as lines, of any number."""

    def __init__(self, data: bytes, width: int) -> None:
        self.data = data
        self._digits = max(4, len(f"{len(data):x}"))
        self.columns = columns_for(width, self._digits)

    def __len__(self) -> int:
        return -(-len(self.data) // self.columns)

    def line(self, index: int, width: int) -> Line:
        at = index * self.columns
        return hex_line(at, self.data[at : at + self.columns], self.columns, self._digits)
