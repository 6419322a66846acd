"""A table, and what `call_indirect` sees of it.

Generated code calls `T0_3[i](...)`: an element of a list that holds for each element of table 0 the function if it is
of type 3, and else one that raises the right trap. There is such a list for each type that is called for.

Rules that live here: a list is changed in place; a function that is not made yet is in it as one that puts the made one
there; lists of a large table, or for many types, would take too much, so there each element is looked at when it is
called for.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from types import CellType
from typing import Any

from simwasm.engines.transpiler.references import Call, FunctionExtern
from simwasm.engines.transpiler.stopped import Stopped
from simwasm.errors import TrapKind
from simwasm.wasm.module import Bounds, FuncType, TableType
from simwasm.wasm.rewrite import LARGEST_TABLE

MOST = 1 << 20
"""Elements that all lists of a table have together; for what would be more there are none."""


def _no_function(*_: object) -> Any:
    raise Stopped(TrapKind.UNINITIALIZED_ELEMENT)


def _another_type(*_: object) -> Any:
    raise Stopped(TrapKind.INDIRECT_TYPE)


TRAPPING = frozenset((_no_function, _another_type))
"""What is in place of a function that cannot be called."""


class TableExtern:
    """A table of references, shared by those who import it."""

    def __init__(self, type: TableType, value: object = None) -> None:
        self._type = type
        self._maximum = 2**32 - 1 if type.bounds.maximum is None else type.bounds.maximum
        self.items: list[object] = [value] * type.bounds.minimum
        self._rows: dict[FuncType, list[Call]] = {}
        self._cells: list[tuple[FuncType, CellType]] = []

    @property
    def type(self) -> TableType:
        """As large as it is now."""
        return TableType(self._type.element, Bounds(len(self.items), self._type.bounds.maximum))

    def get(self, at: int) -> object:
        """The element at an index."""
        self.check(at + 1)
        return self.items[at]

    def check(self, end: int) -> None:
        """Trap if there are no elements up to there."""
        if end > len(self.items):
            raise Stopped(TrapKind.TABLE_BOUNDS)

    def put(self, at: int, values: Sequence[object]) -> None:
        """Change elements."""
        end = at + len(values)
        self.check(end)
        self.items[at:end] = values
        for kind, row in self._rows.items():
            row[at:end] = [self._entry(kind, row, i) for i in range(at, end)]

    def grow(self, count: int, value: object) -> int:
        """Add elements; how many there were, or -1."""
        before = len(self.items)
        if before + count > min(self._maximum, LARGEST_TABLE):
            return -1
        self.items += [value] * count
        if len(self.items) * len(self._rows) > MOST:
            self._forget()
        for kind, row in self._rows.items():
            row += [self._entry(kind, row, i) for i in range(before, before + count)]
        return before

    def show(self, kind: FuncType, cell: CellType) -> None:
        """Let a cell have what `call_indirect` with that type calls, by index."""
        self._cells.append((kind, cell))
        cell.cell_contents = self._row(kind)

    def renew(self) -> None:
        """Look at all functions again, which may have changed."""
        for kind, row in self._rows.items():
            self._settle(kind, row)

    def entry(self, kind: FuncType, at: int) -> Call:
        """What to call for an element of a table that has no lists."""
        item = self.items[at]
        if isinstance(item, FunctionExtern):
            return item.call if item.type == kind else _another_type
        return _no_function if item is None else _another_type

    def _row(self, kind: FuncType) -> Row:
        if kind not in self._rows:
            if len(self.items) * (len(self._rows) + 1) > MOST:
                return _Large(self, kind)
            row = self._rows[kind] = [_no_function if item is None else _another_type for item in self.items]
            self._settle(kind, row)
        return self._rows[kind]

    def _settle(self, kind: FuncType, row: list[Call]) -> None:
        for at, item in enumerate(self.items):
            if isinstance(item, FunctionExtern) and item.type == kind:
                row[at] = self._entry(kind, row, at)

    def _entry(self, kind: FuncType, row: list[Call], at: int) -> Call:
        item = self.items[at]
        if isinstance(item, FunctionExtern) and item.type == kind:
            return item.settled() or partial(self._first, row, at, item)
        return _no_function if item is None else _another_type

    def _first(self, row: list[Call], at: int, function: FunctionExtern, *words: object) -> Any:
        """Call a function that is not made yet, and keep what it was made into."""
        call = function.made()
        if self.items[at] is function:
            row[at] = call
        return call(*words)

    def _forget(self) -> None:
        """Have no lists from now on."""
        self._rows.clear()
        for kind, cell in self._cells:
            cell.cell_contents = self._row(kind)


class _Large:
    """The elements of a large table, looked at one by one."""

    def __init__(self, table: TableExtern, kind: FuncType) -> None:
        self._table = table
        self._kind = kind

    def __getitem__(self, at: int) -> Call:
        return self._table.entry(self._kind, at)


Row = list[Call] | _Large
