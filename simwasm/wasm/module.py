"""A Wasm module as values: what the reader finds and everyone else asks.

Rules that live here: every position is an offset in the file, `end` is exclusive; index spaces are the
module's own (imports first); nothing is decoded that a position can stand for, so function bodies,
initialisers and data are ranges of `Module.data`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum


class ValType(str, Enum):
    """A Wasm value type; the value is its name in the text format."""

    I32 = "i32"
    I64 = "i64"
    F32 = "f32"
    F64 = "f64"
    V128 = "v128"
    FUNCREF = "funcref"
    EXTERNREF = "externref"


@dataclass(frozen=True, slots=True)
class FuncType:
    """The parameters and results of a function."""

    params: tuple[ValType, ...]
    results: tuple[ValType, ...]

    def __str__(self) -> str:
        """Write the type as Envoy's loader does: `i32 i32 -> i32`, `void -> void`."""
        params, results = (" ".join(t.value for t in side) or "void" for side in (self.params, self.results))
        return f"{params} -> {results}"


@dataclass(frozen=True, slots=True)
class Bounds:
    """How large a memory (in pages of 64 KiB) or a table may be."""

    minimum: int
    maximum: int | None

    def __str__(self) -> str:
        """Write them as the text format does: `17`, `17 16384`."""
        return str(self.minimum) if self.maximum is None else f"{self.minimum} {self.maximum}"


@dataclass(frozen=True, slots=True)
class MemoryType:
    """A linear memory, sized in pages."""

    bounds: Bounds

    def __str__(self) -> str:
        return f"memory {self.bounds}"


@dataclass(frozen=True, slots=True)
class TableType:
    """A table of references."""

    element: ValType
    bounds: Bounds

    def __str__(self) -> str:
        return f"table {self.bounds} {self.element.value}"


@dataclass(frozen=True, slots=True)
class GlobalType:
    """A global and whether it can change."""

    type: ValType
    mutable: bool

    def __str__(self) -> str:
        return f"global (mut {self.type.value})" if self.mutable else f"global {self.type.value}"


class Kind(IntEnum):
    """What an import or export is; the numbers are the binary format's."""

    FUNCTION = 0
    TABLE = 1
    MEMORY = 2
    GLOBAL = 3


@dataclass(frozen=True, slots=True)
class Span:
    """A range of the file."""

    start: int
    end: int

    @property
    def size(self) -> int:
        """The number of bytes in it."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Import:
    """One thing the host provides."""

    module: str
    name: str
    type: FuncType | TableType | MemoryType | GlobalType
    type_index: int | None = None
    """Where a function's type is in `Module.types`."""

    @property
    def kind(self) -> Kind:
        """What it is."""
        return _KINDS[type(self.type)]


_KINDS = {
    FuncType: Kind.FUNCTION,
    TableType: Kind.TABLE,
    MemoryType: Kind.MEMORY,
    GlobalType: Kind.GLOBAL,
}


@dataclass(frozen=True, slots=True)
class Export:
    """One thing the module offers under a name."""

    name: str
    kind: Kind
    index: int


@dataclass(frozen=True, slots=True)
class Global:
    """A global of the module's own and the expression it starts with."""

    type: GlobalType
    init: Span


class Mode(Enum):
    """When a segment is copied: at start, on an instruction, or never."""

    ACTIVE = "active"
    PASSIVE = "passive"
    DECLARATIVE = "declarative"


@dataclass(frozen=True, slots=True)
class Element:
    """A segment of references: function indices, or one constant expression an item."""

    mode: Mode
    table: int
    offset: Span | None
    type: ValType
    items: tuple[int, ...] | tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment of bytes for a memory."""

    mode: Mode
    memory: int
    offset: Span | None
    span: Span


@dataclass(frozen=True, slots=True)
class Body:
    """A function's code: `start` is its first byte after the size, `code` its first instruction."""

    start: int
    code: int
    end: int
    locals: tuple[tuple[int, ValType], ...]
    """Runs of locals beyond the parameters: how many, of which type."""


@dataclass(frozen=True, slots=True)
class Section:
    """A section as it lies in the file; `name` is set for custom ones, whose `start` is after their name."""

    id: int
    start: int
    end: int
    name: str = ""


@dataclass(frozen=True, slots=True)
class Module:
    """A module: its file and where everything in it is."""

    data: bytes
    sections: tuple[Section, ...]
    types: tuple[FuncType, ...]
    imports: tuple[Import, ...]
    functions: tuple[int, ...]
    """The type index of every function of the module's own."""
    tables: tuple[TableType, ...]
    memories: tuple[MemoryType, ...]
    globals: tuple[Global, ...]
    exports: tuple[Export, ...]
    start: int | None
    elements: tuple[Element, ...]
    data_count: int | None
    bodies: tuple[Body, ...]
    segments: tuple[Segment, ...]

    def imported(self, kind: Kind) -> tuple[Import, ...]:
        """The imports of one kind: the first items of that kind's index space."""
        return tuple(item for item in self.imports if item.kind is kind)

    def function_type(self, index: int) -> FuncType:
        """The type of a function, imported or own."""
        imported = self.imported(Kind.FUNCTION)
        if index < len(imported):
            kind = imported[index].type
            assert isinstance(kind, FuncType)
            return kind
        return self.types[self.functions[index - len(imported)]]

    def function_types(self) -> tuple[FuncType, ...]:
        """The types of all functions, those that are imported first."""
        imported = (item.type for item in self.imports if isinstance(item.type, FuncType))
        return (*imported, *(self.types[index] for index in self.functions))

    def customs(self, name: str) -> tuple[Span, ...]:
        """The contents of every custom section of that name."""
        return tuple(Span(s.start, s.end) for s in self.sections if s.id == 0 and s.name == name)
