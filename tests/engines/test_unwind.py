"""A guest left in the middle of a call: its stack is that of a trap there, and it goes on as if it had not been."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable

import pytest
from guest import NOWHERE, Starter, assemble, imports

from simwasm.engines.engine import Engine, HostFunction, Instance, Words
from simwasm.engines.fuel import Fuel
from simwasm.engines.load import load
from simwasm.engines.traps import FRAMES
from simwasm.engines.unwind import Unwind, unwinding
from simwasm.errors import Frame, Trap, TrapKind
from simwasm.plugin import Plugin
from simwasm.wasm.module import FuncType

GUEST = """(module
    (import "env" "other" (func $other (param i64) (result i64 f32)))
    (import "env" "host" (func $host (param i32) (result i32)))
    (memory (export "memory") 1)
    (global $turns (export "turns") (mut i32) (i32.const 0))
    (func $inner (param i32) (result i32)
        (i32.store (i32.const 8) (local.get 0))
        (i32.add (call $host (local.get 0)) (i32.const 1)))
    (func $middle (param i32) (result i32) (nop) (i32.add (call $inner (local.get 0)) (i32.const 1)))
    (func (export "outer") (param i32) (result i32)
        (global.set $turns (i32.add (global.get $turns) (i32.const 1)))
        (call $middle (local.get 0)))
    (func $allocate (export "allocate") (param i32) (result i32) (nop) (call $host (local.get 0)))
    (func $down (export "down") (param i32) (result i32)
        (if (result i32) (local.get 0)
            (then (i32.add (call $down (i32.sub (local.get 0) (i32.const 1))) (i32.const 1)))
            (else (call $host (local.get 0)))))
    (func (export "wide") (drop (drop (call $other (i64.const 1)))))
    (func $spin (export "spin") (loop (br 0)))
    (func (export "stop") (param i32) (result i32) (if (local.get 0) (then unreachable)) (i32.const 3)))"""
INNER, MIDDLE, OUTER, ALLOCATE = 2, 3, 4, 5


class Guest:
    """A guest whose host functions do what a test says, and may unwind it."""

    def __init__(self, engine: Engine, text: str = GUEST, unwinds: bool = True) -> None:
        self.host: Callable[[int], Words] = lambda word: word
        self.other: Callable[[int], Words] = lambda word: (word, 0.5)
        self.fuel = Fuel()
        hosts = imports(
            {
                "host": ("i32 -> i32", lambda word: self.host(word)),
                "other": ("i64 -> i64 f32", lambda word: self.other(word)),
            }
        )
        self.program = load(engine, assemble(text), cache=NOWHERE)
        self.instance: Instance = self.program.start(unwinding(hosts) if unwinds else hosts, self.fuel)
        self.call = self.instance.exports.__getitem__

    def left(self, export: str, *words: int) -> Unwind:
        """How a call is left."""
        with pytest.raises(Unwind) as caught:
            self.call(export)(*words)
        return caught.value


@pytest.fixture
def guest(engine: Engine) -> Guest:
    return Guest(engine)


def raising(unwind: Unwind) -> Callable[[int], Words]:
    def host(_: int) -> Words:
        raise unwind

    return host


def calls(text: str, *callees: int) -> list[int]:
    """Where the instructions that call these are; each is called once."""
    wasm = assemble(text)
    return [wasm.index(bytes((0x10, callee))) for callee in callees]


def test_what_was_raised_comes_out_as_the_same_object(guest: Guest) -> None:
    unwind = Unwind()
    guest.host = raising(unwind)
    assert guest.left("outer", 1) is unwind


def test_frames_are_the_calls_innermost_first_where_the_original_has_them(guest: Guest) -> None:
    guest.host = raising(Unwind())
    to_inner, to_middle = calls(GUEST, INNER, MIDDLE)
    to_host = assemble(GUEST).index(bytes((0x10, 1, 0x41)))  # call $host, i32.const
    assert guest.left("outer", 1).frames == (
        Frame(INNER, "inner", to_host),
        Frame(MIDDLE, "middle", to_inner),
        Frame(OUTER, "outer", to_middle),
    )


def test_frames_are_those_of_a_trap_in_the_same_place(engine: Engine) -> None:
    """Compared with the frames around a trap in a function that stands where the host's stood."""
    text = GUEST.replace(
        '(import "env" "host" (func $host (param i32) (result i32)))',
        '(import "env" "host" (func $unused (param i32) (result i32)))',
    ).replace("(func $spin", "(func $host (param i32) (result i32) unreachable)\n(func $spin")
    guest, trapping = Guest(engine), Guest(engine, text)
    guest.host = raising(Unwind())
    with pytest.raises(Trap) as caught:
        trapping.call("outer")(1)
    frames = guest.left("outer", 1).frames
    assert [frame.name for frame in caught.value.frames] == ["host", *(frame.name for frame in frames)]


def test_frames_are_the_same_on_every_engine(starters: dict[str, Starter]) -> None:
    def frames(engine: Engine) -> tuple[tuple[Frame, ...], ...]:
        guest = Guest(engine)
        guest.host = guest.other = raising(Unwind())
        found = [guest.left("outer", 1).frames]
        guest.host = raising(Unwind())
        found.append(guest.left("down", 50).frames)
        guest.other = raising(Unwind())
        found.append(guest.left("wide").frames)
        guest.fuel.wait = lambda: raising(Unwind())(0)  # type: ignore[assignment]  # it never returns
        found.append(guest.left("spin").frames)
        return tuple(found)

    all_frames = [frames(start.engine) for start in starters.values()]
    assert all(each == all_frames[0] for each in all_frames)
    assert [len(each) for each in all_frames[0]] == [3, FRAMES, 1, 1]


