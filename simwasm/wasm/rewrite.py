"""The binary, rewritten at load so that every engine has the same abilities.

* A function `simwasm.slice` of type `() -> i32` is imported after the other functions, so own functions
  move up by one. It is called when fuel ran out and returns how much more there is; 0 stops the guest with
  `unreachable`.
* A mutable `i32` global, exported as `simwasm:fuel`, counts down (what is paid, and when, is in `fuel.py`).
* A memory or table that is imported becomes the module's own, as the host would have made it.
* No memory grows beyond `Limits.pages`, no table beyond `LARGEST_TABLE`; a module that begins larger is refused.
* What is hidden is exported: mutable numeric globals of the module's own, its tables, its memory.
* Custom sections are dropped, except the names of functions.
* Where they are wanted, probes tell which instruction comes next (`probes.py`), or marks which code was run
  (`marks.py`).

Rules that live here: the order of sections is kept; the same input gives the same bytes; nothing else
changes what the plugin does; places in the rewritten binary lead back to the original by
`Rewritten.origin`, which rewrites the one function again instead of keeping a map.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from simwasm.errors import Frame, PluginError
from simwasm.wasm.cursor import Cursor
from simwasm.wasm.decode import split
from simwasm.wasm.encode import name, s32, section, u32, vector
from simwasm.wasm.fuel import Instrument
from simwasm.wasm.marks import Marking, Marks, marked
from simwasm.wasm.module import (
    Bounds,
    Element,
    FuncType,
    GlobalType,
    Import,
    Kind,
    MemoryType,
    Mode,
    Module,
    Span,
    TableType,
    ValType,
)
from simwasm.wasm.names import function_names, read_names
from simwasm.wasm.origin import Origins
from simwasm.wasm.probes import (
    DEPTH,
    IDLE,
    PROBE,
    PROBE_TYPE,
    Probes,
    Probing,
    block_types,
    check,
)
from simwasm.wasm.reader import SECTION_ORDER, VALUE_TYPES

SLICE = ("simwasm", "slice")
"""The host function that is asked for more fuel."""

FUEL = "simwasm:fuel"
"""The export of the counter."""

MEMORY = "simwasm:memory"
"""The export of a memory that is not exported as `memory`."""


_SLICE_TYPE = FuncType((), (ValType.I32,))
_REFILL_TYPE = FuncType((), ())
_TYPE_BYTES = {kind: bytes((code,)) for code, kind in VALUE_TYPES.items()}
_REF_FUNC = 0xD2


LARGEST_TABLE = 10_000_000
"""How many elements a table may have, as in V8, which Envoy uses."""


def global_export(index: int) -> str:
    """The export of a global that was hidden, by its index."""
    return f"simwasm:global:{index}"


def global_exports(module: Module) -> dict[int, str]:
    """What the globals that can change are exported as once a module is rewritten: their own names, or hidden ones."""
    own = {item.index: item.name for item in reversed(module.exports) if item.kind is Kind.GLOBAL}
    return {index: own.get(index, label) for label, kind, index in hidden(module) if kind is Kind.GLOBAL}


def table_export(index: int) -> str:
    """The export of a table that was hidden, by its index."""
    return f"simwasm:table:{index}"


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a guest runs before `simwasm.slice` is called, and how many pages its memory may have."""

    slice: int = 2_000_000
    pages: int = 16_384
    """The default is Envoy's: 1 GiB."""


@dataclass(frozen=True)
class Rewritten:
    """A module ready for an engine; from a cached `wasm` and the same limits it is made without `rewrite`."""

    wasm: bytes
    module: Module
    """The module as it was loaded."""
    limits: Limits
    probes: Probes | None = None
    marks: Marks | None = None

    @property
    def slice(self) -> int:
        """How much fuel an instance starts with."""
        return self.limits.slice

    def origin(self, function: int, offset: int) -> Frame | None:
        """Where a file offset in a function of `wasm` comes from; None for the functions that were added."""
        return self._origins.frame(function, offset)

    def inserted(self, function: int, offset: int) -> bool:
        """Whether a file offset in a function of `wasm` is in code that was inserted."""
        return self._origins.inserted(function, offset)

    @cached_property
    def _origins(self) -> Origins:
        types = _Types(self.module, self.probes)
        return Origins(self.module, self.wasm, _instrument(self.module, self.probes, self.marks, types))


