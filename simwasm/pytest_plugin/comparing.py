"""How two values differ that a test compared: headers by name, bodies from their first difference on.

Rule: values that have nothing to do with simwasm are pytest's to compare.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from enum import IntEnum

from simwasm.keeping import keeper

_BEFORE, _BEHIND = 16, 48
_ROW = 16


def compared(op: str, left: object, right: object) -> list[str] | None:
    """Lines for a comparison that was not so; None where pytest knows better."""
    if keeper.get() is None or "simwasm.testing" not in sys.modules:
        return None
    from simwasm.testing import Headers

    if op in ("is", "is not", "==") and isinstance(left, IntEnum) and isinstance(right, IntEnum):
        return [f"{_named(left)} {op} {_named(right)}"]
    if op in ("in", "not in") and isinstance(right, Headers):
        there = [f"  {each}" for each in _lines(right)] or ["  none at all"]
        return [f"{left!r} {op} the headers", "", "There are:", *there]
    if op == "==" and isinstance(left, Headers) and isinstance(right, Mapping):
        return ["headers == expected headers", "", *_headers(left, right)]
    if op == "==" and isinstance(left, bytes) and isinstance(right, bytes):
        return [f"{_size(left)} == {_size(right)}", "", *_bytes(left, right)]
    return None


def _named(value: IntEnum) -> str:
    return f"{type(value).__name__}.{value.name}"


def _lines(headers: Mapping[str, str]) -> Iterator[str]:
    from simwasm.trace.text import printable, value_text

    pairs = getattr(headers, "pairs", None) or headers.items()
    for name, value in pairs:
        yield f"{printable(str(name))}: {value_text(str(value))[1:-1]}"


def _headers(left: Mapping[str, str], right: Mapping[str, str]) -> Iterator[str]:
    """A diff: `-` is only expected, `+` is only there; each in its order, names without case."""
    expected = [_lowered(each) for each in _lines(right)]
    found = list(_lines(left))
    for each in expected:
        if each not in found:
            yield f"- {each}"
    for each in found:
        yield f"{' ' if each in expected else '+'} {each}"
    if sorted(expected) == sorted(found):
        yield "(only their order differs)"


def _lowered(text: str) -> str:
    name, colon, value = text.partition(":")
    return name.lower() + colon + value


def _size(data: bytes) -> str:
    return f"{len(data):,} bytes"


def _bytes(left: bytes, right: bytes) -> Iterator[str]:
    """Both from a little before the first difference on: as text where they are text, as hex where not."""
    shorter = min(len(left), len(right))
    at = next((index for index in range(shorter) if left[index] != right[index]), shorter)
    yield f"They differ from byte {at:,} on."
    show = _text if _is_text(left) and _is_text(right) else _hex
    start = max(0, at - _BEFORE)
    for mark, data in (("-", right), ("+", left)):
        yield from (f"{mark} {each}" for each in show(data, start, at))


def _is_text(data: bytes) -> bool:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return False
    return all(char.isprintable() or char in "\n\r\t" for char in text)


def _text(data: bytes, start: int, at: int) -> Iterator[str]:
    end = at + _BEHIND
    piece = data[start:end].decode("utf-8", "backslashreplace")
    yield f"{'…' if start else ''}{piece!r}{'…' if end < len(data) else ''}"


def _hex(data: bytes, start: int, at: int) -> Iterator[str]:
    first = at - at % _ROW
    for row in range(first, first + 2 * _ROW, _ROW):
        piece = data[row : row + _ROW]
        if piece or row == first:
            shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in piece)
            yield f"{row:08x}  {piece.hex(' '):<{_ROW * 3}} {shown}".rstrip()
