"""What functions are called: the `name` section, else exports and imports, else `func[N]`.

Rules that live here: a broken `name` section never fails a load, what was read of it before it broke is
kept; names of Rust's and C++'s linkers are made readable, those of Go and AssemblyScript are already.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from simwasm.errors import BadModule
from simwasm.wasm.cursor import Cursor
from simwasm.wasm.demangle.itanium import itanium
from simwasm.wasm.demangle.rust_legacy import rust_hashed, rust_legacy
from simwasm.wasm.demangle.rust_v0 import rust_v0
from simwasm.wasm.module import Kind, Module

_MODULE, _FUNCTIONS, _LOCALS, _LABELS, _GLOBALS = 0, 1, 2, 3, 7
_KEPT = 1 << 14
"""Names that stay readable: the same ones are asked for again and again, and a long one takes half a millisecond."""


@dataclass(frozen=True, slots=True)
class Names:
    """The names in a `name` section, as they are in the file."""

    module: str | None = None
    functions: dict[int, str] = field(default_factory=dict)
    locals: dict[int, dict[int, str]] = field(default_factory=dict)
    labels: dict[int, dict[int, str]] = field(default_factory=dict)
    """By function; a block's index is its place among the blocks of the function."""
    globals: dict[int, str] = field(default_factory=dict)


def read_names(module: Module) -> Names:
    """Read the `name` section; without one, or where it is broken, there are fewer names."""
    title: str | None = None
    functions: dict[int, str] = {}
    variables: dict[int, dict[int, str]] = {}
    labels: dict[int, dict[int, str]] = {}
    global_names: dict[int, str] = {}
    inner_maps = {_LOCALS: variables, _LABELS: labels}
    for span in module.customs("name")[:1]:
        cursor = Cursor(module.data, span.start, span.end, "name")
        try:
            while cursor.at < cursor.end:
                number = cursor.byte()
                inside = cursor.span("a subsection")
                inner = Cursor(module.data, inside.start, inside.end, "name")
                if number == _MODULE:
                    title = inner.name()
                elif number == _FUNCTIONS:
                    _read_map(inner, functions)
                elif number == _GLOBALS:
                    _read_map(inner, global_names)
                elif number in inner_maps:
                    for _ in range(inner.count("functions")):
                        _read_map(inner, inner_maps[number].setdefault(inner.u32(), {}))
        except BadModule:
            continue
    return Names(title, functions, variables, labels, global_names)


def _read_map(cursor: Cursor, found: dict[int, str]) -> None:
    for _ in range(cursor.count("names")):
        index = cursor.u32()
        found[index] = cursor.name()


def function_names(module: Module) -> tuple[str, ...]:
    """The readable name of every function, imported and own."""
    named = {index: readable(text) for index, text in read_names(module).functions.items() if text}
    imported = module.imported(Kind.FUNCTION)
    for index, item in enumerate(imported):
        named.setdefault(index, item.name)
    for export in module.exports:
        if export.kind is Kind.FUNCTION:
            named.setdefault(export.index, export.name)
    total = len(imported) + len(module.functions)
    return tuple([named.get(index) or f"func[{index}]" for index in range(total)])


@lru_cache(_KEPT)
def readable(symbol: str) -> str:
    """What a linker's name stands for in Rust or C++; every other name is returned as it is.

    >>> readable("_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE")
    'core::fmt::Write::write_fmt'
    """
    if not symbol.startswith(("_Z", "_R", "__Z")):
        return rust_hashed(symbol) or symbol
    return rust_legacy(symbol) or rust_v0(symbol) or itanium(symbol) or symbol
