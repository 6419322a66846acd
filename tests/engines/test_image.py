"""A guest captured and put back goes on as if nothing had happened in between; and of which modules that is true."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from guest import Starter, assemble
from hypothesis import given, settings
from hypothesis import strategies as st

from simwasm.engines.engine import Capturable, Engine, HostFunction, Instance, Program, Restorable
from simwasm.engines.fuel import Fuel
from simwasm.engines.image import PAGE, Image, capture, restorable, restore
from simwasm.engines.load import load
from simwasm.errors import Trap
from simwasm.plugin import Plugin
from simwasm.wasm.module import FuncType, Kind
from simwasm.wasm.reader import read_module
from simwasm.wasm.rewrite import FUEL, global_export, rewrite

CHUNK = 65536
STATE = """(module
    (memory (export "memory") 2 8)
    (global $count (mut i32) (i32.const 0))
    (global (mut i64) (i64.const -7)) (global (mut f32) (f32.const 0.5)) (global (mut f64) (f64.const nan))
    (global (mut v128) (v128.const i64x2 1 2)) (global i32 (i32.const 3))
    (global (export "shown") (mut i32) (i32.const 4)) (global (export "constant") i32 (i32.const 5))
    (func (export "next") (result i32) (global.set $count (i32.add (global.get $count) (i32.const 1)))
        (global.get $count))
    (func (export "size") (result i32) (memory.size))
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))"""


def started(start: Starter, text: str = STATE) -> Capturable:
    instance = start(text)
    assert isinstance(instance, Capturable)
    return instance


def pages(image: Image) -> set[int]:
    return {id(page) for chunk in image.memory for page in chunk}


def test_the_variables_are_the_numbers_that_can_change(start: Starter) -> None:
    assert set(started(start).variables()) == {*map(global_export, range(4)), "shown", FUEL}


def test_variables_are_known_of_a_restored_program_too(engine: Engine) -> None:
    assert isinstance(engine, Restorable)
    rewritten = rewrite(read_module(assemble(STATE)))
    instance = engine.restore(engine.compile(rewritten).compiled(), lambda: rewritten).start({}, Fuel())
    assert isinstance(instance, Capturable)
    assert "shown" in instance.variables()


def test_globals_are_put_back(start: Starter) -> None:
    instance = started(start)
    image = capture(instance)
    assert [instance.exports["next"]() for _ in range(3)] == [1, 2, 3]
    instance.set_global("shown", 44)
    assert restore(instance, image)
    assert instance.get_global("shown") == 4
    assert instance.exports["next"]() == 1


def test_fuel_is_put_back(start: Starter) -> None:
    instance = started(start)
    image = capture(instance)
    before = instance.get_global(FUEL)
    instance.exports["next"]()
    assert instance.get_global(FUEL) != before
    restore(instance, image)
    assert instance.get_global(FUEL) == before


def test_memory_is_put_back(start: Starter) -> None:
    instance = started(start)
    instance.memory.write(PAGE - 3, b"simwasm")
    image = capture(instance)
    before = bytes(instance.memory.view())
    for at in (0, PAGE, CHUNK - 1, 2 * CHUNK - 7):
        instance.memory.write(at, b"x")
    assert restore(instance, image)
    assert bytes(instance.memory.view()) == before


def test_an_image_does_not_change_with_the_guest(start: Starter) -> None:
    instance = started(start)
    image = capture(instance)
    instance.memory.write(0, b"simwasm")
    assert image.read(0, 7) == bytes(7)


@pytest.mark.parametrize(
    ("at", "size"),
    [(0, 0), (0, 2 * CHUNK), (PAGE - 2, 4), (CHUNK - 2, 4), (CHUNK, CHUNK), (2 * CHUNK, 0), (5, 3)],
)
def test_an_image_is_read_as_the_memory_was(start: Starter, at: int, size: int) -> None:
    instance = started(start)
    instance.memory.write(0, bytes(range(256)) * (2 * CHUNK // 256))
    assert capture(instance).read(at, size) == instance.memory.read(at, size)


@pytest.mark.parametrize(("at", "size"), [(-1, 1), (2 * CHUNK, 1), (0, 2 * CHUNK + 1), (1, -1)])
def test_an_image_ends_where_the_memory_did(start: Starter, at: int, size: int) -> None:
    with pytest.raises(IndexError, match=f"outside the memory of {2 * CHUNK} bytes"):
        capture(started(start)).read(at, size)


def test_images_share_the_pages_that_are_equal(start: Starter) -> None:
    instance = started(start)
    instance.memory.write(0, b"first")
    first = capture(instance)
    instance.memory.write(CHUNK, b"second")
    second = capture(instance, first)
    assert len(pages(second) - pages(first)) == 1
    assert second.read(CHUNK, 6) == b"second"


def test_chunks_without_a_change_are_the_same_objects(start: Starter) -> None:
    instance = started(start)
    instance.memory.write(0, b"first")
    first = capture(instance)
    instance.memory.write(CHUNK, b"second")
    assert [a is b for a, b in zip(first.memory, capture(instance, first).memory, strict=True)] == [
        True,
        False,
    ]


def test_pages_of_zeros_are_one_object(start: Starter) -> None:
    instance = started(start)
    instance.memory.write(0, b"first")
    first = capture(instance)
    assert len(pages(first)) == 2
    instance.memory.write(0, bytes(5))
    assert len(pages(capture(instance, first))) == 1


def test_a_guest_without_a_memory_can_be_captured(start: Starter) -> None:
    instance = started(start, '(module (global (export "g") (mut i32) (i32.const 1)))')
    image = capture(instance)
    instance.set_global("g", 2)
    assert image.size() == 0
    assert restore(instance, image)
    assert instance.get_global("g") == 1


def test_a_memory_that_is_larger_than_its_image_is_left_alone(start: Starter) -> None:
    instance = started(start)
    image = capture(instance)
    instance.exports["grow"](1)
    instance.memory.write(0, b"kept")
    instance.exports["next"]()
    assert not restore(instance, image)
    assert instance.memory.read(0, 4) == b"kept"
    assert instance.exports["next"]() == 2


def test_a_fresh_instance_grows_to_the_size_of_the_image(start: Starter) -> None:
    instance = started(start)
    instance.exports["grow"](3)
    instance.memory.write(5 * CHUNK - 3, b"end")
    image = capture(instance)
    fresh = started(start)
    assert restore(fresh, image)
    assert fresh.exports["size"]() == 5
    assert fresh.memory.read(5 * CHUNK - 3, 3) == b"end"
    assert fresh.exports["grow"](3) == 5
    assert fresh.exports["grow"](1) == -1


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ("(func (table.set 0 (i32.const 0) (ref.null func)))", "its code changes a table (table.set)"),
        ("(func (table.set 1 (i32.const 0) (ref.null func)))", "its code changes a table (table.set)"),
        ("(func (drop (table.grow (ref.null func) (i32.const 1))))", "changes a table (table.grow)"),
        ("(func (table.fill (i32.const 0) (ref.null func) (i32.const 1)))", "changes a table (table.fill)"),
        ("(func (table.copy (i32.const 0) (i32.const 1) (i32.const 1)))", "changes a table (table.copy)"),
        (
            "(elem $e func) (func (table.init $e (i32.const 0) (i32.const 0) (i32.const 0)))",
            "changes a table (table.init)",
        ),
        ('(memory 1) (data $d "x") (func (data.drop $d))', "its code drops a data segment (data.drop)"),
        ("(global i32 (i32.const 1)) (global (mut funcref) (ref.null func))", "global 1 can change and is no number"),
        ("(global (mut v128) (v128.const i64x2 0 0))", "global 0 can change and is no number (v128)"),
    ],
)  # fmt: skip
def test_what_an_image_does_not_hold_is_said(fields: str, reason: str) -> None:
    text = f"(module (table 2 funcref) (table 2 funcref) {fields})"
    assert reason in restorable(read_module(assemble(text)))


@pytest.mark.parametrize(
    "fields",
    [
        "(func (drop (table.get 0 (i32.const 0))) (drop (table.size 0)) (drop (i32.const 0x26)))",
        '(memory 1) (data $d (i32.const 0) "x") (func (data.drop $d))',
        '(memory 1) (data $d "x") (func (memory.init $d (i32.const 0) (i32.const 0) (i32.const 1)))',
        "(global funcref (ref.null func)) (global v128 (v128.const i64x2 0 0)) (global (mut f64) (f64.const 0))",
        "(func $f) (elem (i32.const 0) $f) (elem $e func $f) (func (elem.drop $e))",
    ],
)
def test_what_changes_nothing_else_can_be_put_back(fields: str) -> None:
    assert restorable(read_module(assemble(f"(module (table 2 funcref) {fields})"))) == ""


SAMPLES = (
    "allow_header", "allow_header_as", "allow_header_c", "allow_header_go",
    "config_loading", "grpc_auth", "rate_limit", "response_body",
)  # fmt: skip


@pytest.mark.parametrize("name", SAMPLES)
def test_real_plugins_can_be_put_back(name: str, sample: Callable[..., Plugin]) -> None:
    assert restorable(sample(name).module) == ""


Call = tuple[int, tuple[int, ...]]
"""Which callback of those that a plugin has, and the words it is given."""

CALLS = st.lists(
    st.tuples(st.integers(0, 6), st.tuples(st.just(2), *[st.integers(0, 300)] * 2)), min_size=1, max_size=8
)
BUDGET = 5_000_000
ALIVE = (
    "proxy_on_request_headers", "proxy_on_request_body", "proxy_on_response_headers", "proxy_on_response_body",
    "proxy_on_response_trailers", "malloc", "proxy_on_memory_allocate",
)  # fmt: skip
"""What may be called for a stream in any order."""
NOT_FOUND = ("proxy_get_header_map_value", "proxy_get_header_map_pairs", "proxy_get_buffer_bytes")
BIRTH = (
    ("_initialize", ()), ("_start", ()), ("proxy_on_context_create", (1, 0)), ("proxy_on_vm_start", (1, 0)),
    ("proxy_on_configure", (1, 0)), ("proxy_on_context_create", (2, 1)),
)  # fmt: skip


class Living:
    """A plugin with a host that answers by what it was asked so far; `asked` is all the state it has."""

    def __init__(self, program: Program, plugin: Plugin) -> None:
        self.asked = 0
        self._fuel = Fuel(BUDGET)
        self._params = {
            export.name: len(plugin.module.function_type(export.index).params)
            for export in plugin.module.exports
            if export.kind is Kind.FUNCTION
        }
        self._callbacks = [name for name in ALIVE if name in self._params]
        host = {
            (item.module, item.name): HostFunction(item.type, self._function(item.name, item.type))
            for item in plugin.module.imports
            if isinstance(item.type, FuncType)
        }
        self.instance: Instance = program.start(host, self._fuel)

    def _function(self, name: str, kind: FuncType) -> Callable[..., int | None]:
        def asked(*words: int) -> int | None:
            self.asked += 1
            if name == "clock_time_get":
                self.instance.memory.write(words[2], (1_000_000 * self.asked).to_bytes(8, "little"))
                return 0
            if name in ("fd_write", "poll_oneoff", "fd_prestat_get"):
                return 8
            return int(name in NOT_FOUND) if kind.results else None

        return asked

    def call(self, name: str, words: tuple[int, ...]) -> Any:
        """What comes of a call: the result, or the trap."""
        self._fuel.renew()
        try:
            return self.instance.exports[name](*words[: self._params[name]])
        except Trap as trap:
            return trap.kind, trap.frames

    def born(self) -> None:
        for name, words in BIRTH:
            if name in self._params:
                self.call(name, words)

    def live(self, calls: list[Call]) -> list[Any]:
        """Everything that can be told from outside: results, fuel and memory."""
        results = [self.call(self._callbacks[which % len(self._callbacks)], words) for which, words in calls]
        memory = self.instance.memory
        return [*results, self.asked, self.instance.get_global(FUEL), memory.read(0, memory.size())]


@pytest.mark.parametrize("name", SAMPLES)
def test_a_plugin_put_back_lives_the_same_life_again(
    name: str, engine: Engine, sample: Callable[..., Plugin]
) -> None:
    """In the same instance, unless its memory grew, and in a fresh one always."""
    if engine.name == "python" and name not in ("allow_header", "allow_header_as", "allow_header_c"):
        pytest.skip("what is captured is the same code for all, and this one is slow")
    plugin = sample(name)
    program = load(engine, plugin.wasm)
    living = Living(program, plugin)
    living.born()
    newborn, asked_then = capture(_capturable(living)), living.asked

    @settings(max_examples=2 if engine.name == "python" else 5)
    @given(CALLS, CALLS)
    def property(before: list[Call], after: list[Call]) -> None:
        nonlocal living
        if not restore(_capturable(living), newborn):
            living = Living(program, plugin)
            assert restore(_capturable(living), newborn)
        living.asked = asked_then
        living.live(before)
        image, asked = capture(_capturable(living), newborn), living.asked
        life = living.live(after)
        for again in (living, Living(program, plugin)):
            if restore(_capturable(again), image):
                again.asked = asked
                assert again.live(after) == life
            else:
                assert again is living

    property()


@pytest.mark.parametrize("name", ["allow_header", "allow_header_as", "allow_header_c", "rate_limit"])
def test_a_plugin_lives_on_in_another_engine_and_back(
    name: str, starters: dict[str, Starter], sample: Callable[..., Plugin]
) -> None:
    plugin = sample(name)
    guests = [Living(load(start.engine, plugin.wasm), plugin) for start in starters.values()]
    guests[0].born()
    lives: list[list[Call]] = [
        [(at % 7, (2, at, 1)) for at in range(turn, turn + 6)] for turn in range(len(guests) + 1)
    ]
    image, asked = capture(_capturable(guests[0])), guests[0].asked
    for guest, life in zip([*guests[1:], guests[0]], lives[1:], strict=False):
        expected = guests[0].live(life)
        for again in (guest, guests[0]):
            assert restore(_capturable(again), image)
            again.asked = asked
        assert guest.live(life) == expected
        image, asked = capture(_capturable(guest)), guest.asked
        assert restore(_capturable(guests[0]), image)
        guests[0].asked = asked


def _capturable(living: Living) -> Capturable:
    assert isinstance(living.instance, Capturable)
    return living.instance
