"""wasmer 1.1.0: the engine of choice where it loads, which is CPython 3.10.

Rules that live here:

* wasmer ties each of its objects to the thread that made it. So a program keeps the compiled code, and makes
  a module of it in every thread that starts one (2 ms for a megabyte).
* A panic of its compiler poisons the store. So each module has a store of its own (3 us).
* Its references to Python functions are invisible to Python's garbage collector. So `close` lets go of what
  was exported; without it an instance whose host functions lead back to it lives for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import local
from typing import Any

# neither ships types
import wasmer  # type: ignore[import-untyped,import-not-found,unused-ignore]
from wasmer_compiler_cranelift import Compiler  # type: ignore[import-untyped,import-not-found,unused-ignore]

from simwasm.engines.engine import Export, HostFunction, Imports, Origin, Word, Words
from simwasm.engines.fuel import Fuel
from simwasm.engines.link import Wanted, closed, link, speakable
from simwasm.engines.memory import LinearMemory, nothing
from simwasm.engines.refuse import refusal
from simwasm.engines.traps import trap, wasmer_trap
from simwasm.errors import LinkError, PluginError, Trap
from simwasm.wasm.module import FuncType, ValType
from simwasm.wasm.rewrite import MEMORY, Rewritten

_TYPES = {
    ValType.I32: wasmer.Type.I32,
    ValType.I64: wasmer.Type.I64,
    ValType.F32: wasmer.Type.F32,
    ValType.F64: wasmer.Type.F64,
    ValType.V128: wasmer.Type.V128,
    ValType.FUNCREF: wasmer.Type.FUNC_REF,
    ValType.EXTERNREF: wasmer.Type.EXTERN_REF,
}
_KINDS = {int(number): kind for kind, number in _TYPES.items()}

Stopped = Callable[[RuntimeError], "Trap | None"]
"""Reads what a guest call raised; None if no guest stopped."""


class WasmerEngine:
    """Compiles with Cranelift."""

    name = "wasmer"
    version = "1.1.0-cranelift"

    def compile(self, module: Rewritten) -> WasmerProgram:
        """Validate and compile."""
        compiled = _compile(module.wasm)
        if isinstance(compiled, str):
            original = _compile(module.module.data)
            raise refusal(self.name, compiled, original if isinstance(original, str) else None)
        return WasmerProgram(compiled.serialize(), module.origin)

    def restore(self, compiled: bytes, origin: Origin) -> WasmerProgram:
        """A program from what `WasmerProgram.compiled` gave."""
        program = WasmerProgram(compiled, origin)
        program.module()
        return program


def _store() -> Any:
    return wasmer.Store(wasmer.engine.Universal(Compiler))


def _compile(wasm: bytes) -> Any:
    """A module, or wasmer's complaint."""
    try:
        return wasmer.Module(_store(), wasm)
    except RuntimeError as error:
        return str(error)
    except BaseException as panic:
        if type(panic).__name__ != "PanicException":
            raise
        return f"the compiler failed: {panic}"


class WasmerProgram:
    """Compiled code, and the module that each thread made of it."""

    def __init__(self, compiled: bytes, origin: Origin) -> None:
        self._compiled = compiled
        self._origin = origin
        self._here = local()

    def compiled(self) -> bytes:
        """The native code."""
        return self._compiled

    def start(self, imports: Imports, fuel: Fuel) -> WasmerInstance:
        """Link and run the start function."""
        store, module = self.module()
        wanted = link(_wanted(module), imports, fuel)
        linked = _linked(store, module, wanted)

        def stopped(error: RuntimeError) -> Trap | None:
            read = wasmer_trap(error)
            return None if read is None else trap(*read, self._origin, fuel)

        try:
            instance = wasmer.Instance(module, linked)
        except RuntimeError as error:
            reason = stopped(error)
            if reason is None and not str(error).startswith("Error while importing"):
                raise
            raise reason or LinkError(str(error)) from None
        return WasmerInstance(module, instance.exports, stopped)

    def module(self) -> tuple[Any, Any]:
        """A store and the module in it, both of this thread."""
        if not hasattr(self._here, "made"):
            store = _store()
            try:
                self._here.made = store, wasmer.Module.deserialize(store, self._compiled)
            except RuntimeError as error:
                raise ValueError(f"not compiled by wasmer 1.1.0: {error}") from None
        made: tuple[Any, Any] = self._here.made
        return made


def _wanted(module: Any) -> list[Wanted]:
    return [(item.module, item.name, _function_type(item.type)) for item in module.imports]


def _function_type(found: Any) -> FuncType | None:
    if not isinstance(found, wasmer.FunctionType):
        return None
    params, results = (tuple(_KINDS[kind] for kind in side) for side in (found.params, found.results))
    return FuncType(params, results)


def _linked(store: Any, module: Any, functions: list[HostFunction]) -> Any:
    """wasmer's own table of imports."""
    namespaces: dict[str, dict[str, Any]] = {}
    for item, function in zip(module.imports, functions, strict=True):
        namespaces.setdefault(item.module, {})[item.name] = wasmer.Function(
            store, function.call, _wasmer_type(function.type)
        )
    linked = wasmer.ImportObject()
    for name, items in namespaces.items():
        linked.register(name, items)
    return linked


def _wasmer_type(kind: FuncType) -> Any:
    return wasmer.FunctionType([_TYPES[p] for p in kind.params], [_TYPES[r] for r in kind.results])


class WasmerInstance:
    """A started module."""

    def __init__(self, module: Any, exports: Any, stopped: Stopped) -> None:
        found = {item.name: getattr(exports, item.name) for item in module.exports}
        memory = found.get("memory", found.get(MEMORY))
        functions = {
            name: _export(item, stopped)
            for name, item in found.items()
            if isinstance(item, wasmer.Function) and speakable(_function_type(item.type))
        }
        self.memory = LinearMemory(nothing if memory is None else lambda: _look(memory))
        self.exports: Mapping[str, Export] = {name: call for name, (call, _) in functions.items()}
        self._globals = {name: item for name, item in found.items() if isinstance(item, wasmer.Global)}
        self._release = [release for _, release in functions.values()]

    def get_global(self, name: str) -> Word:
        """The value of an exported global."""
        value: Word = self._globals[name].value
        return value

    def set_global(self, name: str, value: Word) -> None:
        """Change an exported global."""
        self._globals[name].value = value

    def close(self) -> None:
        """Let go of the guest."""
        for release in self._release:
            release()
        self._globals.clear()
        self.memory.close()


def _export(function: Callable[..., Words], stopped: Stopped) -> tuple[Export, Callable[[], None]]:
    """A function of the guest, and how to let go of it."""

    def call(*words: Word) -> Words:
        try:
            return function(*words)
        except RuntimeError as error:
            reason = stopped(error)
            if reason is None:
                raise
            raise reason from None

    def release() -> None:
        nonlocal function
        function = closed

    return call, release


def _look(memory: Any) -> memoryview:
    """All of a memory. wasmer gives its length in 32 bits, so that 4 GiB seem to be none."""
    view = memoryview(memory.buffer)
    if not view and memory.size:
        raise PluginError("a memory of 4 GiB cannot be read with wasmer; limit it to 65535 pages")
    return view
