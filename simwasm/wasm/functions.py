"""Which function somebody means: by its index, an offset in its code, its export, its name, or a part of it.

Rules that live here: what fits exactly goes before what fits in part, an export before a name, and what has code
before what is imported; a text that fits several functions is an error that lists them.
"""

from __future__ import annotations

import re
from bisect import bisect_right

from simwasm.errors import InputError
from simwasm.wasm.disasm import one_line
from simwasm.wasm.module import Kind, Module
from simwasm.wasm.names import function_names

_INDEX = re.compile(r"(?:func\[)?(\d{1,10})\]?", re.ASCII)
_OFFSET = re.compile(r"0x([0-9a-f]{1,16})", re.ASCII | re.IGNORECASE)
_LISTED = 20


def chosen(module: Module, text: str) -> int:
    """The index, among all functions, of the one that is meant; it has code."""
    names = function_names(module)
    index = _meant(module, names, text)
    imported = module.imported(Kind.FUNCTION)
    if index < len(imported):
        item = imported[index]
        raise InputError(
            f"func {index} is imported ({one_line(item.module)}.{one_line(item.name)}): the host provides it, "
            "there is no code of it here"
        )
    return index


def function_at(module: Module, offset: int) -> int | None:
    """The function that has the instruction at an offset in the file."""
    own = bisect_right(module.bodies, offset, key=lambda body: body.start) - 1
    if own < 0 or offset >= module.bodies[own].end:
        return None
    return own + len(module.imported(Kind.FUNCTION))


def _meant(module: Module, names: tuple[str, ...], text: str) -> int:
    match = _INDEX.fullmatch(text)
    if match:
        if int(match[1]) >= len(names):
            raise InputError(f"there is no function {match[1]}: the last one is {len(names) - 1}")
        return int(match[1])
    match = _OFFSET.fullmatch(text)
    if match:
        found = function_at(module, int(match[1], 16))
        if found is None:
            raise InputError(f"no function has code at offset {text}")
        return found
    return _named(module, names, text)


def _named(module: Module, names: tuple[str, ...], text: str) -> int:
    exports = [item.index for item in module.exports if item.kind is Kind.FUNCTION and item.name == text]
    if exports:
        return exports[0]
    wanted = text.casefold()
    exact = [index for index, name in enumerate(names) if name == text]
    partly = [index for index, name in enumerate(names) if wanted in name.casefold()]
    first = len(module.imported(Kind.FUNCTION))
    for found in (exact, [index for index in partly if index >= first], partly):
        if len(found) == 1:
            return found[0]
        if found:
            raise InputError(_several(names, found, text))
    raise InputError(
        f"no function is called {one_line(text)!r}; `simwasm disasm PLUGIN --list` lists them all"
    )


def _several(names: tuple[str, ...], found: list[int], text: str) -> str:
    listed = "".join(f"\n  {index:>6}  {one_line(names[index])}" for index in found[:_LISTED])
    more = f"\n  and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
    return f"{len(found)} functions fit {one_line(text)!r}: say more of the name, or the number\n{listed[1:]}{more}"
