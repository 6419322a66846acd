"""The lines of a trace file's exchanges as numbers, nine bytes a line; their text is read again where it is asked for.

A number is the hash of the line's normal text (`normal.py`), a letter tells how it is nested (`outline.py`). Outcomes
are left out. Rule: the file is gone through in large pieces, and a piece is kept while lines of it are asked for.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right

from simwasm.trace.normal import normal
from simwasm.trace.outline import calls_in, shape
from simwasm.trace.survey import Otherwise, Survey, chunks

_BETWEEN = b"\0\n"
"""What no line of a trace holds."""


class Digests:
    """Some exchanges of a file."""

    def __init__(self, survey: Survey, numbers: range) -> None:
        self.hashes = array("q")
        self.shape = bytearray()
        self.firsts = array("i", [0])
        """The first line of each exchange, counted from the first one of all."""
        self.contents = array("q")
        """What stands for each exchange."""
        self._survey = survey
        self._pieces = array("q")
        self._piece_lines = array("i")
        """Where pieces of the file begin, and their first lines."""
        self._kept: tuple[range, list[bytes]] = range(0), []
        at = numbers.start + 1
        begins, end = survey.begins, survey.begins[numbers.stop]
        for offset, lines in chunks(survey.file, begins[numbers.start], end):
            cuts = [0]
            while begins[at] < offset + len(lines):
                cuts.append(begins[at] - offset)
                at += 1
            self._add(offset, lines, cuts)
        self._pieces.append(end)
        if numbers:
            self._end_exchange()

    def _add(self, offset: int, text: bytes, cuts: list[int]) -> None:
        self._pieces.append(offset)
        self._piece_lines.append(len(self.hashes))
        self.shape += shape(calls_in(text), trapped=b'"trap": ' in text)
        pieces = [text[begin:end] for begin, end in zip(cuts, [*cuts[1:], len(text)], strict=True)]
        first, *others = normal(_BETWEEN.join(pieces)).split(_BETWEEN)
        self._add_lines(first)
        for more in others:
            self._end_exchange()
            self._add_lines(more)
        if len(self.hashes) != len(self.shape):
            raise Otherwise

    def _add_lines(self, text: bytes) -> None:
        lines = text.split(b"\n")
        lines.pop()
        self.hashes.extend(map(hash, lines))

    def _end_exchange(self) -> None:
        self.contents.append(hash(self.hashes[self.firsts[-1] :].tobytes()))
        self.firsts.append(len(self.hashes))

    def line(self, number: int) -> bytes:
        """The text of a line, as it is spelled."""
        inside, lines = self._kept
        if number not in inside:
            piece = bisect_right(self._piece_lines, number) - 1
            begin, end = self._pieces[piece : piece + 2]
            lines = calls_in(self._survey.file.read(begin, end - begin))
            first = self._piece_lines[piece]
            inside = range(first, first + len(lines))
            self._kept = inside, lines
        return lines[number - inside.start]
