"""What stands for the rows of one callback, from its lines in a trace file.

A row is read only where its line is spelled in some other way than the writer's; its values then give the same texts.
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import cache, lru_cache
from typing import NamedTuple

from simwasm.abi.table import Side
from simwasm.trace.align import Marks
from simwasm.trace.parse import side_of
from simwasm.trace.rows import Kind, Rows
from simwasm.trace.spelling import OPEN, Texts, Told, ending, told, told_by
from simwasm.trace.survey import Otherwise

_NAME = 9
"""Where the name begins on a normal line with a call."""
_LONG = 400
"""Longer lines are not remembered."""


def name_of(line: bytes) -> bytes:
    """The function of a normal line with a call."""
    return line[_NAME : line.find(b'"', _NAME)]


@cache
def called_back(name: bytes) -> bool:
    """Whether the function of that name is the plugin's."""
    return side_of(name.decode(errors="replace")) is Side.PLUGIN


class _Opened(NamedTuple):
    """A call that is open."""

    name: bytes
    place: int
    """Of its row among the block's."""
    args: Texts


class Marking:
    """Goes through the normal lines of a callback, whose first row is known."""

    def __init__(self, rows: Rows, first: int, lines: list[bytes]) -> None:
        self._rows = rows
        self._first = first
        self._opened: list[_Opened] = []
        self._contents: list[Hashable] = []
        self._called: list[Hashable] = []
        self._calls: list[Hashable] = []
        self._names: list[Hashable] = []
        for line in lines:
            if line[:1] == b'"':
                self._begins(line)
            else:
                self._ends(line)
        for opened in self._opened:
            self._answered(opened, OPEN)

    @property
    def marks(self) -> Marks:
        """What was found."""
        return Marks(self._contents, self._called, self._calls, self._names)

    def _begins(self, line: bytes) -> None:
        known = _whole_call(line) if len(line) < _LONG else None
        if known is not None:
            self._add(*known)
            return
        name, place = name_of(line), len(self._contents)
        found = told(line, name) or self._read(place)
        opened = _Opened(name, place, found.args)
        kind = Kind.CALLBACK if called_back(name) else Kind.HOST_CALL
        self._row(kind, name, hash((kind, name, found.args)), found)
        if b'"result": ' in line or b'"trap": ' in line:
            self._ended(opened, found.answer)
        else:
            self._opened.append(opened)

    def _ends(self, line: bytes) -> None:
        if not self._opened:
            raise Otherwise
        opened = self._opened.pop()
        answer = ending(line[1:-1], opened.name)
        self._ended(opened, self._read(opened.place).answer if answer is None else answer)

    def _ended(self, opened: _Opened, answer: Texts) -> None:
        trapped = answer[0] == b"trap"
        self._answered(opened, answer)
        if trapped or called_back(opened.name):
            kind = Kind.TRAP if trapped else Kind.RETURN
            self._row(kind, opened.name, hash((kind, opened.name, answer)), _NOTHING)

    def _answered(self, opened: _Opened, answer: Texts) -> None:
        """A host call's row tells how it ended."""
        if not called_back(opened.name):
            self._contents[opened.place] = hash((Kind.HOST_CALL, opened.name, opened.args, answer))

    def _row(self, kind: Kind, name: bytes, content: int, found: Told) -> None:
        self._add(content, *_likeness(kind, name, found))

    def _add(self, content: int, called: int, call: int, name: int) -> None:
        self._contents.append(content)
        self._called.append(called)
        self._calls.append(call)
        self._names.append(name)

    def _read(self, place: int) -> Told:
        return told_by(self._rows[self._first + place])


def _likeness(kind: Kind, name: bytes, found: Told) -> tuple[int, int, int]:
    return hash((name, found.args)), hash((kind, name, found.about)), hash((kind, name))


@lru_cache(maxsize=4096)
def _whole_call(line: bytes) -> tuple[int, int, int, int] | None:
    """What stands for a host call that is told by one line, since the same are made again and again."""
    name, kind = name_of(line), Kind.HOST_CALL
    found = None if called_back(name) else told(line, name)
    if found is None or found.answer == OPEN or found.answer[0] == b"trap":
        return None
    return hash((kind, name, found.args, found.answer)), *_likeness(kind, name, found)


_NOTHING = Told(b"", (), (), ())
