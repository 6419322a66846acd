"""The test suite in wasmtime."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import wasmtime

from official.bridge import Bridge, bridge
from official.values import Value
from official.world import SPECTEST, Refused, Started, Unlinkable
from simwasm.engines.wasmtime_calls import Calls
from simwasm.engines.wasmtime_engine import KINDS
from simwasm.errors import Trap, TrapKind
from simwasm.wasm.module import ValType
from simwasm.wasm.reader import read_module


def _engine() -> wasmtime.Engine:
    """WebAssembly 2.0 with tail calls, and nothing newer, which would make invalid modules valid."""
    config = wasmtime.Config()
    config.wasm_tail_call = True
    config.wasm_exceptions = False
    config.wasm_gc = False
    config.wasm_function_references = False
    config.wasm_memory64 = False
    config.wasm_multi_memory = False
    config.wasm_relaxed_simd = False
    config.wasm_threads = False
    return wasmtime.Engine(config)


ENGINE = _engine()


class WasmtimeWorld:
    """One store, and a linker with what is registered."""

    def __init__(self) -> None:
        self._store = wasmtime.Store(ENGINE)
        self._linker = wasmtime.Linker(ENGINE)
        self._linker.allow_shadowing = True
        spectest = wasmtime.Module(ENGINE, SPECTEST)
        self._linker.define_instance(self._store, "spectest", wasmtime.Instance(self._store, spectest, []))

    def check(self, wasm: bytes) -> None:
        """Validate."""
        try:
            wasmtime.Module.validate(ENGINE, wasm)
        except wasmtime.WasmtimeError as error:
            raise Refused(str(error)) from None

    def instantiate(self, wasm: bytes) -> WasmtimeInstance:
        """Compile, link, start."""
        self.check(wasm)
        compiled = wasmtime.Module(ENGINE, wasm)
        with _stops():
            instance = self._linker.instantiate(self._store, compiled)
        return WasmtimeInstance(self._store, instance, wasm)

    def register(self, name: str, instance: Started) -> None:
        """Define everything it exports."""
        assert isinstance(instance, WasmtimeInstance)
        self._linker.define_instance(self._store, name, instance.instance)


class WasmtimeInstance:
    """A started module behind a bridge, which is built when somebody crosses it."""

    def __init__(self, store: wasmtime.Store, instance: wasmtime.Instance, wasm: bytes) -> None:
        self.instance = instance
        self._store = store
        self._wasm = wasm
        self._calls = Calls(store, _trap, lambda _: lambda: (), {})

    @cached_property
    def _bridge(self) -> Bridge:
        return bridge(read_module(self._wasm), references=True)

    @cached_property
    def _ends(self) -> dict[str, Callable[..., Any]]:
        """The functions and globals by their names, at this end of the bridge."""
        names, exports = self._bridge.names, self.instance.exports(self._store)
        crossing = wasmtime.Module(ENGINE, self._bridge.wasm)
        ends = wasmtime.Instance(self._store, crossing, [exports[name] for name in names])
        found = ends.exports(self._store)
        return {name: self._end(name, found[str(at)]) for at, name in enumerate(names)}

    def invoke(self, name: str, arguments: Sequence[Value]) -> tuple[Value, ...]:
        """Call over the bridge."""
        return self._bridge.leave(name, self._ends[name](*self._bridge.enter(arguments)))

    def _end(self, name: str, function: object) -> Callable[..., Any]:
        """The quick way in, which numbers can take."""
        assert isinstance(function, wasmtime.Func)
        kind = self._bridge.crossing(name)
        if not {*kind.params, *kind.results} & {ValType.FUNCREF, ValType.EXTERNREF}:
            return self._calls.export(function, kind)

        def call(*words: Any) -> Any:
            with _stops():
                return function(self._store, *words)

        return call

    def get(self, name: str) -> Value:
        """The value of a global, over the bridge."""
        (value,) = self.invoke(name, ())
        return value


@contextmanager
def _stops() -> Iterator[None]:
    """wasmtime's errors as what they are."""
    try:
        yield
    except wasmtime.Trap as error:
        raise _trap(error) from None
    except wasmtime.WasmtimeError as error:
        raise Unlinkable(str(error)) from None


def _trap(error: wasmtime.Trap) -> Trap:
    code = error.trap_code
    kind = TrapKind.OTHER if code is None else KINDS.get(code, TrapKind.OTHER)
    return Trap(kind, (), error.message)
