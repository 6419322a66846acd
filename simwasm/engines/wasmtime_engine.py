"""wasmtime: the engine for every Python, and the second opinion.

wasmtime-py looks types up at each call, which costs 15 us and more; `wasmtime_calls` therefore calls the same
C functions itself. Everything that happens once - compiling, linking, globals - goes through wasmtime-py.

Rules that live here: a memory never moves (4 GiB of addresses are reserved for each); the guest gets as much
stack as V8 gives it in Envoy; code is not optimized, because then a trap may be placed at the branch that led
to it.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from functools import cached_property, partial
from importlib.metadata import version
from typing import Any

import wasmtime

from simwasm.engines.engine import Binary, Export, Imports, Word
from simwasm.engines.fuel import Fuel
from simwasm.engines.link import Interface
from simwasm.engines.memory import LinearMemory, Look, nothing, view_of
from simwasm.engines.refuse import refusal, unstartable
from simwasm.engines.traps import RawFrame, Stop, frames, trap
from simwasm.engines.unwind import Frames
from simwasm.engines.wasmtime_calls import Calls, Types
from simwasm.errors import Trap, TrapKind
from simwasm.wasm.rewrite import MEMORY, Rewritten

_STACK = 1024 * 1024
_ADDRESSES = 1 << 32

KINDS: dict[wasmtime.TrapCode, TrapKind] = {
    wasmtime.TrapCode.UNREACHABLE: TrapKind.UNREACHABLE,
    wasmtime.TrapCode.MEMORY_OUT_OF_BOUNDS: TrapKind.MEMORY_BOUNDS,
    wasmtime.TrapCode.HEAP_MISALIGNED: TrapKind.MEMORY_ALIGNMENT,
    wasmtime.TrapCode.TABLE_OUT_OF_BOUNDS: TrapKind.TABLE_BOUNDS,
    wasmtime.TrapCode.INDIRECT_CALL_TO_NULL: TrapKind.UNINITIALIZED_ELEMENT,
    wasmtime.TrapCode.BAD_SIGNATURE: TrapKind.INDIRECT_TYPE,
    wasmtime.TrapCode.INTEGER_OVERFLOW: TrapKind.INTEGER_OVERFLOW,
    wasmtime.TrapCode.INTEGER_DIVISION_BY_ZERO: TrapKind.DIVIDE_BY_ZERO,
    wasmtime.TrapCode.BAD_CONVERSION_TO_INTEGER: TrapKind.BAD_CONVERSION,
    wasmtime.TrapCode.STACK_OVERFLOW: TrapKind.STACK_EXHAUSTED,
}
"""wasmtime's reasons, and what they are."""


class WasmtimeEngine:
    """Compiles with Cranelift."""

    name = "wasmtime"
    version = version("wasmtime")

    def compile(self, module: Rewritten) -> WasmtimeProgram:
        """Validate and compile."""
        try:
            compiled = wasmtime.Module(self._engine, module.wasm)
        except wasmtime.WasmtimeError as error:
            raise refusal(self.name, str(error), self._complaint(module.module.data)) from None
        return WasmtimeProgram(self._engine, Interface.of(module), compiled, lambda: module)

    def restore(self, compiled: bytes, binary: Binary) -> WasmtimeProgram:
        """A program from what `WasmtimeProgram.compiled` gave."""
        interface, code = Interface.detach(compiled)
        try:
            module = wasmtime.Module.deserialize(self._engine, code)
        except wasmtime.WasmtimeError as error:
            raise ValueError(f"not compiled by wasmtime {self.version}: {error}") from None
        return WasmtimeProgram(self._engine, interface, module, binary)

    @cached_property
    def _engine(self) -> wasmtime.Engine:
        config = wasmtime.Config()
        config.memory_reservation = _ADDRESSES
        config.memory_may_move = False
        config.max_wasm_stack = _STACK
        config.cranelift_opt_level = "none"
        config.wasm_memory64 = False
        config.wasm_threads = False
        return wasmtime.Engine(config)

    def _complaint(self, wasm: bytes) -> str | None:
        try:
            wasmtime.Module(self._engine, wasm)
        except wasmtime.WasmtimeError as error:
            return str(error)
        return None