def rewrite(
    module: Module, limits: Limits = Limits(), probes: Probes | None = None, marks: Marks | None = None
) -> Rewritten:
    """Rewrite a module; one that cannot be decoded, or begins larger than the limits, is refused."""
    if probes is not None:
        check(module, probes)
    tables, memories = limited(module, limits)
    contents = {s.id: module.data[s.start : s.end] for s in module.sections if s.id}
    types = _Types(module, probes)
    contents[2] = _imports(module, types, probes)
    contents[3] = _appended(contents.get(3), [u32(types.index(_REFILL_TYPE))])
    contents[1] = _appended(contents.get(1), types.added)
    if tables:
        contents[4] = vector(_value_type(table.element) + _bounds(table.bounds) for table in tables)
    if memories:
        contents[5] = vector(_bounds(memory.bounds) for memory in memories)
    by = _instrument(module, probes, marks, types)
    contents[6] = _globals(module, by, limits)
    contents[7] = _exports(module, by)
    if module.start is not None:
        contents[8] = u32(by.moved(module.start))
    if module.elements:
        contents[9] = vector(_element(element, module.data, by) for element in module.elements)
    contents[10] = _code(module, by)
    ordered = b"".join(section(number, contents[number]) for number in SECTION_ORDER if number in contents)
    return Rewritten(
        module.data[:8] + ordered + section(0, _names(module, by)), module, limits, probes, marks
    )


def limited(module: Module, limits: Limits) -> tuple[list[TableType], list[MemoryType]]:
    """Its tables and memories, imported ones too, as large as they may get; one that cannot be run is refused."""
    if any(export.name.startswith("simwasm:") for export in module.exports):
        raise PluginError("the module was rewritten by simwasm before; load the one your build produced")
    tables = [TableType(table.element, _bounded_table(table)) for table in _tables(module)]
    return tables, [MemoryType(_bounded(memory, limits)) for memory in _memories(module)]


def _tables(module: Module) -> list[TableType]:
    """Every table, imported ones first, so that their indices stay."""
    imported = (item.type for item in module.imported(Kind.TABLE))
    return [*(kind for kind in imported if isinstance(kind, TableType)), *module.tables]


def _memories(module: Module) -> list[MemoryType]:
    """Every memory, imported ones first."""
    imported = (item.type for item in module.imported(Kind.MEMORY))
    return [*(kind for kind in imported if isinstance(kind, MemoryType)), *module.memories]


class _Types:
    """The type section and what is added to it."""

    def __init__(self, module: Module, probes: Probes | None) -> None:
        self._known = list(module.types)
        self.added: list[bytes] = []
        for wanted in (_SLICE_TYPE, _REFILL_TYPE):
            self._add(wanted)
        for wanted in (PROBE_TYPE, *block_types(module)) if probes is not None else ():
            self._add(wanted)

    def index(self, wanted: FuncType) -> int:
        """The index of a type that is there."""
        return self._known.index(wanted)

    def _add(self, wanted: FuncType) -> None:
        if wanted not in self._known:
            self._known.append(wanted)
            sides = (vector(map(_value_type, side)) for side in (wanted.params, wanted.results))
            self.added.append(b"\x60" + b"".join(sides))


def _instrument(module: Module, probes: Probes | None, marks: Marks | None, types: _Types) -> Instrument:
    if probes is not None:
        return Probing.of(module, probes, types.index)
    if marks is not None:
        return Marking.of(module, marks)
    imported = len(module.imported(Kind.FUNCTION))
    total = imported + len(module.functions)
    fuel = len(module.imported(Kind.GLOBAL)) + len(module.globals)
    return Instrument(fuel, refill=total + 1, first_own=imported, functions=total)


def _appended(content: bytes | None, items: list[bytes]) -> bytes:
    """Add items to the end of a vector."""
    if content is None:
        return vector(items)
    cursor = Cursor(content, 0, len(content), "")
    count = cursor.u32()
    return u32(count + len(items)) + content[cursor.at :] + b"".join(items)


def _value_type(kind: ValType) -> bytes:
    return _TYPE_BYTES[kind]


def _bounds(bounds: Bounds) -> bytes:
    if bounds.maximum is None:
        return b"\x00" + u32(bounds.minimum)
    return b"\x01" + u32(bounds.minimum) + u32(bounds.maximum)


def _bounded(memory: MemoryType, limits: Limits) -> Bounds:
    declared = memory.bounds
    if declared.minimum > limits.pages:
        raise PluginError(
            f"the plugin's memory begins with {declared.minimum} pages ({declared.minimum / 16:.4g} MiB), the"
            f" limit is {limits.pages} pages ({limits.pages / 16:.4g} MiB): raise it (--memory), or link with a"
            " smaller one"
        )
    maximum = limits.pages if declared.maximum is None else min(declared.maximum, limits.pages)
    return Bounds(declared.minimum, maximum)


def _bounded_table(table: TableType) -> Bounds:
    declared = table.bounds
    if declared.minimum > LARGEST_TABLE:
        raise PluginError(
            f"a table of the plugin begins with {declared.minimum:,} elements, the limit is {LARGEST_TABLE:,}"
        )
    maximum = LARGEST_TABLE if declared.maximum is None else min(declared.maximum, LARGEST_TABLE)
    return Bounds(declared.minimum, maximum)


