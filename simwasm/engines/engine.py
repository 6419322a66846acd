"""What every Wasm engine offers, as Protocols, and the linear memory they share.

Rules that live here: words are Python ints, i32 and i64 arrive at host functions as the engine hands them over
(signed or unsigned; the codec masks) and results may be given either way; a guest that stops is an `errors.Trap`
with frames of the original module; an exception raised by a host function comes out of the guest call unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from simwasm.wasm.module import FuncType
from simwasm.wasm.rewrite import Rewritten


@dataclass(frozen=True, slots=True)
class HostFunction:
    """A Python function a guest can call, with its Wasm type."""

    type: FuncType
    call: Callable[..., int | float | None]


Imports = Mapping[tuple[str, str], HostFunction]
Export = Callable[..., "int | float | None"]


class Memory(Protocol):
    """The guest's linear memory. Out of range is an IndexError."""

    def size(self) -> int: ...
    def read(self, at: int, size: int) -> bytes: ...
    def write(self, at: int, data: bytes) -> None: ...
    def view(self) -> memoryview: ...


class Instance(Protocol):
    """A started module."""

    memory: Memory
    exports: Mapping[str, Export]

    def get_global(self, name: str) -> int | float: ...
    def set_global(self, name: str, value: int | float) -> None: ...


class Program(Protocol):
    """A compiled module, from which any number of instances start."""

    def start(self, imports: Imports) -> Instance: ...


class Engine(Protocol):
    """A way to run Wasm."""

    name: str
    version: str

    def compile(self, module: Rewritten) -> Program: ...
