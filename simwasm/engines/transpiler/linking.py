"""Whether what a module imports is what it is given, as the specification says it.

Rules that live here: functions and globals fit exactly; a memory or a table is at least as large as asked for now,
and may get no larger than asked for.
"""

from __future__ import annotations

from collections.abc import Mapping

from simwasm.engines.transpiler.memories import MemoryExtern
from simwasm.engines.transpiler.references import FunctionExtern, GlobalExtern
from simwasm.engines.transpiler.tables import TableExtern
from simwasm.errors import LinkError
from simwasm.wasm.module import Bounds, Import, MemoryType, Module, TableType

Extern = FunctionExtern | MemoryExtern | TableExtern | GlobalExtern

Imports = Mapping[tuple[str, str], Extern]


def match(module: Module, imports: Imports) -> list[Extern]:
    """What is imported, in order; a `LinkError` says what does not fit."""
    return [_fitting(item, imports.get((item.module, item.name))) for item in module.imports]


def _fitting(item: Import, found: Extern | None) -> Extern:
    if found is None:
        raise LinkError(f"unknown import: {item.module}.{item.name} ({item.type})")
    if not _fits(item.type, found.type):
        raise LinkError(
            f"incompatible import type: {item.module}.{item.name}, want: {item.type}, but it is: {found.type}"
        )
    return found


def _fits(wanted: object, found: object) -> bool:
    if isinstance(wanted, MemoryType) and isinstance(found, MemoryType):
        return _within(wanted.bounds, found.bounds)
    if isinstance(wanted, TableType) and isinstance(found, TableType):
        return wanted.element is found.element and _within(wanted.bounds, found.bounds)
    return wanted == found


def _within(wanted: Bounds, found: Bounds) -> bool:
    if found.minimum < wanted.minimum:
        return False
    return wanted.maximum is None or (found.maximum is not None and found.maximum <= wanted.maximum)
