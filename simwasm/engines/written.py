"""Modules written out as Python files: what such a file imports.

    import plugin                                  # made by `simwasm transpile plugin.wasm -o plugin.py`
    instance = plugin.instantiate({("env", "proxy_log"): lambda level, data, size: 0})
    instance.exports["proxy_on_configure"](1, 0)

Rules that live here: the functions in the file are what runs, with their lines in tracebacks, and may be changed; those
that are not in it are made when they are called; words are as with any engine.
"""

from __future__ import annotations

import re
import zlib
from base64 import b85decode, b85encode
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from types import CodeType, FunctionType
from typing import Any, cast

from simwasm.engines.engine import HostFunction, Words
from simwasm.engines.fuel import Fuel
from simwasm.engines.python_engine import PythonEngine
from simwasm.engines.python_instance import PythonInstance
from simwasm.engines.transpiler.codes import Made
from simwasm.engines.transpiler.readable import plain
from simwasm.errors import InputError
from simwasm.wasm.module import FuncType, Module
from simwasm.wasm.reader import read_module
from simwasm.wasm.rewrite import Limits

FORMAT = 1
"""Changes when a file of before cannot be run any more."""

_GUEST_NAME = re.compile(r"f(\d+)")


class _Offsets:
    """The offset of each line of a function that begins in the middle of a file; read when somebody asks."""

    def __init__(self, first: int, text: str) -> None:
        self._first = first
        self._text = text

    def __getitem__(self, line: int) -> int:
        return self._offsets[line - self._first]

    @cached_property
    def _offsets(self) -> list[int]:
        return lines_of(self._text)


class Written:
    """A module whose functions are in a Python file."""

    def __init__(self, format: int, module: str) -> None:
        if format != FORMAT:
            raise InputError(
                "this file was written by another version of simwasm: make it anew (simwasm transpile PLUGIN -o FILE)"
            )
        self._text = module
        self._made: dict[int, Made] = {}

    @cached_property
    def _module(self) -> Module:
        return read_module(unpacked(self._text))

    def function(self, offsets: str) -> Callable[[FunctionType], FunctionType]:
        """Take a factory with a function in it; `offsets` are those of its lines, from the function's first one on."""

        def take(factory: FunctionType) -> FunctionType:
            code = next(item for item in factory.__code__.co_consts if isinstance(item, CodeType))
            name = plain(code.co_name)
            free = tuple(map(plain, code.co_freevars))
            match = _GUEST_NAME.fullmatch(name)
            if match is None:
                raise InputError(f"line {code.co_firstlineno}: {code.co_name} is no function of the module")
            lines = cast(Any, _Offsets(code.co_firstlineno, offsets))
            number = int(match[1])
            self._made[number] = Made(number, False, code.replace(co_freevars=free, co_name=name), lines)
            return factory

        return take

    def instantiate(
        self,
        imports: Mapping[tuple[str, str], Callable[..., Words]] | None = None,
        fuel: Fuel | None = None,
        limits: Limits = Limits(),  # noqa: B008  # it is frozen
    ) -> PythonInstance:
        """Link and start it; host functions by the module and the name that they are imported from."""
        program = PythonEngine().take(self._module, limits)
        for made in self._made.values():
            program.put(made)
        types = {(item.module, item.name): item.type for item in self._module.imports}
        hosts = {}
        for place, call in (imports or {}).items():
            kind = types.get(place)
            if isinstance(kind, FuncType):
                hosts[place] = HostFunction(kind, call)
        return program.start(hosts, fuel or Fuel())


def packed(data: bytes) -> str:
    """A module as text for a file."""
    return b85encode(zlib.compress(data, 9)).decode()


def unpacked(text: str) -> bytes:
    """The module again."""
    return zlib.decompress(b85decode("".join(text.split())))


def line_text(offsets: Sequence[int]) -> str:
    """Offsets of lines as text: in hexadecimal, one that is as before a dot.

    >>> line_text([0, 0, 842, 842, 849])
    '0 . 34a . 351'
    """
    before = [-1, *offsets]
    return " ".join(
        "." if offset == last else f"{offset:x}" for last, offset in zip(before, offsets, strict=False)
    )


def lines_of(text: str) -> list[int]:
    """The offsets again."""
    found: list[int] = []
    for word in text.split():
        found.append(found[-1] if word == "." else int(word, 16))
    return found
