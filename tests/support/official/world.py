"""What the runner asks of an engine: modules that see each other, and what may become of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from official.values import Value

SPECTEST = """(module
    (func (export "print")) (func (export "print_i32") (param i32)) (func (export "print_i64") (param i64))
    (func (export "print_f32") (param f32)) (func (export "print_f64") (param f64))
    (func (export "print_i32_f32") (param i32 f32)) (func (export "print_f64_f64") (param f64 f64))
    (global (export "global_i32") i32 (i32.const 666)) (global (export "global_i64") i64 (i64.const 666))
    (global (export "global_f32") f32 (f32.const 666.6)) (global (export "global_f64") f64 (f64.const 666.6))
    (table (export "table") 10 20 funcref) (memory (export "memory") 1 2))"""
"""The module that every test file may import from."""


class Refused(Exception):
    """The bytes are no valid module."""


class Unlinkable(Exception):
    """An import is unknown, or not of the type that the module wants."""


class Cannot(Exception):
    """The engine's Python interface has no way to do this; the text says why."""


class Started(Protocol):
    """An instance. What stops it is a `Trap`, of which only the kind is looked at."""

    def invoke(self, name: str, arguments: Sequence[Value]) -> tuple[Value, ...]:
        """Call an exported function."""
        ...

    def get(self, name: str) -> Value:
        """The value of an exported global."""
        ...


class World(Protocol):
    """The modules of one test file, `spectest` among them."""

    def check(self, wasm: bytes) -> None:
        """Validate a module: `Refused` if it is not valid."""
        ...

    def instantiate(self, wasm: bytes) -> Started:
        """Start a module: `Refused`, `Unlinkable` or a `Trap` if that cannot be."""
        ...

    def register(self, name: str, instance: Started) -> None:
        """Let later modules import what an instance exports."""
        ...
