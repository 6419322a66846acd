"""Tnetstrings, the typed strings that mitmproxy's files are made of: `LENGTH:PAYLOAD` and a byte that tells the type.

    for frame in frames(stream): members(frame.data, 0, len(frame.data))

Rules that live here:
- A file is a row of dicts, one a flow. They are read one at a time, from a pipe as well, none longer than `LONGEST`.
- What is not asked for is not decoded: `members` only tells where the values of a dict are, `value` decodes one.
- Where the row is broken, reading goes on at the next place that looks like the beginning of a flow behind the end of
  another one. A length that leads out of the file is a cut only if no flow begins behind it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import BinaryIO, NamedTuple

from simwasm.exchange import to_text

LONGEST = 256 << 20
"""Bytes of one flow; it is in memory while it is read."""
DEEPEST = 32
"""Lists and dicts inside each other; mitmproxy needs six."""

Value = bytes | str | int | float | bool | None | list["Value"] | dict[str, "Value"]

Place = tuple[int, int, int]
"""Where a value is: its type, and its payload's first byte and end."""

NULL, DICT, LIST, TEXT, BYTES = b"~}];,"

_BLOCK = 1 << 16
_LONGEST_HEAD = 13
_HEAD = re.compile(rb"(\d{1,12}):")
_DIGITS = 9
_NEXT = re.compile(rb"\}(?=[1-9]\d{0,11}:\d{1,3}:[a-z_]{2,40}[;,])")
_LONGEST_NEXT = 64
_LITERALS = {b"true": True, b"false": False}


class Damaged(ValueError):
    """These bytes are no tnetstring; the text says why."""


class Frame(NamedTuple):
    """The payload of a dict, and where in the file it began."""

    at: int
    data: bytes


class Gap(NamedTuple):
    """Bytes of the file that are none, from here to there; `cut` if there is nothing behind them."""

    at: int
    end: int
    why: str
    cut: bool = False


def frames(stream: BinaryIO) -> Iterator[Frame | Gap]:
    """Go through the dicts of a file, and through what is between them where it is broken."""
    window = _Window(stream)
    while window.more(1):
        at = window.position
        try:
            data = _frame(window)
        except Damaged as error:
            yield from _behind(window, at, str(error))
        else:
            yield Frame(at, data)


def _frame(window: _Window) -> bytes:
    """The next dict; the window stays where it is if there is none."""
    window.more(_LONGEST_HEAD)
    head = _HEAD.match(window.data, window.at)
    if head is None:
        raise Damaged("there is no length where a flow should begin")
    length, size = int(head[1]), len(head[0])
    if length > LONGEST:
        raise Damaged(f"a flow of {length:,} bytes is longer than the {LONGEST:,} that are read")
    whole = size + length + 1
    if not window.more(whole):
        there = len(window.data) - window.at
        raise Damaged(f"a flow of {whole:,} bytes should be here, and the file ends after {there:,}")
    end = window.at + whole - 1
    if window.data[end] != DICT:
        raise Damaged("the length of a flow does not lead to its end")
    data = window.data[window.at + size : end]
    window.at = end + 1
    return data


def _behind(window: _Window, at: int, why: str) -> Iterator[Gap]:
    """Find the next flow."""
    while True:
        found = _NEXT.search(window.data, window.at)
        if found:
            window.at = found.end()
            yield Gap(at, window.position, why)
            return
        window.at = max(window.at, len(window.data) - _LONGEST_NEXT)
        if not window.more(_LONGEST_NEXT + 1):
            window.at = len(window.data)
            yield Gap(at, window.position, why, cut=True)
            return


class _Window:
    """The part of a stream that is in memory."""

    def __init__(self, stream: BinaryIO) -> None:
        self._read = stream.read1 if isinstance(stream, BytesIO) else getattr(stream, "read1", stream.read)
        self._before = 0
        self.data = b""
        self.at = 0

    @property
    def position(self) -> int:
        """Where in the file it is."""
        return self._before + self.at

    def more(self, wanted: int) -> bool:
        """Have so many bytes from here on, and say whether there are so many."""
        missing = wanted - (len(self.data) - self.at)
        if missing <= 0:
            return True
        pieces = [self.data[self.at :]]
        while missing > 0 and (piece := self._read(max(_BLOCK, min(missing, 16 * _BLOCK)))):
            pieces.append(piece)
            missing -= len(piece)
        self._before += self.at
        self.data, self.at = b"".join(pieces), 0
        return missing <= 0


def members(data: bytes, start: int, end: int) -> dict[str, Place]:
    """Where the values of the dict are whose payload that is."""
    places = _places(data, start, end)
    if len(places) % 2:
        raise Damaged("has a name without a value")
    found = {}
    for key, place in zip(places[::2], places[1::2], strict=True):
        kind, at, stop = key
        if kind != TEXT and kind != BYTES:
            raise Damaged("has a name that is no text")
        found[data[at:stop].decode("latin-1")] = place
    return found


def _places(data: bytes, at: int, end: int) -> list[Place]:
    """Where the values are that stand there one behind the other."""
    find = data.find
    found = []
    while at < end:
        colon = find(b":", at, at + _DIGITS + 1)
        length = data[at:colon]
        if colon < 0 or not length.isdigit():
            raise Damaged("has no length where a value should begin")
        colon += 1
        at = colon + int(length)
        if at >= end:
            raise Damaged("has a value that is longer than what it is in")
        found.append((data[at], colon, at))
        at += 1
    return found


def value(data: bytes, place: Place, depth: int = 1) -> Value:
    """Decode a value with all that is in it."""
    kind, start, end = place
    if kind == BYTES:
        return data[start:end]
    if kind == TEXT:
        return to_text(data[start:end])
    if kind in (LIST, DICT):
        if depth > DEEPEST:
            raise Damaged(f"has values more than {DEEPEST} deep inside each other")
        if kind == LIST:
            return [value(data, inner, depth + 1) for inner in _places(data, start, end)]
        return {name: value(data, inner, depth + 1) for name, inner in members(data, start, end).items()}
    return _literal(kind, data[start:end])


def _literal(kind: int, text: bytes) -> int | float | bool | None:
    try:
        if kind == ord("#"):
            return int(text)
        if kind == ord("^"):
            return float(text)
    except ValueError:
        raise Damaged("has a number that is none") from None
    if kind == ord("!") and text in _LITERALS:
        return _LITERALS[text]
    if kind == NULL and not text:
        return None
    raise Damaged(f"has a value of the type {chr(kind)!r}, which does not exist or does not fit")


def dumped(given: Value) -> bytes:
    """A value as it is written."""
    kind, payload = _payload(given)
    return b"%d:%s%s" % (len(payload), payload, kind)


def _payload(given: Value) -> tuple[bytes, bytes]:
    if given is None:
        return b"~", b""
    if isinstance(given, bool):
        return b"!", b"true" if given else b"false"
    if isinstance(given, bytes):
        return b",", given
    if isinstance(given, str):
        return b";", given.encode("utf-8", "surrogateescape")
    if isinstance(given, Mapping):
        return b"}", b"".join(dumped(name) + dumped(inner) for name, inner in given.items())
    if isinstance(given, list):
        return b"]", b"".join(map(dumped, given))
    return (b"^" if isinstance(given, float) else b"#"), repr(given).encode()
