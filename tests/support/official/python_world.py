"""The test suite in our own engine, with words as generated code has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import wasmtime

from official.values import SOMETHING, Value
from official.world import SPECTEST, Refused, Started, Unlinkable
from simwasm.engines.fuel import Fuel
from simwasm.engines.transpiler.codes import Codes
from simwasm.engines.transpiler.floats import (
    f32_reinterpret_i32,
    f64_reinterpret_i64,
    i32_reinterpret_f32,
    i64_reinterpret_f64,
)
from simwasm.engines.transpiler.instance import Linked, run
from simwasm.engines.transpiler.linking import Extern, match
from simwasm.engines.transpiler.references import FunctionExtern, GlobalExtern
from simwasm.errors import BadModule, LinkError
from simwasm.wasm.module import Module, ValType
from simwasm.wasm.reader import read_module
from simwasm.wasm.validate import validate

_VECTOR = 16


class PythonWorld:
    """What is registered, by the names it can be imported under."""

    def __init__(self, *, steppable: bool = False) -> None:
        self._steppable = steppable
        self._known: dict[tuple[str, str], Extern] = {}
        self.register("spectest", self.instantiate(bytes(wasmtime.wat2wasm(SPECTEST))))

    def check(self, wasm: bytes) -> None:
        """Read and validate."""
        _valid(wasm)

    def instantiate(self, wasm: bytes) -> PythonInstance:
        """Validate, link, start."""
        module = _valid(wasm)
        try:
            linked = Linked(Codes(module), match(module, self._known), Fuel())
        except LinkError as error:
            raise Unlinkable(str(error)) from None
        linked.functions.steppable = self._steppable  # before any is made
        run(linked.begin)
        return PythonInstance(linked.exports)

    def register(self, name: str, instance: Started) -> None:
        """Remember everything it exports."""
        assert isinstance(instance, PythonInstance)
        self._known |= {(name, field): item for field, item in instance.exports.items()}


class PythonInstance:
    """A started module."""

    def __init__(self, exports: dict[str, Extern]) -> None:
        self.exports = exports

    def invoke(self, name: str, arguments: Sequence[Value]) -> tuple[Value, ...]:
        """Call with the words of generated code, and take them back."""
        function = self.exports[name]
        assert isinstance(function, FunctionExtern)
        kinds = function.type.results
        given = run(function.call, *map(_word, arguments))
        words = given if len(kinds) > 1 else (given,) * len(kinds)
        return tuple(_value(kind, word) for kind, word in zip(kinds, words, strict=True))

    def get(self, name: str) -> Value:
        """What is in a global's cell."""
        variable = self.exports[name]
        assert isinstance(variable, GlobalExtern)
        return _value(variable.type.type, variable.cell.cell_contents)


def _valid(wasm: bytes) -> Module:
    try:
        module = read_module(wasm)
        validate(module)
    except BadModule as error:
        raise Refused(str(error)) from None
    return module


def _word(value: Value) -> object:
    """An argument; an externref is any object."""
    held: Any = value.held
    if value.type is ValType.F32:
        return f32_reinterpret_i32(held)
    if value.type is ValType.F64:
        return f64_reinterpret_i64(held)
    return held.to_bytes(_VECTOR, "little") if value.type is ValType.V128 else held


def _value(kind: ValType, word: Any) -> Value:
    """A result: a word that is not of its type's kind is an error, as a bool is."""
    if kind in (ValType.I32, ValType.I64):
        assert type(word) is int
        return Value(kind, word)
    if kind in (ValType.F32, ValType.F64):
        assert type(word) is float
        return Value(kind, i32_reinterpret_f32(word) if kind is ValType.F32 else i64_reinterpret_f64(word))
    if kind is ValType.V128:
        assert type(word) is bytes
        assert len(word) == _VECTOR
        return Value(kind, int.from_bytes(word, "little"))
    return Value(kind, word if isinstance(word, int | None) else SOMETHING)
