"""What instructions refer to by an index: types of functions, blocks, globals and locals."""

from __future__ import annotations

from functools import cached_property

from simwasm.wasm.decode import decode
from simwasm.wasm.module import Body, FuncType, GlobalType, Kind, MemoryType, Module, ValType
from simwasm.wasm.names import function_names
from simwasm.wasm.reader import VALUE_TYPES

_EMPTY = -64
_PAGE, _PAGES = 65_536, 65_536


class Signatures:
    """The index spaces of a module, as tuples."""

    def __init__(self, module: Module) -> None:
        self.module = module
        imported = [item.type for item in module.imported(Kind.FUNCTION)]
        self.hosts = len(imported)
        """How many functions are the host's."""
        self.functions: tuple[FuncType, ...] = (
            *(kind for kind in imported if isinstance(kind, FuncType)),
            *(module.types[index] for index in module.functions),
        )
        self.globals: tuple[GlobalType, ...] = (
            *(item.type for item in module.imports if isinstance(item.type, GlobalType)),
            *(item.type for item in module.globals),
        )
        kinds = [item.type for item in module.imports if isinstance(item.type, MemoryType)]
        bounds = [kind.bounds.maximum for kind in (*kinds, *module.memories)]
        self.memory = _PAGE * min([_PAGES, *(maximum for maximum in bounds if maximum is not None)])
        """How many bytes the memory may have at most."""
        self._blocks: dict[bytes, FuncType] = {}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What functions are called."""
        return function_names(self.module)

    @cached_property
    def first_equal(self) -> tuple[int, ...]:
        """For each type the index of the first one that is equal."""
        first: dict[FuncType, int] = {}
        return tuple(first.setdefault(kind, index) for index, kind in enumerate(self.module.types))

    def block(self, piece: bytes) -> FuncType:
        """The type of a block, by the instruction that opens it."""
        found = self._blocks.get(piece)
        if found is None:
            (number,) = decode(piece)[1]
            if number >= 0:
                found = self.module.types[number]
            else:
                found = FuncType((), () if number == _EMPTY else (VALUE_TYPES[number & 0x7F],))
            self._blocks[piece] = found
        return found

    def locals(self, own: int) -> tuple[ValType, ...]:
        """The types of a function's parameters and locals."""
        body: Body = self.module.bodies[own]
        kinds = list(self.functions[self.hosts + own].params)
        for count, kind in body.locals:
            kinds += [kind] * count
        return tuple(kinds)
