"""What the code of a module may refer to: the index spaces, as validation asks for them.

Rules that live here: an index that is not there is an `Invalid` with the specification's words, `unknown global 7`;
nothing is computed for an item that no code names.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from simwasm.wasm.decode import decode, split
from simwasm.wasm.module import FuncType, GlobalType, Kind, Module, Span, TableType, ValType
from simwasm.wasm.validate.control import Signature
from simwasm.wasm.validate.kinds import CODES, Invalid, signature

_REF_FUNC = 0xD2


class Context:
    """The index spaces of a module."""

    def __init__(self, module: Module) -> None:
        self._module = module
        imported = [item.type for item in module.imports]
        self._imported_globals = [kind for kind in imported if isinstance(kind, GlobalType)]
        self._globals = self._imported_globals + [item.type for item in module.globals]
        self._tables = [kind for kind in imported if isinstance(kind, TableType)] + list(module.tables)
        self._functions = [
            item.type_index for item in module.imports if isinstance(item.type, FuncType)
        ] + list(module.functions)
        self._memories = len(module.imported(Kind.MEMORY)) + len(module.memories)
        self._signatures: dict[int, Signature] = {}

    def type(self, index: int) -> Signature:
        """A type of the module."""
        known = self._signatures.get(index)
        if known is None:
            _check("type", index, len(self._module.types))
            known = self._signatures[index] = signature(self._module.types[index])
        return known

    def function(self, index: int) -> Signature:
        """The type of a function."""
        _check("function", index, len(self._functions))
        kind = self._functions[index]
        assert kind is not None
        return self.type(kind)

    def global_(self, index: int) -> GlobalType:
        """The type of a global."""
        _check("global", index, len(self._globals))
        return self._globals[index]

    def constant_global(self, index: int) -> None:
        """Insist that a constant expression may read a global: it is imported and does not change."""
        _check("global", index, len(self._imported_globals), " that a constant expression may read")
        if self._imported_globals[index].mutable:
            raise Invalid(f"constant expression required: global {index} can change")

    def table(self, index: int) -> ValType:
        """What is in a table."""
        _check("table", index, len(self._tables))
        return self._tables[index].element

    def element(self, index: int) -> ValType:
        """What is in an element segment."""
        _check("elem segment", index, len(self._module.elements))
        return self._module.elements[index].type

    def memory(self, index: int = 0) -> None:
        """Insist that a memory is there."""
        _check("memory", index, self._memories)

    def data(self, index: int) -> None:
        """Insist that a data segment is there, and that the file says how many there are before the code."""
        if self._module.data_count is None:
            raise Invalid("data count section required")
        _check("data segment", index, self._module.data_count)

    def reference(self, index: int) -> None:
        """Insist that code may take a reference to a function."""
        _check("function", index, len(self._functions))
        if index not in self._declared:
            raise Invalid(f"undeclared function reference {index}: no segment, export or global names it")

    @cached_property
    def _declared(self) -> frozenset[int]:
        """The functions named outside of code."""
        module = self._module
        found = {export.index for export in module.exports if export.kind is Kind.FUNCTION}
        for element in module.elements:
            found.update(item for item in element.items if isinstance(item, int))
        for span in _constants(module):
            if _REF_FUNC in module.data[span.start : span.end]:
                pieces = split(module.data, span.start, span.end)
                found.update(decode(piece)[1][0] for piece in pieces if piece[0] == _REF_FUNC)
        return frozenset(found)


def _constants(module: Module) -> Iterator[Span]:
    """The constant expressions that references can be in."""
    for item in module.globals:
        yield item.init
    for element in module.elements:
        yield from (item for item in element.items if isinstance(item, Span))


def _check(what: str, index: int, count: int, which: str = "") -> None:
    if index >= count:
        raise Invalid(
            f"unknown {what} {index}: there {'is' if count == 1 else 'are'} {count or 'none'}{which}"
        )


def same_kind(first: ValType, second: ValType) -> None:
    """Insist that two types are one."""
    if CODES[first] != CODES[second]:
        raise Invalid(f"type mismatch: {first.value} and {second.value}")
