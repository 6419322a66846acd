"""One module and one series of calls on several engines: all that can be seen, to be compared.

Rules that live here: what is drawn depends on the seed alone, never on what an engine answered; NaNs are equal. The
innermost offset of a trap is kept apart: who ran out of fuel stopped between two instructions, wasmer blames a
neighbour where it knows the address, and wasmtime what works with the value that it loads.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import NamedTuple

from guest import NOWHERE, assemble, imports
from random_code import INTERESTING
from random_modules import HOSTS, Made
from random_shapes import Type

from simwasm.engines.engine import Engine, Imports, Instance, Word, Words
from simwasm.engines.fuel import Fuel
from simwasm.engines.load import load
from simwasm.errors import Trap, TrapKind
from simwasm.wasm.rewrite import FUEL, Limits

SLICE = 700
LEFT = 150
CALLS = 12


class Host:
    """Host functions that remember what they were given, and now and then raise."""

    def __init__(self) -> None:
        self.log: list[object] = []

    def _note(self, *words: Word) -> int:
        self.log.append([_seen(word) for word in words])
        count = len(self.log)
        if count % 40 == 39:
            raise InterruptedError(count)
        return count

    def imports(self) -> Imports:
        """As the modules import them."""
        answers: tuple[Callable[..., Words], ...] = (
            lambda x: (x ^ self._note(x) * 0x9E3779B1) % (1 << 31),
            lambda x, y: self._note(x, y) * 0.37,
            lambda x: self._note(x) and None,
        )
        kinds = [" -> ".join(map(" ".join, (host.params, host.results))) for host in HOSTS]
        return imports({f"h{at}": (kinds[at], answer) for at, answer in enumerate(answers)})


class Observed(NamedTuple):
    """What a call showed, and the offset of the instruction that trapped."""

    text: str
    offset: int | None

    def agrees(self, wasmtime: Observed) -> bool:
        """Whether wasmtime showed the same."""
        if self.text != wasmtime.text or self.offset == wasmtime.offset:
            return self.text == wasmtime.text
        if self.offset is None or wasmtime.offset is None:
            return False
        return "memory access" in self.text and 0 < wasmtime.offset - self.offset < _SUNK


_SUNK = 24
"""How far from a load can be what works with its value."""


def observed(
    engine: Engine, made: Made, seed: int, prepare: Callable[[Instance], None] = lambda _: None
) -> Iterator[Observed]:
    """What one engine shows, call after call, of an instance that was prepared."""
    chance = random.Random(seed)
    program = load(engine, assemble(made.text), Limits(slice=SLICE, pages=3), NOWHERE)
    host, fuel = Host(), Fuel(budget=chance.choice((500, 10_000, 100_000)), slice=SLICE)
    instance = program.start(host.imports(), fuel)
    prepare(instance)
    for _ in range(CALLS if made.functions else 0):
        name, signature = chance.choice(made.functions)
        words = [_word(type, chance) for type in signature.params]
        fuel.renew()
        instance.set_global("left", LEFT)
        outcome, offset = _outcome(instance, name, words)
        _outcome(instance, "look", [])
        yield Observed(f"{name}{words} = {outcome} {_state(instance, made)} {host.log}", offset)
        host.log.clear()


def _outcome(instance: Instance, name: str, words: list[Word]) -> tuple[object, int | None]:
    try:
        result: Words = instance.exports[name](*words)
    except Trap as trap:
        places = [(frame.function, frame.offset) for frame in trap.frames]
        exact = trap.kind is not TrapKind.OUT_OF_FUEL and places
        return (trap.kind.value, [place[0] for place in places], places[1:]), places[0][1] if exact else None
    except InterruptedError as error:
        return repr(error), None
    return [_seen(word) for word in result] if isinstance(result, tuple) else _seen(result), None


def _state(instance: Instance, made: Made) -> str:
    memory = instance.memory.read(0, instance.memory.size())
    globals = [_seen(instance.get_global(name)) for name in made.globals]
    return f"{len(memory)} {sha256(memory).hexdigest()[:16]} {globals} {instance.get_global(FUEL)}"


def _seen(word: Word | None) -> str:
    if not isinstance(word, float):
        return repr(word)
    return word.hex() if word == word else "nan"


def _word(type: Type, chance: random.Random) -> Word:
    if type == "f32":
        return float(struct.unpack("<f", struct.pack("<f", _float(chance)))[0])
    if type == "f64":
        return _float(chance)
    width = int(type[1:])
    bits = chance.choice((*INTERESTING, chance.getrandbits(width), chance.getrandbits(6))) % (1 << width)
    return bits - (1 << width) if bits >> (width - 1) else bits


def _float(chance: random.Random) -> float:
    return chance.choice(
        (
            0.0,
            -0.0,
            1.0,
            -1.5,
            0.1,
            1e30,
            -2147483648.0,
            float("inf"),
            float("nan"),
            chance.uniform(-1e4, 1e4),
        )
    )
