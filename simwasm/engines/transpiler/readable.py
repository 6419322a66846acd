"""Generated code for people: what things are called, and which line is which instruction.

    f6__append_number(l0, l1 // 10)      for      f6(l0, l1 // 10)

Rules that live here: a name keeps its number, so it is never another's and `plain` finds the way back; what the plugin
calls things is cut down to letters that Python knows; the code is the code that runs, but for names and indentation.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from simwasm.engines.transpiler.generate import Generator
from simwasm.wasm.module import Kind, Module
from simwasm.wasm.names import function_names, read_names

_LONGEST = 40
_TOKEN = re.compile(r"""b'(?:[^'\\]|\\.)*'|b"(?:[^"\\]|\\.)*"|\b([fgl])(\d+)\b""")
_UNNAMED = re.compile(r"func\[\d+\]")
_PLAIN = re.compile(r"([fgl]\d+)__\w*")
_NO_LETTER = re.compile(r"[^A-Za-z0-9]+")


class CodeLine(NamedTuple):
    """A line of Python, and the instruction that it does (0 for what is of none)."""

    text: str
    offset: int = 0


class Readable:
    """The functions of a valid module as Python for people."""

    def __init__(self, module: Module) -> None:
        self._generator = Generator(module)
        self.first_own = len(module.imported(Kind.FUNCTION))
        names = read_names(module)
        self._locals = names.locals
        exported = {item.index: item.name for item in module.exports if item.kind is Kind.GLOBAL}
        self._functions = [_short(name) for name in function_names(module)]
        self._globals = {index: _short(name) for index, name in (exported | names.globals).items()}

    def name(self, function: int) -> str:
        """What a function is called in Python."""
        return _joined(f"f{function}", self._functions[function])

    def lines(self, function: int) -> list[CodeLine]:
        """A function in its factory; the factory is the first line."""
        text, offsets = self._generator.source(function - self.first_own)
        variables = {index: _short(name) for index, name in self._locals.get(function, {}).items()}
        called = {"f": dict(enumerate(self._functions)), "g": self._globals, "l": variables}

        def written(match: re.Match[str]) -> str:
            if match[1] is None:
                return match[0]
            return _joined(match[0], called[match[1]].get(int(match[2]), ""))

        found: list[CodeLine] = []
        for line, offset in zip(text.splitlines(), offsets[1:], strict=False):
            code, mark, title = line.partition("  # ")  # of the `def`: names are no code
            depth = len(code) - len(code.lstrip(" "))
            if depth or not found:
                indent = " " * (4 * depth)
            else:  # the rest of the line before, which is inside of parentheses
                indent = " " * (len(found[-1].text) - len(found[-1].text.lstrip(" ")) + 4)
            found.append(CodeLine(indent + _TOKEN.sub(written, code.lstrip()) + mark + title, offset))
        return found


def plain(name: str) -> str:
    """The name that generated code has for it.

    >>> plain("f6__append_number"), plain("f32_nearest"), plain("fuel")
    ('f6', 'f32_nearest', 'fuel')
    """
    match = _PLAIN.fullmatch(name)
    return match[1] if match else name


def _short(name: str) -> str:
    """A name in letters, its end if it is long; nothing for one that only numbers."""
    if _UNNAMED.fullmatch(name):
        return ""
    return _NO_LETTER.sub("_", name).strip("_")[-_LONGEST:].lstrip("_")


def _joined(short: str, name: str) -> str:
    return f"{short}__{name}" if name else short
