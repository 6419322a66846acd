"""Small plugins written in the text format, for what no SDK would ever emit."""

from __future__ import annotations

from collections.abc import Sequence

import wasmtime

from simwasm.abi.table import Abi, Function, callbacks
from simwasm.plugin import Plugin
from simwasm.wasm.module import FuncType

MALLOC = '(func (export "malloc") (param i32) (result i32) (i32.const 1024))'


def plugin(
    *fields: str, abi: str = "0_2_1", malloc: str = MALLOC, memory: str = "1", **settings: bytes
) -> Plugin:
    """A plugin of these fields, with a marker, a memory and an allocator."""
    marker = f'(func (export "proxy_abi_version_{abi}"))'
    body = "\n".join([*fields, f'(memory (export "memory") {memory})', marker, malloc])
    return Plugin("wat", bytes(wasmtime.wat2wasm(f"(module {body})")), **settings)  # type: ignore[arg-type]


def signature(type: FuncType) -> str:
    """A function type as the text format writes it."""
    words = " ".join(f"(param {word.value})" for word in type.params)
    return f"{words} {' '.join(f'(result {word.value})' for word in type.results)}"


def callback(name: str, *body: str, abi: Abi = Abi.V0_2_1) -> str:
    """A callback that does this and returns 1."""
    type = callbacks(abi)[name].type
    end = ["(i32.const 1)"] if type.results else []
    return f'(func (export "{name}") {signature(type)} {" ".join([*body, *end])})'


def imported(row: Function, module: str = "") -> str:
    """An import of a host function, called $f."""
    return f'(import "{module or row.modules[0]}" "{row.name}" (func $f {signature(row.type)}))'


def call(row: Function, words: Sequence[int]) -> str:
    """A call of $f with these words, its answer dropped."""
    given = " ".join(
        f"({kind.value}.const {word})" for kind, word in zip(row.type.params, words, strict=True)
    )
    return f"({'drop (' if row.type.results else ''}call $f {given}){')' if row.type.results else ''}"
