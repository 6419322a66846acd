"""A bridge: a module around an instance through which every value goes as integers.

The Python interfaces of the compiling engines lose the bits of a NaN, and know nothing of vectors. A bridge imports
all functions and globals of an instance and exports each as a function of i32 and i64, converted in Wasm.

Rule: a vector is two i64, the lower half first. A reference stays what it is, unless the interface knows none:
then it is an i32, which means nothing as a parameter (null is passed) and says of a result whether it is null.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import wasmtime

from official.known import UNKNOWN
from official.values import SOMETHING, Value
from official.world import Cannot
from simwasm.wasm.module import Export, FuncType, GlobalType, Kind, Module, ValType

IT = "it"
"""The module that a bridge imports from; names there are indices of `Bridge.names`."""

_INTEGERS = {
    ValType.I32: ("i32",),
    ValType.I64: ("i64",),
    ValType.F32: ("i32",),
    ValType.F64: ("i64",),
    ValType.V128: ("i64", "i64"),
}
_ENTER = {ValType.F32: "f32.reinterpret_i32", ValType.F64: "f64.reinterpret_i64"}
_LEAVE = {ValType.F32: "i32.reinterpret_f32", ValType.F64: "i64.reinterpret_f64"}
_HEAPS = {ValType.FUNCREF: "func", ValType.EXTERNREF: "extern"}
_WIDTHS = {"i32": 32, "i64": 64}


@dataclass(frozen=True, slots=True)
class Bridge:
    """The module, and what it leads to: functions, and globals as functions that only give."""

    wasm: bytes
    types: dict[str, FuncType]
    references: bool

    @property
    def names(self) -> tuple[str, ...]:
        """What the instance calls its functions and globals."""
        return tuple(self.types)

    def crossing(self, name: str) -> FuncType:
        """How a function of the instance is exported by the bridge."""
        kind = self.types[name]
        params, results = (
            tuple(ValType(word) for part in side for word in _words(part, self.references))
            for side in (kind.params, kind.results)
        )
        return FuncType(params, results)

    def enter(self, values: Sequence[Value]) -> list[Any]:
        """Arguments as the bridge takes them."""
        return [word for value in values for word in self._words(value)]

    def _words(self, value: Value) -> Iterator[Any]:
        if value.type in _HEAPS:
            if not (self.references or value.held is None):
                raise Cannot(UNKNOWN)
            yield value.held if self.references else 0
            return
        assert isinstance(value.held, int)
        at = 0
        for kind in _INTEGERS[value.type]:
            yield value.held >> at & (1 << _WIDTHS[kind]) - 1
            at += _WIDTHS[kind]

    def leave(self, name: str, given: Any) -> tuple[Value, ...]:
        """What the bridge gave, as values."""
        words = iter(given if isinstance(given, list | tuple) else [given])
        return tuple(Value(kind, self._held(kind, words)) for kind in self.types[name].results)

    def _held(self, kind: ValType, words: Iterator[Any]) -> int | str | None:
        if kind in _HEAPS:
            word: object = next(words)
            if not self.references:
                return None if word else SOMETHING
            return word if isinstance(word, int | None) else SOMETHING
        widths = [_WIDTHS[integer] for integer in _INTEGERS[kind]]
        held: int = sum((next(words) & (1 << width) - 1) << 64 * half for half, width in enumerate(widths))
        return held


def bridge(module: Module, *, references: bool) -> Bridge:
    """The bridge to an instance of a module; `references` can be handed over or not."""
    led = [export for export in module.exports if export.kind in (Kind.FUNCTION, Kind.GLOBAL)]
    types = {export.name: _type(module, export) for export in led}
    imports = [f'(import "{IT}" "{at}" {_place(module, export, at)})' for at, export in enumerate(led)]
    functions = [
        _function(
            at, "call" if export.kind is Kind.FUNCTION else "global.get", types[export.name], references
        )
        for at, export in enumerate(led)
    ]
    text = " ".join(["(module", *imports, *functions, ")"])
    return Bridge(bytes(wasmtime.wat2wasm(text)), types, references)


def _type(module: Module, export: Export) -> FuncType:
    if export.kind is Kind.FUNCTION:
        return module.function_type(export.index)
    return FuncType((), (_variable(module, export).type,))


def _variable(module: Module, export: Export) -> GlobalType:
    """The type of a global, imported or own."""
    imported = [item.type for item in module.imported(Kind.GLOBAL)]
    found = [*imported, *(own.type for own in module.globals)][export.index]
    assert isinstance(found, GlobalType)
    return found


def _place(module: Module, export: Export, at: int) -> str:
    if export.kind is Kind.FUNCTION:
        kind = module.function_type(export.index)
        return f"(func $it{at} {_many('param', kind.params)} {_many('result', kind.results)})"
    variable = _variable(module, export)
    word = variable.type.value
    return f"(global $it{at} {f'(mut {word})' if variable.mutable else word})"


def _function(at: int, verb: str, kind: FuncType, references: bool) -> str:
    """An export that takes integers, hands over what they stand for, and gives integers."""
    params, results = ([_words(word, references) for word in side] for side in (kind.params, kind.results))
    local = count()
    taken = [[f"local.get {next(local)}" for _ in words] for words in params]
    enter = [_enter(word, gets, references) for word, gets in zip(kind.params, taken, strict=True)]
    kept = [next(local) for _ in kind.results]
    keep = [f"local.set {slot}" for slot in reversed(kept)]
    leave = [_leave(word, slot, references) for word, slot in zip(kind.results, kept, strict=True)]
    signature = f"{_many('param', sum(params, ()))} {_many('result', sum(results, ()))}"
    head = f'(func (export "{at}") {signature} {_many("local", kind.results)}'
    return " ".join([head, *enter, f"{verb} $it{at}", *keep, *leave, ")"])


def _words(kind: ValType, references: bool) -> tuple[str, ...]:
    """How the bridge hands over a value of a type."""
    if kind in _HEAPS:
        return (kind.value if references else "i32",)
    return _INTEGERS[kind]


def _enter(kind: ValType, gets: list[str], references: bool) -> str:
    if kind in _HEAPS and not references:
        return f"ref.null {_HEAPS[kind]}"
    if kind is ValType.V128:
        low, high = gets
        return f"{low} i64x2.splat {high} i64x2.replace_lane 1"
    return f"{gets[0]} {_ENTER.get(kind, '')}"


def _leave(kind: ValType, slot: int, references: bool) -> str:
    if kind in _HEAPS and not references:
        return f"local.get {slot} ref.is_null"
    if kind is ValType.V128:
        return " ".join(f"local.get {slot} i64x2.extract_lane {half}" for half in (0, 1))
    return f"local.get {slot} {_LEAVE.get(kind, '')}"


def _many(what: str, kinds: Sequence[ValType | str]) -> str:
    words = (kind.value if isinstance(kind, ValType) else kind for kind in kinds)
    return f"({what} {' '.join(words)})" if kinds else ""
