"""A started module in Python: what `Linked` is to those who know only the `Engine` protocols.

Rules that live here: numbers go out signed; an exception becomes a `Trap` here or nowhere; after a signal the guest is
whole before anybody sees it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property, partial
from types import CellType
from typing import TYPE_CHECKING, Any

from simwasm.engines.engine import Activation, Export, Hook, Word
from simwasm.engines.link import Interface
from simwasm.engines.memory import LinearMemory, Look, nothing
from simwasm.engines.transpiler.blame import Place, kind, left
from simwasm.engines.transpiler.boundary import Exports, given, taken
from simwasm.engines.transpiler.instance import Linked
from simwasm.engines.transpiler.linking import Extern
from simwasm.engines.transpiler.memories import Bytes, MemoryExtern
from simwasm.engines.transpiler.references import FunctionExtern, GlobalExtern
from simwasm.engines.traps import FRAMES
from simwasm.engines.unwind import Unwind
from simwasm.errors import Frame, PluginError, Trap, TrapKind
from simwasm.wasm.module import FuncType, ValType
from simwasm.wasm.rewrite import FUEL

if TYPE_CHECKING:
    from simwasm.engines.transpiler.stepping import Stepping

_NOTHING = FuncType((), ())
_NUMBERS = frozenset({ValType.I32, ValType.I64, ValType.F32, ValType.F64})

Variable = tuple[CellType, Callable[[Any], Any], Callable[[Any], Any]]
"""A global's cell, and what makes words of Python's of its values and the other way round."""


class PythonInstance:
    """A started module."""

    def __init__(
        self,
        linked: Linked,
        interface: Interface,
        names: Callable[[], tuple[str, ...]],
        closed: Callable[[], None],
    ) -> None:
        self._linked = linked
        self._names = names
        self._closed = closed
        self._calls = Exports(self._stopped)
        self._variables = (*interface.variables, FUEL)
        memory = linked.memory
        look = nothing if memory is None else _looker(memory)
        self.memory = LinearMemory(look)
        if memory is not None:
            memory.follow(lambda _: self.memory.renew(look()))
        found = {item.name: linked.extern(item.kind, item.index) for item in linked.module.exports}
        self.exports: Mapping[str, Export] = {
            name: self._calls.function(kind, _cell_of(found[name])) for name, kind in interface.exports
        }
        self._globals = {
            name: _variable(item) for name, item in found.items() if isinstance(item, GlobalExtern)
        }
        self._globals[FUEL] = linked.cells["fuel"], int, _signed

    def begin(self) -> None:
        """Copy the segments and run the start function."""
        self._calls.function(_NOTHING, CellType(self._linked.begin))()

    def get_global(self, name: str) -> Word:
        """The value of an exported global."""
        cell, give, _ = self._globals[name]
        value: Word = give(cell.cell_contents)
        return value

    def set_global(self, name: str, value: Word) -> None:
        """Change an exported global."""
        cell, _, take = self._globals[name]
        cell.cell_contents = take(value)

    def variables(self) -> tuple[str, ...]:
        """The exported globals that can change and are numbers."""
        return self._variables

    def grow(self, pages: int) -> None:
        """Give the memory more pages."""
        memory = self._linked.memory
        if memory is None or memory.grow(pages) < 0:
            raise PluginError(f"the memory cannot grow by {pages} pages")

    def watch(self, hook: Hook | None) -> None:
        """Tell the hook of each instruction, from the next call on."""
        self._linked.watch(hook)

    def depth(self) -> int:
        """How many functions of the guest are active."""
        return self._stepping.depth()

    def activations(self) -> tuple[Activation, ...]:
        """The active functions, innermost first."""
        return self._stepping.activations()

    def assign(self, level: int, slot: str, value: Word | bytes) -> None:
        """Change a local or an operand of an active function."""
        self._stepping.assign(level, slot, value)

    def close(self) -> None:
        """Let go of the guest."""
        self._calls.close()
        self._globals.clear()
        self._linked.close()
        self.memory.close()
        self._closed()

    @cached_property
    def _stepping(self) -> Stepping:
        from simwasm.engines.transpiler.stepping import Stepping  # it takes the validator along

        return Stepping(self._linked.functions)

    def _stopped(self, error: BaseException) -> Trap | None:
        """What a guest call ends with that was left by an error; None if by that error itself."""
        if isinstance(error, KeyboardInterrupt):
            self._linked.settle()
        found = left(error)
        places = found.places[: FRAMES - found.refuelling]
        if isinstance(error, Unwind):
            error.through(partial(self._frames, places))
            return None
        why = None if found.by_host else kind(error, places[0] if places else None)
        if why is None:
            return None
        return Trap(why, () if why is TrapKind.STACK_EXHAUSTED else self._frames(places))

    def _frames(self, places: tuple[Place, ...]) -> tuple[Frame, ...]:
        names = self._names()
        return tuple(Frame(place.function, names[place.function], place.offset) for place in places)


def _cell_of(item: Extern) -> CellType:
    """A function's cell."""
    assert isinstance(item, FunctionExtern)
    return item.cell


def _variable(item: GlobalExtern) -> Variable:
    kind = item.type.type
    if kind in _NUMBERS:
        return item.cell, given(kind), taken(kind)
    return item.cell, _as_it_is, _as_it_is


def _as_it_is(value: Any) -> Any:
    return value


def _signed(word: int) -> int:
    """The fuel counter, which generated code keeps signed."""
    return ((word & 0xFFFF_FFFF) ^ 0x8000_0000) - 0x8000_0000


def _looker(memory: MemoryExtern) -> Look:
    """Views of a memory, the same one while it is where it was."""
    shown: Bytes | None = None
    view = nothing()

    def look() -> memoryview:
        nonlocal shown, view
        if memory.bytes is not shown:
            shown = memory.bytes
            view = memoryview(shown)
        return view

    return look
