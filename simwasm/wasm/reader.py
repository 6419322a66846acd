"""A file's bytes to a `Module`.

Rules that live here: the layout of every section; any bytes give a `Module` or a `BadModule`, in time
linear in their number; what the specification calls malformed is never a `Module`, as far as that can be told
without decoding code; nothing is larger than `limits` says; indices that other values are looked up with are in
range, everything else about validity is left to the engines and to `validate`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from simwasm.errors import BadModule
from simwasm.wasm import limits
from simwasm.wasm.container import check_container
from simwasm.wasm.cursor import Cursor
from simwasm.wasm.decode import constant_end
from simwasm.wasm.module import (
    Body,
    Bounds,
    Element,
    Export,
    FuncType,
    Global,
    GlobalType,
    Import,
    Kind,
    MemoryType,
    Mode,
    Module,
    Section,
    Segment,
    Span,
    TableType,
    ValType,
)

_Item = TypeVar("_Item")

SECTIONS = (
    "custom",
    "type",
    "import",
    "function",
    "table",
    "memory",
    "global",
    "export",
    "start",
    "element",
    "code",
    "data",
    "data count",
    "tag",
)
"""What the sections are called, by number."""

SECTION_ORDER = (1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11)
"""In which order they have to come."""

_RANK = {number: rank for rank, number in enumerate(SECTION_ORDER)}
VALUE_TYPES = {
    0x7F: ValType.I32,
    0x7E: ValType.I64,
    0x7D: ValType.F32,
    0x7C: ValType.F64,
    0x7B: ValType.V128,
    0x70: ValType.FUNCREF,
    0x6F: ValType.EXTERNREF,
}
"""The value types by the byte that stands for them."""

_TYPES_OF_PROPOSALS = {
    "garbage collection": (*range(0x6A, 0x6F), *range(0x71, 0x75), 0x4E, 0x4F, 0x50, 0x5E, 0x5F),
    "typed function references": (0x40, 0x63, 0x64),
    "exception handling": (0x68, 0x69),
    "stack switching": (0x5D,),
}
"""First bytes of types that are not known here."""

_REFERENCES = (ValType.FUNCREF, ValType.EXTERNREF)


def read_module(data: bytes) -> Module:
    """Read a module; function bodies are found, not decoded."""
    check_container(data)
    if len(data) > limits.BYTES:
        raise BadModule("a module larger than 1 GiB, which no engine takes")
    sections = _sections(data)
    by_id = {section.id: section for section in sections if section.id}
    if 13 in by_id:
        raise BadModule(
            "exception handling is not supported: build without it", section="tag", offset=by_id[13].start
        )

    def read(number: int, item: Callable[[Cursor], _Item]) -> tuple[_Item, ...]:
        return _vector(data, by_id.get(number), item)

    types = read(1, _function_type)
    imports = read(2, lambda cursor: _import(cursor, types))
    functions = read(3, lambda cursor: _type_index(cursor, types))
    bodies = read(10, _body)
    if len(bodies) != len(functions):
        counts = f"{len(functions)} functions are declared and {len(bodies)} have code"
        raise BadModule(f"function and code section have inconsistent lengths: {counts}", section="code")
    module = Module(
        data=data,
        sections=sections,
        types=types,
        imports=imports,
        functions=functions,
        tables=read(4, _table_type),
        memories=read(5, _memory_type),
        globals=read(6, _global),
        exports=read(7, _export),
        start=_one_number(data, by_id.get(8)),
        elements=read(9, _element),
        data_count=_one_number(data, by_id.get(12)),
        bodies=bodies,
        segments=read(11, _segment),
    )
    if module.data_count not in (None, len(module.segments)):
        counts = f"{module.data_count} are announced, {len(module.segments)} are there"
        raise BadModule(f"data count and data section have inconsistent lengths: {counts}", section="data")
    _check_indices(module)
    return module


def _sections(data: bytes) -> tuple[Section, ...]:
    cursor = Cursor(data, 8, len(data), "")
    found = []
    rank = -1
    while cursor.at < cursor.end:
        at = cursor.at
        number = cursor.byte()
        if number >= len(SECTIONS):
            raise BadModule(f"malformed section id {number}", offset=at)
        if number and _RANK[number] <= rank:
            raise BadModule(
                "unexpected content after last section: repeated or out of order",
                section=SECTIONS[number],
                offset=at,
            )
        rank = _RANK[number] if number else rank
        cursor.section = SECTIONS[number]
        found.append(_section(data, number, cursor.span("a section")))
    return tuple(found)


def _section(data: bytes, number: int, span: Span) -> Section:
    if number:
        return Section(number, span.start, span.end)
    inner = Cursor(data, span.start, span.end, "custom")
    name = inner.name()
    return Section(0, inner.at, span.end, name)


def _vector(data: bytes, section: Section | None, item: Callable[[Cursor], _Item]) -> tuple[_Item, ...]:
    if section is None:
        return ()
    cursor = Cursor(data, section.start, section.end, SECTIONS[section.id])
    items = tuple([item(cursor) for _ in range(cursor.count("items", limits.ITEMS.get(section.id, 1 << 32)))])
    cursor.finish()
    return items


def _one_number(data: bytes, section: Section | None) -> int | None:
    if section is None:
        return None
    cursor = Cursor(data, section.start, section.end, SECTIONS[section.id])
    number = cursor.u32()
    cursor.finish()
    return number


def _unknown_type(what: str, byte: int, cursor: Cursor) -> BadModule:
    """The error for a byte that is no type, or is one of a proposal's."""
    proposal = next((name for name, codes in _TYPES_OF_PROPOSALS.items() if byte in codes), None)
    reason = f": it belongs to {proposal}, which is not supported: build without it" if proposal else ""
    return cursor.bad(f"malformed {what} type 0x{byte:02x}{reason}", cursor.at - 1)


