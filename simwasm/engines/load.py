"""From a plugin's bytes to a program, by way of the cache.

A warm start reads one file: nothing is parsed, rewritten or compiled. Only when a guest traps is the binary
read, to say where in the original that was.

Rules that live here: the key names everything that the result depends on - the bytes, the limits, the code
that rewrites, the engine, its version, and the machine (engines compile for the very processor they run on).
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from functools import cache as once
from functools import cached_property, partial
from hashlib import sha256
from pathlib import Path

import simwasm.wasm
from simwasm.cache import Cache, user_folder
from simwasm.engines.engine import Direct, Engine, Growing, Program, Restorable
from simwasm.wasm.reader import read_module
from simwasm.wasm.rewrite import Limits, Rewritten, rewrite


def load(engine: Engine, wasm: bytes, limits: Limits | None = None, cache: Cache | None = None) -> Program:
    """Compile a plugin, or take the result of last time. Without a cache the user's is used."""
    binary = _Binary(wasm, limits or Limits(), cache or Cache(user_folder()))
    return binary.program(engine)


class _Binary:
    """A plugin's bytes, and what can be made or remembered of them."""

    def __init__(self, wasm: bytes, limits: Limits, cache: Cache) -> None:
        self._wasm = wasm
        self._limits = limits
        self._cache = cache
        self._key = f"{sha256(wasm).hexdigest()} {limits} {_rewriter()}"

    def program(self, engine: Engine) -> Program:
        if not isinstance(engine, Restorable):
            return self._compiled(engine)
        key = f"{self._key} {engine.name} {engine.version} {_machine()}"
        compiled = self._cache.get(key)
        program = None
        if compiled is not None:
            with suppress(ValueError):
                program = engine.restore(compiled, lambda: self._rewritten)
        if program is None:
            program = self._compiled(engine)
            self._cache.put(key, program.compiled())
        if isinstance(program, Growing):
            program.keep(partial(self._cache.put, key))
        return program

    def _compiled(self, engine: Engine) -> Program:
        if isinstance(engine, Direct):
            return engine.take(read_module(self._wasm), self._limits)
        return engine.compile(self._rewritten)

    @cached_property
    def _rewritten(self) -> Rewritten:
        module = read_module(self._wasm)
        known = self._cache.get(self._key)
        if known is not None:
            return Rewritten(known, module, self._limits)
        made = rewrite(module, self._limits)
        self._cache.put(self._key, made.wasm)
        return made


@once
def _rewriter() -> str:
    """The version of the code that rewrites: a digest of it, so that nobody has to remember a number."""
    digest = sha256()
    for path in sorted(Path(str(simwasm.wasm.__file__)).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


@once
def _machine() -> str:
    """What compiled code needs: the platform, the processor, and the Python that loads the engine."""
    machine = os.uname().machine if hasattr(os, "uname") else os.environ.get("PROCESSOR_ARCHITECTURE")
    return f"{sys.platform} {machine} {_processor()} {sys.implementation.cache_tag}"


def _processor() -> str:
    with suppress(OSError), open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
        first = file.read(8192).split("\n\n")[0].splitlines()
        return sha256(
            "".join(sorted(line for line in first if line.startswith(_EXTENSIONS))).encode()
        ).hexdigest()
    return os.environ.get("PROCESSOR_IDENTIFIER", "")


_EXTENSIONS = ("flags", "Features", "isa")