def _imports(module: Module, types: _Types, probes: Probes | None) -> bytes:
    kept = [item for item in module.imports if item.kind in (Kind.FUNCTION, Kind.GLOBAL)]
    items = [name(item.module) + name(item.name) + _import_type(item) for item in kept]
    added = [(SLICE, _SLICE_TYPE), (PROBE, PROBE_TYPE)][: 1 if probes is None else 2]
    items += [name(place) + name(item) + b"\x00" + u32(types.index(kind)) for (place, item), kind in added]
    return vector(items)


def _import_type(item: Import) -> bytes:
    kind = bytes((item.kind,))
    if isinstance(item.type, GlobalType):
        return kind + _global_type(item.type)
    assert item.type_index is not None
    return kind + u32(item.type_index)


def _global_type(kind: GlobalType) -> bytes:
    return _value_type(kind.type) + bytes((kind.mutable,))


def _globals(module: Module, by: Instrument, limits: Limits) -> bytes:
    items = [_global_type(item.type) + _expression(module.data, item.init, by) for item in module.globals]
    added = (limits.slice, 1, 0) if isinstance(by, Probing) else (limits.slice,)
    kind = _global_type(GlobalType(ValType.I32, True))
    items += [kind + b"\x41" + s32(first) + b"\x0b" for first in added]
    if isinstance(by, Marking):
        items += [_global_type(GlobalType(ValType.I64, True)) + b"\x42\x00\x0b"] * by.marks.globals
    return vector(items)


def _expression(data: bytes, span: Span, by: Instrument) -> bytes:
    """A constant expression, its references to functions following the ones that moved."""
    pieces = split(data, span.start, span.end)
    return b"".join(by.reference(piece) if piece[0] == _REF_FUNC else piece for piece in pieces)


def _exports(module: Module, by: Instrument) -> bytes:
    items = [
        (item.name, item.kind, by.moved(item.index) if item.kind is Kind.FUNCTION else item.index)
        for item in module.exports
    ]
    shown = {(item.kind, item.index) for item in module.exports}
    items += [(label, kind, index) for label, kind, index in hidden(module) if (kind, index) not in shown]
    if _memories(module) and not any(
        item.name == "memory" and item.kind is Kind.MEMORY for item in module.exports
    ):
        items.append((MEMORY, Kind.MEMORY, 0))
    items.append((FUEL, Kind.GLOBAL, by.fuel))
    if isinstance(by, Probing):
        items += [(IDLE, Kind.GLOBAL, by.fuel + 1), (DEPTH, Kind.GLOBAL, by.fuel + 2)]
    if isinstance(by, Marking):
        items += [(marked(number), Kind.GLOBAL, by.fuel + 1 + number) for number in range(by.marks.globals)]
    return vector(name(label) + bytes((kind,)) + u32(index) for label, kind, index in items)


def hidden(module: Module) -> Iterator[tuple[str, Kind, int]]:
    """What has state of its own: globals that can change and whose value can be read, and tables."""
    first = len(module.imported(Kind.GLOBAL))
    for index, item in enumerate(module.globals, first):
        if item.type.mutable and item.type.type not in (ValType.FUNCREF, ValType.EXTERNREF):
            yield global_export(index), Kind.GLOBAL, index
    for index in range(len(_tables(module))):
        yield table_export(index), Kind.TABLE, index


def _element(element: Element, data: bytes, by: Instrument) -> bytes:
    """Flags as in the reader: 1 passive or declarative, 2 with a table (or declarative), 4 expressions."""
    expressions = bool(element.items) and isinstance(element.items[0], Span)
    expressions = expressions or element.type is not ValType.FUNCREF
    flags = {Mode.ACTIVE: 2, Mode.PASSIVE: 1, Mode.DECLARATIVE: 3}[element.mode] | (4 if expressions else 0)
    offset = u32(element.table) + _expression(data, element.offset, by) if element.offset else b""
    kind = _value_type(element.type) if expressions else b"\x00"
    items = [
        _expression(data, item, by) if isinstance(item, Span) else u32(by.moved(item))
        for item in element.items
    ]
    return u32(flags) + offset + kind + vector(items)


def _code(module: Module, by: Instrument) -> bytes:
    names = function_names(module)
    bodies = []
    for own in range(len(module.bodies)):
        code = by.code(module, own, names[by.first_own + own])
        written = code.head + b"".join(code.after)
        bodies += [u32(len(written)), written]
    refill = by.refill_body()
    return u32(len(module.bodies) + 1) + b"".join(bodies) + u32(len(refill)) + refill


def _names(module: Module, by: Instrument) -> bytes:
    """A name section with the names of functions, the added ones too."""
    known = {
        by.moved(index): text for index, text in read_names(module).functions.items() if index < by.functions
    }
    known |= {by.first_own: "simwasm.slice", by.refill: "simwasm.refill"}
    if isinstance(by, Probing):
        known[by.first_own + 1] = "simwasm.probe"
    functions = vector(u32(index) + name(known[index]) for index in sorted(known))
    return name("name") + section(1, functions)