def _value_type(cursor: Cursor) -> ValType:
    byte = cursor.byte()
    found = VALUE_TYPES.get(byte)
    if found is None:
        raise _unknown_type("value", byte, cursor)
    return found


def _reference_type(cursor: Cursor) -> ValType:
    found = _value_type(cursor)
    if found not in _REFERENCES:
        raise cursor.bad(f"malformed reference type: {found.value}", cursor.at - 1)
    return found


def _function_type(cursor: Cursor) -> FuncType:
    form = cursor.byte()
    if form != 0x60:
        raise _unknown_type("function", form, cursor)
    params = tuple([_value_type(cursor) for _ in range(cursor.count("parameters", limits.PARAMETERS))])
    count = cursor.count("results", limits.RESULTS)
    return FuncType(params, tuple([_value_type(cursor) for _ in range(count)]))


def _type_index(cursor: Cursor, types: tuple[FuncType, ...]) -> int:
    at = cursor.at
    index = cursor.u32()
    if index >= len(types):
        raise cursor.bad(f"unknown type {index}: there are {len(types) or 'none'}", at)
    return index


def _import(cursor: Cursor, types: tuple[FuncType, ...]) -> Import:
    module, name = cursor.name(limits.NAME), cursor.name(limits.NAME)
    kind = _kind(cursor, "import")
    if kind is Kind.FUNCTION:
        index = _type_index(cursor, types)
        return Import(module, name, types[index], index)
    if kind is Kind.TABLE:
        return Import(module, name, _table_type(cursor))
    return Import(module, name, _memory_type(cursor) if kind is Kind.MEMORY else _global_type(cursor))


def _kind(cursor: Cursor, what: str) -> Kind:
    byte = cursor.byte()
    if byte > Kind.GLOBAL:
        tag = ": a tag, which belongs to exception handling, is not supported" if byte == 4 else ""
        raise cursor.bad(f"malformed {what} kind 0x{byte:02x}{tag}", cursor.at - 1)
    return Kind(byte)


def _bounds(cursor: Cursor, what: str) -> Bounds:
    flags = cursor.byte()
    if flags > 1:
        names = {2: "a shared", 3: "a shared", 4: "a 64-bit", 5: "a 64-bit"}
        raise cursor.bad(f"{names.get(flags, 'an unknown kind of')} {what} is not supported", cursor.at - 1)
    return Bounds(cursor.u32(), cursor.u32() if flags else None)


def _table_type(cursor: Cursor) -> TableType:
    return TableType(_reference_type(cursor), _bounds(cursor, "table"))


