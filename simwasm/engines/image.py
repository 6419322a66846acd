"""A guest's state as a value, to put it back later.

What a guest can change is its memory, its globals and its tables. An image holds the memory in pages of 4 KiB,
which images of the same guest share where they are equal, and the globals. `restorable` says of which modules
that is all there is.

Rules that live here: nothing is captured or restored while a call of the guest is running, because its stack
is not in an image; a memory never shrinks, so an image of a smaller one needs a fresh instance; what is where
it should be is not written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, repeat
from struct import Struct

from simwasm.engines.engine import Capturable, Word
from simwasm.wasm.decode import decode, split
from simwasm.wasm.module import Kind, Mode, Module, ValType
from simwasm.wasm.rewrite import FUEL

PAGE = 4096
"""What images share: a callback changes a few of them."""

CHUNK = 65536
"""What memories grow by; whole chunks are compared at once."""

Chunk = tuple[bytes, ...]

_chunks = Struct(f"{PAGE}s" * (CHUNK // PAGE))
_ZEROS = bytes(PAGE)
_EMPTY: Chunk = (_ZEROS,) * (CHUNK // PAGE)


@dataclass(frozen=True, slots=True)
class Image:
    """The state of a guest between two calls."""

    memory: tuple[Chunk, ...]
    """Chunks of 64 KiB, each in pages of 4 KiB."""
    globals: tuple[tuple[str, Word], ...]
    """By the names they are exported under; the fuel counter is one of them."""

    def size(self) -> int:
        """The number of bytes that the memory had."""
        return len(self.memory) * CHUNK

    def read(self, at: int, size: int) -> bytes:
        """Copy bytes out of the memory as it was; out of range is an IndexError."""
        if not 0 <= at <= at + size <= self.size():
            raise IndexError(f"{size} bytes at {at} are outside the memory of {self.size()} bytes")
        first, last = at // CHUNK, (at + size + CHUNK - 1) // CHUNK
        start = at - first * CHUNK
        return b"".join(chain.from_iterable(self.memory[first:last]))[start : start + size]


def capture(instance: Capturable, previous: Image | None = None) -> Image:
    """The guest as it is now, sharing with an earlier image what did not change."""
    known = chain(previous.memory if previous else (), repeat(_EMPTY))
    view = instance.memory.view()
    memory = tuple(
        [
            old if new == old else _sharing(new, old)
            for new, old in zip(_chunks.iter_unpack(view), known)  # noqa: B905  # what is known has no end
        ]
    )
    return Image(memory, tuple([(name, instance.get_global(name)) for name in instance.variables()]))


def _sharing(new: Chunk, old: Chunk) -> Chunk:
    """The new pages, those replaced that are in the old chunk or zeros."""
    return tuple([o if n == o else _ZEROS if n == _ZEROS else n for n, o in zip(new, old, strict=True)])


def restore(instance: Capturable, image: Image) -> bool:
    """Put the guest back; False, and nothing is changed, if its memory is larger than it was.

    A fresh instance of the same program, on which nothing but `start` ran, always takes an image.
    """
    missing = image.size() - instance.memory.size()
    if missing < 0:
        return False
    if missing:
        instance.grow(missing // CHUNK)
    view = instance.memory.view()
    for at, page in list(_differences(view, image.memory)):
        view[at : at + PAGE] = page
    for name, value in image.globals:
        instance.set_global(name, value)
    return True


_CALLED = {FUEL: "the fuel that is left"}


def difference(then: Image, now: Image) -> str:
    """In words, how a guest is not what it was; empty if it is."""
    told = []
    if then.size() != now.size():
        told.append(f"its memory has {now.size():,} bytes and had {then.size():,}")
    places = [
        chunk * CHUNK + place
        for chunk, (one, other) in enumerate(zip(then.memory, now.memory))  # noqa: B905  # told above
        if one is not other and one != other
        for place, (was, is_now) in enumerate(zip(b"".join(one), b"".join(other), strict=True))
        if was != is_now
    ]
    if places:
        told.append(f"{len(places):,} bytes of its memory differ, the first at 0x{places[0]:x}")
    before = dict(then.globals)
    told += [
        f"{_CALLED.get(name, name)} is {value:,} and was {before.get(name)}"
        for name, value in now.globals
        if before.get(name) != value and value == value
    ]
    return "; ".join(told)


def _differences(view: memoryview, memory: tuple[Chunk, ...]) -> Iterator[tuple[int, bytes]]:
    """Where pages are not what they should be, and what they should be."""
    for chunk, (now, then) in enumerate(zip(_chunks.iter_unpack(view), memory, strict=True)):
        if now != then:
            for page, (is_now, was) in enumerate(zip(now, then, strict=True)):
                if is_now != was:
                    yield chunk * CHUNK + page * PAGE, was


def restorable(module: Module) -> str:
    """Why images of this module's guests do not hold all of their state; empty if they do."""
    for index, item in enumerate(module.globals, len(module.imported(Kind.GLOBAL))):
        if item.type.mutable and item.type.type not in _NUMBERS:
            return f"global {index} can change and is no number ({item.type.type.value})"
    tables = len(module.tables) + len(module.imported(Kind.TABLE))
    suspect = re.compile(
        rb"\x26[\x00-\x%02x\x80-\xff]|\xfc[\x09\x0c\x0e\x0f\x11\x80-\xff]" % min(tables, 0x7F)
    )
    for body in module.bodies:
        if suspect.search(module.data, body.code, body.end):
            for piece in set(split(module.data, body.code, body.end)):
                reason = _hidden_change(module, piece)
                if reason:
                    return reason
    return ""


_NUMBERS = frozenset({ValType.I32, ValType.I64, ValType.F32, ValType.F64})
_CHANGE_TABLES = frozenset({"table.set", "table.init", "table.copy", "table.grow", "table.fill"})


def _hidden_change(module: Module, piece: bytes) -> str:
    """What state an instruction changes that is not in an image."""
    if piece[0] not in b"\x26\xfc":
        return ""
    opcode, immediates = decode(piece)
    if opcode.name in _CHANGE_TABLES:
        return f"its code changes a table ({opcode.name})"
    if opcode.name == "data.drop" and module.segments[immediates[0]].mode is Mode.PASSIVE:
        return "its code drops a data segment (data.drop)"
    return ""
