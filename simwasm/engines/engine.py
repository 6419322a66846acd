"""What every Wasm engine offers, as Protocols.

    Engine --compile/restore--> Program --start--> Instance --exports["name"](words)--> words

Rules that live here, kept by every engine and checked by `tests/engines/test_conformance.py`:

* i32 and i64 come out signed: as arguments of host functions, as results of exports, as globals. The codec
  masks.
* i32 and i64 go in signed or unsigned (-2**31 .. 2**32 - 1, -2**63 .. 2**64 - 1), at no cost; f32 and f64 go
  in as `float`. No result is `None`, several are a tuple.
* A guest that stops is an `errors.Trap`: same kind, same frames, of the module as it was loaded.
* An exception raised by a host function comes out of the guest call as the same object, KeyboardInterrupt
  too.
* A program may be started in any thread. An instance belongs to the thread that started it; other threads may
  only read its memory, and see what its owner saw last.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

from simwasm.engines.fuel import Fuel
from simwasm.engines.memory import Renew
from simwasm.wasm.module import FuncType, Module
from simwasm.wasm.rewrite import Limits, Rewritten

Word = int | float
Words = Word | tuple[Word, ...] | None
Export = Callable[..., Words]
Binary = Callable[[], Rewritten]
"""Gives the rewritten binary, which only a trap needs: to say where in the original the guest stopped."""


@dataclass(frozen=True, slots=True)
class HostFunction:
    """A Python function a guest can call, with its Wasm type."""

    type: FuncType
    call: Callable[..., Words]
    unwinds: bool = False
    """Whether the frames are wanted of an `Unwind` that it raises."""


Imports = Mapping[tuple[str, str], HostFunction]


class Memory(Protocol):
    """The guest's linear memory. Out of range is an IndexError."""

    def size(self) -> int:
        """The number of bytes it has now."""
        ...

    def read(self, at: int, size: int, /) -> bytes:
        """Copy bytes out."""
        ...

    def write(self, at: int, data: bytes, /) -> None:
        """Copy bytes in."""
        ...

    def write_u32(self, at: int, value: int, /) -> None:
        """Write the low 32 bits of a number, little-endian."""
        ...

    def view(self) -> memoryview:
        """All of it as it is now, without a copy; it never becomes invalid, but does not follow growth."""
        ...

    def follow(self, renew: Renew, /) -> None:
        """Call a function with a view, and an array over the same bytes, now and whenever there is a newer one."""
        ...


class Instance(Protocol):
    """A started module. A module without a memory has one of no bytes."""

    @property
    def memory(self) -> Memory: ...

    @property
    def exports(self) -> Mapping[str, Export]:
        """The exported functions: keep the one you call often."""
        ...

    def get_global(self, name: str) -> Word:
        """The value of an exported global; an unknown name is a KeyError."""
        ...

    def set_global(self, name: str, value: Word) -> None:
        """Change an exported global."""
        ...

    def close(self) -> None:
        """Let go of the guest: its exports and its memory are gone. Views that were given out stay valid."""
        ...


@runtime_checkable
class Capturable(Instance, Protocol):
    """The ability of an instance to be captured and put back (`image.py`), when no call of it is running."""

    def variables(self) -> tuple[str, ...]:
        """The exported globals that can change and are numbers; the fuel counter is one of them."""
        ...

    def grow(self, pages: int) -> None:
        """Give the memory more pages of 64 KiB, as if the guest had asked for them."""
        ...


Slot = Word | bytes | None
"""A local or an operand: a word, the 16 bytes of a vector, or None for a reference."""

Hook = Callable[[int], None]
"""Told the file offset, in the module as it was loaded, of each instruction before it happens."""


class Activation(NamedTuple):
    """A function of the guest that is active: its index, where it is, and what is in it."""

    function: int
    offset: int
    locals: tuple[Slot, ...] = ()
    stack: tuple[Slot, ...] = ()


@runtime_checkable
class Steppable(Instance, Protocol):
    """The ability of an instance to be followed instruction by instruction."""

    def watch(self, hook: Hook | None) -> None:
        """Tell the hook from the next call on (a call that runs already may go untold); None: nobody watches."""
        ...

    def depth(self) -> int:
        """How many functions of the guest are active now; callable inside a hook or a host call."""
        ...

    def activations(self) -> tuple[Activation, ...]:
        """The active functions, innermost first, inside a hook or a host call; all, as long as a hook watches."""
        ...

    def assign(self, level: int, slot: str, value: Word | bytes) -> None:
        """Change a local (`"l3"`) or an operand (`"s0"`) inside a hook; level 0 is the innermost function."""
        ...


class Program(Protocol):
    """A compiled module, from which any number of instances start."""

    def start(self, imports: Imports, fuel: Fuel) -> Instance:
        """Link and run the start function. `fuel` serves this instance alone."""
        ...

    def compiled(self) -> bytes:
        """The native code, for `Restorable.restore` of the same engine and version."""
        ...


class Engine(Protocol):
    """A way to run Wasm."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str:
        """What makes compiled code unusable when it changes."""
        ...

    def compile(self, module: Rewritten) -> Program:
        """Validate and compile."""
        ...


@runtime_checkable
class Growing(Program, Protocol):
    """The ability of a program to compile more of itself while it runs."""

    def keep(self, put: Callable[[bytes], None]) -> None:
        """Have a function called with what `compiled` gives, whenever there is more of it than before."""
        ...


@runtime_checkable
class Followable(Program, Protocol):
    """The ability of a program to be followed instruction by instruction from the first one on."""

    def follow(self, imports: Imports, fuel: Fuel, hook: Hook) -> Instance:
        """Start, as `start` does, with a hook that watches already."""
        ...


@runtime_checkable
class Direct(Protocol):
    """The ability of an engine to run a module as it was loaded."""

    def take(self, module: Module, limits: Limits) -> Program:
        """Validate and compile, as `Engine.compile` does of the rewritten module."""
        ...


@runtime_checkable
class Restorable(Protocol):
    """The ability of an engine to take back what `Program.compiled` gave."""

    def restore(self, compiled: bytes, binary: Binary) -> Program:
        """A program from its native code, which is trusted. What is not this engine's is a ValueError."""
        ...
