"""Writing the numbers, names and sections of a module."""

from __future__ import annotations

from collections.abc import Iterable


def u32(value: int) -> bytes:
    """Encode an unsigned number in the shortest LEB128."""
    if value < 0x80:
        return bytes((value,))
    groups = []
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*groups, value))


def s32(value: int) -> bytes:
    """Encode a signed number in the shortest LEB128."""
    groups = []
    while not -0x40 <= value < 0x40:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*groups, value & 0x7F))


def name(text: str) -> bytes:
    """Encode a name: its size, then its UTF-8."""
    encoded = text.encode()
    return u32(len(encoded)) + encoded


def vector(items: Iterable[bytes]) -> bytes:
    """Encode a count and the items."""
    listed = list(items)
    return u32(len(listed)) + b"".join(listed)


def section(number: int, content: bytes) -> bytes:
    """Encode a section: its number, its size, its content."""
    return bytes((number,)) + u32(len(content)) + content
