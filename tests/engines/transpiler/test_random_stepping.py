"""Modules made at random, stepped through: the same happens, and each instruction does to operands what it has to.

Of what only works on locals and operands it is computed anew what it leaves, and compared at the next instruction.
"""

from __future__ import annotations

import os
import random
from itertools import pairwise

import pytest
from guest import assemble
from random_modules import made
from side_by_side import observed

from simwasm.engines import find
from simwasm.engines.engine import Activation, Instance, Slot, Steppable
from simwasm.engines.python_instance import PythonInstance
from simwasm.engines.transpiler.floats import f32_reinterpret_i32, f64_reinterpret_i64
from simwasm.engines.transpiler.operations import OPERATIONS
from simwasm.wasm.decode import Instruction, instructions
from simwasm.wasm.module import Module, ValType
from simwasm.wasm.opcodes import Immediate
from simwasm.wasm.reader import read_module

SEEDS = int(os.environ.get("SIMWASM_EXAMPLES", "20"))
MOST = 2_000
"""So many instructions are looked at; looking takes longer than they do."""
_WIDTHS = {ValType.I32: 32, ValType.I64: 64}
_PURE = (Immediate.NONE, Immediate.LANE, Immediate.SHUFFLE)

Slots = list[Slot]


def _unsigned(kind: ValType, word: Slot) -> Slot:
    return word & (1 << _WIDTHS[kind]) - 1 if kind in _WIDTHS and isinstance(word, int) else word


def _signed(kind: ValType, word: Slot) -> Slot:
    if kind not in _WIDTHS or not isinstance(word, int):
        return word
    return word - (1 << _WIDTHS[kind]) if word >> (_WIDTHS[kind] - 1) else word


def _constant(name: str, immediate: int) -> Slot:
    made_of = {"f32": f32_reinterpret_i32, "f64": f64_reinterpret_i64}
    if name.startswith("v128"):
        return immediate.to_bytes(16, "little")
    return made_of[name[:3]](immediate) if name[:3] in made_of else immediate


def done(instruction: Instruction, locals: Slots, stack: Slots) -> bool:
    """Do to locals and operands what the instruction does; whether that is all it does."""
    opcode, given = instruction.opcode, instruction.immediates
    run = OPERATIONS.get(opcode.name.replace(".", "_"))
    if opcode.name == "local.get":
        stack.append(locals[given[0]])
    elif opcode.name == "local.set":
        locals[given[0]] = stack.pop()
    elif opcode.name == "local.tee":
        locals[given[0]] = stack[-1]
    elif opcode.name.endswith(".const"):
        stack.append(_constant(opcode.name, given[0]))
    elif opcode.name == "drop":
        stack.pop()
    elif opcode.name == "select":
        condition, second, first = stack.pop(), stack.pop(), stack.pop()
        stack.append(first if condition else second)
    elif run is not None and opcode.type is not None and opcode.immediate in _PURE:
        count = len(opcode.type.params)
        words = [_unsigned(kind, word) for kind, word in zip(opcode.type.params, stack[-count:], strict=True)]
        lanes = [given] if opcode.immediate is Immediate.SHUFFLE else given
        stack[-count:] = [_signed(opcode.type.results[0], run(*lanes, *words))]
    else:
        return opcode.name == "nop"
    return True


def _same(ours: Slots, theirs: Slots) -> bool:
    return all(x == y or (x != x and y != y) for x, y in zip(ours, theirs, strict=True))


class Follower:
    """A hook that looks whether the instruction before did what it had to."""

    def __init__(self, module: Module) -> None:
        self.told = self.checked = 0
        self.instance: Steppable | None = None
        self._next: dict[int, tuple[Instruction, int]] = {}
        self._before: tuple[Activation, int] | None = None
        for body in module.bodies:
            listed = list(instructions(module.data, body.code, body.end))
            for item, after in pairwise(listed):
                self._next[item.offset] = item, after.offset

    def watch(self, instance: Instance) -> None:
        """Be the hook of this instance."""
        assert isinstance(instance, Steppable)
        self.instance = instance
        instance.watch(self)

    def __call__(self, offset: int) -> None:
        assert self.instance is not None
        if self.told == MOST:
            return
        now = self.instance.activations()[0], self.instance.depth()
        assert now[0].offset == offset
        self.told += 1
        if self._before is not None:
            self._check(*self._before, *now)
        self._before = now

    def _check(self, before: Activation, depth: int, now: Activation, depth_now: int) -> None:
        instruction, after = self._next.get(before.offset, (None, 0))
        if instruction is None or (after, depth, before.function) != (now.offset, depth_now, now.function):
            return
        locals, stack = [*before.locals], [*before.stack]
        if done(instruction, locals, stack):
            self.checked += 1
            assert _same(locals, [*now.locals]) and _same(stack, [*now.stack]), (instruction, before, now)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_random_module_does_the_same_when_it_is_followed(seed: int) -> None:
    module, engine = made(seed), find.engine("python")
    follower = Follower(read_module(assemble(module.text)))
    followed = list(observed(engine, module, seed, follower.watch))
    assert followed == list(observed(engine, module, seed))
    assert follower.checked >= follower.told // 4


class Coin:
    """Says yes or no by chance."""

    def __init__(self, seed: int, heads: float) -> None:
        self._chance, self._heads = random.Random(seed), heads

    def __bool__(self) -> bool:
        return self._chance.random() < self._heads


class Witness:
    """A hook that notes what is active, in the beginning."""

    def __init__(self, most: int, coin: Coin | None) -> None:
        self.seen: list[str] = []
        self._most, self._coin = most, coin

    def watch(self, instance: Instance) -> None:
        """Be the hook of this instance, when the coin says so."""
        assert isinstance(instance, PythonInstance)

        def hook(_: int) -> None:
            if len(self.seen) < self._most:
                self.seen.append(repr(instance.activations()))

        instance.watch(hook)
        if self._coin is not None:
            instance._linked.cells["d"].cell_contents = self._coin


@pytest.mark.parametrize("heads", [0.0, 0.5])
@pytest.mark.parametrize("seed", range(SEEDS // 2))
def test_a_random_module_does_the_same_when_now_and_then_nobody_follows(seed: int, heads: float) -> None:
    """Every run of instructions is chosen anew: with a look at each of them, or all at once."""
    module, engine = made(seed), find.engine("python")
    whole, parts = Witness(MOST, None), Witness(MOST // 10, Coin(seed, heads))
    followed = list(observed(engine, module, seed, parts.watch))
    assert followed == list(observed(engine, module, seed, whole.watch))
    remaining = iter(whole.seen)
    assert all(state in remaining for state in parts.seen)
    assert heads or not parts.seen
