"""A module made to live: what it imports is matched, what it has is made, its segments are copied, it is started.

    instantiate(read_module(data), {("env", "log"): FunctionExtern(type, log)}).exports["run"]

Rules that live here: the module is valid; things happen in the order of the specification, and what was done before
something stopped stays done; a trap is a `Stopped`, or what Python raises, until a boundary reads it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from types import CellType
from typing import Any

from simwasm.engines.engine import Hook
from simwasm.engines.fuel import SLICE, Fuel
from simwasm.engines.transpiler.blame import kind, left
from simwasm.engines.transpiler.bulk import initialize, memory_operations, operations
from simwasm.engines.transpiler.codes import Codes
from simwasm.engines.transpiler.constants import evaluate
from simwasm.engines.transpiler.functions import Functions, OwnFunction
from simwasm.engines.transpiler.initial import Pages
from simwasm.engines.transpiler.linking import Extern, Imports, match
from simwasm.engines.transpiler.memories import Bytes, MemoryExtern
from simwasm.engines.transpiler.operations import OPERATIONS
from simwasm.engines.transpiler.recursion import guests
from simwasm.engines.transpiler.references import FunctionExtern, GlobalExtern
from simwasm.engines.transpiler.refill import refilling
from simwasm.engines.transpiler.tables import TableExtern
from simwasm.engines.transpiler.tails import tail_cells
from simwasm.engines.transpiler.views import VIEWS
from simwasm.errors import Trap
from simwasm.wasm.module import Kind, Mode, Module, Span

_NAMES = re.compile(r"([fgT])(\d+)(?:_(\d+))?")


class Cells(dict[str, CellType]):
    """The cells of an instance by the names that generated code has for them, made when they are asked for."""

    def __init__(self, made: Callable[[str], CellType]) -> None:
        super().__init__()
        self._make = made

    def __missing__(self, name: str) -> CellType:
        cell = self[name] = self._make(name)
        return cell


class Linked:
    """An instance."""

    def __init__(
        self, codes: Codes, imports: Sequence[Extern], fuel: Fuel, slice: int = SLICE, pages: Pages = ()
    ) -> None:
        module = self.module = codes.module
        self.codes = codes
        self._pages = pages
        self.cells = Cells(self._cell)
        self.functions = Functions(codes, self.cells.__getitem__)
        self._imported = [item for item in imports if isinstance(item, FunctionExtern)]
        self._own: dict[int, OwnFunction] = {}
        self.tables = [item for item in imports if isinstance(item, TableExtern)]
        self.tables += [TableExtern(table) for table in module.tables]
        memories = [item for item in imports if isinstance(item, MemoryExtern)]
        memories += [MemoryExtern(memory.bounds) for memory in module.memories]
        self.memory = memories[0] if memories else None
        self.globals = [item for item in imports if isinstance(item, GlobalExtern)]
        for item in module.globals:
            self.globals.append(GlobalExtern(item.type, evaluate(module, item.init, self)))
        self.data: list[bytes | memoryview] = [b""] * len(module.segments)
        for index, segment in enumerate(module.segments):
            if segment.span.end:
                self.data[index] = memoryview(module.data)[segment.span.start : segment.span.end]
        self._elements: dict[int, Sequence[object]] = {}
        self._operations: dict[str, Callable[..., Any]] = operations(self)
        self.cells["fuel"] = CellType(slice)
        self.cells["d"], self.cells["h"] = CellType(False), CellType(None)
        self.cells.update(tail_cells())
        self.cells["refill"] = CellType(refilling(self.cells["fuel"], fuel))
        if self.memory is not None:
            self._operations.update(memory_operations(self.memory, self.data))
            self.memory.follow(self._show)

    @property
    def exports(self) -> dict[str, Extern]:
        """What it offers, by name."""
        return {item.name: self.extern(item.kind, item.index) for item in self.module.exports}

    def extern(self, kind: Kind, index: int) -> Extern:
        """One of the things in its index spaces."""
        if kind is Kind.FUNCTION:
            return self.function(index)
        if kind is Kind.TABLE:
            return self.tables[index]
        if kind is Kind.GLOBAL:
            return self.globals[index]
        assert self.memory is not None
        return self.memory

    def function(self, index: int) -> FunctionExtern:
        """A function of the index space."""
        own = index - len(self._imported)
        if own < 0:
            return self._imported[index]
        if own not in self._own:
            type = self.module.types[self.module.functions[own]]
            self._own[own] = OwnFunction(type, self.functions, own)
        return self._own[own]

    def value(self, index: int) -> object:
        """What a global is now."""
        return self.globals[index].cell.cell_contents

    def element(self, index: int) -> Sequence[object]:
        """An element segment; empty once it is dropped."""
        if index not in self._elements:
            self._elements[index] = [
                evaluate(self.module, item, self) if isinstance(item, Span) else self.function(item)
                for item in self.module.elements[index].items
            ]
        return self._elements[index]

    def drop(self, index: int) -> None:
        """Let an element segment be empty."""
        self._elements[index] = ()

    def begin(self) -> None:
        """Copy the segments to where they belong, and run the start function."""
        for index, element in enumerate(self.module.elements):
            if element.offset is not None:
                to = evaluate(self.module, element.offset, self)
                initialize(self.tables[element.table], self.element(index), to, 0, len(element.items))
            if element.mode is not Mode.PASSIVE:
                self.drop(index)
        for at, data in self._pages:
            assert self.memory is not None
            self.memory.bytes[at : at + len(data)] = data
        for index, segment in enumerate(self.module.segments):
            if segment.offset is not None:
                to = evaluate(self.module, segment.offset, self)
                self._operations["memory_init"](index, to, 0, segment.span.size)
                self.data[index] = b""
        if self.module.start is not None:
            self.function(self.module.start).call()

    def watch(self, hook: Hook | None) -> None:
        """Have functions be steppable and tell a hook of each instruction, from the next call on, or be fast."""
        self.cells["h"].cell_contents = _nobody if hook is None else hook
        self.cells["d"].cell_contents = hook is not None
        if self.functions.steppable is not (hook is not None):
            self.functions.steppable = hook is not None
            for function in self._own.values():
                function.forget()
            for table in self.tables:
                table.renew()

    def settle(self) -> None:
        """Be whole again after a signal, which may have come in the middle of anything."""
        if self.memory is not None:
            self.memory.tell()

    def close(self) -> None:
        """Let go of everything that Python can hold on to."""
        if self.memory is not None:
            self.memory.close()
        self.cells.clear()

    def _show(self, memory: Bytes) -> None:
        """Let generated code see the memory as it is now."""
        for name, made in (("m", memory), *((name, view(memory)) for name, view in VIEWS.items())):  # type: ignore[arg-type]
            if name in self.cells:
                self.cells[name].cell_contents = made
            else:
                self.cells[name] = CellType(made)

    def _cell(self, name: str) -> CellType:
        found = _NAMES.fullmatch(name)
        if found is None:
            return CellType(self._operations.get(name) or OPERATIONS[name])
        letter, index = found[1], int(found[2])
        if letter == "f":
            return self.function(index).cell
        if letter == "g":
            return self.globals[index].cell
        cell = CellType()
        self.tables[index].show(self.module.types[int(found[3])], cell)
        return cell


def _nobody(_: int) -> None:
    """The hook that is left when who watched went away in the middle of a run."""


def instantiate(module: Module, imports: Imports, fuel: Fuel | None = None) -> Linked:
    """Link and start a module. What does not fit is a `LinkError`; what stops while starting is a `Trap`."""
    linked = Linked(Codes(module), match(module, imports), fuel or Fuel())
    run(linked.begin)
    return linked


def run(call: Callable[..., Any], *words: object) -> Any:
    """Call something of an instance's with words of generated code; a guest that stops is a `Trap`."""
    guests.enter()
    try:
        return call(*words)
    except BaseException as error:
        found = left(error)
        stopped = None if found.by_host else kind(error, found.places[0] if found.places else None)
        if stopped is None:
            raise
    finally:
        guests.leave()
    raise Trap(stopped)
