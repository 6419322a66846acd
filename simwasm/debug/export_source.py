"""Values and calls as Python that a person would write, and the names that they need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import IntEnum
from typing import Any

from simwasm.abi.enums import Action, Status

_WIDTH = 100
"""A line that is longer is broken; four of these are the function's own indent."""

Imports = set[tuple[str, str]]
"""Modules and names in them."""


def literal(value: Any, imports: Imports, before: int = 0) -> str:
    """A value as Python, behind so many characters; names that it needs are added to the imports."""
    if isinstance(value, IntEnum):
        public = type(value) in (Action, Status)
        imports.add(("simwasm.testing" if public else type(value).__module__, type(value).__name__))
        return f"{type(value).__name__}.{value.name}"
    if isinstance(value, tuple):
        items = [literal(item, imports) for item in value]
        return f"({', '.join(items)}{',' if len(items) == 1 else ''})"
    if isinstance(value, dict):
        items = [f"{quoted(key)}: {literal(item, imports)}" for key, item in value.items()]
        return _bracketed("{", items, "}", before)
    return quoted(value) if isinstance(value, (str, bytes)) else repr(value)


def quoted(text: str | bytes) -> str:
    """A text or bytes as people write it: in double quotes, unless it has some itself."""
    prefix, found = ("b", repr(text)[1:]) if isinstance(text, bytes) else ("", repr(text))
    return prefix + (found if '"' in found else f'"{found[1:-1]}"')


def named(given: Mapping[str, Any], imports: Imports) -> list[str]:
    """Arguments by their names."""
    return [f"{name}={literal(value, imports)}" for name, value in given.items()]


def call(function: str, arguments: Iterable[str]) -> str:
    """A call, on several lines where one would be too long."""
    return function + _bracketed("(", list(arguments), ")", len(function))


def _bracketed(begin: str, items: list[str], end: str, before: int = 0) -> str:
    """Items, each on a line of its own where one line would be too long."""
    line = f"{begin}{', '.join(items)}{end}"
    if before + len(line) <= _WIDTH or not items:
        return line
    return f"{begin}\n" + "".join(f"    {each},\n" for each in items) + end


def equal(what: str, value: Any, imports: Imports) -> str:
    """That something is a value."""
    is_name = value is None or isinstance(value, (bool, IntEnum))
    begin = f"assert {what} {'is' if is_name else '=='} "
    return begin + literal(value, imports, len(begin))


def imported(wanted: Imports) -> Iterator[str]:
    """The lines that import names."""
    for module in sorted({module for module, _ in wanted}):
        names = sorted(name for other, name in wanted if other == module)
        yield f"from {module} import {', '.join(names)}"
