"""The ways in which generated code looks at the memory.

A view of whole words begins at a multiple of nothing: `V4[a & 3][a >> 2]` reads the four bytes at any address `a`,
through the one of four views that begins at `a & 3`. That needs no test and makes no object but the number.

Rules that live here: a view belongs to one bytearray, so all are made anew when the memory has grown; an address
beyond the end is an IndexError in every view.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

Views = tuple[memoryview, ...]


def _views(size: int, format: str, memory: bytearray) -> Views:
    """One view for each place in a word that an address can have."""
    whole = memoryview(memory)
    return tuple(
        whole[at : at + max(0, len(memory) - at) // size * size].cast(format)  # type: ignore[call-overload]
        for at in range(size)
    )


def _bytes(memory: bytearray) -> memoryview:
    return memoryview(memory).cast("b")


VIEWS: dict[str, Callable[[bytearray], object]] = {
    "S1": _bytes,
    "V2": partial(_views, 2, "H"),
    "S2": partial(_views, 2, "h"),
    "V4": partial(_views, 4, "I"),
    "S4": partial(_views, 4, "i"),
    "V8": partial(_views, 8, "Q"),
    "F4": partial(_views, 4, "f"),
    "F8": partial(_views, 8, "d"),
}
"""By the name that generated code uses: V unsigned, S signed, F float, and the size in bytes."""
