"""A Wasm module as values: what the reader finds and everyone else asks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class ValType(str, Enum):
    """A Wasm value type; the value is its name in the text format."""

    I32 = "i32"
    I64 = "i64"
    F32 = "f32"
    F64 = "f64"
    V128 = "v128"
    FUNCREF = "funcref"
    EXTERNREF = "externref"


@dataclass(frozen=True, slots=True)
class FuncType:
    """The parameters and results of a function."""

    params: tuple[ValType, ...]
    results: tuple[ValType, ...]

    def __str__(self) -> str:
        """Write the type as Envoy's loader does: `i32 i32 -> i32`, `void -> void`."""
        params, results = (" ".join(t.value for t in side) or "void" for side in (self.params, self.results))
        return f"{params} -> {results}"
