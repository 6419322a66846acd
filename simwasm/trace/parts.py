"""Rows of a trace file of which only parts are ever read: each exchange is a small trace file of its own.

Rule: a part is read when a row in it is asked for, and the parts that were read last are kept.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import OrderedDict

from simwasm.trace.explain import one_line
from simwasm.trace.file import TraceFile
from simwasm.trace.linefile import LineFile
from simwasm.trace.parse import Ending
from simwasm.trace.rows import Row
from simwasm.trace.survey import Otherwise, Survey

_KEPT = 16


class Part(LineFile):
    """Some lines of a file, behind its first one."""

    def __init__(self, file: LineFile, first: bytes, begin: int, end: int) -> None:
        self.path = file.path
        self.size = len(first) + end - begin
        self._whole = file
        self._first = first
        self._shift = begin - len(first)
        self._block = (0, b"")

    def close(self) -> None:
        """The file is closed by whom it belongs to."""

    def number(self, offset: int) -> int:
        """Which line of the whole file begins at an offset."""
        return self._whole.number(offset + self._shift) if offset >= len(self._first) else 1

    def read(self, offset: int, size: int) -> bytes:
        """So many bytes from an offset on, or what there is."""
        size = min(size, self.size - offset)
        if offset >= len(self._first):
            return self._whole.read(offset + self._shift, size) if size > 0 else b""
        head = self._first[offset : offset + size]
        more = size - len(head)
        return head + self._whole.read(len(self._first) + self._shift, more) if more > 0 else head


class PartRows:
    """The rows of a file that was surveyed."""

    def __init__(self, survey: Survey) -> None:
        self._survey = survey
        self._first = survey.file.first()
        self._parts: OrderedDict[int, TraceFile] = OrderedDict()

    def __len__(self) -> int:
        return self._survey.rows

    def __getitem__(self, index: int, /) -> Row:
        index = range(len(self))[index]
        number = bisect_right(self._survey.bases, index) - 1
        base = self._survey.bases[number]
        row = self.part(number).rows[index - base]
        return row._replace(index=index)

    def exchange(self, row: int) -> str:
        """Which exchange a row belongs to: `exchange 2 (GET /status/418)`; empty where others are in between."""
        survey = self._survey
        number = bisect_right(survey.bases, row) - 1
        part = self.part(number)
        row -= survey.bases[number]
        span = next((span for span in part.spans if span.first <= row <= span.last), None)
        if span is None:
            return ""
        place = bisect_left(survey.outcomes, survey.begins[number]) + span.number + 1
        name = one_line(part.outcomes[span.number].name)
        return f"exchange {place} ({name})" if name else f"exchange {place}"

    def outcome(self, place: int) -> Ending:
        """What became of an exchange."""
        survey = self._survey
        offset = survey.outcomes[place]
        number = min(bisect_right(survey.begins, offset), len(survey)) - 1
        return self.part(number).outcomes[place - bisect_left(survey.outcomes, survey.begins[number])]

    def part(self, number: int) -> TraceFile:
        """An exchange, as a trace of its own."""
        part = self._parts.get(number)
        if part is None:
            survey = self._survey
            part = TraceFile(Part(survey.file, self._first, survey.begins[number], survey.begins[number + 1]))
            if part.index() != survey.bases[number + 1] - survey.bases[number]:
                raise Otherwise
            self._parts[number] = part
            if len(self._parts) > _KEPT:
                self._parts.popitem(last=False)
        self._parts.move_to_end(number)
        return part
