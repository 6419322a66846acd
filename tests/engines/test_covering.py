"""Engines that tell what was reached: all of them the same, and nothing else changes."""

from __future__ import annotations

import sys
from itertools import accumulate, pairwise

import pytest
from cases import trace
from debugging import CASES
from guest import NOWHERE, assemble, imports
from random_modules import made
from side_by_side import observed

from simwasm.cache import Cache
from simwasm.engines import find
from simwasm.engines.covering import CoveredInstance, CoveringEngine
from simwasm.engines.engine import Capturable, Steppable
from simwasm.engines.fuel import Fuel
from simwasm.engines.image import capture, restore
from simwasm.engines.load import load
from simwasm.errors import InputError, Trap
from simwasm.wasm.blocks import NONE, blocks
from simwasm.wasm.decode import split
from simwasm.wasm.marks import Marks
from simwasm.wasm.module import Module
from simwasm.wasm.reader import read_module
from simwasm.wasm.rewrite import FUEL, Limits

ENGINES = ("wasmer", "wasmtime", "python") if sys.version_info[:2] == (3, 10) else ("wasmtime", "python")
GUEST = """(module
    (import "env" "host" (func $host (param i32)))
    (global (export "kept") (mut i64) (i64.const 3))
    (memory (export "memory") 1)
    (start $begin)
    (func $begin (i32.store (i32.const 0) (i32.const 1)))
    (func (export "choose") (param i32) (result i32)
        (if (local.get 0) (then (call $host (i32.const 7)) (return (i32.const 3))))
        (i32.const 1))
    (func (export "trap") (param i32) (result i32)
        (call $host (i32.const 8))
        (if (i32.eqz (local.get 0)) (then (unreachable)))
        (global.set 0 (i64.const 4))
        (i32.load (local.get 0))))"""


class Kept:
    """Keeps the instances that it is told of, and what they had reached when they were closed."""

    def __init__(self) -> None:
        self.instances: list[CoveredInstance] = []
        self.reached: list[int] = []

    def started(self, instance: CoveredInstance) -> None:
        self.instances.append(instance)

    def closed(self, instance: CoveredInstance) -> None:
        self.reached.append(instance.reached())


@pytest.fixture(params=ENGINES)
def name(request: pytest.FixtureRequest) -> str:
    """Each engine."""
    return str(request.param)


def start(name: str, kept: Kept, cache: Cache = NOWHERE) -> CoveredInstance:
    """The guest."""
    engine = CoveringEngine(find.engine(name), kept)
    program = load(engine, assemble(GUEST), Limits(), cache)
    instance = program.start(imports({"host": ("i32 ->", lambda word: None)}), Fuel())
    assert isinstance(instance, CoveredInstance)
    return instance


def reached(instance: CoveredInstance) -> list[int]:
    """The offsets of the blocks that were run."""
    bits = instance.reached()
    return [at for block, at in enumerate(Marks.of(read_module(assemble(GUEST))).starts) if bits >> block & 1]


def test_what_was_not_called_was_not_reached_but_the_start_function_was(name: str) -> None:
    begin = read_module(assemble(GUEST)).bodies[0].code
    assert reached(start(name, Kept())) == [begin]


def test_either_way_through_a_function_is_told(name: str) -> None:
    instance = start(name, Kept())
    before = set(reached(instance))
    instance.exports["choose"](0)
    one = set(reached(instance))
    instance.exports["choose"](1)
    other = set(reached(instance))
    assert [len(more - less) for less, more in pairwise((before, one, other))] == [2, 2]


def test_calls_are_counted_both_ways(name: str) -> None:
    instance = start(name, Kept())
    for word in (0, 1, 1):
        instance.exports["choose"](word)
    assert instance.callbacks == {"choose": 3}
    assert instance.host_calls == {"host": 2}


