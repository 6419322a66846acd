"""The engine in Python: it runs where nothing else does, and shows what no other can.

A program is a module and the Python code that was made of its functions so far. It needs no rewritten binary: what
rewriting does - fuel, limits, hidden exports - is done where the code is made and linked.

Rules that live here: a module is validated before anything is made of it; what is kept of a program is trusted when it
comes back, as native code is.
"""

from __future__ import annotations

import marshal
import pickle
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache, cached_property, partial
from hashlib import sha256
from pathlib import Path
from types import CellType
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary, finalize

from simwasm.engines.engine import Activation, Binary, Export, Hook, Imports, Word
from simwasm.engines.fuel import Fuel
from simwasm.engines.link import Interface
from simwasm.engines.memory import LinearMemory, Look, nothing
from simwasm.engines.transpiler.blame import Place, kind, left
from simwasm.engines.transpiler.boundary import Exports, given, host_function, taken
from simwasm.engines.transpiler.codes import Codes, Made
from simwasm.engines.transpiler.initial import Pages, initial
from simwasm.engines.transpiler.instance import Linked
from simwasm.engines.transpiler.linking import Extern
from simwasm.engines.transpiler.memories import Bytes, MemoryExtern
from simwasm.engines.transpiler.references import FunctionExtern, GlobalExtern
from simwasm.engines.traps import FRAMES
from simwasm.engines.unwind import Unwind
from simwasm.errors import Frame, PluginError, Trap, TrapKind
from simwasm.wasm.module import Export as ModuleExport
from simwasm.wasm.module import FuncType, Kind, Module, ValType
from simwasm.wasm.names import function_names
from simwasm.wasm.rewrite import FUEL, Limits, Rewritten, hidden, limited

if TYPE_CHECKING:
    from simwasm.engines.transpiler.stepping import Stepping

_MAGIC = b"simwasm python program 1\n"
_NOTHING = FuncType((), ())
_NUMBERS = frozenset({ValType.I32, ValType.I64, ValType.F32, ValType.F64})


@cache
def _made_by() -> str:
    """What kept code depends on but the module: this Python, and all that checks, makes or is called by the code."""
    digest = sha256(f"{sys.implementation.cache_tag} {sys.version}".encode())
    here = Path(__file__).parent
    folders = here / "transpiler", here.parent / "wasm" / "validate"
    for path in (Path(__file__), *(path for folder in folders for path in sorted(folder.glob("*.py")))):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


Key = tuple[bytes, int, int]
"""A module, by its digest, and its limits."""


class PythonEngine:
    """Makes Python of Wasm. As long as a program is alive, others of the same module share its code."""

    name = "python"

    def __init__(self) -> None:
        self._codes: WeakValueDictionary[Key, Codes] = WeakValueDictionary()

    @property
    def version(self) -> str:
        """What makes kept code unusable when it changes."""
        return _made_by()

    def compile(self, module: Rewritten) -> PythonProgram:
        """Validate; functions are compiled when they are called for the first time."""
        return self.take(module.module, module.limits)

    def take(self, module: Module, limits: Limits) -> PythonProgram:
        """The same, of a module that was not rewritten."""
        ready, pages = initial(_prepared(module, limits))
        key = sha256(module.data).digest(), limits.slice, limits.pages
        codes = self._codes.get(key)
        if codes is None:
            from simwasm.wasm.validate import validate  # what comes from a cache has been validated

            validate(module)
            codes = self._codes[key] = Codes(ready)
        return PythonProgram(key, codes, pages)

    def restore(self, compiled: bytes, binary: Binary) -> PythonProgram:
        """A program from what `PythonProgram.compiled` gave."""
        if not compiled.startswith(_MAGIC):
            raise ValueError("not compiled by the python engine")
        try:
            key, module, pages, kept = marshal.loads(memoryview(compiled)[len(_MAGIC) :])
            codes = self._codes.get(key)
            if codes is None:
                codes = self._codes[key] = Codes(pickle.loads(module), kept)
        except (EOFError, TypeError, pickle.UnpicklingError) as error:
            raise ValueError(f"not compiled by the python engine: {error}") from None
        return PythonProgram(key, codes, pages)


def _prepared(module: Module, limits: Limits) -> Module:
    """The module as it is run: bounded, with memory and tables of its own, and nothing hidden."""
    tables, memories = limited(module, limits)
    exports = list(module.exports)
    shown = {(item.kind, item.index) for item in exports}
    exports += [ModuleExport(*item) for item in hidden(module) if item[1:] not in shown]
    return replace(
        module,
        imports=tuple(item for item in module.imports if item.kind in (Kind.FUNCTION, Kind.GLOBAL)),
        tables=tuple(tables),
        memories=tuple(memories),
        exports=tuple(exports),
    )


class PythonProgram:
    """A module, and the code that was made of it so far."""

    def __init__(self, key: Key, codes: Codes, pages: Pages) -> None:
        self._codes = codes
        self._pages = pages
        _, self._slice, _ = key
        self._interface = Interface.read(codes.module)
        self._kept = _Kept(key, codes, pages)

    def compiled(self) -> bytes:
        """The module and its code, as far as it was made."""
        return self._kept.data()

    def keep(self, put: Callable[[bytes], None]) -> None:
        """Have a function called with what `compiled` gives, if there is more of it, whenever an instance is closed.

        And in the end, of the program or the process, because not everybody closes what ends with the process.
        """
        self._kept.put = put
        finalize(self, self._kept.write)

    def put(self, made: Made) -> None:
        """Use this as the code of a function."""
        self._codes.put(made)

    def start(self, imports: Imports, fuel: Fuel) -> PythonInstance:
        """Link and run the start function."""
        functions = self._interface.link(imports, fuel)
        linked = Linked(
            self._codes,
            [FunctionExtern(item.type, host_function(item.type, item.call)) for item in functions],
            fuel,
            self._slice,
            self._pages,
        )
        instance = PythonInstance(linked, self._interface, self._names, self._kept.write)
        instance.begin()
        return instance

    @cached_property
    def _function_names(self) -> tuple[str, ...]:
        return function_names(self._codes.module)

    def _names(self) -> tuple[str, ...]:
        return self._function_names


class _Kept:
    """A program as bytes, and where they go when there is more code than before."""

    def __init__(self, key: Key, codes: Codes, pages: Pages) -> None:
        self.put: Callable[[bytes], None] | None = None
        self._key = key
        self._codes = codes
        self._pages = pages

    def data(self) -> bytes:
        """The module, with its code as far as it was made."""
        return _MAGIC + marshal.dumps((self._key, self._module, self._pages, self._codes.kept))

    def write(self) -> None:
        """Put down what was made since the last time."""
        made = len(self._codes.kept)
        if self.put is not None and made > self._codes.written:
            self._codes.written = made
            self.put(self.data())

    @cached_property
    def _module(self) -> bytes:
        return pickle.dumps(self._codes.module)


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
