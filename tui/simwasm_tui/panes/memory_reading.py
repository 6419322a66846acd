"""Reading a plugin's memory as people do: finding bytes, following pointers, listing texts, seeing what has changed.

Rule: memory may have a GiB, so it is read in windows, and never copied as a whole beyond a limit that is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from simwasm.debug.arguments import Reader
from simwasm.exchange import to_bytes

WINDOW = 1 << 20
COPIED = 64 << 20
"""Up to this size the memory of the previous stop is kept, to show what has changed."""
MOST_TEXTS = 20_000
_PAGE = 1 << 16
_ZEROS = bytes(_PAGE)
_HEX = re.compile(r"(?:0x)?((?:[0-9a-f]{2}[ _]?)+)", re.I)
_PRINTABLE = bytes(range(0x20, 0x7F)) + b"\t"
_TEXT = re.compile(rb"[\x20-\x7e\t]{%d,}")


class Found(NamedTuple):
    """A text in memory."""

    at: int
    data: bytes


def wanted(text: str) -> bytes:
    """What is looked for: `"text"` or plain text, or bytes as `0x61 62` or `hex:6162`."""
    stripped = text.strip()
    if stripped[:1] == '"' and stripped[-1:] == '"' and len(stripped) > 1:
        return to_bytes(stripped[1:-1])
    prefix = next((prefix for prefix in ("hex:", "0x") if stripped.lower().startswith(prefix)), "")
    digits = _HEX.fullmatch(stripped[len(prefix) :].strip()) if prefix else None
    if digits is not None:
        return bytes.fromhex(re.sub(r"[ _]", "", digits[1]))
    return to_bytes(text)


def find(memory: Reader, data: bytes, start: int, *, back: bool = False) -> int | None:
    """The next place of some bytes, round the end if need be; `start` itself comes last."""
    size = memory.size()
    if not data or not size:
        return None
    if back:
        before = _last(memory, data, 0, min(size, start + len(data) - 1))
        return before if before is not None else _last(memory, data, start, size)
    behind = _first(memory, data, start + 1, size)
    return behind if behind is not None else _first(memory, data, 0, min(size, start + len(data)))


def _first(memory: Reader, data: bytes, start: int, end: int) -> int | None:
    for at in range(start, end, WINDOW):
        place = memory.read(at, min(WINDOW + len(data) - 1, end - at)).find(data)
        if place >= 0:
            return at + place
    return None


def _last(memory: Reader, data: bytes, start: int, end: int) -> int | None:
    upto = end
    while upto > start:
        at = max(start, upto - WINDOW)
        place = memory.read(at, min(upto + len(data) - 1, end) - at).rfind(data)
        if place >= 0:
            return at + place
        upto = at
    return None


def pointer(memory: Reader, at: int) -> int | None:
    """The address that lies at an address, if it is one of this memory."""
    if not 0 <= at <= memory.size() - 4:
        return None
    target = int.from_bytes(memory.read(at, 4), "little")
    return target if 0 < target < memory.size() else None


def texts(memory: Reader, shortest: int = 6, most: int = MOST_TEXTS) -> Iterator[Found]:
    """The printable texts in memory, in the order of their addresses."""
    pattern = re.compile(_TEXT.pattern % shortest)
    found, size, at = 0, memory.size(), 0
    while at < size and found < most:
        window = memory.read(at, min(_PAGE, size - at))
        if window == _ZEROS:  # most of a large memory was never written to
            at += _PAGE
            continue
        whole = at + len(window) == size
        upto = len(window) if whole else len(window.rstrip(_PRINTABLE)) or len(window)
        for match in pattern.finditer(window, 0, upto):  # what it ends with may go on in the next one
            yield Found(at + match.start(), match[0])
            found += 1
            if found >= most:
                return
        at += upto


def different(before: bytes, now: Reader, at: int, size: int) -> list[int]:
    """Which of some bytes are not what they were; places from `at` on. What is new has not changed."""
    old = before[at : at + size]
    new = now.read(at, min(size, max(0, now.size() - at)))
    if old == new[: len(old)]:
        return []
    return [index for index, (one, other) in enumerate(zip(old, new, strict=False)) if one != other]


def next_different(before: bytes, now: Reader, start: int, *, back: bool = False) -> int | None:
    """The nearest changed byte behind an address, or before it, round the end."""
    size = min(len(before), now.size())
    windows = [(at, min(at + WINDOW, size)) for at in range(0, size, WINDOW)]
    places = (
        at + index
        for at, end in (reversed(windows) if back else windows)
        if before[at:end] != (new := now.read(at, end - at))
        for index in _places(before[at:end], new, back)
    )
    first = None
    for place in places:
        if (place < start) if back else (place > start):
            return place
        first = place if first is None else first
    return first


def _places(old: bytes, new: bytes, back: bool) -> list[int]:
    found = [index for index in range(len(old)) if old[index] != new[index]]
    return found[::-1] if back else found


def grown(before: int, now: int) -> str:
    """How large a memory is, and by how much it has grown."""
    text = f"{now / 1024:,.0f} KiB" if now < 1 << 24 else f"{now / (1 << 20):,.0f} MiB"
    return f"{text} (+{(now - before) // 65536:,} pages)" if 0 < before < now else text
