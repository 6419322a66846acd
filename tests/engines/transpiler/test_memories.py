"""A memory that moves when it grows: all who look at it see it where it is, and it does not grow without end."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from guest import Starter, assemble
from wat import callback, plugin

from simwasm.engines.find import engine
from simwasm.engines.transpiler import memories
from simwasm.engines.transpiler.memories import PAGE, MemoryExtern
from simwasm.exchange import Exchange, request
from simwasm.session import Session
from simwasm.wasm.module import Bounds

GROWING = """(module
    (import "env" "host" (func $host (param i32) (result i32)))
    (memory (export "memory") 1 400)
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
    (func (export "at") (param i32) (result i32) (i32.load8_u (local.get 0)))
    (func (export "call") (param i32) (result i32)
        (drop (memory.grow (i32.const 1)))
        (drop (call $host (local.get 0)))
        (i32.load8_u (local.get 0))))"""


@pytest.mark.parametrize("size", [1, 3, PAGE + 5])
def test_what_a_host_function_writes_after_growth_is_what_the_guest_reads(size: int) -> None:
    """The memory moved while the guest was running, and nobody asked for its size."""

    def host(at: int) -> int:
        instance.memory.write(at, b"x" * size)
        return at

    instance = Starter(engine("python"))(GROWING, {"host": ("i32 -> i32", host)})
    assert instance.exports["call"](5) == ord("x")
    assert instance.memory.read(5, size) == b"x" * size


def test_growth_within_a_host_function_is_seen_by_both() -> None:
    def host(at: int) -> int:
        instance.exports["grow"](1)
        instance.memory.write_u32(at, 0x64636261)
        return at

    instance = Starter(engine("python"))(GROWING, {"host": ("i32 -> i32", host)})
    for at in (7, 3 * PAGE):
        assert instance.exports["call"](at) == ord("a")


def test_who_follows_is_told_until_the_instance_is_closed() -> None:
    instance = Starter(engine("python"))(GROWING, {"host": ("i32 -> i32", lambda word: word)})
    sizes: list[int] = []
    instance.memory.follow(lambda view, _: sizes.append(len(view) // PAGE))
    instance.exports["grow"](2)
    instance.exports["grow"](0)
    instance.exports["grow"](1)
    instance.close()
    assert sizes == [1, 3, 4, 0]


def test_an_allocator_that_grows_the_memory_gives_memory_that_is_the_guests() -> None:
    """The host asks for memory in the middle of a host call, whose functions hold views from before."""
    grows = """(func (export "proxy_on_memory_allocate") (param i32) (result i32)
            (drop (memory.grow (i32.const 1))) (i32.const 1024))"""
    made = plugin(
        '(import "env" "proxy_get_header_map_value" (func $get (param i32 i32 i32 i32 i32) (result i32)))',
        '(import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))',
        '(data (i32.const 16) ":path")',
        grows,
        callback(
            "proxy_on_request_headers",
            "(drop (call $get (i32.const 0) (i32.const 16) (i32.const 5) (i32.const 32) (i32.const 36)))",
            "(drop (call $log (i32.const 2) (i32.load (i32.const 32)) (i32.load (i32.const 36))))",
        ),
        malloc="",
    )
    logged: list[str] = []
    with Session([made], engine=engine("python"), on_log=lambda line: logged.append(line.text)) as session:
        list(session.replay([Exchange("1", 0, request("GET", "/a/path"))] * 3))
    assert logged == ["wasm log wat: /a/path"] * 3


@pytest.mark.parametrize("step", [1, 7, 500])
def test_a_memory_keeps_its_content_on_its_way_into_a_map(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    monkeypatch.setattr(memories, "LARGE", 64 * PAGE)
    memory = MemoryExtern(Bounds(1, 1200))
    shown: list[object] = []
    memory.follow(shown.append)
    memory.bytes[3] = 42
    while memory.grow(step) >= 0:
        memory.bytes[len(memory.bytes) - 1] = 1
        assert shown[-1] is memory.bytes
    assert isinstance(memory.bytes, memoryview)
    assert memory.bytes[3] == 42
    assert sum(memory.bytes[PAGE - 1 :: PAGE]) == (memory.pages - 1) // step


def test_in_a_map_old_views_stay_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memories, "LARGE", PAGE)
    memory = MemoryExtern(Bounds(1, 9))
    before = memory.bytes
    memory.grow(3)
    memory.bytes[5] = 9
    assert before[5] == 9


def test_a_memory_that_was_copied_often_moves_for_the_last_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memories, "_PATIENCE", 20 * PAGE)
    memory = MemoryExtern(Bounds(1, None))
    kinds = [type(memory.bytes) for _ in range(12) if memory.grow(1) >= 0]
    assert kinds == [bytearray] * 5 + [memoryview] * 7


def test_a_gibibyte_is_given_without_being_touched(resident: Callable[[], int]) -> None:
    before = resident()
    memory = MemoryExtern(Bounds(1, 65536))
    assert memory.grow(16_384) == 1
    memory.bytes[1 << 30] = 1
    assert resident() - before < 64 << 20


@pytest.fixture
def resident() -> Callable[[], int]:
    """The bytes of this process that are in memory."""

    def read() -> int:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * 4096

    try:
        read()
    except OSError:
        pytest.skip("reads /proc")
    return read


def test_bulk_operations_work_in_a_map_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memories, "LARGE", PAGE)
    text = """(module (memory (export "memory") 2) (data $d "simwasm")
        (func (export "run")
            (memory.init $d (i32.const 10) (i32.const 0) (i32.const 7))
            (memory.copy (i32.const 12) (i32.const 10) (i32.const 7))
            (memory.fill (i32.const 30) (i32.const 7) (i32.const 3))))"""
    instance = Starter(engine("python"))(text)
    instance.exports["run"]()
    assert instance.memory.read(10, 23) == b"sisimwasm" + bytes(11) + b"\7\7\7"
    assert assemble(text)
