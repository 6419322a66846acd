"""Joining a plugin to its host: one function for every import, one for every callback, made once.

Rules:

- a module is linked by its ABI version, with the complaints Envoy has: an import that this version lacks or that has
  another type, a callback with another signature, no allocator;
- while the module starts, and inside its allocator, only a few host functions may be called; any other traps;
- with nobody watching, no event is made: the functions are other ones, assembled without the lines for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from operator import attrgetter
from typing import Any

from simwasm.abi.assemble import Assembly
from simwasm.abi.codec import Gate, Memory
from simwasm.abi.table import ALLOCATORS, Abi, Function, callbacks, host_functions
from simwasm.abi.texts import STARTING
from simwasm.engines.engine import Export, HostFunction, Imports
from simwasm.errors import LinkError, Trap, TrapKind
from simwasm.host.calls.restricted import is_allowed
from simwasm.host.context import Context
from simwasm.host.vm import Vm
from simwasm.plugin import Plugin
from simwasm.trace.event import Direct, Entered, Event, Left, Observer, Trapped
from simwasm.wasm.module import Kind

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
    types = module.function_types()
    names = set()
    for export in module.exports:
        row = rows.get(export.name)
        if row is None or export.kind is not Kind.FUNCTION:
            continue
        names.add(export.name)
        found = types[export.index]
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
        self.tell = observers[0] if len(observers) == 1 else _telling_all(tuple(observers))
        self.next, self.rewind = _numbers()


def _numbers() -> tuple[Callable[[], int], Callable[[int], None]]:
    """What counts events, and what lets the count go on behind an earlier one."""
    last = 0

    def following() -> int:
        nonlocal last
        last += 1
        return last

    def rewind(to: int) -> None:
        nonlocal last
        last = to

    return following, rewind


class _Watch:
    """Tells of the crossings of one VM. Closures, which cost the least."""

    def __init__(self, wire: Wire, vm: Vm) -> None:
        tell, number = wire.tell, wire.next
        entering = _entering_directly if isinstance(tell, Direct) else _entering

        def leave(opened: int, result: Any, values: tuple[Any, ...] = (), reason: str = "") -> None:
            tell(_make(Left, (number(), opened, result, values, reason)))

        def trap(opened: int, error: BaseException) -> None:
            tell(Trapped(number(), opened, as_trap(error)))

        self.enter = entering(wire, vm, attrgetter("context"))
        self.entered = entering(wire, vm, attrgetter("current"))
        self.leave: Callable[..., None] = tell.leave if isinstance(tell, Direct) else leave
        self.trap: Callable[[int, BaseException], None] = trap


_Whose = Callable[[Vm], Context | None]


def _entering(wire: Wire, vm: Vm, whose: _Whose) -> Callable[..., int]:
    """A function that tells of a crossing which begins, for the context that is asked for each time."""
    tell, number, clock, name = wire.tell, wire.next, vm.proxy.clock, vm.name

    def enter(function: Function, args: tuple[Any, ...], words: tuple[int, ...]) -> int:
        context = whose(vm)
        seq = number()
        acting = 0 if context is None else context.id
        tell(_make(Entered, (seq, clock.now, name, acting, function, args, words)))
        return seq

    return enter


def _entering_directly(wire: Wire, vm: Vm, whose: _Whose) -> Callable[..., int]:
    """The same for an observer that wants no events; where there are none, nothing needs a number."""
    assert isinstance(wire.tell, Direct)
    told, clock, name = wire.tell.enter, vm.proxy.clock, vm.name

    def enter(function: Function, args: tuple[Any, ...], words: tuple[int, ...]) -> int:
        context = whose(vm)
        told(clock.now, name, 0 if context is None else context.id, function, args)
        return 0

    return enter


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
        self._gate = vm.gate = Gate(partial(vm.fail, _allocator(vm.plugin) or ""))
        self._assembly: Assembly

    def imports(self, memory: Memory) -> Imports:
        """A host function for every import of the module."""
        watch = _Watch(self._wire, self._vm) if self._wire else None
        self._assembly = Assembly(memory, self._gate, watch)
        rows = host_functions(self._vm.plugin.abi)
        wanted = [(item.module, item.name) for item in self._vm.plugin.module.imported(Kind.FUNCTION)]
        return {key: self._host_function(rows[key]) for key in wanted}

    def _host_function(self, row: Function) -> HostFunction:
        return HostFunction(row.type, self._assembly.host_function(row, self._handlers[row.name]))

    def callers(self, exports: Mapping[str, Export]) -> dict[str, Caller]:
        """A function for every callback that the module exports: plain numbers in, a decoded result out."""
        rows = callbacks(self._vm.plugin.abi)
        found = {
            name: self._assembly.callback(row, exports[name])
            for name, row in rows.items()
            if name in exports and (name in ALLOCATORS or is_allowed(self._vm, name))
        }
        allocator = _allocator(self._vm.plugin)
        if allocator is not None:
            self._assembly.allocate_by(found[allocator] if self._wire else exports[allocator])
        return found

    def start(self, callers: Mapping[str, Caller]) -> None:
        """Run the module's own start: constructors and `main`, or `_start`."""
        self._gate.shut = STARTING
        try:
            if "_initialize" in callers:
                self._run(callers, "_initialize")
                if "main" in callers:
                    self._run(callers, "main", 0, 0)
                elif "__main_void" in callers:
                    self._run(callers, "__main_void")
            elif "_start" in callers:
                self._run(callers, "_start")
        finally:
            self._gate.shut = 0

    def _run(self, callers: Mapping[str, Caller], function: str, *args: int) -> None:
        try:
            callers[function](*args)
        except Trap as trap:
            self._vm.fail(function, trap)
            raise


def _allocator(plugin: Plugin) -> str | None:
    """The function that the host asks for memory."""
    names = {export.name for export in plugin.module.exports}
    return next((name for name in ALLOCATORS if name in names), None)


def as_trap(error: BaseException) -> Trap:
    """What a watcher is told when the guest is left by an exception."""
    if isinstance(error, Trap):
        return error
    if isinstance(error, KeyboardInterrupt):
        return Trap(TrapKind.INTERRUPTED)
    return Trap(TrapKind.OTHER, detail=f"{type(error).__name__}: {error}")