def _memory_type(cursor: Cursor) -> MemoryType:
    return MemoryType(_bounds(cursor, "memory"))


def _global_type(cursor: Cursor) -> GlobalType:
    kind, mutable = _value_type(cursor), cursor.byte()
    if mutable > 1:
        raise cursor.bad(f"malformed mutability 0x{mutable:02x}", cursor.at - 1)
    return GlobalType(kind, mutable == 1)


def _constant(cursor: Cursor) -> Span:
    start = cursor.at
    cursor.at = constant_end(cursor.data, start, cursor.end, cursor.section)
    return Span(start, cursor.at)


def _global(cursor: Cursor) -> Global:
    return Global(_global_type(cursor), _constant(cursor))


def _export(cursor: Cursor) -> Export:
    return Export(cursor.name(limits.NAME), _kind(cursor, "export"), cursor.u32())


def _element(cursor: Cursor) -> Element:
    """Bits of the flags: 0 passive or declarative, 1 with an index (or declarative), 2 expressions."""
    flags = cursor.u32()
    if flags > 7:
        raise cursor.bad(f"unknown kind {flags} of element segment")
    mode = (Mode.DECLARATIVE if flags & 2 else Mode.PASSIVE) if flags & 1 else Mode.ACTIVE
    table = cursor.u32() if flags & 3 == 2 else 0
    offset = _constant(cursor) if mode is Mode.ACTIVE else None
    kind = ValType.FUNCREF
    if flags & 3 and flags & 4:
        kind = _reference_type(cursor)
    elif flags & 3 and cursor.byte() != 0:
        raise cursor.bad("an unknown kind of element", cursor.at - 1)
    count = cursor.count("elements", limits.ELEMENTS)
    if flags & 4:
        return Element(mode, table, offset, kind, tuple([_constant(cursor) for _ in range(count)]))
    return Element(mode, table, offset, kind, tuple([cursor.u32() for _ in range(count)]))


def _body(cursor: Cursor) -> Body:
    span = cursor.span("a function body")
    if span.size > limits.BODY:
        raise cursor.bad(
            f"a function of {span.size:,} bytes; at most {limits.BODY:,} are supported", span.start
        )
    inner = Cursor(cursor.data, span.start, span.end, "code")
    runs = tuple([(inner.u32(), _value_type(inner)) for _ in range(inner.count("runs of locals"))])
    count = sum(count for count, _ in runs)
    if count > limits.LOCALS:
        raise inner.bad(f"too many locals: {count:,}; at most {limits.LOCALS:,} are supported", span.start)
    return Body(span.start, inner.at, span.end, runs)


def _segment(cursor: Cursor) -> Segment:
    flags = cursor.u32()
    if flags > 2:
        raise cursor.bad(f"unknown kind {flags} of data segment")
    memory = cursor.u32() if flags == 2 else 0
    offset = None if flags == 1 else _constant(cursor)
    return Segment(Mode.PASSIVE if flags == 1 else Mode.ACTIVE, memory, offset, cursor.span("a data segment"))


def _check_indices(module: Module) -> None:
    """Check the indices that the front end itself follows."""
    own = {
        Kind.FUNCTION: len(module.functions),
        Kind.TABLE: len(module.tables),
        Kind.MEMORY: len(module.memories),
        Kind.GLOBAL: len(module.globals),
    }
    sizes = {kind: count + len(module.imported(kind)) for kind, count in own.items()}
    if sizes[Kind.MEMORY] > 1:
        raise BadModule("multiple memories: more than one is not supported", section="memory")
    for export in module.exports:
        if export.index >= sizes[export.kind]:
            what = f"{export.kind.name.lower()} {export.index}"
            raise BadModule(f"unknown {what}, exported as {export.name[:100]!r}", section="export")
    functions = sizes[Kind.FUNCTION]
    if module.start is not None and module.start >= functions:
        raise BadModule(f"unknown function {module.start}: there are {functions or 'none'}", section="start")
    for element in module.elements:
        for item in element.items:
            if isinstance(item, int) and item >= functions:
                raise BadModule(
                    f"unknown function {item}: there are {functions or 'none'}", section="element"
                )
