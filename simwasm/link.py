"""Joining a plugin to its host: one function for every import, one for every callback, made once.

Rules:

- a module is linked by its ABI version, with the complaints Envoy has: an import that this version lacks or that has
  another type, a callback with another signature, no allocator;
- while the module starts, and inside its allocator, only a few host functions may be called; any other traps;
- with nobody watching, no event is made: the closures are other ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any

from simwasm.abi import codec
from simwasm.abi.kinds import Form
from simwasm.abi.status import Refusal
from simwasm.abi.table import ALLOCATORS, Abi, Function, callbacks, host_functions
from simwasm.engines.engine import Export, HostFunction, Imports, Memory
from simwasm.errors import LinkError, Trap, TrapKind
from simwasm.host.vm import Vm
from simwasm.plugin import Plugin
from simwasm.trace.event import Entered, Event, Left, Observer, Trapped
from simwasm.wasm.module import FuncType, Kind

STARTING, ALLOCATING = 1, 2

Handlers = Mapping[str, Callable[..., Any]]
Caller = Callable[..., Any]


def check(plugin: Plugin) -> None:
    """Refuse what Envoy refuses to link."""
    module = plugin.module
    offered = host_functions(plugin.abi)
    for item in module.imports:
        name = f"{item.module}.{item.name}"
        row = offered.get((item.module, item.name))
        if item.kind in (Kind.MEMORY, Kind.TABLE):
            continue
        if row is None or item.kind is not Kind.FUNCTION:
            hint = _hint(plugin.abi, item.name)
            raise LinkError(
                f"{plugin.name}: Failed to load Wasm module due to a missing import: {name}{hint}"
            )
        if item.type != row.type:
            raise LinkError(
                f"{plugin.name}: Failed to load Wasm module due to an import type mismatch: {name}, "
                f"want: {item.type}, but host exports: {row.type}"
            )
    _check_callbacks(plugin)


def _hint(version: Abi, name: str) -> str:
    versions = [other.value for other in Abi for module, known in host_functions(other) if known == name]
    if versions:
        known = ", ".join(dict.fromkeys(versions))
        return f" (the plugin exports the marker of ABI {version.value}; ABI {known} has this function)"
    return " (no version of the ABI has it; was the plugin built for another host?)"


def _check_callbacks(plugin: Plugin) -> None:
    module = plugin.module
    rows = callbacks(plugin.abi)
    names = set()
    for export in module.exports:
        row = rows.get(export.name)
        if row is None or export.kind is not Kind.FUNCTION:
            continue
        names.add(export.name)
        found: FuncType = module.function_type(export.index)
        if found != row.type:
            raise LinkError(
                f"{plugin.name}: Bad function signature for: {export.name}, want: {row.type}, "
                f"but the module exports: {found}"
            )
    if not names.intersection(ALLOCATORS):
        raise LinkError(
            f"{plugin.name}: Wasm module is missing malloc function. Export `malloc` or `proxy_on_memory_allocate`: "
            f"every SDK does, so was the plugin linked as a library with its exports kept?"
        )


_make: Callable[..., Any] = tuple.__new__
"""Makes a named tuple at half the price of calling it."""


class Wire:
    """Where events come from: numbers them and tells the observers."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._tell = observers[0] if len(observers) == 1 else _telling_all(tuple(observers))
        self._next = count(1).__next__

    def enter(
        self, vm: Vm, context: int, function: Function, args: tuple[Any, ...], words: tuple[int, ...]
    ) -> int:
        seq = self._next()
        self._tell(_make(Entered, (seq, vm.proxy.clock.now, vm.plugin.name, context, function, args, words)))
        return seq

    def leave(self, opened: int, result: Any, values: tuple[Any, ...] = (), reason: str = "") -> None:
        self._tell(_make(Left, (self._next(), opened, result, values, reason)))

    def trap(self, opened: int, trap: Trap) -> None:
        self._tell(Trapped(self._next(), opened, trap))


def _telling_all(observers: tuple[Observer, ...]) -> Observer:
    def tell(event: Event) -> None:
        for observer in observers:
            observer(event)

    return tell