def test_what_ran_before_a_trap_was_reached_and_what_follows_was_not(name: str) -> None:
    instance = start(name, Kept())
    with pytest.raises(Trap) as found:
        instance.exports["trap"](0)
    module = read_module(assemble(GUEST))
    frame = found.value.frames[0]
    assert frame.offset in reached(instance)
    assert max(reached(instance)) == frame.offset
    assert frame.function == len(module.bodies)  # the last one: one function is imported


def test_who_wants_to_know_is_told_before_an_instance_ends(name: str) -> None:
    kept = Kept()
    instance = start(name, kept)
    instance.exports["choose"](1)
    found = instance.reached()
    instance.close()
    assert kept.instances == [instance]
    assert kept.reached == [found]


def test_a_program_from_the_cache_tells_the_same(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    cache = Cache(tmp_path_factory.mktemp("cache"))
    found = []
    for _ in range(2):
        instance = start(name, Kept(), cache)
        instance.exports["choose"](1)
        found.append((instance.reached(), instance.digest, instance.get_global(FUEL)))
        instance.close()
    assert found[0] == found[1]


def test_images_fit_with_and_without(name: str) -> None:
    plain = load(find.engine(name), assemble(GUEST), Limits(), NOWHERE)
    other = plain.start(imports({"host": ("i32 ->", lambda word: None)}), Fuel())
    assert isinstance(other, Capturable)
    instance = start(name, Kept())
    instance.exports["trap"](64)
    image = capture(instance)
    assert restore(other, image)
    assert capture(other) == image
    before = instance.reached()
    assert restore(instance, image)
    assert instance.reached() == before


@pytest.mark.parametrize("seed", range(5))
def test_any_module_does_the_same_and_every_engine_tells_the_same_blocks(seed: int) -> None:
    module, found = made(seed), set()
    for name in ENGINES:
        if name == "wasmer" and module.new:
            continue
        kept = Kept()
        with_marks = list(observed(CoveringEngine(find.engine(name), kept), module, seed))
        assert with_marks == list(observed(find.engine(name), module, seed))
        found.add(tuple(each.reached() for each in kept.instances))
    assert len(found) == 1
    assert all(any(each) for each in found)


@pytest.mark.parametrize("seed", range(8, 12))
def test_all_of_a_block_runs_or_nothing_of_it(seed: int) -> None:
    """Until a trap, which may be in the middle of one: then its beginning runs."""
    module, ran = made(seed), set[int]()

    def watch(instance: object) -> None:
        assert isinstance(instance, Steppable)
        instance.watch(ran.add)

    binary = read_module(assemble(module.text))
    for seen in observed(find.engine("python"), module, seed, watch):
        stopped = "= ('" in seen.text or "Interrupted" in seen.text
        for told in blocks_told(binary, ran):
            assert told == sorted(told, reverse=True)
            assert stopped or len(set(told)) == 1
        if stopped:
            return


def blocks_told(binary: Module, ran: set[int]) -> list[list[bool]]:
    """By block, of which of its instructions somebody was told; the ends of functions are only places."""
    found: list[list[bool]] = []
    for body in binary.bodies:
        pieces = split(binary.data, body.code, body.end)
        offsets = accumulate(map(len, pieces), initial=body.code)
        told: dict[int, list[bool]] = {}
        for offset, block in list(zip(offsets, blocks(pieces).of, strict=False))[:-1]:
            told.setdefault(block, []).append(offset in ran)
        assert not any(told.pop(NONE, ()))
        found += told.values()
    return found


def test_traces_are_the_golden_ones(name: str) -> None:
    found = CASES["allow_header_as/browser"]
    assert trace(found, CoveringEngine(find.engine(name), Kept())) == found.golden.read_text()


def test_an_engine_that_runs_no_binaries_is_refused() -> None:
    class Odd:
        name = version = "odd"

        def compile(self, module: object) -> object:
            raise NotImplementedError

    with pytest.raises(InputError, match="not collected on the engine odd"):
        CoveringEngine(Odd(), Kept())  # type: ignore[arg-type]
