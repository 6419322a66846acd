"""How memory is shown, as gdb's `x` does: so many, as what, of what size."""

from __future__ import annotations

import re
from collections.abc import Callable
from struct import Struct
from typing import NamedTuple

from simwasm.engines.engine import Memory
from simwasm.errors import InputError
from simwasm.trace.text import value_text

_FORMAT = re.compile(r"/(\d{0,6})([xduotcsb]?)([bhwg]?)|/(\d{0,6})([bhwg])([xduotcs])")
_SIZES = {"b": ("B", 1), "h": ("H", 2), "w": ("I", 4), "g": ("Q", 8)}
_LINE = 16
LONGEST = 1 << 16

NUMBERS: dict[str, Callable[[int, int], str]] = {
    "x": lambda value, size: f"0x{value:0{2 * size}x}",
    "d": lambda value, size: str(value - (1 << 8 * size) if value >> (8 * size - 1) else value),
    "u": lambda value, size: str(value),
    "o": lambda value, size: f"0{value:o}",
    "t": lambda value, size: f"{value:0{8 * size}b}",
    "c": lambda value, size: f"{value} {value_text(bytes([value & 0xFF]))}",
}


class Format(NamedTuple):
    """How memory is shown: so many, as what, of what size."""

    times: int = 1
    kind: str = "x"
    size: str = "b"


def read_format(text: str, before: Format) -> Format:
    """A format such as /16xb; what is left out is as it was before."""
    if text in ("", "/"):
        return before
    found = _FORMAT.fullmatch(text)
    if found is None:
        raise InputError(f"`{text}` is no format: a count, one of x d u o t c s, one of b h w g, as in /16xb")
    count = found[1] or found[4] or ""
    kind, size = (found[2], found[3]) if found[4] is None else (found[6], found[5])
    if kind == "b":  # gdb has no format b: it is the size
        kind, size = "", "b"
    return Format(
        int(count or 1), kind or before.kind, "b" if kind == "c" and not size else size or before.size
    )


def _check(memory: Memory, at: int, size: int) -> None:
    if not 0 <= at <= at + size <= memory.size():
        raise InputError(
            f"x: 0x{at & (1 << 64) - 1:x} lies outside the plugin's memory of {memory.size():,} bytes"
        )


def units(memory: Memory, at: int, form: Format) -> tuple[list[str], int]:
    """Numbers at an address, as lines; and where they end."""
    letter, size = _SIZES[form.size]
    count = min(form.times, LONGEST // size)
    _check(memory, at, size)
    count = min(count, (memory.size() - at) // size)
    data = memory.read(at, count * size)
    values = [value for (value,) in Struct(f"<{letter}").iter_unpack(data)]
    a_line = max(1, (8 if form.kind == "c" else _LINE) // size) if form.kind != "t" else 1
    show = NUMBERS[form.kind]
    return [
        f"0x{at + index * size:08x}  "
        + "  ".join(show(value, size) for value in values[index : index + a_line])
        for index in range(0, count, a_line)
    ], at + count * size


def strings(memory: Memory, at: int, form: Format) -> tuple[list[str], int]:
    """Texts that end with a zero byte, as lines; and where they end."""
    lines = []
    for _ in range(min(form.times, 1000)):
        _check(memory, at, 1)
        data = memory.read(at, min(LONGEST, memory.size() - at))
        text, _, _ = data.partition(b"\0")
        lines.append(f"0x{at:08x}  {value_text(text, 200)}")
        at += len(text) + 1
        if at >= memory.size():
            break
    return lines, at
