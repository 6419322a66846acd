"""Any engine that runs binaries, made steppable by probes in the binary.

    engine = ProbingEngine(find.engine("wasmtime"), Probes())     # or: probing("wasmer", Probes(every=True))

Rules that live here: the engine inside knows nothing of it, a probe is a call of the host to it; where probes cannot
see, in locals and operands, there is nothing, and a request to change them is refused; the two globals that probes
need are not among the guest's variables, so an image fits instances with and without probes; a guest that is left
by an exception was as deep as when it was entered. Code of wasmer's singlepass cannot be walked: a trap in it knows its
innermost frame alone, so the others are those that were told, which there are while a hook watches.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from simwasm.engines import find
from simwasm.engines.engine import (
    Activation,
    Binary,
    Capturable,
    Engine,
    Export,
    Hook,
    HostFunction,
    Imports,
    Memory,
    Program,
    Restorable,
    Word,
    Words,
)
from simwasm.engines.fuel import Fuel
from simwasm.engines.traps import FRAMES
from simwasm.engines.unwind import Unwind
from simwasm.errors import Frame, InputError, Trap, TrapKind
from simwasm.wasm.functions import function_at
from simwasm.wasm.names import function_names
from simwasm.wasm.probes import DEPTH, IDLE, PROBE, PROBE_TYPE, Probes
from simwasm.wasm.rewrite import Rewritten, rewrite

BLIND = (
    "probes tell where the guest is and not what is in its locals; the engine python shows and changes them"
)


def probing(name: str | None, probes: Probes) -> ProbingEngine:
    """The engine of that name with probes; wasmer compiles with singlepass, which is done sooner."""
    found = find.engine(name)
    if found.name == "wasmer":
        from simwasm.engines.wasmer_engine import WasmerEngine  # loads where wasmer does

        return ProbingEngine(WasmerEngine("singlepass"), probes)
    return ProbingEngine(found, probes)


class ProbingEngine:
    """An engine whose instances tell where they are."""

    def __init__(self, engine: Engine, probes: Probes) -> None:
        if not isinstance(engine, Restorable):
            raise InputError(f"the engine {engine.name} runs no binaries, so it takes no probes")
        self._engine = engine
        self._probes = probes
        self.name: str = engine.name
        self.version: str = f"{engine.version} {_text(probes)}"

    def compile(self, module: Rewritten) -> ProbedProgram:
        """Insert the probes and compile."""
        probed = self._probed(module)
        return ProbedProgram(self._engine.compile(probed), lambda: probed)

    def restore(self, compiled: bytes, binary: Binary) -> ProbedProgram:
        """A program from what `ProbedProgram.compiled` gave."""
        probed = cache(lambda: self._probed(binary()))
        return ProbedProgram(self._engine.restore(compiled, probed), probed)

    def _probed(self, module: Rewritten) -> Rewritten:
        return rewrite(module.module, module.limits, self._probes)


def _text(probes: Probes) -> str:
    """The probes as a part of a version: the same ones are the same text."""
    places = (sorted(chosen) if chosen is not None else None for chosen in (probes.functions, probes.offsets))
    return f"probes {probes.every} {' '.join(map(str, places))}"


class ProbedProgram:
    """A compiled module with probes."""

    def __init__(self, program: Program, binary: Binary) -> None:
        self._program = program
        self._binary = binary

    def compiled(self) -> bytes:
        """The native code."""
        return self._program.compiled()

    def start(self, imports: Imports, fuel: Fuel) -> ProbedInstance:
        """Link and run the start function, of which nothing is told."""
        told = _Told()
        probe = HostFunction(PROBE_TYPE, told, unwinds=True)
        instance = self._program.start({**imports, PROBE: probe}, fuel)
        assert isinstance(instance, Capturable)
        return ProbedInstance(instance, told, self._binary)


class _Told:
    """What the guest told: by its depth, where each active function is."""

    def __init__(self) -> None:
        self.hook: Hook | None = None
        self.places: list[int | None] = []
        """Offsets, outermost first; None of a function that was entered while nobody listened."""

    def __call__(self, offset: int, depth: int) -> None:
        places = self.places
        if len(places) == depth:
            places[-1] = offset
        else:
            del places[depth - 1 :]
            places += [None] * (depth - 1 - len(places))
            places.append(offset)
        if offset < 0:
            places[-1] = ~offset
        elif self.hook is not None:
            self.hook(offset)


class ProbedInstance:
    """A started module that tells where it is."""

    def __init__(self, instance: Capturable, told: _Told, binary: Binary) -> None:
        self._instance = instance
        self._told = told
        self._binary = binary
        self._calls: list[int] = []
        self._is_open = True
        self.memory: Memory = instance.memory
        self.exports: Mapping[str, Export] = {
            name: self._counted(call) for name, call in instance.exports.items()
        }

    def watch(self, hook: Hook | None) -> None:
        """Tell the hook, at once."""
        self._told.hook = hook
        if hook is None:
            self._told.places.clear()
        self._instance.set_global(IDLE, int(hook is None))

    def depth(self) -> int:
        """How many functions of the guest are active now."""
        return int(self._instance.get_global(DEPTH))

    def activations(self) -> tuple[Activation, ...]:
        """Where the active functions are, innermost first; of those only that were entered while a hook watched."""
        module = self._binary().module
        places = self._told.places[: self.depth()]
        return tuple(
            Activation(function, offset)
            for offset in reversed(places)
            if offset is not None and (function := function_at(module, offset)) is not None
        )

    def assign(self, level: int, slot: str, value: Word | bytes) -> None:
        """Refuse, and say who can."""
        raise InputError(f"{slot} cannot be changed: {BLIND}")

    def get_global(self, name: str) -> Word:
        """The value of an exported global."""
        return self._instance.get_global(name)

    def set_global(self, name: str, value: Word) -> None:
        """Change an exported global."""
        self._instance.set_global(name, value)

    def variables(self) -> tuple[str, ...]:
        """The guest's own globals that can change and are numbers."""
        return tuple(name for name in self._instance.variables() if name not in (IDLE, DEPTH))

    def grow(self, pages: int) -> None:
        """Give the memory more pages."""
        self._instance.grow(pages)

    def close(self) -> None:
        """Let go of the guest."""
        self._told.hook = None
        self._is_open = False
        self._instance.close()

    def _counted(self, call: Export) -> Export:
        """An export after which the guest is as deep as before, whatever happens."""

        calls = self._calls

        def counted(*words: Word) -> Words:
            before = self.depth() if calls else 0
            calls.append(before)
            try:
                return call(*words)
            except BaseException as error:
                left = self._framed(error, before)
                if self._is_open:
                    self._instance.set_global(DEPTH, before)
                if left is error:
                    raise
                raise left from None
            finally:
                calls.pop()

        return counted

    def _framed(self, error: BaseException, before: int) -> BaseException:
        """What a guest call was left by, with all frames: those that the engine knows, then those that were told."""
        if not isinstance(error, (Trap, Unwind)) or not self._is_open or not self._told.places:
            return error
        active = self.activations()[: self.depth() - before]
        names = function_names(self._binary().module)
        told = tuple(Frame(each.function, names[each.function], each.offset) for each in active)

        def all_of(known: tuple[Frame, ...]) -> tuple[Frame, ...]:
            return (*known, *told[len(known) :])[:FRAMES]

        if isinstance(error, Unwind):
            error.instead(lambda frames: lambda: all_of(frames()))
        elif error.kind is not TrapKind.STACK_EXHAUSTED and len(told) > len(error.frames):
            return Trap(error.kind, all_of(error.frames), error.detail)
        return error