class Link:
    """One VM and its guest: builds the imports, then the callers of the exports."""

    def __init__(self, vm: Vm, handlers: Handlers, wire: Wire | None) -> None:
        self._vm = vm
        self._handlers = handlers
        self._wire = wire
        self._rows = callbacks(vm.plugin.abi)
        self._malloc: Export
        self.gate = codec.Gate()
        self._allocate = self._allocator()

    def imports(self, memory: Memory) -> Imports:
        """A host function for every import of the module."""
        rows = host_functions(self._vm.plugin.abi)
        wanted = [(item.module, item.name) for item in self._vm.plugin.module.imported(Kind.FUNCTION)]
        return {key: HostFunction(rows[key].type, self._bind(rows[key], memory)) for key in wanted}

    def _bind(self, row: Function, memory: Memory) -> Callable[..., int | None]:
        handler = self._handlers[row.name]
        forbidden = (0 if row.early else STARTING) | (0 if row.in_allocator else ALLOCATING)
        if self._wire is None:
            return codec.bind(row, memory, self._allocate, handler, self.gate, forbidden)
        return self._watched(row, memory, handler, forbidden, self._wire)

    def _watched(
        self, row: Function, memory: Memory, handler: Callable[..., Any], forbidden: int, wire: Wire
    ) -> Callable[..., int | None]:
        """The same as `codec.bind`, told to the observers."""
        vm, gate = self._vm, self.gate
        decode = codec.decoders(row, memory)
        carry_out = codec.carry_out(row, memory, self._allocate, handler)
        several = len(row.outputs) > 1
        silent = not row.outputs
        ok = row.errors(0) if row.errors is not None else None
        enter, leave = wire.enter, wire.leave

        def call(*words: int) -> int | None:
            refused: Refusal | None = None
            try:
                args = tuple([one(words) for one in decode])
            except Refusal as refusal:
                args, refused = _what_can_be_read(decode, words), refusal
            context = vm.context.id if vm.context is not None else 0
            opened = enter(vm, context, row, args, words)
            try:
                if gate.shut & forbidden:
                    raise gate.restricted(row)
                if refused is not None:
                    raise refused
                value, reason = carry_out(words, args)
            except Refusal as refusal:
                leave(opened, refusal.status, (), refusal.reason)
                return int(refusal.status)
            except BaseException as error:
                wire.trap(opened, as_trap(error))
                raise
            if ok is None:
                leave(opened, value)
                return value  # type: ignore[no-any-return]  # a row without a status gives its word
            leave(opened, ok, () if silent else tuple(value) if several else (value,), reason)
            return 0

        return call

    def _allocator(self) -> codec.Allocate:
        """A function that asks the guest's allocator, during which almost nothing may be called."""
        gate = self.gate

        def allocate(size: int) -> int:
            before = gate.shut
            gate.shut = before | ALLOCATING
            try:
                return self._malloc(size)  # type: ignore[return-value]  # its signature was checked
            finally:
                gate.shut = before

        return allocate

    def callers(self, exports: Mapping[str, Export]) -> dict[str, Caller]:
        """A function for every callback that the module exports: plain numbers in, a decoded result out."""
        found = {
            name: self._caller(row, exports[name]) for name, row in self._rows.items() if name in exports
        }
        allocator = next((name for name in ALLOCATORS if name in exports), None)
        if allocator is not None:
            self._malloc = exports[allocator] if self._wire is None else found[allocator]
        return found

    def _caller(self, row: Function, export: Export) -> Caller:
        vm, wire = self._vm, self._wire
        decode = codec.decode_result(row)
        if wire is None:
            if row.result is None:
                return export
            return lambda *args: decode(export(*args))

        flags = [index for index, param in enumerate(row.params) if param.form is Form.FLAG]

        def call(*args: int) -> Any:
            context = vm.current.id if vm.current is not None else 0
            shown = _with_flags(args, flags) if flags else args
            opened = wire.enter(vm, context, row, shown, args)
            try:
                result = decode(export(*args))
            except BaseException as error:
                wire.trap(opened, as_trap(error))
                raise
            wire.leave(opened, result)
            return result

        return call

    def start(self, callers: Mapping[str, Caller]) -> None:
        """Run the module's own start: constructors and `main`, or `_start`."""
        self.gate.shut = STARTING
        try:
            if "_initialize" in callers:
                callers["_initialize"]()
                if "main" in callers:
                    callers["main"](0, 0)
                elif "__main_void" in callers:
                    callers["__main_void"]()
            elif "_start" in callers:
                callers["_start"]()
        finally:
            self.gate.shut = 0


def _what_can_be_read(decode: Sequence[codec.Decoder], words: tuple[int, ...]) -> tuple[Any, ...]:
    """The arguments of a call that will be refused: None for each that cannot be decoded."""
    args: list[Any] = []
    for one in decode:
        try:
            args.append(one(words))
        except Refusal:
            args.append(None)
    return tuple(args)


def _with_flags(args: tuple[int, ...], flags: Sequence[int]) -> tuple[int, ...]:
    shown = list(args)
    for index in flags:
        shown[index] = bool(shown[index])
    return tuple(shown)


def as_trap(error: BaseException) -> Trap:
    """What a watcher is told when the guest is left by an exception."""
    return (
        error if isinstance(error, Trap) else Trap(TrapKind.OTHER, detail=f"{type(error).__name__}: {error}")
    )
