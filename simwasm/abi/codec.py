"""Words to values and back, carefully: what is asked when the straight way ends, and says why.

The straight way is the text in `snippets.py`, which reads and writes through the newest view of the memory. What it
cannot read or write comes here: either the view was merely too short, since the memory grew, or the guest made a
mistake. Rules:

- engines hand i32 over signed or unsigned, so every address and size is masked;
- a pointer outside memory is the guest's mistake: `Refusal(INVALID_MEMORY_ACCESS)`, or `FAULT` for WASI;
- an out value that is not empty is put where the guest's allocator says; an empty one is address 0, size 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from enum import IntEnum
from functools import lru_cache
from struct import Struct
from typing import Any, Protocol

from simwasm.abi.enums import Errno, Status
from simwasm.abi.kinds import Form, Param
from simwasm.abi.pairs import decode_pairs, decode_path
from simwasm.abi.status import Refusal
from simwasm.abi.table import Function
from simwasm.errors import Trap, TrapKind
from simwasm.exchange import to_text

Words = Sequence[int]
Read = Callable[[int, int], bytes]
"""Read bytes at an address; what lies outside memory is an exception."""

_M32 = 0xFFFFFFFF
_M64 = 0xFFFFFFFFFFFFFFFF
_U32 = Struct("<I")
_TWO_U32 = Struct("<II")


class Memory(Protocol):
    """What the codec needs of a linear memory; out of range is an IndexError."""

    def size(self) -> int: ...
    def read(self, at: int, size: int, /) -> bytes: ...
    def write(self, at: int, data: bytes, /) -> None: ...
    def follow(self, renew: Callable[[memoryview, Any], None], /) -> None: ...


class Gate:
    """What keeps host functions shut while the module starts and while its allocator runs."""

    __slots__ = ("shut", "failed")

    def __init__(self, failed: Callable[[Trap], None]) -> None:
        self.shut = 0
        self.failed = failed
        """Told when the allocator traps. The guest is not left by that: it is told that there is no memory."""

    def restricted(self, function: Function) -> Trap:
        """The trap that a guest gets for calling a function at the wrong time."""
        when = "while the plugin starts" if self.shut == 1 else "in the plugin's allocator"
        return Trap(TrapKind.RESTRICTED, detail=f"{function.name} may not be called {when}")


@lru_cache
def members(kind: type[IntEnum]) -> dict[int, IntEnum]:
    """The named numbers by number."""
    return {int(member): member for member in kind}


def placed(function: Function) -> Iterator[tuple[Param, int]]:
    """Each parameter with the index of its first word."""
    index = 0
    for param in function.params:
        yield param, index
        index += len(param.words)


def _signed(word: int, sign: int) -> int:
    return ((word & (2 * sign - 1)) ^ sign) - sign


def _member(read: Read, param: Param, word: int) -> IntEnum:
    assert param.enum is not None
    known = members(param.enum)
    if word in known:
        return known[word]
    names = ", ".join(f"{number} {member.name}" for number, member in known.items())
    raise Refusal(Status.BAD_ARGUMENT, f"{param.name}: there is no {word & _M32}; known are {names}")


MOST_GATHERED = 1 << 26
"""How many bytes one write may have: iovecs may overlap, so little memory can stand for any number."""


def gathered(read: Read, at: int, count: int) -> bytes:
    """What an array of iovecs points at, joined."""
    vectors = [*_TWO_U32.iter_unpack(read(at & _M32, 8 * (count & _M32)))]
    total = sum(size for _, size in vectors)
    if total > MOST_GATHERED:
        reason = (
            f"{count & _M32} iovecs have {total:,} bytes in all, more than the limit of {MOST_GATHERED:,}"
        )
        raise Refusal(Errno.INVAL, reason)
    return b"".join([read(start, size) for start, size in vectors])


_READ: dict[Form, Callable[..., Any]] = {
    Form.U32: lambda read, param, word: word & _M32,
    Form.I32: lambda read, param, word: _signed(word, 1 << 31),
    Form.U64: lambda read, param, word: word & _M64,
    Form.I64: lambda read, param, word: _signed(word, 1 << 63),
    Form.FLAG: lambda read, param, word: word & _M32 != 0,
    Form.ENUM: _member,
    Form.TEXT: lambda read, param, at, size: to_text(read(at, size)),
    Form.DATA: lambda read, param, at, size: read(at, size),
    Form.PATH: lambda read, param, at, size: decode_path(read(at, size)),
    Form.PAIRS: lambda read, param, at, size: decode_pairs(read(at, size)),
    Form.IOVECS: lambda read, param, at, count: gathered(read, at, count),
    Form.SPAN: lambda read, param, at, size: size & _M32,
}
"""The value that words stand for. A refusal says what is wrong with them."""


class Careful:
    """Reads and writes one guest's memory, and blames the parameter that cannot be read or written."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def read(self, function: Function, words: Words) -> tuple[tuple[Any, ...], Refusal | None]:
        """The arguments of a call, None for each that cannot be read, and why the first of them cannot."""
        args: list[Any] = []
        refused: Refusal | None = None
        for param, index in placed(function):
            if param in function.inputs:
                try:
                    args.append(self._value(function, param, words[index : index + len(param.words)]))
                except Refusal as refusal:
                    args.append(None)
                    refused = refused or refusal
        return tuple(args), refused

    def _value(self, function: Function, param: Param, words: Words) -> Any:
        def read(at: int, size: int) -> bytes:
            at &= _M32
            size &= _M32
            try:
                return self._memory.read(at, size)
            except IndexError:
                raise self._outside(function, param.name, at, size) from None

        return _READ[param.form](read, param, *words)

    def write(self, function: Function, name: str, at: int, data: bytes) -> None:
        """Write bytes for the parameter of that name."""
        at &= _M32
        try:
            self._memory.write(at, data)
        except IndexError:
            raise self._outside(function, name, at, len(data)) from None

    def place(self, function: Function, name: str, at: int, data: bytes) -> None:
        """Write bytes where the allocator said."""
        if not at:
            reason = f"{name}: the guest's allocator gave nothing for {len(data):,} bytes"
            raise Refusal(_bad_access(function), reason)
        self.write(function, f"{name} (where the allocator said)", at, data)

    def strings(self, function: Function, name: str, at: int, to: int, strings: Sequence[bytes]) -> None:
        """Write an array of pointers, and the strings they point at, NUL-terminated."""
        to &= _M32
        for index, string in enumerate(strings):
            self.write(function, name, at + 4 * index, _U32.pack(to))
            self.write(function, name, to, string + b"\0")
            to += len(string) + 1

    def _outside(self, function: Function, name: str, at: int, size: int) -> Refusal:
        end = self._memory.size()
        reason = f"{name}: {size:,} bytes at address {at} lie outside the guest's memory of {end:,} bytes"
        return Refusal(_bad_access(function), reason)


def _bad_access(function: Function) -> Status | Errno:
    return Errno.FAULT if function.errors is Errno else Status.INVALID_MEMORY_ACCESS
