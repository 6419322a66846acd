"""The test suite in wasmer, modules as they are.

Rule: what an instance exports is handed to wasmer as it came from wasmer, which links every kind of it; only values
have to be such as its Python interface knows, and that knows no references.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import wasmer  # type: ignore[import-untyped,import-not-found,unused-ignore]
import wasmtime
from wasmer_compiler_cranelift import Compiler  # type: ignore[import-untyped,import-not-found,unused-ignore]

from official.bridge import IT, Bridge, bridge
from official.values import Value
from official.world import SPECTEST, Refused, Started, Unlinkable
from simwasm.engines.traps import wasmer_trap
from simwasm.errors import Trap
from simwasm.wasm.reader import read_module


class WasmerWorld:
    """One store, and the exports of what is registered."""

    def __init__(self) -> None:
        self._store = wasmer.Store(wasmer.engine.Universal(Compiler))
        self._known: dict[str, dict[str, Any]] = {}
        self._kept: list[object] = []  # wasmer does not hold what an instance imports
        self.register("spectest", self.instantiate(bytes(wasmtime.wat2wasm(SPECTEST))))

    def check(self, wasm: bytes) -> None:
        """Validate."""
        try:
            wasmer.Module(self._store, wasm)
        except RuntimeError as error:
            raise Refused(str(error)) from None

    def instantiate(self, wasm: bytes) -> WasmerInstance:
        """Compile, link, start."""
        try:
            compiled = wasmer.Module(self._store, wasm)
        except RuntimeError as error:
            raise Refused(str(error)) from None
        imports = wasmer.ImportObject()
        for name in {item.module for item in compiled.imports} & set(self._known):
            imports.register(name, self._known[name])
        try:
            instance = wasmer.Instance(compiled, imports)
        except RuntimeError as error:
            raise _reason(error) from None
        self._kept.append(instance)
        return WasmerInstance(self._store, dict(iter(instance.exports)), wasm)

    def register(self, name: str, instance: Started) -> None:
        """Remember everything it exports."""
        assert isinstance(instance, WasmerInstance)
        self._known[name] = instance.exports


class WasmerInstance:
    """A started module behind a bridge, which is built when somebody crosses it."""

    def __init__(self, store: Any, exports: dict[str, Any], wasm: bytes) -> None:
        self.exports = exports
        self._store = store
        self._wasm = wasm

    @cached_property
    def _bridge(self) -> Bridge:
        return bridge(read_module(self._wasm), references=False)

    @cached_property
    def _crossing(self) -> Any:
        imports = wasmer.ImportObject()
        items = {str(at): self.exports[name] for at, name in enumerate(self._bridge.names)}
        imports.register(IT, items)
        return wasmer.Instance(wasmer.Module(self._store, self._bridge.wasm), imports)

    @cached_property
    def _ends(self) -> dict[str, Any]:
        """The functions and globals by their names, at this end of the bridge."""
        ends = dict(iter(self._crossing.exports))
        return {name: ends[str(at)] for at, name in enumerate(self._bridge.names)}

    def invoke(self, name: str, arguments: Sequence[Value]) -> tuple[Value, ...]:
        """Call over the bridge."""
        words = self._bridge.enter(arguments)
        try:
            given = self._ends[name](*words)
        except RuntimeError as error:
            raise _reason(error) from None
        return self._bridge.leave(name, given)

    def get(self, name: str) -> Value:
        """The value of a global, over the bridge."""
        (value,) = self.invoke(name, ())
        return value


def _reason(error: RuntimeError) -> Trap | Unlinkable:
    """wasmer's error, caught where wasmer was called, as what it is."""
    stop = wasmer_trap(error)
    if stop is None:
        return Unlinkable(str(error))
    kind, _, detail = stop
    return Trap(kind, (), detail)
