"""wasmer 1.1.0: the engine of choice where it loads, which is CPython 3.10.

Rules that live here:

* wasmer ties each of its objects to the thread that made it. So a program keeps the compiled code, and makes
  a module of it in every thread that starts one (2 ms for a megabyte).
* Between the guest and Python there is a door (`headroom`), because it does not survive an overflow in
  Python.
* A panic of its compiler poisons the store. So each module has a store of its own (3 us).
* Its references to Python functions are invisible to Python's garbage collector. So `close` lets go of what
  was exported; without it an instance whose host functions lead back to it lives for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from hashlib import sha256
from pathlib import Path
from threading import local
from typing import Any

# neither ships types
import wasmer  # type: ignore[import-untyped,import-not-found,unused-ignore]
from wasmer_compiler_cranelift import Compiler  # type: ignore[import-untyped,import-not-found,unused-ignore]

from simwasm.engines import headroom
from simwasm.engines.engine import Binary, Export, HostFunction, Imports, Word, Words
from simwasm.engines.fuel import Fuel
from simwasm.engines.headroom import STOP, doors
from simwasm.engines.link import Interface, closed
from simwasm.engines.memory import LinearMemory, Look, address_of, nothing, view_of
from simwasm.engines.refuse import refusal, unstartable
from simwasm.engines.traps import frames, is_own, trap, wasmer_trap
from simwasm.engines.unwind import Unwind
from simwasm.errors import EngineUnavailable, PluginError, Trap
from simwasm.wasm.module import FuncType, ValType
from simwasm.wasm.rewrite import MEMORY, Rewritten

_TYPES = {
    ValType.I32: wasmer.Type.I32,
    ValType.I64: wasmer.Type.I64,
    ValType.F32: wasmer.Type.F32,
    ValType.F64: wasmer.Type.F64,
}
_ZEROS: dict[ValType, Word] = {ValType.I32: 0, ValType.I64: 0, ValType.F32: 0.0, ValType.F64: 0.0}


class _Unwinding:
    """Makes a trap of an `Unwind`: the door to the host function that raised it has one ready."""

    def __init__(self, store: Any) -> None:
        self.stop = wasmer.Global(store, wasmer.Value.i32(0), mutable=True)
        self._raised: Unwind | None = None

    def host(self, function: HostFunction) -> Callable[..., Words]:
        """A host function that answers, whatever, rather than raise `Unwind`."""
        call = function.call
        zeros = tuple(_ZEROS[kind] for kind in function.type.results)
        answer = zeros if len(zeros) > 1 else zeros[0] if zeros else None

        def host(*words: Word) -> Words:
            try:
                return call(*words)
            except Unwind as unwind:
                self._raised = unwind
                self.stop.value = 1
                return answer

        return host

    def raised(self) -> Unwind | None:
        """What the guest was stopped for, once."""
        unwind, self._raised = self._raised, None
        if unwind is not None:
            self.stop.value = 0
        return unwind


@dataclass(frozen=True, slots=True)
class _Started:
    """What every export of an instance needs. The doors are held because wasmer does not, and would crash."""

    binary: Binary
    fuel: Fuel
    unwinding: _Unwinding
    doors: object

    def reason(self, error: RuntimeError) -> Trap | Unwind | None:
        """Read what a guest call raised; None if no guest stopped."""
        read = wasmer_trap(error)
        if read is None:
            return None
        unwind = self.unwinding.raised()
        if unwind is None:
            return trap(read, self.binary, self.fuel)
        _, raw, _ = read
        unwind.through(partial(frames, raw[1:], self.binary))  # the first is the door's
        return unwind


def _doors_made() -> str:
    """The version of the doors, of which programs have compiled ones: a digest of what makes them."""
    return sha256(Path(headroom.__file__).read_bytes()).hexdigest()[:8]


class WasmerEngine:
    """Compiles with Cranelift; with singlepass in less time slower code, but what that cannot, with Cranelift."""

    name = "wasmer"

    def __init__(self, compiler: str = "cranelift") -> None:
        self._compiler = Compiler if compiler == "cranelift" else _singlepass()
        self.version = f"1.1.0-{compiler}-{_doors_made()}"

    def compile(self, module: Rewritten) -> WasmerProgram:
        """Validate and compile."""
        guest = _compile(module.wasm, self._compiler)
        if isinstance(guest, str) and self._compiler is not Compiler:
            guest = _compile(module.wasm)
        if isinstance(guest, str):
            original = _compile(module.module.data)
            raise refusal(self.name, guest, original if isinstance(original, str) else None)
        interface = Interface.of(module)
        door = _compiled_doors(interface.host_types())
        return WasmerProgram(interface, guest.serialize(), door, lambda: module)

    def restore(self, compiled: bytes, binary: Binary) -> WasmerProgram:
        """A program from what `WasmerProgram.compiled` gave."""
        interface, code = Interface.detach(compiled)
        end = 8 + int.from_bytes(code[:8], "little")
        program = WasmerProgram(interface, code[8:end], code[end:], binary)
        program.modules()
        return program


def _singlepass() -> Any:
    try:
        import wasmer_compiler_singlepass
    except ImportError as error:
        raise EngineUnavailable(
            f"wasmer's compiler for stepping does not load ({error}); "
            "try: pip install wasmer_compiler_singlepass==1.1.0"
        ) from None
    return wasmer_compiler_singlepass.Compiler


def _store(compiler: Any = Compiler) -> Any:
    return wasmer.Store(wasmer.engine.Universal(compiler))


def _compile(wasm: bytes, compiler: Any = Compiler) -> Any:
    """A module, or wasmer's complaint."""
    try:
        return wasmer.Module(_store(compiler), wasm)
    except RuntimeError as error:
        return str(error)
    except BaseException as panic:
        if type(panic).__name__ != "PanicException":
            raise
        return f"the compiler failed: {panic}"