class WasmtimeProgram:
    """Compiled code."""

    def __init__(
        self, engine: wasmtime.Engine, interface: Interface, module: wasmtime.Module, binary: Binary
    ) -> None:
        self._engine = engine
        self._interface = interface
        self._module = module
        self._binary = binary
        self._types: Types = {}

    def compiled(self) -> bytes:
        """The interface and the native code."""
        return self._interface.attach(bytes(self._module.serialize()))

    def start(self, imports: Imports, fuel: Fuel) -> WasmtimeInstance:
        """Link and run the start function."""
        functions = self._interface.link(imports, fuel)
        store = wasmtime.Store(self._engine)

        def stopped(error: wasmtime.Trap) -> Trap:
            return trap(_read(error), self._binary, fuel)

        def framed(raw: list[RawFrame]) -> Frames:
            return partial(frames, raw, self._binary)

        calls = Calls(store, stopped, framed, self._types)
        linked = [calls.host(function) for function in functions]
        try:
            instance = wasmtime.Instance(store, self._module, linked)
        except wasmtime.Trap as error:
            raise calls.raised(trap=_address(error)) or stopped(error) from None
        except wasmtime.WasmtimeError as error:
            raise calls.raised(error=_address(error)) or unstartable("wasmtime", str(error)) from None
        return WasmtimeInstance(self._interface, store, calls, dict(instance.exports(store)))


def _address(error: wasmtime.Trap | wasmtime.WasmtimeError) -> int:
    return ctypes.addressof(error.ptr().contents)


def _read(error: wasmtime.Trap) -> Stop:
    code = error.trap_code
    frames = [(frame.func_index, frame.module_offset) for frame in error.frames]
    if code in KINDS:
        return KINDS[code], frames, ""
    return TrapKind.OTHER, frames, error.message.strip().rpartition("wasm trap: ")[2]


class WasmtimeInstance:
    """A started module."""

    def __init__(
        self, interface: Interface, store: wasmtime.Store, calls: Calls, exports: Mapping[str, Any]
    ) -> None:
        self._store = store
        self._calls = calls
        memory = exports.get("memory")
        if not isinstance(memory, wasmtime.Memory):
            memory = exports.get(MEMORY)
        self.memory = LinearMemory(nothing if memory is None else _looker(store, memory))
        self._linear: Any = memory
        self.exports: Mapping[str, Export] = {
            name: calls.export(exports[name], kind) for name, kind in interface.exports
        }
        self._variables = interface.variables
        self._globals = {name: item for name, item in exports.items() if isinstance(item, wasmtime.Global)}

    def get_global(self, name: str) -> Word:
        """The value of an exported global."""
        value: Word = self._globals[name].value(self._store)
        return value

    def set_global(self, name: str, value: Word) -> None:
        """Change an exported global."""
        self._globals[name].set_value(self._store, value)

    def variables(self) -> tuple[str, ...]:
        """The exported globals that can change and are numbers."""
        return self._variables

    def grow(self, pages: int) -> None:
        """Give the memory more pages."""
        self._linear.grow(self._store, pages)

    def close(self) -> None:
        """Let go of the guest."""
        self._calls.close()
        self._globals.clear()
        self.memory.close()


def _looker(store: wasmtime.Store, memory: wasmtime.Memory) -> Look:
    """Views of all of a memory, which lives as long as its store."""
    known = nothing()

    def look() -> memoryview:
        nonlocal known
        size = memory.data_len(store)
        if size != len(known):
            known = view_of(ctypes.addressof(memory.data_ptr(store).contents), size, store)
        return known

    return look
