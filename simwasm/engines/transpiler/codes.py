"""The code of a program's functions: made when a function is called for the first time, and kept.

Code is kept as marshal writes it, with the file offset of the instruction on each of its lines, and read back one
function at a time. So a program that ran before starts without a look at any function that is not called.

Rules that live here: code objects are made once for a program, whose instances share them; what is kept is code that
will run, and is only ever read from a place that is trusted (`simwasm/cache.py`).
"""

from __future__ import annotations

import marshal
from array import array
from collections.abc import Mapping
from functools import cached_property
from types import CodeType
from typing import TYPE_CHECKING, NamedTuple

from simwasm.wasm.module import Kind, Module

if TYPE_CHECKING:
    from simwasm.engines.transpiler.generate import Generator

Key = tuple[int, bool]
"""A function by its index among the module's own, and whether it can be stepped through."""


class Made(NamedTuple):
    """The code of a function."""

    function: int
    """Its index in the module."""
    steppable: bool
    code: CodeType
    offsets: array[int]
    """Where the instruction on each line is in the file."""


class Codes:
    """All code of a program that was made so far."""

    def __init__(self, module: Module, kept: Mapping[Key, bytes] | None = None) -> None:
        self.module = module
        self.first = len(module.imported(Kind.FUNCTION))
        """The index of the first function that is the module's own."""
        self.kept = dict(kept or {})
        """All that was made, as bytes."""
        self.written = len(self.kept)
        """How much of that is where it is kept between runs."""
        self._made: dict[Key, Made] = {}

    def get(self, own: int, steppable: bool) -> Made:
        """The code of a function."""
        key = own, steppable
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = self._kept(key) or self._generated(key)
        return made

    def put(self, made: Made) -> None:
        """Use this as the code of its function."""
        self._made[made.function - self.first, made.steppable] = made

    @cached_property
    def _generator(self) -> Generator:
        from simwasm.engines.transpiler.generate import Generator  # a warm program needs none

        return Generator(self.module)

    def _kept(self, key: Key) -> Made | None:
        data = self.kept.get(key)
        if data is None:
            return None
        code, offsets = marshal.loads(data)
        return Made(self.first + key[0], key[1], code, array("I", offsets))

    def _generated(self, key: Key) -> Made:
        own, steppable = key
        made = self._generator.generate(own, steppable=steppable)
        self.kept[key] = marshal.dumps((made.code, bytes(made.offsets)))
        return Made(self.first + own, steppable, made.code, array("I", bytes(made.offsets)))
