"""What functions, tables and globals are to those who import them.

Rules that live here: words are those of generated code (unsigned integers); a function is known by its cell, whose
content may change at any time: a stub, then the code that was made of it, fast or steppable; a reference to a
function is the `FunctionExtern` itself.
"""

from __future__ import annotations

from collections.abc import Callable
from types import CellType
from typing import Any

from simwasm.wasm.module import FuncType, GlobalType

Call = Callable[..., Any]


class FunctionExtern:
    """A function that can be called with words."""

    __slots__ = ("cell", "type")

    def __init__(self, type: FuncType, call: Call) -> None:
        self.type = type
        self.cell = CellType(call)

    @property
    def call(self) -> Call:
        """What it is now: to call at once, not to keep."""
        call: Call = self.cell.cell_contents
        return call

    def settled(self) -> Call | None:
        """What may be kept until its instance says otherwise; None if that was not made yet."""
        return self.call

    def made(self) -> Call:
        """The same, made if need be."""
        return self.call


class GlobalExtern:
    """A global, shared by those who import it."""

    __slots__ = ("cell", "type")

    def __init__(self, type: GlobalType, value: object) -> None:
        self.type = type
        self.cell = CellType(value)
