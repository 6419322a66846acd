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
from collections.abc import Callable
from dataclasses import replace
from functools import cache, cached_property
from hashlib import sha256
from pathlib import Path
from weakref import WeakValueDictionary, finalize

from simwasm.engines.engine import Binary, Hook, Imports
from simwasm.engines.fuel import Fuel
from simwasm.engines.link import Interface
from simwasm.engines.python_instance import PythonInstance
from simwasm.engines.transpiler.boundary import host_function
from simwasm.engines.transpiler.codes import Codes, Made
from simwasm.engines.transpiler.initial import Pages, initial
from simwasm.engines.transpiler.instance import Linked
from simwasm.engines.transpiler.references import FunctionExtern
from simwasm.wasm.module import Export, Kind, Module
from simwasm.wasm.names import function_names
from simwasm.wasm.rewrite import Limits, Rewritten, hidden, limited

_MAGIC = b"simwasm python program 1\n"


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
    exports += [Export(*item) for item in hidden(module) if item[1:] not in shown]
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
        return self._begun(imports, fuel, None)

    def follow(self, imports: Imports, fuel: Fuel, hook: Hook) -> PythonInstance:
        """The same, told of each instruction from the first one on."""
        return self._begun(imports, fuel, hook)

    def _begun(self, imports: Imports, fuel: Fuel, hook: Hook | None) -> PythonInstance:
        functions = self._interface.link(imports, fuel)
        linked = Linked(
            self._codes,
            [FunctionExtern(item.type, host_function(item.type, item.call)) for item in functions],
            fuel,
            self._slice,
            self._pages,
        )
        instance = PythonInstance(linked, self._interface, self._names, self._kept.write)
        if hook is not None:
            instance.watch(hook)
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
