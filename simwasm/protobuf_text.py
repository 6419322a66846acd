"""Strings of protobuf's text format: what their escapes stand for."""

from __future__ import annotations

import re

_ESCAPE = re.compile(
    rb"\\(?:([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL
)
_SIMPLE = {b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v",
           b"\\": b"\\", b"'": b"'", b'"': b'"', b"?": b"?"}  # fmt: skip


class NoEscape(ValueError):
    """A backslash with a sign behind it that means nothing."""

    def __init__(self, sign: bytes) -> None:
        super().__init__(f"there is no escape {sign!r}")
        self.sign = sign


class NoCharacter(ValueError):
    """The number of a character that does not exist."""

    def __init__(self, number: int) -> None:
        super().__init__(f"there is no character {number:#x}")


def unescaped(data: bytes) -> bytes:
    """The bytes that a string's inside stands for."""
    return _ESCAPE.sub(_meant, data) if b"\\" in data else data


def _meant(found: re.Match[bytes]) -> bytes:
    octal, two, four, eight, simple = found.groups()
    if octal:
        return bytes([int(octal, 8) & 0xFF])
    if two:
        return bytes([int(two, 16)])
    if simple is not None:
        if simple not in _SIMPLE:
            raise NoEscape(simple)
        return _SIMPLE[simple]
    number = int(four or eight, 16)
    if number > 0x10FFFF or 0xD800 <= number < 0xE000:
        raise NoCharacter(number)
    return chr(number).encode()
