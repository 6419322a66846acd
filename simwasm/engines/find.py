"""Find the engine that a user asked for, or the best one that loads here.

Rules that live here: an engine is imported when it is wanted and not before (wasmtime alone takes 50 ms);
engines in packages of their own announce themselves as entry points of the group `simwasm.engines`, which are
looked for last, because that takes longer than starting.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from importlib import import_module

from simwasm.engines.engine import Engine
from simwasm.errors import EngineUnavailable, InputError

GROUP = "simwasm.engines"

OWN = {
    "wasmer": "simwasm.engines.wasmer_engine:WasmerEngine",
    "wasmtime": "simwasm.engines.wasmtime_engine:WasmtimeEngine",
    "python": "simwasm.engines.python_engine:PythonEngine",
}
"""The engines that come with simwasm, best first; `pyproject.toml` announces the same."""


def engine(name: str | None = None) -> Engine:
    """The engine of that name; without one, wasmer where it loads, else wasmtime, else our own."""
    if name is not None:
        return _load(name)
    for candidate in OWN:
        with suppress(EngineUnavailable):
            return _load(candidate)
    raise EngineUnavailable("no Wasm engine can be loaded here, not even our own: is the package complete?")


def names() -> tuple[str, ...]:
    """The engines that are known, whether they load or not."""
    return tuple(dict.fromkeys((*OWN, *_announced())))


def _load(name: str) -> Engine:
    place = OWN.get(name) or _announced().get(name)
    if place is None:
        raise InputError(f"no engine is called {name}; known are {', '.join(names())}")
    module, _, attribute = place.partition(":")
    try:
        made: Engine = getattr(import_module(module), attribute)()
    except ImportError as error:
        raise EngineUnavailable(_why(name, error)) from None
    return made


def _why(name: str, error: ImportError) -> str:
    """Why an engine does not import, and what to do."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    if name == "wasmer" and sys.version_info[:2] != (3, 10):
        return f"wasmer needs Python 3.10 (this is {python}); try --engine wasmtime"
    if name in OWN:
        return f"{name} does not load ({error}); try: pip install '{_PACKAGES[name]}'"
    return f"{name} does not load ({error})"


_PACKAGES = {"wasmer": "wasmer==1.1.0' 'wasmer_compiler_cranelift==1.1.0", "wasmtime": "wasmtime>=40"}


def _announced() -> dict[str, str]:
    from importlib.metadata import entry_points  # 30 ms

    return {entry.name: entry.value for entry in entry_points(group=GROUP)}
