"""What code of a random module may refer to: types, functions, globals, tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Type = Literal["i32", "i64", "f32", "f64", "v128", "funcref", "externref"]
NUMBERS: tuple[Type, ...] = ("i32", "i64", "f32", "f64")
REFERENCES: tuple[Type, ...] = ("funcref", "externref")
PAGE = 65536


def zero(type: Type) -> str:
    """The instruction that gives the first value of a type."""
    if type in REFERENCES:
        return f"ref.null {type[:-3]}"
    return f"{type}.const i64x2 0 0" if type == "v128" else f"{type}.const 0"


@dataclass(frozen=True)
class Signature:
    """A function's type."""

    params: tuple[Type, ...]
    results: tuple[Type, ...]

    @property
    def text(self) -> str:
        """As the text format writes it, for blocks too."""
        params = f"(param {' '.join(self.params)})" if self.params else ""
        return params + (f" (result {' '.join(self.results)})" if self.results else "")

    @property
    def is_numeric(self) -> bool:
        return set(self.params + self.results) <= set(NUMBERS)


@dataclass(frozen=True)
class Global:
    type: Type
    mutable: bool

    @property
    def text(self) -> str:
        return f"(mut {self.type})" if self.mutable else self.type

    @property
    def zero(self) -> str:
        return zero(self.type)


@dataclass(frozen=True)
class Table:
    type: Type
    size: int
    most: int


@dataclass(frozen=True)
class Shape:
    """All there is; global 0 is what is left to do. Segments are four of data and four of elements."""

    functions: tuple[Signature, ...]
    first_own: int
    globals: tuple[Global, ...]
    tables: tuple[Table, ...]
    types: tuple[Type, ...]
    entries: tuple[int, ...]
    """What is in the first table at first."""
    tail_calls: bool
