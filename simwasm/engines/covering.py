"""Any engine, made to tell which code its instances ran and what they called: by marks in the binary, at full speed.

    engine = CoveringEngine(find.engine("wasmtime"), seen)     # a `Seen` is told when an instance is closed

Rules that live here: an engine that runs binaries knows nothing of it; the one in Python, which runs modules as they
are, is watched instead, and what it ran is told in the same blocks; fuel, images and traps are as without it; the
globals with marks are not among the guest's variables, so an image fits instances with and without them.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache
from hashlib import sha256
from struct import Struct
from typing import Protocol

from simwasm.engines.engine import (
    Binary,
    Capturable,
    Direct,
    Engine,
    Export,
    Followable,
    Growing,
    HostFunction,
    Imports,
    Memory,
    Program,
    Restorable,
    Word,
    Words,
)
from simwasm.engines.fuel import Fuel
from simwasm.errors import InputError
from simwasm.wasm.marks import BITS, MARKED, Marks, marked
from simwasm.wasm.rewrite import Rewritten, rewrite

_HEAD = Struct("<32sII")
_WORD = (1 << BITS) - 1


class Seen(Protocol):
    """Who wants to know what instances reached."""

    def started(self, instance: CoveredInstance) -> None:
        """An instance begins; it can be asked as long as it is open."""
        ...

    def closed(self, instance: CoveredInstance) -> None:
        """It is about to end: this is the last time that it can be asked."""
        ...


class CoveringEngine:
    """An engine whose instances tell what they reached."""

    def __init__(self, engine: Engine, seen: Seen) -> None:
        if not isinstance(engine, Restorable):
            raise InputError(f"coverage is not collected on the engine {engine.name}: it runs no binaries")
        self._engine = engine
        self._seen = seen
        self.name: str = engine.name
        self.version: str = f"{engine.version} marks"

    def compile(self, module: Rewritten) -> Program:
        """Insert the marks and compile."""
        found = _Plan.of(module)
        return self._program(self._engine.compile(self._marked(module, found)), found)

    def restore(self, compiled: bytes, binary: Binary) -> Program:
        """A program from what `compiled` gave."""
        found, code = _Plan.detach(compiled)
        again = cache(lambda: self._marked(binary(), found))
        return self._program(self._engine.restore(code, again), found)

    def _marked(self, module: Rewritten, plan: _Plan) -> Rewritten:
        """With marks, for engines that run binaries; who runs a module as it is, is watched."""
        if isinstance(self._engine, Direct):
            return module
        return rewrite(module.module, module.limits, marks=plan.marks)

    def _program(self, program: Program, plan: _Plan) -> Program:
        made = _GrowingProgram if isinstance(program, Growing) else CoveredProgram
        return made(program, plan, self._seen)


class _Plan:
    """Which module it is, and where its blocks are."""

    def __init__(self, digest: bytes, marks: Marks) -> None:
        self.digest = digest
        self.marks = marks

    @classmethod
    def of(cls, module: Rewritten) -> _Plan:
        """That of a module as it was loaded."""
        return cls(sha256(module.module.data).digest(), Marks.of(module.module))

    def attach(self, compiled: bytes) -> bytes:
        """Put it before compiled code."""
        first, starts = (array("I", numbers).tobytes() for numbers in (self.marks.first, self.marks.starts))
        return _HEAD.pack(self.digest, len(first), len(starts)) + first + starts + compiled

    @classmethod
    def detach(cls, data: bytes) -> tuple[_Plan, bytes]:
        """Take it off again. Anything that `attach` did not make is a ValueError."""
        if len(data) < _HEAD.size:
            raise ValueError("no plan of marks")
        digest, first, starts = _HEAD.unpack_from(data)
        at, end = _HEAD.size + first, _HEAD.size + first + starts
        if len(data) < end:
            raise ValueError("no plan of marks")
        return cls(digest, Marks(array("I", data[_HEAD.size : at]), array("I", data[at:end]))), data[end:]


class CoveredProgram:
    """A compiled module with marks."""

    def __init__(self, program: Program, plan: _Plan, seen: Seen) -> None:
        self._program = program
        self._plan = plan
        self._seen = seen

    def compiled(self) -> bytes:
        """The plan and the native code."""
        return self._plan.attach(self._program.compiled())

    def start(self, imports: Imports, fuel: Fuel) -> CoveredInstance:
        """Link and run the start function."""
        calls: Counter[str] = Counter()
        counted = {key: _counted(key[1], function, calls) for key, function in imports.items()}
        ran: set[int] | None = None
        if isinstance(self._program, Followable):
            ran = set()
            instance = self._program.follow(counted, fuel, ran.add)
        else:
            instance = self._program.start(counted, fuel)
        assert isinstance(instance, Capturable)
        return CoveredInstance(instance, self._plan, calls, ran, self._seen)


class _GrowingProgram(CoveredProgram):
    """One that compiles more of itself while it runs."""

    def keep(self, put: Callable[[bytes], None]) -> None:
        """Have a function called with what `compiled` gives, whenever there is more of it than before."""
        assert isinstance(self._program, Growing)
        attach = self._plan.attach
        self._program.keep(lambda compiled: put(attach(compiled)))


def _counted(name: str, function: HostFunction, calls: Counter[str]) -> HostFunction:
    """A host function that counts its calls."""
    call = function.call

    def counted(*words: Word) -> Words:
        calls[name] += 1
        return call(*words)

    return HostFunction(function.type, counted, function.unwinds)


class CoveredInstance:
    """A started module that tells what it reached."""

    def __init__(
        self, instance: Capturable, plan: _Plan, calls: Counter[str], ran: set[int] | None, seen: Seen
    ) -> None:
        self._instance = instance
        self._plan = plan
        self._seen = seen
        self._ran = ran
        self.digest = plan.digest
        """The module, by its SHA-256."""
        self.host_calls = calls
        """How often it called each host function."""
        self.callbacks: Counter[str] = Counter()
        """How often each of its exports was called."""
        self.memory: Memory = instance.memory
        self.exports: Mapping[str, Export] = {
            name: self._called(name, call) for name, call in instance.exports.items()
        }
        seen.started(self)

    def reached(self) -> int:
        """Which blocks it ran, as bits."""
        marks = self._plan.marks
        ran = self._ran
        if ran is not None:
            return int("".join("01"[start in ran] for start in reversed(marks.starts)) or "0", 2)
        get = self._instance.get_global
        words = (int(get(marked(number))) & _WORD for number in range(marks.globals))
        return int.from_bytes(b"".join(word.to_bytes(8, "little") for word in words), "little")

    def get_global(self, name: str) -> Word:
        """The value of an exported global."""
        return self._instance.get_global(name)

    def set_global(self, name: str, value: Word) -> None:
        """Change an exported global."""
        self._instance.set_global(name, value)

    def variables(self) -> tuple[str, ...]:
        """The guest's own globals that can change and are numbers."""
        return tuple(name for name in self._instance.variables() if not name.startswith(MARKED))

    def grow(self, pages: int) -> None:
        """Give the memory more pages."""
        self._instance.grow(pages)

    def close(self) -> None:
        """Let go of the guest."""
        self._seen.closed(self)
        self._instance.close()

    def _called(self, name: str, call: Export) -> Export:
        """An export that counts its calls."""
        calls = self.callbacks

        def called(*words: Word) -> Words:
            calls[name] += 1
            return call(*words)

        return called
