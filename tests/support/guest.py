"""Guests written in the text format, started in an engine without a session."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

import wasmtime

from simwasm.cache import Cache
from simwasm.engines.engine import Engine, HostFunction, Imports, Instance, Words
from simwasm.engines.fuel import Fuel
from simwasm.engines.load import load
from simwasm.wasm.module import FuncType, ValType
from simwasm.wasm.rewrite import Limits

Hosts = Mapping[str, tuple[str, Callable[..., Words]]]
"""Host functions by name, in the namespace `env`: their type as in "i32 i64 -> f32", and themselves."""

NOWHERE = Cache(None)


@cache
def assemble(text: str) -> bytes:
    """A module from its text."""
    return bytes(wasmtime.wat2wasm(text))


def function_type(text: str) -> FuncType:
    """A type from its text: "i32 i64 -> f32"."""
    params, results = (tuple(ValType(word) for word in side.split()) for side in text.split("->"))
    return FuncType(params, results)


def imports(hosts: Hosts) -> Imports:
    """Host functions as an engine takes them."""
    return {("env", name): HostFunction(function_type(kind), call) for name, (kind, call) in hosts.items()}


class Starter:
    """Starts modules written as text in one engine, uncached."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def __call__(
        self, text: str, hosts: Hosts | None = None, fuel: Fuel | None = None, pages: int = 1024
    ) -> Instance:
        program = load(self.engine, assemble(text), Limits(pages=pages), NOWHERE)
        return program.start(imports(hosts or {}), fuel or Fuel())
