"""How the lines of an exchange are nested, told from one letter for each line; equal letters are told once.

a A   a callback, which another line ends, or its own           r   what a call returned
c C   a host call, likewise (`p P` where a plugin is named)     t   that it trapped
b d   a callback and a host call whose own line is their trap
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from simwasm.trace.rows import Kind
from simwasm.trace.survey import Otherwise

KINDS = (Kind.CALLBACK, Kind.HOST_CALL, Kind.RETURN, Kind.TRAP)
_CALLBACKS, _HOST_CALLS = b"aAb", b"cCpPd"
_BEGINS, _ENDS, _TRAPS = _CALLBACKS + _HOST_CALLS, b"ACPRrtbd", b"tbd"
_OUTCOME = ord("o")
_CAPITAL = 0xDF
"""Makes a letter a capital."""
_TRAPPED = {ord("a"): ord("b"), ord("c"): ord("d"), ord("p"): ord("d"), ord("t"): ord("t")}
_SHORT = 1 << 12
"""The outlines of so many lines are remembered."""


def calls_in(text: bytes) -> list[bytes]:
    """The lines of a text that are no outcomes."""
    return [line for line in text.split(b"\n") if line and line[2] != _OUTCOME]


def shape(lines: Sequence[bytes], *, trapped: bool) -> bytes:
    """The letters of lines with calls and with their ends, of which some may have trapped."""
    found = bytes([line[2] & _CAPITAL if b'"result": ' in line else line[2] for line in lines])
    if trapped:
        return bytes([_letter(letter, line) for letter, line in zip(found, lines, strict=True)])
    return found


def _letter(letter: int, line: bytes) -> int:
    return _TRAPPED.get(letter, letter) if b'"trap": ' in line else letter


class Blocks(NamedTuple):
    """The callbacks of the host in some lines; the last numbers are what comes behind them."""

    starts: array[int]
    """The lines with which they begin."""
    rows: array[int]
    """Their first rows."""
    closed: bytearray
    """Whether their last rows are where they returned or trapped."""


class Places(NamedTuple):
    """The rows of some lines: what they are, the lines that begin their calls, and those that end them, or -1."""

    kinds: bytearray
    begins: array[int]
    ends: array[int]


def blocks(shape: bytes) -> Blocks:
    """The callbacks of the host in an exchange."""
    return _remembered_blocks(shape) if len(shape) < _SHORT else _blocks(shape)


def places(shape: bytes) -> Places:
    """The rows of a callback of the host."""
    return _remembered_places(shape) if len(shape) < _SHORT else _places(shape)


def _blocks(shape: bytes) -> Blocks:
    found = Blocks(array("i"), array("i"), bytearray())
    opened, row = bytearray(), 0
    for at, letter in enumerate(shape):
        if letter in _BEGINS:
            if not opened:
                found.starts.append(at)
                found.rows.append(row)
                found.closed.append(False)
            opened.append(letter in _CALLBACKS)
            row += 1
        if letter in _ENDS:
            if not opened:
                raise Otherwise
            if opened.pop() or letter in _TRAPS:
                row += 1
                found.closed[-1] = not opened
    found.starts.append(len(shape))
    found.rows.append(row)
    return found


def _places(shape: bytes) -> Places:
    found = Places(bytearray(), array("i"), array("i"))
    opened = array("i")
    for at, letter in enumerate(shape):
        if letter in _BEGINS:
            opened.append(len(found.kinds))
            _add(found, Kind.CALLBACK if letter in _CALLBACKS else Kind.HOST_CALL, at, -1)
        if letter in _ENDS:
            row = opened.pop()
            trapped = letter in _TRAPS
            if not found.kinds[row]:
                _add(found, Kind.TRAP if trapped else Kind.RETURN, found.begins[row], at)
                continue
            found.ends[row] = at
            if trapped:
                _add(found, Kind.TRAP, found.begins[row], at)
    return found


def _add(found: Places, kind: Kind, begin: int, end: int) -> None:
    found.kinds.append(KINDS.index(kind))
    found.begins.append(begin)
    found.ends.append(end)


_remembered_blocks = lru_cache(maxsize=512)(_blocks)
_remembered_places = lru_cache(maxsize=512)(_places)
