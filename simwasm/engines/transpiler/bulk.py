"""What instructions do that concern a whole memory or table: the operations that belong to an instance.

Rules that live here: all bounds are checked before anything is changed; indices and sizes are unsigned, so adding
them cannot wrap; -1 is 0xFFFFFFFF.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from simwasm.engines.transpiler.memories import MemoryExtern
from simwasm.engines.transpiler.references import FunctionExtern
from simwasm.engines.transpiler.stopped import Stopped
from simwasm.engines.transpiler.tables import TableExtern
from simwasm.errors import TrapKind

_FAILED = 0xFFFF_FFFF
_BLOCK = 1 << 20


class Whole(Protocol):
    """What an instance has of these."""

    tables: list[TableExtern]
    data: list[bytes | memoryview]
    """The data segments; empty once they are dropped."""

    def element(self, index: int) -> Sequence[object]:
        """An element segment; empty once it is dropped."""
        ...

    def drop(self, index: int) -> None:
        """Let an element segment be empty."""
        ...

    def function(self, index: int) -> FunctionExtern:
        """A function of the index space."""
        ...


def unreachable() -> None:
    raise Stopped(TrapKind.UNREACHABLE)


def memory_operations(memory: MemoryExtern, data: list[bytes | memoryview]) -> dict[str, Callable[..., Any]]:
    """Those of the memory and its segments."""

    def memory_size() -> int:
        return memory.pages

    def memory_grow(pages: int) -> int:
        return memory.grow(pages) & _FAILED

    def memory_fill(to: int, value: int, size: int) -> None:
        m, end = memory.bytes, to + size
        _check(end, len(m))
        for at in range(to, end, _BLOCK):
            stop = min(at + _BLOCK, end)
            m[at:stop] = bytes((value & 0xFF,)) * (stop - at)

    def memory_copy(to: int, source: int, size: int) -> None:
        m = memory.bytes
        _check(max(to, source) + size, len(m))
        m[to : to + size] = m[source : source + size]

    def memory_init(segment: int, to: int, source: int, size: int) -> None:
        m, found = memory.bytes, data[segment]
        _check(to + size, len(m))
        _check(source + size, len(found))
        m[to : to + size] = found[source : source + size]

    return {made.__name__: made for made in (memory_size, memory_grow, memory_fill, memory_copy, memory_init)}


def _check(end: int, size: int) -> None:
    if end > size:
        raise Stopped(TrapKind.MEMORY_BOUNDS)


def operations(whole: Whole) -> dict[str, Callable[..., Any]]:
    """Those of tables, segments and references."""
    tables, data = whole.tables, whole.data

    def data_drop(segment: int) -> None:
        data[segment] = b""

    def table_get(table: int, at: int) -> object:
        return tables[table].get(at)

    def table_set(table: int, at: int, value: object) -> None:
        tables[table].put(at, (value,))

    def table_size(table: int) -> int:
        return len(tables[table].items)

    def table_grow(table: int, value: object, count: int) -> int:
        return tables[table].grow(count, value) & _FAILED

    def table_fill(table: int, at: int, value: object, count: int) -> None:
        tables[table].check(at + count)
        tables[table].put(at, [value] * count)

    def table_copy(to_table: int, from_table: int, to: int, source: int, count: int) -> None:
        found = tables[from_table]
        found.check(source + count)
        tables[to_table].put(to, found.items[source : source + count])

    def table_init(table: int, segment: int, to: int, source: int, count: int) -> None:
        initialize(tables[table], whole.element(segment), to, source, count)

    made = (
        data_drop, table_get, table_set, table_size, table_grow, table_fill, table_copy, table_init,
    )  # fmt: skip
    named: dict[str, Callable[..., Any]] = {function.__name__: function for function in made}
    return {**named, "elem_drop": whole.drop, "ref_func": whole.function, "unreachable": unreachable}


def initialize(table: TableExtern, values: Sequence[object], to: int, source: int, count: int) -> None:
    """Put elements of a segment into a table."""
    if source + count > len(values):
        raise Stopped(TrapKind.TABLE_BOUNDS)
    table.put(to, values[source : source + count])
