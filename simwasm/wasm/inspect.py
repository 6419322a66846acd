"""What is in a plugin, as values: the model behind `simwasm inspect`.

Rules that live here: nothing is printed and nothing is judged against the ABI, callers join the two; every
part of it is optional in a module, so a broken `name`, `producers` or DWARF section leaves only its own
part empty.
"""

from __future__ import annotations

from dataclasses import dataclass

from simwasm.errors import BadModule
from simwasm.wasm.companions import Beside, nothing, told_by
from simwasm.wasm.debuginfo import DebugInfo, inspect_debug_info
from simwasm.wasm.decode import split
from simwasm.wasm.module import FuncType, GlobalType, Import, Kind, MemoryType, Module, TableType
from simwasm.wasm.names import function_names
from simwasm.wasm.reader import SECTIONS, read_module
from simwasm.wasm.toolchain import Producer, Sdk, guess_sdk, producers

ABI_MARKER = "proxy_abi_version_"
"""What the name of the export that states the ABI version begins with."""


@dataclass(frozen=True, slots=True)
class Exported:
    """An export with its type; text of the type as of an import's."""

    name: str
    kind: Kind
    type: FuncType | TableType | MemoryType | GlobalType


@dataclass(frozen=True, slots=True)
class SectionSize:
    """A section and the bytes of its contents; a custom one has the name it has in the file."""

    name: str
    size: int
    custom: bool


@dataclass(frozen=True, slots=True)
class FunctionSize:
    """A function, its bytes and its instructions (None where they cannot be decoded)."""

    index: int
    name: str
    size: int
    instructions: int | None


@dataclass(frozen=True, slots=True)
class MemorySize:
    """The linear memory: its pages, and how it is exported or imported."""

    type: MemoryType
    exported: tuple[str, ...]
    imported: bool


@dataclass(frozen=True, slots=True)
class Inspection:
    """Everything that is told about a plugin."""

    size: int
    abi_markers: tuple[str, ...]
    sdk: Sdk | None
    producers: tuple[Producer, ...]
    imports: tuple[Import, ...]
    exports: tuple[Exported, ...]
    memory: MemorySize | None
    sections: tuple[SectionSize, ...]
    functions: int
    biggest: tuple[FunctionSize, ...]
    debug: DebugInfo


def inspect(
    data: bytes, biggest: int = 10, beside: Beside = nothing, debug: tuple[str, bytes] | None = None
) -> Inspection:
    """Look into a module; `biggest` is how many of the largest functions are listed."""
    module = read_module(data)
    named = told_by(module, debug[1], debug[0]) if debug is not None else None
    return Inspection(
        size=len(data),
        abi_markers=tuple(e.name for e in module.exports if e.name.startswith(ABI_MARKER)),
        sdk=guess_sdk(module),
        producers=producers(module),
        imports=module.imports,
        exports=_exports(module),
        memory=_memory(module),
        sections=tuple(
            SectionSize(s.name or SECTIONS[s.id], s.end - s.start, not s.id) for s in module.sections
        ),
        functions=len(module.functions),
        biggest=_biggest(module, biggest),
        debug=inspect_debug_info(module, beside, named),
    )


def _exports(module: Module) -> tuple[Exported, ...]:
    tables = (*(i.type for i in module.imported(Kind.TABLE)), *module.tables)
    memories = (*(i.type for i in module.imported(Kind.MEMORY)), *module.memories)
    variables = (*(i.type for i in module.imported(Kind.GLOBAL)), *(g.type for g in module.globals))
    spaces = {Kind.TABLE: tables, Kind.MEMORY: memories, Kind.GLOBAL: variables}
    return tuple(
        Exported(
            e.name, e.kind, spaces[e.kind][e.index] if e.kind in spaces else module.function_type(e.index)
        )
        for e in module.exports
    )


def _memory(module: Module) -> MemorySize | None:
    imported = [item.type for item in module.imported(Kind.MEMORY) if isinstance(item.type, MemoryType)]
    found = [*imported, *module.memories]
    if not found:
        return None
    exported = tuple(export.name for export in module.exports if export.kind is Kind.MEMORY)
    return MemorySize(found[0], exported, bool(imported))


def _biggest(module: Module, count: int) -> tuple[FunctionSize, ...]:
    names = function_names(module)
    first = len(names) - len(module.bodies)
    ranked = sorted(
        range(len(module.bodies)), key=lambda own: module.bodies[own].start - module.bodies[own].end
    )
    return tuple(_function_size(module, own, first + own, names[first + own]) for own in ranked[:count])


def _function_size(module: Module, own: int, index: int, name: str) -> FunctionSize:
    body = module.bodies[own]
    try:
        instructions = len(split(module.data, body.code, body.end))
    except BadModule:
        return FunctionSize(index, name, body.end - body.start, None)
    return FunctionSize(index, name, body.end - body.start, instructions)
