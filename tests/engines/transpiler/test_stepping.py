"""A guest followed instruction by instruction: what is told, what is active, and what is changed on the way."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from guest import Hosts, Starter, assemble

from simwasm.engines.engine import Activation, Steppable
from simwasm.engines.find import engine
from simwasm.errors import InputError, Trap, TrapKind
from simwasm.wasm.decode import instructions
from simwasm.wasm.reader import read_module

GUEST = """(module
    (import "env" "host" (func $host (param i32) (result i32)))
    (type $unary (func (param i32) (result i32)))
    (table funcref (elem $half))
    (memory (export "memory") 1)
    (func $half (param i32) (result i32) (i32.div_s (local.get 0) (i32.const 2)))
    (func $sum (param i64 i32) (result i64) (local f64) (local $v v128)
        (local.set 2 (f64.const 0.5))
        (local.set $v (v128.const i64x2 1 2))
        (i64.add (local.get 0) (i64.extend_i32_s (local.get 1))))
    (func (export "run") (param i32) (result i64)
        (call $sum (i64.const -7) (call_indirect (type $unary) (local.get 0) (i32.const 0))))
    (func (export "ask") (param i32) (result i32) (i32.add (call $host (local.get 0)) (i32.const 1)))
    (func $down (export "down") (param i32) (result i32)
        (if (result i32) (local.get 0)
            (then (i32.add (call $down (i32.sub (local.get 0) (i32.const 1))) (i32.const 1)))
            (else (call $host (i32.const 5)))))
    (func (export "bad") (param i32) (result i32) (i32.load (local.get 0))))"""
HALF, SUM, RUN, ASK, BAD = 1, 2, 3, 4, 6


def guest(host: Callable[[int], int] = lambda word: word) -> Steppable:
    hosts: Hosts = {"host": ("i32 -> i32", host)}
    instance = Starter(engine("python"))(GUEST, hosts)
    assert isinstance(instance, Steppable)
    return instance


def offsets(function: int) -> list[int]:
    """Where the instructions of a function are, its last `end` among them but not those of blocks."""
    module = read_module(assemble(GUEST))
    body = module.bodies[function - 1]
    found = instructions(module.data, body.code, body.end)
    return [
        each.offset
        for each in found
        if each.opcode.name not in ("end", "else") or each.offset == body.end - 1
    ]


def test_each_instruction_is_told_before_it_happens() -> None:
    instance, told = guest(), list[int]()
    instance.watch(told.append)
    assert instance.exports["run"](9) == -3
    assert told == [*offsets(RUN)[:4], *offsets(HALF), offsets(RUN)[4], *offsets(SUM), offsets(RUN)[5]]


def test_nobody_is_told_any_more_when_nobody_watches() -> None:
    instance, told = guest(), list[int]()
    instance.watch(told.append)
    instance.exports["run"](9)
    instance.watch(None)
    told.clear()
    assert instance.exports["run"](9) == -3
    assert told == []


def test_who_watches_may_go_away_in_the_middle_of_a_run() -> None:
    instance, told = guest(), list[int]()

    def hook(offset: int) -> None:
        told.append(offset)
        if offset == offsets(SUM)[1]:
            instance.watch(None)

    instance.watch(hook)
    assert instance.exports["run"](9) == -3
    assert told == [*offsets(RUN)[:4], *offsets(HALF), offsets(RUN)[4], *offsets(SUM)[:2]]


def test_functions_that_ran_before_are_told_of_too() -> None:
    instance, told = guest(), list[int]()
    instance.exports["run"](9)
    instance.watch(told.append)
    instance.exports["run"](9)
    assert len(told) == 6 + 4 + 9


def test_another_hook_takes_the_place_of_the_first() -> None:
    instance, first, second = guest(), list[int](), list[int]()
    instance.watch(first.append)
    instance.watch(second.append)
    instance.exports["run"](9)
    assert (len(first), len(second)) == (0, 19)


def seen(at: int, words: tuple[int, ...] = (9,), export: str = "run") -> tuple[Activation, ...]:
    """What is active before an instruction."""
    instance, found = guest(), list[tuple[Activation, ...]]()

    def hook(offset: int) -> None:
        if offset == at:
            found.append(instance.activations())
            assert instance.depth() == len(found[-1])

    instance.watch(hook)
    instance.exports[export](*words)
    return found[0]


def test_locals_and_operands_are_there_signed_and_typed() -> None:
    sum_, run = seen(offsets(SUM)[-2])
    vector = (1).to_bytes(8, "little") + (2).to_bytes(8, "little")
    assert sum_ == Activation(SUM, offsets(SUM)[-2], (-7, 4, 0.5, vector), (-7, 4))
    assert run == Activation(RUN, offsets(RUN)[4], (9,), (-7, 4))


def test_locals_begin_as_zeros() -> None:
    assert seen(offsets(SUM)[0])[0].locals == (-7, 4, 0.0, bytes(16))


def test_who_calls_is_at_the_call() -> None:
    half, run = seen(offsets(HALF)[0])
    assert (half.stack, run.offset, run.stack) == ((), offsets(RUN)[3], (-7, 9, 0))


def test_depth_counts_through_the_host() -> None:
    depths: list[int] = []

    def host(word: int) -> int:
        depths.append(instance.depth())
        return int(instance.exports["down"](2)) if word == 1 else 0  # type: ignore[arg-type]

    instance = guest(host)
    assert instance.depth() == 0
    instance.exports["ask"](1)
    assert depths == [1, 4]
    assert instance.depth() == 0


def test_in_a_host_call_it_is_told_who_calls_and_fast_functions_have_no_variables() -> None:
    found: list[Activation] = []

    def host(word: int) -> int:
        found.extend(instance.activations())
        return word

    instance = guest(host)
    instance.exports["ask"](1)
    instance.watch(lambda _: None)
    instance.exports["ask"](1)
    fast, slow = found
    assert fast == Activation(ASK, offsets(ASK)[1])
    assert slow == Activation(ASK, offsets(ASK)[1], (1,), (1,))


@pytest.mark.parametrize(
    ("function", "step", "level", "slot", "value", "result"),
    [
        (SUM, 0, 0, "l0", 100, 104),
        (SUM, 0, 0, "l1", -1, -8),
        (SUM, 7, 0, "s0", 2**63, 4 - 2**63),
        (SUM, 7, 0, "s1", -2, -9),
        (HALF, 1, 1, "s0", 1, 5),
        (HALF, 0, 0, "l0", 2**32 - 1, -7),
    ],
)
def test_a_local_or_operand_is_changed(
    function: int, step: int, level: int, slot: str, value: int, result: int
) -> None:
    instance = guest()
    at = [*offsets(function)][min(step, len(offsets(function)) - 1)]

    def hook(offset: int) -> None:
        if offset == at:
            instance.assign(level, slot, value)

    instance.watch(hook)
    assert instance.exports["run"](9) == result


def test_what_is_changed_may_be_anything_of_its_type() -> None:
    """After an `and` that leaves one bit, and before a byte is stored."""
    text = """(module (memory 1) (func (export "run") (param i32) (result i32)
        (i32.store8 (i32.const 4) (i32.const 1))
        (i32.rotr (i32.add (i32.and (local.get 0) (i32.const 1)) (i32.load (i32.const 4))) (i32.const 1))))"""
    module = read_module(assemble(text))
    body = module.bodies[0]
    names = {each.offset: each.opcode.name for each in instructions(module.data, body.code, body.end)}
    instance = Starter(engine("python"))(text)
    assert isinstance(instance, Steppable)

    def hook(offset: int) -> None:
        if names[offset] == "i32.store8":
            instance.assign(0, "s1", -2)
        if names[offset] == "i32.add":
            instance.assign(0, "s0", -252)

    instance.watch(hook)
    assert instance.exports["run"](9) == 1


@pytest.mark.parametrize(
    ("level", "slot", "value"),
    [(0, "s0", 1), (0, "l4", 1), (0, "x", 1), (9, "l0", 1), (0, "l3", 1), (0, "l0", b"")],
)
def test_what_cannot_be_changed_is_refused(level: int, slot: str, value: int | bytes) -> None:
    instance = guest()

    def hook(offset: int) -> None:
        if offset == offsets(SUM)[0]:
            with pytest.raises(InputError):
                instance.assign(level, slot, value)
            refused.append(slot)

    refused: list[str] = []
    instance.watch(hook)
    assert instance.exports["run"](9) == -3
    assert refused == [slot]


def test_what_a_hook_raises_leaves_the_guest_as_it_is() -> None:
    error = IndexError("a hook's own")

    def hook(offset: int) -> None:
        if offset == offsets(BAD)[1]:
            raise error

    instance = guest()
    instance.watch(hook)
    with pytest.raises(IndexError) as caught:
        instance.exports["bad"](0)
    assert caught.value is error
    instance.watch(None)
    assert instance.exports["run"](9) == -3


def test_a_trap_is_the_same_when_somebody_watches() -> None:
    def stop(watched: bool) -> Trap:
        instance = guest()
        instance.watch((lambda _: None) if watched else None)
        with pytest.raises(Trap) as caught:
            instance.exports["bad"](-1)
        return caught.value

    assert stop(True).kind is TrapKind.MEMORY_BOUNDS
    assert stop(True).frames == stop(False).frames


def test_fuel_is_the_same_when_somebody_watches() -> None:
    def left(watched: bool) -> object:
        instance = guest()
        instance.watch((lambda _: None) if watched else None)
        instance.exports["down"](30)
        return instance.get_global("simwasm:fuel")

    assert left(True) == left(False)
