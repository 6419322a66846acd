"""Places in a plugin's code, as one types them, and the instructions that they are.

    at:0x1a4f               the instruction at an offset in the plugin's file
    src/lib.rs:48           a line of source; if nothing was made of it, the next line of which something was
    function:on_request*    where a function of the plugin's begins: its name, the end of it, or its number
    instruction:call_indirect

Each may have ` vm:NAME` behind it. Rule: what is typed outlives a rebuild where it can; which instructions it is, is
found anew for every plugin.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache

from simwasm.debug.code import Code
from simwasm.trace.query.syntax import QueryError
from simwasm.wasm.opcodes import OPCODES

_PLACE = re.compile(
    r"(?P<kind>at|line|func|function|instruction):\s*(?P<what>.+?)(?:\s+vm:(?P<vm>\S+))?\s*", re.I
)
_LINE = re.compile(r"(?P<what>[^\s:\"'=<>]*\.[A-Za-z][\w+]{0,9}:\d{1,9})(?:\s+vm:(?P<vm>\S+))?\s*")
_NEAR = 50
"""How many lines further on there may be code for a line that has none."""


@dataclass(frozen=True, slots=True)
class CodePlace:
    """A place in code."""

    kind: str
    what: str
    vm: str = ""

    def __str__(self) -> str:
        prefix = "" if self.kind == "line" else f"{self.kind}:"
        return f"{prefix}{self.what}" + (f" vm:{self.vm}" if self.vm else "")

    def is_in(self, vm: str) -> bool:
        """Whether the code of a VM is meant too."""
        return not self.vm or fnmatchcase(vm, self.vm)

    def offsets(self, code: Code) -> frozenset[int]:
        """The instructions that it is; none if the plugin has no such place."""
        return _found(code, self.kind, self.what)


def code_place(text: str) -> CodePlace | None:
    """What was typed; None if it is no place in code, a `QueryError` if it is one that cannot be."""
    stripped = text.strip()
    found = _LINE.fullmatch(stripped)
    if found is not None:
        return CodePlace("line", found["what"], found["vm"] or "")
    found = _PLACE.fullmatch(stripped)
    if found is None:
        return None
    kind = found["kind"].lower()
    place = CodePlace("function" if kind == "func" else kind, found["what"], found["vm"] or "")
    _CHECKS[place.kind](place.what)
    return place


def _check_offset(text: str) -> None:
    try:
        int(text, 0)
    except ValueError:
        raise QueryError(f"`{text:.40}` is no offset: at:0x1a4f is one", 0) from None


def _check_line(text: str) -> None:
    if not _LINE.fullmatch(text):
        raise QueryError("a line of source is `src/lib.rs:48`", 0)


def _check_instruction(text: str) -> None:
    if not any(fnmatchcase(row.name, text) for row in OPCODES):
        raise QueryError(f"there is no instruction `{text:.40}`: instruction:call_indirect is one", 0)


_CHECKS: dict[str, Callable[[str], None]] = {
    "at": _check_offset, "line": _check_line, "instruction": _check_instruction, "function": lambda text: None,
}  # fmt: skip


@lru_cache(maxsize=256)
def _found(code: Code, kind: str, what: str) -> frozenset[int]:
    return frozenset(_FINDERS[kind](code, what))


def _at(code: Code, what: str) -> Iterator[int]:
    offset = int(what, 0)
    if code.instruction(offset) is not None:
        yield offset


def _functions(code: Code, what: str) -> Iterator[int]:
    number = re.fullmatch(r"(?:func\[)?(\d+)\]?", what)
    for offset, function in code.entries.items():
        if function == int(number[1]) if number else _is_called(code.name(function), what):
            yield offset


def _is_called(name: str, what: str) -> bool:
    if name == what or fnmatchcase(name, what):
        return True
    return name.endswith(what) and name[: -len(what)].endswith((":", "."))


def _instructions(code: Code, what: str) -> Iterator[int]:
    for function in code.entries.values():
        for offset, each in code.instructions(function).items():
            if fnmatchcase(each.opcode.name, what):
                yield offset


def _lines(code: Code, what: str) -> Iterator[int]:
    """The first instruction of a line in every function that has some of it."""
    path, _, number = what.rpartition(":")
    wanted = int(number)
    found: dict[int, dict[int, int]] = {}
    for offset, place in code.lines.places():
        if wanted <= place.line <= wanted + _NEAR and _is_file(place.file, path):
            function = code.function_at(offset)
            first = found.setdefault(place.line, {})
            first[function] = min(offset, first.get(function, offset))
    if found:
        yield from (at for at in map(code.nearest, found[min(found)].values()) if at >= 0)


def _is_file(file: str, path: str) -> bool:
    return file == path or file.endswith("/" + posixpath.normpath(path).lstrip("./"))


_FINDERS: dict[str, Callable[[Code, str], Iterator[int]]] = {
    "at": _at, "line": _lines, "function": _functions, "instruction": _instructions,
}  # fmt: skip
