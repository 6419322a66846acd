"""A plugin's code, as one who steps through it asks about it: which function an offset is in, what stands there, and
which line of source it was made of.

Rules: offsets are those of the plugin's file; nothing is read before somebody asks, and what was read is kept.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property
from itertools import chain, islice, repeat
from typing import TYPE_CHECKING

from simwasm.plugin import Plugin
from simwasm.wasm.decode import Instruction, instructions
from simwasm.wasm.module import Body, FuncType, Kind, Module, ValType
from simwasm.wasm.names import Names, function_names, read_names
from simwasm.wasm.rewrite import global_exports
from simwasm.wasm.toolchain import how_to_debug
from simwasm.wasm.wat import text

if TYPE_CHECKING:
    from simwasm.wasm.lines import Lines, Place

_MOST_LOCALS = 1_000


class Code:
    """The code of one plugin."""

    def __init__(self, plugin: Plugin) -> None:
        self.plugin = plugin
        self._places: dict[int, Place | None] = {}
        self._instructions: dict[int, dict[int, Instruction]] = {}

    @property
    def module(self) -> Module:
        """The module as it was loaded."""
        return self.plugin.module

    @cached_property
    def first_own(self) -> int:
        """How many functions are imported; own ones follow."""
        return len(self.module.imported(Kind.FUNCTION))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What all functions are called."""
        return function_names(self.module)

    @cached_property
    def _names(self) -> Names:
        return read_names(self.module)

    @property
    def local_names(self) -> dict[int, dict[int, str]]:
        """What the plugin calls its locals: by function, by index."""
        return self._names.locals

    @property
    def global_names(self) -> dict[int, str]:
        """What the plugin calls its globals."""
        return self._names.globals

    def locals(self, function: int) -> tuple[ValType, ...]:
        """The types of a function's locals, parameters first; of those that are too many, the first."""
        body = self.body(function)
        runs = chain.from_iterable(
            repeat(kind, count) for count, kind in (body.locals if body is not None else ())
        )
        return (*self.type(function).params, *islice(runs, _MOST_LOCALS))

    @cached_property
    def global_exports(self) -> dict[int, str]:
        """What an engine calls the globals that can change."""
        return global_exports(self.module)

    @property
    def lines(self) -> Lines:
        """Where its instructions come from."""
        return self.plugin.lines

    @cached_property
    def _starts(self) -> list[int]:
        return [body.start for body in self.module.bodies]

    @cached_property
    def entries(self) -> dict[int, int]:
        """The first instruction of every function that has one: by its offset, the function."""
        return {body.code: self.first_own + own for own, body in enumerate(self.module.bodies)}

    @property
    def no_lines(self) -> str:
        """Why there are no lines of source, and how it is built so that there are."""
        return f"no lines of source, as there is {how_to_debug(self.module)}"

    def function_at(self, offset: int) -> int:
        """The function that an offset is in; -1 if it is in none."""
        own = bisect_right(self._starts, offset) - 1
        return self.first_own + own if own >= 0 and offset < self.module.bodies[own].end else -1

    def name(self, function: int) -> str:
        """What a function is called."""
        return self.names[function] if 0 <= function < len(self.names) else f"func[{function}]"

    def type(self, function: int) -> FuncType:
        """The type of a function."""
        return self.module.function_type(function)

    def body(self, function: int) -> Body | None:
        """The code of a function; None for one that is imported."""
        own = function - self.first_own
        return self.module.bodies[own] if 0 <= own < len(self.module.bodies) else None

    def place(self, offset: int) -> Place | None:
        """The line of source of an instruction."""
        if offset not in self._places:
            self._places[offset] = self.lines.at(offset)
        return self._places[offset]

    def following(self, offset: int) -> int:
        """The instruction behind one, as they are written; -1 behind the last."""
        return next((each for each in self.instructions(self.function_at(offset)) if each > offset), -1)

    def nearest(self, offset: int) -> int:
        """The instruction at an offset, or the next one in the same function; -1 if there is none."""
        found = self.instructions(self.function_at(offset))
        return offset if offset in found else next((each for each in found if each >= offset), -1)

    def instructions(self, function: int) -> dict[int, Instruction]:
        """All instructions of a function, by their offsets and in their order."""
        found = self._instructions.get(function)
        if found is None:
            body = self.body(function)
            code = instructions(self.module.data, body.code, body.end) if body is not None else ()
            found = self._instructions[function] = {each.offset: each for each in code}
        return found

    def instruction(self, offset: int) -> Instruction | None:
        """The instruction at an offset; None if none begins there."""
        return self.instructions(self.function_at(offset)).get(offset)

    def text(self, offset: int) -> str:
        """The instruction at an offset, as the text format writes it."""
        found = self.instruction(offset)
        return "" if found is None else text(found)
