"""What a module imports and exports, and how that meets a host; said in Envoy's words where it does not.

Engines could tell the types themselves, but each in its own way, slowly, and wasmtime's library aborts when asked about
a vector. So they are read from the module once and travel with the compiled code.

Rules that live here: a host provides functions only; types fit exactly; what the module does not import is not linked.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from simwasm.engines.engine import HostFunction, Imports, Words
from simwasm.engines.fuel import Fuel
from simwasm.errors import LinkError
from simwasm.wasm.module import FuncType, Kind, Module, ValType
from simwasm.wasm.reader import read_module
from simwasm.wasm.rewrite import SLICE, Rewritten

_WORDS = frozenset({ValType.I32, ValType.I64, ValType.F32, ValType.F64})
_SLICE_TYPE = FuncType((), (ValType.I32,))


@dataclass(frozen=True, slots=True)
class Interface:
    """What of a rewritten module meets Python: functions, and globals that can change."""

    imports: tuple[tuple[str, str, FuncType | None], ...]
    """All imports in order: from where, which name, which type; None if it is no function."""
    exports: tuple[tuple[str, FuncType], ...]
    """The exported functions that Python can call."""
    variables: tuple[str, ...]
    """The exported globals that can change and are numbers."""

    @classmethod
    def of(cls, rewritten: Rewritten) -> Interface:
        """Read it from the binary that the engine runs."""
        return cls.read(read_module(rewritten.wasm))

    @classmethod
    def read(cls, module: Module) -> Interface:
        """Read it from a module that is run as it is."""
        imports = [
            (item.module, item.name, item.type if isinstance(item.type, FuncType) else None)
            for item in module.imports
        ]
        functions = [export for export in module.exports if export.kind is Kind.FUNCTION]
        exports = [(export.name, module.function_type(export.index)) for export in functions]
        callable_ones = tuple((name, kind) for name, kind in exports if _speakable(kind))
        return cls(tuple(imports), callable_ones, tuple(_variables(module)))

    def host_types(self) -> tuple[FuncType, ...]:
        """The types of all imports; of none if one of them can never be linked."""
        kinds = tuple(kind for _, _, kind in self.imports if kind and _speakable(kind))
        return kinds if len(kinds) == len(self.imports) else ()

    def attach(self, compiled: bytes) -> bytes:
        """Put it before compiled code."""
        imports = [[module, name, kind and _lists(kind)] for module, name, kind in self.imports]
        exports = [[name, _lists(kind)] for name, kind in self.exports]
        text = json.dumps([imports, exports, self.variables]).encode()
        return len(text).to_bytes(4, "little") + text + compiled

    @classmethod
    def detach(cls, data: bytes) -> tuple[Interface, bytes]:
        """Take it off again. Anything that `attach` did not make is a ValueError."""
        end = 4 + int.from_bytes(data[:4], "little")
        try:
            imports, exports, variables = json.loads(data[4:end])
            found = cls(
                tuple((module, name, kind and _function_type(kind)) for module, name, kind in imports),
                tuple((name, _function_type(kind)) for name, kind in exports),
                tuple(variables),
            )
        except TypeError as error:
            raise ValueError(f"no interface: {error}") from None
        return found, data[end:]

    def link(self, imports: Imports, fuel: Fuel) -> list[HostFunction]:
        """The host function for every import, in order. Requests for more fuel go to `fuel`."""
        offered = {**imports, SLICE: HostFunction(_SLICE_TYPE, fuel.slice, unwinds=True)}
        return [_fitting(module, name, kind, offered) for module, name, kind in self.imports]


def _variables(module: Module) -> Iterator[str]:
    first = len(module.imported(Kind.GLOBAL))
    for export in module.exports:
        if export.kind is Kind.GLOBAL and export.index >= first:
            kind = module.globals[export.index - first].type
            if kind.mutable and kind.type in _WORDS:
                yield export.name


def _lists(kind: FuncType) -> list[list[str]]:
    return [[word.value for word in side] for side in (kind.params, kind.results)]


def _function_type(lists: list[list[str]]) -> FuncType:
    params, results = (tuple(map(ValType, side)) for side in lists)
    return FuncType(params, results)


def _fitting(module: str, name: str, kind: FuncType | None, offered: Imports) -> HostFunction:
    if kind is None or not _speakable(kind):
        what = f"takes or gives what is no number ({kind})" if kind else "is no function"
        raise LinkError(f"Failed to load Wasm module due to a missing import: {module}.{name} {what}")
    found = offered.get((module, name))
    if found is None:
        raise LinkError(f"Failed to load Wasm module due to a missing import: {module}.{name} ({kind})")
    if found.type != kind:
        raise LinkError(
            f"Failed to load Wasm module due to an import type mismatch: {module}.{name}, "
            f"want: {kind}, but host exports: {found.type}"
        )
    return found


def _speakable(kind: FuncType) -> bool:
    """Whether Python and a guest can call each other with that type: it has only numbers."""
    return _WORDS.issuperset(kind.params + kind.results)


def closed(*words: object) -> Words:
    """What the exports of an instance are once it was closed."""
    raise RuntimeError("the instance was closed")
