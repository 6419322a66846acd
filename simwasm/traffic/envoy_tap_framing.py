"""How a tap's protobuf messages stand in a file: with their lengths or bare, and where the next one begins.

Rules that live here: bare messages do not tell where they end, but a `TraceWrapper` holds one trace, so that each
field of a file is a message of its own. Where bytes are damaged or got lost, reading goes on where lengths fit into
each other again down to a header's name, as they do by chance nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from simwasm.errors import TrafficError
from simwasm.protobuf import Broken, varint
from simwasm.traffic.envoy_tap_blocks import read_some
from simwasm.traffic.envoy_tap_pieces import MOST_BYTES
from simwasm.traffic.notes import Notes

_BYTES = 2
_LONGEST_NUMBER, _LONGEST_LENGTH = 10, 5
_LOOK = 400
"""Bytes that show whether a message begins."""
_MOST_TRIED = 10_000
_LENGTH = rb"[\x80-\xff]{0,4}[\0-\x7f]"
_START = re.compile(
    rb"\x0a%b[\x0a\x12]%b\x0a|[\x12\x1a\x22]%b\x08[\x80-\xff]{0,9}[\0-\x7f][\x12\x1a\x22\x2a\x32\x3a]"
    % (_LENGTH, _LENGTH, _LENGTH)
)
"""How a trace may begin, behind its length."""
_TAGS = frozenset(number << 3 | _BYTES for number in range(1, 6))


class Window:
    """The part of a file that is looked at."""

    def __init__(self, begun: bytes, stream: BinaryIO, *, delimited: bool) -> None:
        self._stream = stream
        self.delimited = delimited
        self.data = begun
        self.at = 0
        self.before = 0

    def has(self, size: int) -> bool:
        """Whether so many bytes follow; as many as are to be had are there then."""
        missing = size - len(self.data) + self.at
        if missing <= 0:
            return True
        block = read_some(self._stream, missing)
        self.before += self.at
        self.data, self.at = self.data[self.at :] + block, 0
        return len(block) >= missing

    @property
    def place(self) -> int:
        """Where reading goes on, in the file."""
        return self.before + self.at

    def skip(self, size: int) -> None:
        """Go over bytes without keeping them."""
        while size and self.has(1):
            step = min(size, len(self.data) - self.at)
            self.at += step
            size -= step

    def go_to_start(self) -> None:
        """Go to where the next message begins; to the end if none does, or if too much looks like one."""
        tried = 0
        while self.has(1) and tried < _MOST_TRIED:
            self.has(_LOOK)
            for found in _START.finditer(self.data, self.at):
                tried += 1
                for start in range(found.start(), max(self.at, found.start() - _LONGEST_LENGTH) - 1, -1):
                    if self._begins(start):
                        self.at = start
                        return
                if tried >= _MOST_TRIED:
                    break
            self.at = max(self.at + 1, len(self.data) - _LOOK)
            if len(self.data) - self.at < _LOOK and not self.has(_LOOK):
                self.at = len(self.data)
        self.skip(1 << 63)

    def _begins(self, start: int) -> bool:
        head = self.data[start : start + _LOOK]
        return is_delimited(head) if self.delimited else is_binary(head)


def messages(window: Window, where: str, notes: Notes) -> Iterator[tuple[int, bytes]]:
    """Each message's place and its bytes."""
    while window.has(1):
        begin = window.place
        try:
            try:
                head, size = _length(window)
            except Broken:  # perhaps it goes on
                window.has(2 * _LONGEST_NUMBER)
                head, size = _length(window)
        except Broken as error:
            what = f"no message begins here: {error}"
        else:
            if size <= MOST_BYTES and window.has(head + size):
                start = window.at + (head if window.delimited else 0)
                window.at += head + size
                yield begin, window.data[start : window.at]
                continue
            what = f"a message of {size} bytes begins here, but the file ends before"
            if size > MOST_BYTES and window.has(head + MOST_BYTES):
                what = f"a message of {size} bytes begins here, which is too much"
        notes.broken(TrafficError(f"{where}, byte {begin}: {what}; what stands around it is read"))
        window.at += 1
        window.go_to_start()


def _length(window: Window) -> tuple[int, int]:
    """How long a message is, and how many bytes tell it."""
    at = window.at
    if not window.delimited:
        tag, at = varint(window.data, at)
        if tag not in _TAGS:
            raise Broken(f"field {tag >> 3} is none of a trace")
    size, at = varint(window.data, at)
    return at - window.at, size


_INSIDE: dict[str, dict[int, str]] = {
    "wrapper": {1: "trace", 2: "segment", 3: "socket", 4: "socket"},
    "trace": {1: "half", 2: "half", 3: "peers", 4: "peers"},
    "half": {1: "header", 2: "body", 3: "header", 4: "numbers"},
    "segment": {2: "half", 3: "body", 4: "half", 5: "half", 6: "body", 7: "half"},
    "socket": {2: "peers", 3: "event", 4: "event"},
    "event": {1: "numbers", 2: "peers", 3: "peers", 4: "peers", 5: "peers"},
}
_NAME = re.compile(rb"[!-~]+")


def is_delimited(head: bytes) -> bool:
    """Whether a file that begins so is a tap's messages with their lengths."""
    try:
        size, at = varint(head, 0)
        return size > 0 and _fits(head, at, at + size, "wrapper", exactly=True)
    except Broken:
        return False


def is_binary(head: bytes) -> bool:
    """Whether a file that begins so is a tap's messages without their lengths."""
    return _fits(head, 0, MOST_BYTES, "wrapper", exactly=False)


def _fits(head: bytes, at: int, end: int, message: str, *, exactly: bool) -> bool:
    """Whether the first fields, one in the other, are those of a trace, down to a header's name or a body."""
    try:
        while at < end:
            tag, at = varint(head, at)
            if message == "segment" and tag == 0x08:  # the number of its stream
                _, at = varint(head, at)
                continue
            if message == "socket" and tag == 0x08:
                _, at = varint(head, at)
                continue
            inner = _INSIDE[message].get(tag >> 3)
            size, at = varint(head, at)
            if inner is None or tag & 7 != _BYTES or size == 0 or at + size > end:
                return False
            if exactly and at + size != end and head[at + size : at + size + 1] not in (b"\x2a", b""):
                return False
            return _is_leaf(head, at, size, inner) or (
                inner in _INSIDE and _fits(head, at, at + size, inner, exactly=False)
            )
    except Broken:
        pass
    return False


def _is_leaf(head: bytes, at: int, size: int, inner: str) -> bool:
    """Whether this is what a trace holds at its bottom."""
    if inner == "header":
        key = _NAME.match(head, at + 2)
        return head[at : at + 1] == b"\x0a" and key is not None and key.end() >= at + 2 + head[at + 1]
    if inner in ("body", "peers"):
        return head[at : at + 1] in (b"\x0a", b"\x12", b"\x18") and at + size > at
    return inner == "numbers" and head[at : at + 1] == b"\x08"
