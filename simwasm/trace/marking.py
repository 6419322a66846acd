"""What stands for the rows of one callback, from its lines in a trace file: of most rows, nobody asks.

A row is read only where its line is spelled in some other way than the writer's; its values then give the same texts.
"""

from __future__ import annotations

from functools import cache
from typing import TypeVar

from simwasm.abi.table import Side
from simwasm.trace.digests import Digests
from simwasm.trace.normal import normal
from simwasm.trace.outline import KINDS, places
from simwasm.trace.parse import side_of
from simwasm.trace.rows import Kind, Rows
from simwasm.trace.sides import Likeness
from simwasm.trace.spelling import OPEN, Told, ending, told, told_by
from simwasm.trace.survey import Otherwise

_CALL = b'"call": "'
_MOST = 1 << 13
"""So much is remembered of lines, since the same ones come again and again."""
_ENDS = (Kind.RETURN, Kind.TRAP)

_Key = TypeVar("_Key")
_Found = TypeVar("_Found")
Spelled = tuple[int, int, int]
"""A row as it is spelled: its kind, the hash of the line that begins its call, and of the one that ends it."""
Known = dict[Spelled, Likeness]


def remember(known: dict[_Key, _Found], key: _Key, found: _Found) -> None:
    """Remember something, and forget all else if that is too much."""
    if len(known) >= _MOST:
        known.clear()
    known[key] = found


def name_of(line: bytes) -> bytes:
    """The function of a line with a call."""
    start = line.find(_CALL) + len(_CALL)
    return line[start : line.find(b'"', start)]


def heading_of(line: bytes) -> bytes:
    """How a call was made, from its normal line: what stands before its end."""
    head, ended, _ = line.partition(b', "result": ')
    if not ended:
        head, ended, _ = line.partition(b', "trap": ')
    return head if ended else line[:-1]


@cache
def called_back(name: bytes) -> bool:
    """Whether the function of that name is the plugin's."""
    return side_of(name.decode(errors="replace")) is Side.PLUGIN


class LineMarks:
    """The rows of a callback, of which it is known where its lines are, and what stands for others like them."""

    def __init__(self, rows: Rows, inside: range, digests: Digests, lines: range, known: Known) -> None:
        self._rows = rows
        self._inside = inside
        self._digests = digests
        self._lines = lines
        self._known = known
        self._places = places(bytes(digests.shape[lines.start : lines.stop]))
        if len(self._places.kinds) != len(inside):
            raise Otherwise
        hashes = digests.hashes[lines.start : lines.stop]
        self.spelled: list[Spelled] = [
            (kind, hashes[begin], hashes[end] if end >= 0 else 0)
            for kind, begin, end in zip(*self._places, strict=True)
        ]

    def likeness(self, row: int, /) -> Likeness:
        """What stands for a row, by its place in the callback."""
        found = self._known.get(self.spelled[row])
        if found is None:
            found = self._look(row)
            remember(self._known, self.spelled[row], found)
        return found

    def _look(self, row: int) -> Likeness:
        kind, begin, end = KINDS[self._places.kinds[row]], self._places.begins[row], self._places.ends[row]
        behind = self._text(end) if end not in (-1, begin) else b""
        found = _look(kind, self._text(begin), behind)
        if found is None:
            read = told_by(self._rows[self._inside.start + row])
            found = _likeness(kind, read.name, read)
        return found

    def _text(self, line: int) -> bytes:
        return normal(self._digests.line(self._lines.start + line))


def _look(kind: Kind, line: bytes, behind: bytes) -> Likeness | None:
    """What stands for a row whose call a line begins, and perhaps another one ends; None if it has to be read."""
    name = name_of(line)
    if kind is not Kind.TRAP and called_back(name) is (kind is Kind.HOST_CALL):
        raise Otherwise
    found = Told(name, (), (), ()) if behind and kind in _ENDS else told(line, name)
    if found is None:
        return None
    answer = ending(behind[1:-1], name) if behind else found.answer
    return None if answer is None else _likeness(kind, name, found._replace(answer=answer))


def _likeness(kind: Kind, name: bytes, found: Told) -> Likeness:
    """A callback's first row tells how it was called, its last one how it ended, and a host call's row both."""
    args, about = ((), ()) if kind in _ENDS else (found.args, found.about)
    answer = OPEN if kind is Kind.CALLBACK else found.answer
    return Likeness(
        hash((kind, name, args, answer)), hash((name, args)), hash((kind, name, about)), hash((kind, name))
    )
