"""Places in a rewritten binary, led back to the original.

Engines report where a guest stopped as an offset in the file they were given. Rules that live here: no map
is kept, the one function in question is rewritten again and its pieces are compared; inserted code counts
as the instruction it comes after, or as the function's first; but what pays for moving many bytes, as the one it
comes before.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property
from itertools import accumulate

from simwasm.errors import Frame
from simwasm.wasm.decode import decode
from simwasm.wasm.fuel import BULK, Instrument
from simwasm.wasm.module import Body, Module
from simwasm.wasm.names import function_names
from simwasm.wasm.reader import read_module

_PREFIX = 0xFC


class Origins:
    """The way back from one rewritten binary; offsets of functions asked for once are kept."""

    def __init__(self, module: Module, wasm: bytes, by: Instrument) -> None:
        self._module = module
        self._wasm = wasm
        self._by = by
        self._offsets: dict[int, tuple[list[int], list[int]]] = {}
        self._paying: dict[int, frozenset[int]] = {}

    def frame(self, function: int, offset: int) -> Frame | None:
        """The original of a place, or None if the function was added."""
        if function < self._by.first_own:
            return Frame(function, self._names[function], 0)
        original = self._original(function)
        if original is None:
            return None
        before, after = self._pieces(original)
        at = min(max(0, bisect_right(after, offset) - 1), len(before) - 1)
        if offset > after[at] and at + 1 in self._paying[original]:
            at += 1
        return Frame(original, self._names[original], before[at])

    def inserted(self, function: int, offset: int) -> bool:
        """Whether there is inserted code at a place."""
        original = self._original(function)
        return original is None or offset not in self._pieces(original)[1]

    def _original(self, function: int) -> int | None:
        """The function of the module's own that one of the rewritten binary was made of."""
        first = self._by.first_own
        original = function - (self._by.moved(first) - first)
        return original if first <= original < self._by.functions else None

    @cached_property
    def _names(self) -> tuple[str, ...]:
        return function_names(self._module)

    @cached_property
    def _rewritten(self) -> tuple[Body, ...]:
        return read_module(self._wasm).bodies

    def _pieces(self, function: int) -> tuple[list[int], list[int]]:
        """Where the function's instructions are in the original, and where in the rewritten file."""
        if function not in self._offsets:
            own = function - self._by.first_own
            code = self._by.code(self._module, own, self._names[function])
            start = self._rewritten[own].start + len(code.head)
            body = self._module.bodies[own]
            before = _starts(code.before, body.code)
            copies = len(code.after) // len(code.before)  # with probes there are two
            paying = [at for at, piece in enumerate(code.before) if _moves_many(piece)]
            total = len(code.before)
            self._paying[function] = frozenset(at + copy * total for at in paying for copy in range(copies))
            self._offsets[function] = before * copies, _starts(code.after, start)
        return self._offsets[function]


def _moves_many(piece: bytes) -> bool:
    return piece[0] == _PREFIX and decode(piece)[0].name in BULK


def _starts(pieces: list[bytes], start: int) -> list[int]:
    return list(accumulate(map(len, pieces[:-1]), initial=start))
