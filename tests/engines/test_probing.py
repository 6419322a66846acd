"""Instances that probes make steppable: what they tell, and that they change nothing else."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest
from guest import NOWHERE, Hosts, Starter, assemble, imports

from simwasm.engines import find
from simwasm.engines.engine import Activation, Capturable, Steppable, Word
from simwasm.engines.fuel import Fuel
from simwasm.engines.load import load
from simwasm.engines.probing import ProbedInstance, ProbingEngine, probing
from simwasm.engines.python_engine import PythonEngine
from simwasm.engines.unwind import Unwind
from simwasm.errors import InputError, Trap, TrapKind
from simwasm.exchange import Exchange, request
from simwasm.plugin import Plugin
from simwasm.session import Session
from simwasm.wasm.disasm import disassemble
from simwasm.wasm.probes import Probes
from simwasm.wasm.reader import read_module
from simwasm.wasm.rewrite import rewrite

ENGINES = ("wasmer", "wasmtime") if sys.version_info[:2] == (3, 10) else ("wasmtime",)

GUEST = """(module
    (import "env" "host" (func $host (param i32)))
    (memory (export "memory") 1)
    (global (export "kept") (mut i32) (i32.const 3))
    (func $inner (param i32) (result i32)
        (call $host (i32.const 7))
        (if (i32.eqz (local.get 0)) (then (return (i32.const 5))))
        (i32.add (local.get 0) (i32.const 1)))
    (func $loop (export "loop") (param i32) (result i32)
        (local i32)
        (loop
            (local.set 1 (i32.add (local.get 1) (call $inner (local.get 0))))
            (br_if 0 (i32.lt_s (local.get 1) (i32.const 10))))
        (local.get 1))
    (func (export "choose") (param i32) (result i32)
        (if (local.get 0) (then (return (i32.const 3))))
        (i32.const 1))
    (func $fails (param i32) (result i32) (i32.load (local.get 0)))
    (func (export "trap") (result i32) (call $fails (i32.const -1))))"""
INNER, LOOP = 1, 2
CODE = read_module(assemble(GUEST))
EVERY, STATEMENTS = Probes(every=True), Probes()


@pytest.fixture(params=ENGINES)
def name(request: pytest.FixtureRequest) -> str:
    """Each engine that runs binaries."""
    return str(request.param)


def start(name: str, probes: Probes, host: object = None, fuel: Fuel | None = None) -> ProbedInstance:
    """The guest with probes; `host` is called with the instance."""
    made: list[ProbedInstance] = []

    def call(_: Word) -> None:
        if callable(host):
            host(made[0])

    instance = Starter(probing(name, probes))(GUEST, {"host": ("i32 -> ", call)}, fuel)
    assert isinstance(instance, ProbedInstance)
    made.append(instance)
    return instance


def words(offsets: list[int]) -> list[str]:
    """The instructions at these offsets."""
    texts = {line.offset: line.text for function in range(1, 6) for line in disassemble(CODE, function)}
    return [texts[offset] for offset in offsets]


def offset_of(function: int, text: str) -> int:
    return next(line.offset for line in disassemble(CODE, function) if line.text == text)


def test_statements_are_told_in_the_order_in_which_they_happen(name: str) -> None:
    told: list[int] = []
    instance = start(name, STATEMENTS)
    instance.watch(told.append)
    assert instance.exports["loop"](0) == 10
    once = ["local.get 1", "i32.const 7", "local.get 0", "i32.const 5", "local.get 1"]
    assert words(told) == [*once, *once, "local.get 1"]


def test_every_instruction_is_told(name: str) -> None:
    told: list[int] = []
    instance = start(name, EVERY)
    instance.watch(told.append)
    instance.exports["loop"](9)
    assert words(told) == [
        "loop", "local.get 1", "local.get 0", "call 1", "i32.const 7", "call 0", "local.get 0", "i32.eqz", "if",
        "local.get 0", "i32.const 1", "i32.add", "end", "i32.add", "local.set 1", "local.get 1", "i32.const 10",
        "i32.lt_s", "br_if 0", "local.get 1", "end",
    ]  # fmt: skip


def test_nothing_is_told_while_nobody_watches(name: str) -> None:
    told: list[int] = []
    instance = start(name, EVERY)
    instance.watch(told.append)
    instance.watch(None)
    assert instance.exports["loop"](0) == 10
    assert told == []


def test_only_chosen_functions_are_told_and_all_active_ones_are_known(name: str) -> None:
    told: list[int] = []
    seen: list[tuple[Activation, ...]] = []

    def hook(offset: int) -> None:
        told.append(offset)
        seen.append(instance.activations())

    instance = start(name, Probes(functions=frozenset([INNER])))
    instance.watch(hook)
    instance.exports["loop"](9)
    assert words(told) == ["i32.const 7", "local.get 0", "local.get 0"]
    assert [[each.function for each in active] for active in seen] == [[INNER, LOOP]] * 3


def test_only_chosen_offsets_are_told(name: str) -> None:
    told: list[int] = []
    wanted = offset_of(INNER, "i32.eqz")
    instance = start(name, Probes(offsets=frozenset([wanted])))
    instance.watch(told.append)
    instance.exports["loop"](0)
    assert told == [wanted, wanted]


def test_a_host_function_may_ask_where_the_guest_is(name: str) -> None:
    found: list[tuple[int, tuple[Activation, ...]]] = []
    instance = start(name, EVERY, lambda it: found.append((it.depth(), it.activations())))
    instance.watch(lambda _: None)
    instance.exports["loop"](9)
    inner, outer = offset_of(INNER, "call 0"), offset_of(LOOP, "call 1")
    assert found == [(2, (Activation(INNER, inner), Activation(LOOP, outer)))]


def test_a_call_of_the_guest_inside_of_a_host_function_is_deeper(name: str) -> None:
    deepest = 0

    def hook(_: int) -> None:
        nonlocal deepest
        deepest = max(deepest, instance.depth())

    def host(it: ProbedInstance) -> None:
        if it.depth() == 2:
            it.exports["loop"](9)

    instance = start(name, STATEMENTS, host)
    instance.watch(hook)
    instance.exports["loop"](9)
    assert (deepest, instance.depth()) == (4, 0)


def test_what_a_hook_raises_comes_out_of_the_guest_and_knows_where_it_was(name: str) -> None:
    unwind = Unwind("enough")
    wanted = offset_of(INNER, "i32.eqz")

    def hook(offset: int) -> None:
        if offset == wanted:
            raise unwind

    instance = start(name, EVERY)
    instance.watch(hook)
    with pytest.raises(Unwind) as caught:
        instance.exports["loop"](0)
    assert caught.value is unwind
    assert [(frame.function, frame.offset) for frame in unwind.frames] == [
        (INNER, wanted), (LOOP, offset_of(LOOP, "call 1"))
    ]  # fmt: skip


def test_an_instance_that_was_left_can_be_called_again(name: str) -> None:
    def hook(_: int) -> None:
        raise KeyError("left")

    instance = start(name, EVERY)
    instance.watch(hook)
    with pytest.raises(KeyError, match="left"):
        instance.exports["loop"](0)
    instance.watch(None)
    assert (instance.depth(), instance.exports["loop"](0)) == (0, 10)


@pytest.mark.parametrize("watched", [False, True])
def test_a_trap_is_where_it_is_without_probes(name: str, watched: bool) -> None:
    instance = start(name, EVERY)
    plain = Starter(find.engine(name))(GUEST, {"host": ("i32 -> ", lambda _: None)})
    if watched:
        instance.watch(lambda _: None)
    with pytest.raises(Trap) as caught:
        instance.exports["trap"]()
    with pytest.raises(Trap) as expected:
        plain.exports["trap"]()
    seen = 2 if watched or name == "wasmtime" else 1  # code of singlepass cannot be walked
    assert (caught.value.kind, caught.value.frames) == (
        TrapKind.MEMORY_BOUNDS,
        expected.value.frames[:seen],
    )
    assert instance.depth() == 0


@pytest.mark.parametrize("watched", [False, True])
def test_fuel_is_burnt_as_without_probes(name: str, watched: bool) -> None:
    instance = start(name, EVERY)
    plain = Starter(find.engine(name))(GUEST, {"host": ("i32 -> ", lambda _: None)})
    if watched:
        instance.watch(lambda _: None)
    instance.exports["loop"](0)
    plain.exports["loop"](0)
    assert instance.get_global("simwasm:fuel") == plain.get_global("simwasm:fuel")


@pytest.mark.parametrize("watched", [False, True])
@pytest.mark.parametrize(("word", "results"), [(0, (1, 2)), (1, (3, 4))])
def test_several_results_come_out(name: str, watched: bool, word: int, results: tuple[int, int]) -> None:
    """Which singlepass cannot: wasmer then compiles with Cranelift."""
    guest = """(module (func (export "two") (param i32) (result i32 i64)
        (if (local.get 0) (then (return (i32.const 3) (i64.const 4))))
        (i32.const 1) (i64.const 2)))"""
    instance = Starter(probing(name, EVERY))(guest)
    assert isinstance(instance, Steppable)
    if watched:
        instance.watch(lambda _: None)
    assert instance.exports["two"](word) == results


def test_the_globals_of_probes_are_none_of_the_guest(name: str) -> None:
    """An image of an instance with probes fits one without."""
    plain = Starter(find.engine(name))(GUEST, {"host": ("i32 -> ", lambda _: None)})
    assert isinstance(plain, Capturable)
    assert start(name, EVERY).variables() == plain.variables()


def test_locals_cannot_be_changed_and_it_is_said_who_can(name: str) -> None:
    with pytest.raises(InputError, match="engine python"):
        start(name, EVERY).assign(0, "l0", 1)


def test_it_is_steppable(name: str) -> None:
    assert isinstance(start(name, EVERY), Steppable)


def test_a_tail_call_leaves_its_function() -> None:
    """wasmer has none."""
    guest = """(module
        (func $count (export "count") (param i32) (result i32)
            (if (i32.eqz (local.get 0)) (then (return (i32.const 42))))
            (return_call $count (i32.sub (local.get 0) (i32.const 1)))))"""
    depths: list[int] = []
    instance = Starter(probing("wasmtime", STATEMENTS))(guest)
    assert isinstance(instance, Steppable)
    instance.watch(lambda _: depths.append(instance.depth()))
    assert instance.exports["count"](3) == 42
    assert set(depths) == {1}


def test_a_program_with_probes_comes_back_from_the_cache(name: str) -> None:
    engine = probing(name, EVERY)
    compiled = load(engine, assemble(GUEST), cache=NOWHERE).compiled()
    again = engine.restore(compiled, lambda: rewrite(CODE)).start(imports(HOSTS), Fuel())
    told: list[int] = []
    again.watch(told.append)
    again.exports["choose"](0)
    assert words(told) == ["local.get 0", "if", "i32.const 1", "end"]


HOSTS: Hosts = {"host": ("i32 -> ", lambda _: None)}


def test_other_probes_are_another_version() -> None:
    """What was compiled with some is not taken for what has others."""
    inner = find.engine("wasmtime")
    versions = {
        ProbingEngine(inner, probes).version
        for probes in (EVERY, STATEMENTS, Probes(functions=frozenset([1])), Probes(offsets=frozenset([1])))
    }
    assert len(versions) == 4


@pytest.mark.parametrize(
    ("probes", "reason"),
    [
        (Probes(functions=frozenset([0])), "function 0 has no code here: there are 1 to 5"),
        (Probes(offsets=frozenset([3])), "there is no code at offset 0x3"),
        (Probes(offsets=frozenset([offset_of(INNER, "i32.const 7") + 1])), "no instruction begins at offset"),
    ],
)
def test_probes_that_cannot_be_are_refused(probes: Probes, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        start("wasmtime", probes)


@pytest.mark.parametrize("plugin", ["allow_header_c", "allow_header_as"])
def test_a_plugin_tells_the_same_instructions_as_in_the_python_engine(
    name: str, plugin: str, sample: Callable[..., Plugin]
) -> None:
    """Instruction by instruction, through all callbacks of an exchange.

    But for the last `end` of a function: a branch that leads there tells it with probes only.
    """
    loaded = sample(plugin)
    ends = {body.end - 1 for body in loaded.module.bodies}
    exchange = Exchange("1", 0, request("GET", "/", headers=[("allow", "true")]))
    tapes = []
    for engine in (probing(name, EVERY), PythonEngine()):
        with Session([loaded], engine=engine) as session:
            session.start()
            instance = session.started[0].instance
            assert isinstance(instance, Steppable)
            tape: list[int] = []
            instance.watch(tape.append)
            assert [outcome.status for outcome in session.replay([exchange])] == [200]
            tapes.append([offset for offset in tape if offset not in ends])
    assert len(tapes[0]) > 500
    assert tapes[0] == tapes[1]