@lru_cache(maxsize=64)
def _compiled_doors(kinds: tuple[FuncType, ...]) -> bytes:
    compiled: bytes = _compile(doors(kinds)).serialize()
    return compiled


class WasmerProgram:
    """Compiled code, and the modules that each thread made of it."""

    def __init__(self, interface: Interface, guest: bytes, door: bytes, binary: Binary) -> None:
        self._interface = interface
        self._guest = guest
        self._door = door
        self._binary = binary
        self._here = local()

    def compiled(self) -> bytes:
        """The interface and the native code."""
        return self._interface.attach(len(self._guest).to_bytes(8, "little") + self._guest + self._door)

    def start(self, imports: Imports, fuel: Fuel) -> WasmerInstance:
        """Link and run the start function."""
        store, guest, door = self.modules()
        functions = self._interface.link(imports, fuel)
        unwinding = _Unwinding(store)
        hosts = wasmer.Instance(door, _hosts(store, functions, unwinding))
        started = _Started(self._binary, fuel, unwinding, hosts)
        try:
            instance = wasmer.Instance(guest, _imports(self._interface, hosts.exports))
        except RuntimeError as error:
            reason = started.reason(error)
            if reason is not None:
                raise reason from None
            if is_own(error):
                raise
            raise unstartable("wasmer", str(error)) from None
        return WasmerInstance(self._interface, instance.exports, started)

    def modules(self) -> tuple[Any, Any, Any]:
        """A store of this thread, and in it the guest and the doors to its host functions."""
        if not hasattr(self._here, "made"):
            store = _store()
            try:
                guest, door = (wasmer.Module.deserialize(store, code) for code in (self._guest, self._door))
            except RuntimeError as error:
                raise ValueError(f"not compiled by wasmer 1.1.0: {error}") from None
            self._here.made = store, guest, door
        made: tuple[Any, Any, Any] = self._here.made
        return made


def _hosts(store: Any, functions: list[HostFunction], unwinding: _Unwinding) -> Any:
    """What is behind the doors."""
    behind = wasmer.ImportObject()
    calls = [unwinding.host(function) if function.unwinds else function.call for function in functions]
    made = [
        wasmer.Function(store, call, _wasmer_type(function.type))
        for call, function in zip(calls, functions, strict=True)
    ]
    items = {str(index): function for index, function in enumerate(made)}
    behind.register("", {**items, STOP: unwinding.stop})
    return behind


def _imports(interface: Interface, doors: Any) -> Any:
    """What the guest imports: the doors, in the order of its imports."""
    namespaces: dict[str, dict[str, Any]] = {}
    for index, (module, name, _) in enumerate(interface.imports):
        namespaces.setdefault(module, {})[name] = getattr(doors, str(index))
    linked = wasmer.ImportObject()
    for module, items in namespaces.items():
        linked.register(module, items)
    return linked


def _wasmer_type(kind: FuncType) -> Any:
    return wasmer.FunctionType([_TYPES[p] for p in kind.params], [_TYPES[r] for r in kind.results])


class WasmerInstance:
    """A started module."""

    def __init__(self, interface: Interface, exports: Any, started: _Started) -> None:
        found = dict(iter(exports))  # as attributes, some names would find what Python has under them
        memory = found.get("memory")
        if not isinstance(memory, wasmer.Memory):
            memory = found.get(MEMORY)
        functions = {name: _export(found[name], started) for name, _ in interface.exports}
        self.memory = LinearMemory(nothing if memory is None else _looker(memory))
        self._linear: Any = memory
        self.exports: Mapping[str, Export] = {name: call for name, (call, _) in functions.items()}
        self._variables = interface.variables
        self._globals = {name: item for name, item in found.items() if isinstance(item, wasmer.Global)}
        self._release = [release for _, release in functions.values()]

    def get_global(self, name: str) -> Word:
        """The value of an exported global."""
        value: Word = self._globals[name].value
        return value

    def set_global(self, name: str, value: Word) -> None:
        """Change an exported global."""
        self._globals[name].value = value

    def variables(self) -> tuple[str, ...]:
        """The exported globals that can change and are numbers."""
        return self._variables

    def grow(self, pages: int) -> None:
        """Give the memory more pages."""
        self._linear.grow(pages)

    def close(self) -> None:
        """Let go of the guest."""
        for release in self._release:
            release()
        self._globals.clear()
        self._linear = None
        self.memory.close()


def _export(function: Callable[..., Words], started: _Started | None) -> tuple[Export, Callable[[], None]]:
    """A function of the guest, and how to let go of it."""

    def call(*words: Word) -> Words:
        try:
            return function(*words)
        except RuntimeError as error:
            reason = started.reason(error) if started else None
            if reason is None:
                raise
            raise reason from None

    def release() -> None:
        nonlocal function, started
        function, started = closed, None

    return call, release


def _looker(memory: Any) -> Look:
    """Views of all of a memory. wasmer's own are let go at once, which only the thread that made them can do."""
    known = nothing()

    def look() -> memoryview:
        nonlocal known
        size = memory.data_size
        if size == len(known):
            return known
        with memoryview(memory.buffer) as view:
            if len(view) != size:  # its length has 32 bits
                raise PluginError("a memory of 4 GiB cannot be read with wasmer; limit it to 65535 pages")
            known = view_of(address_of(view), size, memory)
        return known

    return look