def test_a_function_with_many_words_unwinds(guest: Guest) -> None:
    guest.other = raising(Unwind())
    assert [frame.name for frame in guest.left("wide").frames] == ["wide"]


def test_the_request_for_fuel_unwinds(guest: Guest) -> None:
    unwind = Unwind()
    guest.fuel.wait = lambda: raising(unwind)(0)  # type: ignore[assignment]  # it never returns
    assert guest.left("spin") is unwind
    (frame,) = unwind.frames
    assert frame.name == "spin"
    assert frame.offset == assemble(GUEST).index(bytes.fromhex("03 40 0c 00"))


def test_the_instance_goes_on(guest: Guest) -> None:
    for turn in range(1, 4):
        guest.host = raising(Unwind())
        assert len(guest.left("outer", 40 + turn).frames) == 3
        assert guest.instance.memory.read(8, 1) == bytes((40 + turn,))
        assert guest.instance.get_global("turns") == 2 * turn - 1
        guest.host = lambda word: word
        assert guest.call("outer")(7) == 9


def test_a_trap_after_it_is_a_trap(guest: Guest) -> None:
    guest.host = raising(Unwind())
    guest.left("outer", 1)
    with pytest.raises(Trap) as caught:
        guest.call("stop")(1)
    assert caught.value.kind is TrapKind.UNREACHABLE
    assert [frame.name for frame in caught.value.frames] == ["stop"]


def test_nested_calls_add_their_frames_as_they_are_left(guest: Guest) -> None:
    def host(word: int) -> Words:
        if word == 1:
            return guest.call("allocate")(2)
        raise Unwind

    guest.host = host
    frames = guest.left("outer", 1).frames
    assert [frame.name for frame in frames] == ["allocate", "inner", "middle", "outer"]


def test_one_caught_in_a_nested_call_leaves_the_calls_around_it_alone(guest: Guest) -> None:
    caught: list[Unwind] = []

    def host(word: int) -> Words:
        if word == 1:
            caught.append(guest.left("allocate", 2))
            return 10
        raise Unwind

    guest.host = host
    assert guest.call("outer")(1) == 12
    assert [frame.name for frame in caught[0].frames] == ["allocate"]


def test_a_subclass_unwinds_too(guest: Guest) -> None:
    class Elsewhere(Unwind):
        """One with a reason of its own."""

    guest.host = raising(Elsewhere("to 7"))
    unwind = guest.left("outer", 1)
    assert isinstance(unwind, Elsewhere)
    assert str(unwind) == "to 7"
    assert len(unwind.frames) == 3


def test_other_errors_come_out_as_they_are(guest: Guest) -> None:
    error = KeyError("own")

    def host(_: int) -> Words:
        raise error

    guest.host = host
    with pytest.raises(KeyError) as caught:
        guest.call("outer")(1)
    assert caught.value is error


def test_the_start_function_can_be_left(engine: Engine) -> None:
    text = '(module (import "env" "host" (func $host)) (func $s (call $host)) (start $s))'
    unwind = Unwind()
    hosts = unwinding(imports({"host": ("->", lambda: raising(unwind)(0))}))
    with pytest.raises(Unwind) as caught:
        load(engine, assemble(text), cache=NOWHERE).start(hosts, Fuel())
    assert caught.value is unwind
    assert [frame.name for frame in unwind.frames] == ["s"]


def test_an_instance_that_is_forgotten_is_gone(engine: Engine) -> None:
    """What makes a trap of an unwinding leads to no instance."""
    text = '(module (import "env" "host" (func $host)) (memory 1) (func (export "call") (call $host)))'

    class Host:
        """Something that host functions hold."""

        def __call__(self) -> None:
            raise Unwind

    host = Host()
    hosts = unwinding(imports({"host": ("->", host)}))
    instance = load(engine, assemble(text), cache=NOWHERE).start(hosts, Fuel())
    with pytest.raises(Unwind):
        instance.exports["call"]()
    gone = weakref.ref(host)
    instance.close()
    del instance, host, hosts
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("name", ["allow_header", "allow_header_as"])
def test_frames_of_real_plugins_are_the_same_on_every_engine(
    name: str, starters: dict[str, Starter], sample: Callable[..., Plugin]
) -> None:
    """Left at each of its first host calls in turn."""
    module = sample(name).module
    exports = {export.name for export in module.exports}
    starting = [export for export in ("_initialize", "_start") if export in exports]

    def frames(engine: Engine, at: int) -> tuple[Frame, ...]:
        asked = 0

        def host(kind: FuncType) -> Callable[..., Words]:
            def call(*_: int) -> Words:
                nonlocal asked
                asked += 1
                if asked == at:
                    raise Unwind
                return 8 if kind.results else None

            return call

        hosts = {
            (item.module, item.name): HostFunction(item.type, host(item.type))
            for item in module.imports
            if isinstance(item.type, FuncType)
        }
        instance = load(engine, module.data).start(unwinding(hosts), Fuel())
        try:
            for export in starting:
                instance.exports[export]()
            for context, parent in ((1, 0), (2, 1)):
                instance.exports["proxy_on_context_create"](context, parent)
            instance.exports["proxy_on_request_headers"](2, 0, 1)
        except (Unwind, Trap) as left:
            return left.frames
        return ()

    found = [[frames(start.engine, at) for at in range(1, 5)] for start in starters.values()]
    assert all(each == found[0] for each in found)
    assert any(len(each) > 1 for each in found[0])
