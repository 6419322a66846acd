"""A tap's messages in protobuf's text format, as plain objects that `envoy_tap_fields` understands.

Rules that live here: a string ends in its line, so the file is read by whole lines; strings that follow each other are
one; a message stands in `{}` or `<>`; lists in `[]`, which no tap writes, are not known; what is broken is told with
its byte, and reading goes on at the next line that begins a trace.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from simwasm.errors import TrafficError
from simwasm.exchange import to_text
from simwasm.protobuf_text import unescaped
from simwasm.traffic.envoy_tap_blocks import least, read_some
from simwasm.traffic.envoy_tap_fields import WRAPPED, traced
from simwasm.traffic.envoy_tap_pieces import MOST_BYTES, Traced, Unusable
from simwasm.traffic.notes import Notes

_DEEPEST = 20
_SHOWN = 40
_NAMES = "|".join((*WRAPPED, "configured_sample_rate")).encode()
_BEGINS = re.compile(rb"(?:\s|#[^\n]*\n)*(?:" + _NAMES + rb")\s*:?\s*[{<]")
_START = re.compile(rb"^(?:" + _NAMES + rb")\b", re.MULTILINE)
_TOKEN = re.compile(
    rb"""[ \t\r\n\v\f,;]+ | \#[^\n]*
      | (?P<opened>[A-Za-z_]\w*)[ \t]*:?[ \t\r\n]*[{<]
      | (?P<name>[A-Za-z_]\w*)[ \t]*:[ \t\r\n]*(?:(?P<plain>"[^"\\\n]*")(?![ \t\r\n]*["'])|(?=["'])|(?P<word>[\w.+-]+))
      | (?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
      | (?P<sign>[}>])""",
    re.VERBOSE,
)
_HEADER = re.compile(
    rb"""\s*(headers|trailers) \{\n\s*key: "([^"\\\n]*)"\n\s*value: "([^"\\\n]*)"\n\s*\}\n"""
)
"""A header as Envoy writes it; most of a tap is headers."""
_REPEATED = ("headers", "trailers", "events")
_BYTES = ("as_bytes", "raw_value")
_TRUTH = {"true": True, "false": False, "True": True, "False": False, "t": True, "f": False}


def is_text(head: bytes) -> bool:
    """Whether a file that begins so is a tap's text format."""
    return _BEGINS.match(head) is not None


def read_text(begun: bytes, stream: BinaryIO, where: str, notes: Notes) -> Iterator[tuple[int, Traced]]:
    """Go through the messages; each comes with its number in the file."""
    parser = _Parser()
    number, before, lost = 1, 0, False
    for lines in _lines(begun, stream):
        at = 0
        while at < len(lines):
            if lost:
                following = _START.search(lines, at)
                at, lost = (following.start(), False) if following else (len(lines), True)
                continue
            try:
                at, wrapper = parser.read(lines, at)
                found = traced(wrapper) if wrapper else None
            except Unusable as error:
                place = f"entry {number}, byte {before + parser.at}"
                notes.broken(TrafficError(f"{where}, {place}: {error}; what stands around it is read"))
                at, lost = max(parser.at, at + 1), True
                parser = _Parser()
                number += 1
                continue
            if found is not None:
                yield number, found
            number += bool(wrapper)
        before += len(lines)
    if parser.is_inside:
        what = "the file ends in the middle of it; what came before is read"
        notes.broken(TrafficError(f"{where}, entry {number}, byte {before}: {what}"))


def _lines(begun: bytes, stream: BinaryIO) -> Iterator[bytes]:
    """The file in blocks that end with a line; a line without an end is given in blocks, too."""
    rest, block = b"", begun
    while block:
        rest += block
        ending = len(rest) if len(rest) > MOST_BYTES else rest.rfind(b"\n") + 1
        if ending:
            yield rest[:ending]
            rest = rest[ending:]
        block = read_some(stream, least(len(rest)))
    if rest:
        yield rest


class _Parser:
    """A message on the way, which goes on in the next block."""

    def __init__(self) -> None:
        self._open: list[dict[str, Any]] = []
        self._names: list[str] = []
        self._pending = ""
        """A field of which the value follows."""
        self._strings: list[bytes] = []
        self.at = 0
        self._size = 0
        """Of the message so far."""

    @property
    def is_inside(self) -> bool:
        """Whether a message has begun and not ended."""
        return bool(self._open) or bool(self._pending)

    def read(self, data: bytes, at: int) -> tuple[int, dict[str, Any]]:
        """Read on to the end of a message; return where that is, and the message if it has ended."""
        match, header = _TOKEN.match, _HEADER.match
        begin = at
        while at < len(data):
            self.at = at
            plain = header(data, at)
            if plain is not None and self._open and not self._pending:
                at = plain.end()
                name, key, value = plain.groups()
                pair = {"key": to_text(key), "value": to_text(value)}
                self._open[-1].setdefault(name.decode(), []).append(pair)
                continue
            token = match(data, at)
            if token is None:
                raise Unusable("here is something that protobuf's text format does not have")
            at = token.end()
            kind = token.lastgroup
            if kind is None:
                continue
            if self._strings and kind != "string":
                self._set(_joined(self._pending, self._strings))
            if kind == "plain":
                self._pending = token["name"].decode()
                self._set(_joined(self._pending, [token["plain"]]))
            elif kind == "opened":
                self._opened(token["opened"].decode())
            elif kind == "string":
                if not self._pending:
                    raise Unusable("here is a string without a name")
                self._strings.append(token["string"])
            elif kind == "sign":
                ended = self._closed()
                if ended:
                    self._size = 0
                    return at, ended
            else:
                self._pending = token["name"].decode()
                if kind == "word":
                    word = token["word"].decode()
                    self._set(_TRUTH.get(word, word))
        self._size += at - begin
        if self._size > MOST_BYTES:
            raise Unusable("this is too long to be a trace")
        return at, {}

    def _opened(self, name: str) -> None:
        if len(self._open) >= _DEEPEST:
            raise Unusable("this is nested too deeply to be a tap")
        self._open.append({})
        self._names.append(name)
        self._pending = ""

    def _set(self, value: Any) -> None:
        """Give the pending field its value."""
        if not self._open:
            raise Unusable(f"`{self._pending[:_SHOWN]}` stands in no trace")
        if self._pending in _REPEATED:
            raise Unusable(f"`{self._pending}` is a message, which stands between braces")
        self._open[-1][self._pending] = value
        self._strings, self._pending = [], ""

    def _closed(self) -> dict[str, Any]:
        if not self._open or self._pending:
            raise Unusable("a message ends here that has not begun")
        message, name = self._open.pop(), self._names.pop()
        if not self._open:
            return {name: message}
        holder = self._open[-1]
        if name in _REPEATED:
            holder.setdefault(name, []).append(message)
        else:
            holder[name] = message
        return {}


def _joined(name: str, strings: list[bytes]) -> Any:
    """Strings that follow each other, as bytes or as a text that stands for bytes."""
    data = b"".join(string[1:-1] for string in strings)
    try:
        data = unescaped(data)
    except ValueError:
        raise Unusable("here is an escape that protobuf's text format does not have") from None
    return data if name in _BYTES else to_text(data)
