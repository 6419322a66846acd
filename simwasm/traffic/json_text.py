"""A JSON text of any length, gone through from its beginning to its end with little of it in memory.

The text stands in a window that moves along. A value is read by the scanner of `json` where it begins; if the window
ends before the value does, more is read, and it is tried again.

Rules that live here:
- What went wrong is told with line and column. `Cut` says that the text ends too early, `Broken` that a value is no
  good; behind a broken value `recover` finds the next one that is of the known kind.
- A value that is larger than LARGEST is broken, like one that is nested too deeply.
- Bytes that are not UTF-8 spoil the value that holds them, and no other.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable
from typing import BinaryIO

from simwasm.errors import TrafficError
from simwasm.traffic.json_field import SCAN, is_cut

LARGEST = 1 << 28
"""Of one value in characters: many times what recorders keep of a body."""
_BLOCK = 1 << 19
_LARGEST_BLOCK = 1 << 26
_MOST_TRIES = 100_000
"""How many places of a file are tried behind broken values."""
_SPACE = re.compile(r"[ \t\r\n]*")
_ESCAPED = re.compile(r"[\udc80-\udcff]")
_BETWEEN = re.compile(r"[}\]]\s*,\s*(?=\{)")
_LONGEST_WORD = 16
"""Of what the scanner cannot judge when the end is missing: a literal, or an escape with its pair."""
_ANY = json.JSONDecoder().raw_decode


class Broken(TrafficError):
    """A value that is no JSON, or none that can be used."""


class Cut(TrafficError):
    """The text ends in the middle."""


class JsonText:
    """The text, and how far it has been read."""

    def __init__(self, stream: BinaryIO, where: str, remedy: str) -> None:
        self._stream = stream
        self.where = where
        self.remedy = remedy
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._text = ""
        self._at = 0
        self._ended = False
        self._clean = True
        self._lines = 0
        self._columns = 0
        self._bytes = 0
        self._tries = 0

    def peek(self) -> str:
        """The next character that is no space; nothing at the end."""
        while True:
            found = _SPACE.match(self._text, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def take(self, expected: str) -> None:
        """Go over this character, which must come next."""
        if self.peek() != expected:
            raise self.unexpected(f"Expecting {expected!r}")
        self._at += 1

    def value(self) -> object:
        """Read the value that comes next: strictly, as `json_field` does."""
        return self._scanned(SCAN)

    def skip(self) -> None:
        """Go over the value that comes next, of which nobody wants anything."""
        self._scanned(_ANY)

    def recover(self, known: Callable[[object], bool]) -> bool:
        """Go to the next object in a list that is read without a mistake and is of the known kind."""
        self._at += 1
        while self._tries < _MOST_TRIES:
            found = _BETWEEN.search(self._text, self._at)
            if found is None:
                self._at = max(self._at, len(self._text) - _LONGEST_WORD)
                if not self._more():
                    return False
                continue
            self._at = found.end()
            self._tries += 1
            if self._is_here(known):
                return True
        return False

    def place(self, at: int | None = None) -> str:
        """Where this is, the next character if nothing is said."""
        end = self._at if at is None else at
        lines = self._text.count("\n", 0, end)
        before = self._text.rfind("\n", 0, end)
        column = end - before if lines else self._columns + end + 1
        return f"line {self._lines + lines + 1}, column {column}"

    def unexpected(self, what: str) -> TrafficError:
        """The error that says that something else was expected here: the text is cut, or it is no JSON."""
        return self._broken(what, self._at) if self.peek() else self._cut()

    def _is_here(self, known: Callable[[object], bool]) -> bool:
        try:
            value, _ = self._end_of(SCAN)
        except Broken:
            return False
        except Cut:
            return False
        return known(value)

    def _scanned(self, scan: Callable[[str, int], tuple[object, int]]) -> object:
        value, end = self._end_of(scan)
        self._at = end
        return value

    def _end_of(self, scan: Callable[[str, int], tuple[object, int]]) -> tuple[object, int]:
        """The value that is here, and where it ends."""
        self.peek()
        while True:
            wrong = ""
            at = len(self._text)
            try:
                value, end = scan(self._text, self._at)
                if end < at or self._ended or type(value) is dict:
                    return self._used(value, end)
            except json.JSONDecodeError as error:
                wrong, at = error.msg, error.pos
            except ValueError as error:
                raise Broken(f"{self.where}: not JSON that can be used: {error}; {self.remedy}") from None
            except RecursionError:
                raise Broken(
                    f"{self.where}: nested too deeply to be recorded traffic; {self.remedy}"
                ) from None
            unfinished = wrong.startswith("Unterminated") or at >= len(self._text) - _LONGEST_WORD
            if not unfinished:
                raise self._broken(wrong, at)
            if len(self._text) - self._at > LARGEST:
                raise Broken(f"{self.where}: larger than {LARGEST >> 20} MB at {self.place()}; {self.remedy}")
            if not self._more():
                cut = is_cut(wrong, self._text, at)
                raise self._cut() if cut else self._broken(wrong, at)

    def _used(self, value: object, end: int) -> tuple[object, int]:
        if not self._clean:
            found = _ESCAPED.search(self._text, self._at, end)
            if found:
                raise Broken(f"{self.where}: not UTF-8 text at {self.place(found.start())}; {self.remedy}")
        return value, end

    def _broken(self, what: str, at: int) -> Broken:
        return Broken(f"{self.where}: not JSON at {self.place(at)}: {what}; {self.remedy}")

    def _cut(self) -> Cut:
        end = len(self._text)
        return Cut(f"{self.where}: is cut at {self.place(end)}, after {self._bytes} bytes; {self.remedy}")

    def _more(self) -> bool:
        """Read on, and forget what has been used."""
        if self._ended:
            return False
        self._forget()
        data = self._stream.read(min(max(_BLOCK, len(self._text)), _LARGEST_BLOCK))
        self._ended = not data
        self._bytes += len(data)
        self._text += self._decoded(data)
        return True

    def _forget(self) -> None:
        lines = self._text.count("\n", 0, self._at)
        before = self._text.rfind("\n", 0, self._at)
        self._columns = self._at - before - 1 if lines else self._columns + self._at
        self._lines += lines
        self._text = self._text[self._at :]
        self._at = 0

    def _decoded(self, data: bytes) -> str:
        before = self._decoder.getstate()
        try:
            return self._decoder.decode(data, final=self._ended)
        except UnicodeDecodeError:
            self._clean = False
            self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
            return self._decoder.decode(before[0] + data, final=self._ended)
