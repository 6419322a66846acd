"""Linear memory: bounds, growth in every way, and views that outlive what they show."""

from __future__ import annotations

import ctypes
import gc
import sys
import threading

import pytest
from guest import Starter

from simwasm.engines.engine import Memory
from simwasm.engines.memory import LinearMemory, nothing
from simwasm.errors import PluginError

PAGE = 65536
GROWING = """(module
    (import "env" "host" (func $host (param i32) (result i32)))
    (memory (export "memory") {bounds})
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
    (func (export "at") (param i32) (result i32) (i32.load8_u (local.get 0)))
    (func (export "call") (param i32) (result i32) (call $host (local.get 0))))"""
HOSTS = {"host": ("i32 -> i32", lambda word: word)}


@pytest.fixture
def memory(start: Starter) -> Memory:
    return start(GROWING.format(bounds="1 4"), HOSTS).memory


def base(memory: Memory) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(memory.view()))


def test_what_is_written_is_read(memory: Memory) -> None:
    memory.write(10, b"simwasm")
    assert memory.read(10, 7) == b"simwasm"
    assert memory.read(12, 3) == b"mwa"
    assert isinstance(memory.read(10, 7), bytes)


@pytest.mark.parametrize("data", [bytearray(b"ab"), memoryview(b"ab")])
def test_anything_like_bytes_can_be_written(memory: Memory, data: bytes) -> None:
    memory.write(PAGE - 2, data)
    assert memory.read(PAGE - 2, 2) == b"ab"


@pytest.mark.parametrize(
    ("value", "data"),
    [(1, b"\1\0\0\0"), (-1, b"\xff\xff\xff\xff"), (2**32 - 2, b"\xfe\xff\xff\xff"), (2**32, bytes(4))],
)
def test_a_u32_is_written_little_endian_whatever_its_sign(memory: Memory, value: int, data: bytes) -> None:
    memory.write_u32(3, value)
    assert memory.read(2, 6) == b"\0" + data + b"\0"


@pytest.mark.parametrize(("at", "size"), [(0, 0), (0, PAGE), (PAGE, 0), (PAGE - 1, 1)])
def test_ranges_within_can_be_read_and_written(memory: Memory, at: int, size: int) -> None:
    memory.write(at, b"x" * size)
    assert memory.read(at, size) == b"x" * size


OUTSIDE = [
    (PAGE, 1), (PAGE - 1, 2), (PAGE + 1, 0), (-1, 1), (-1, 0), (-4, 8), (-PAGE, PAGE), (0, PAGE + 1),
    (2**32 - 1, 1), (2**32, 1), (2**32, 0), (2**64, 4), (-(2**64), 4), (0, 2**32), (2**31, 2**31),
]  # fmt: skip


@pytest.mark.parametrize(("at", "size"), [*OUTSIDE, (0, -1), (5, -5), (PAGE, -1), (2**63, -(2**63))])
def test_reading_outside_is_an_index_error(memory: Memory, at: int, size: int) -> None:
    with pytest.raises(IndexError, match=f"the memory of {PAGE} bytes"):
        memory.read(at, size)


@pytest.mark.parametrize(("at", "size"), [place for place in OUTSIDE if place[1] < 2**20])
def test_writing_outside_is_an_index_error_and_writes_nothing(memory: Memory, at: int, size: int) -> None:
    with pytest.raises(IndexError):
        memory.write(at, b"x" * size)
    assert bytes(memory.view()) == bytes(PAGE)


@pytest.mark.parametrize("at", [PAGE - 3, PAGE, -1, -4, 2**32, -(2**64)])
def test_a_u32_outside_is_an_index_error_and_writes_nothing(memory: Memory, at: int) -> None:
    with pytest.raises(IndexError):
        memory.write_u32(at, 0xFFFFFFFF)
    assert bytes(memory.view()) == bytes(PAGE)


@pytest.mark.parametrize("bounds", ["1 16384", "1", "0 300", "0", "1 2", "2 2"])
def test_growth_is_seen_at_once(start: Starter, bounds: str) -> None:
    """In small steps and large ones, up to the limit, with a view held and without."""
    instance = start(GROWING.format(bounds=bounds), HOSTS, pages=16384)
    memory, grow = instance.memory, instance.exports["grow"]
    grow(1)
    size, held = memory.size(), memory.view()
    for pages in (0, 1, 1, 7, 100, 1000, 5000, 16384, 16383, 1):
        before = memory.size()
        if grow(pages) != -1:
            assert memory.size() == before + pages * PAGE
            last = memory.size() - 1
            memory.write(last, b"!")
            assert memory.read(last, 1) == b"!"
            assert instance.exports["at"](last) == ord("!")
        with pytest.raises(IndexError):
            memory.read(memory.size(), 1)
    assert len(held) == size
    held[0] = 42


@pytest.mark.parametrize("bounds", ["1 16384", "0"])
def test_growth_never_moves_the_memory_of_a_compiled_guest(start: Starter, bounds: str) -> None:
    if start.engine.name == "python":
        pytest.skip("its memory moves")
    instance = start(GROWING.format(bounds=bounds), HOSTS, pages=16384)
    memory, grow = instance.memory, instance.exports["grow"]
    grow(1)
    first, held = base(memory), memory.view()
    for pages in (1, 100, 5000, 16384, 1):
        grow(pages)
        assert base(memory) == first
    held[0] = 42
    assert memory.read(0, 1) == bytes([42])


def test_growth_is_seen_without_asking_for_the_size(start: Starter) -> None:
    instance = start(GROWING.format(bounds="1 4"), HOSTS)
    memory = instance.memory
    for page in range(1, 4):
        with pytest.raises(IndexError):
            memory.read(page * PAGE, 1)
        instance.exports["grow"](1)
        memory.write_u32(page * PAGE, 0x64636261)
        assert memory.read(page * PAGE - 1, 6) == b"\0abcd\0"


def test_other_memories_do_not_move_this_one(start: Starter) -> None:
    instance = start(GROWING.format(bounds="1 1000"), HOSTS)
    first = base(instance.memory)
    others = [start(GROWING.format(bounds="1 1000"), HOSTS) for _ in range(10)]
    for other in others:
        other.exports["grow"](900)
    instance.exports["grow"](900)
    assert base(instance.memory) == first or start.engine.name == "python"
    assert len({base(other.memory) for other in others} | {base(instance.memory)}) == 11


def test_a_memory_can_be_as_large_as_the_limit_allows(start: Starter) -> None:
    """60,000 pages are nearly 4 GiB, none of which is touched but the last."""
    instance = start(GROWING.format(bounds="60000"), HOSTS, pages=60000)
    end = 60000 * PAGE
    assert instance.memory.size() == end
    instance.memory.write(end - 3, b"end")
    assert instance.memory.read(end - 3, 3) == b"end"
    with pytest.raises(IndexError):
        instance.memory.write(end - 2, b"end")


def test_all_4_gib_can_be_read_or_are_refused(start: Starter) -> None:
    """wasmer reports the size of such a memory as 0; reading it as that would be the wrong kind of safe."""
    try:
        memory = start(GROWING.format(bounds="65536"), HOSTS, pages=65536).memory
    except PluginError as error:
        assert start.engine.name == "wasmer"
        assert "limit it to 65535 pages" in str(error)
        return
    memory.write_u32(2**32 - 4, 0x64636261)
    assert memory.read(2**32 - 5, 5) == b"\0abcd"


def test_growth_beyond_the_limit_is_refused(start: Starter) -> None:
    instance = start(GROWING.format(bounds="1"), HOSTS, pages=10)
    assert instance.exports["grow"](10) == -1
    assert instance.exports["grow"](9) == 1
    assert instance.memory.size() == 10 * PAGE


def test_a_module_without_a_memory_has_one_of_no_bytes(start: Starter) -> None:
    memory = start("(module)").memory
    assert memory.size() == 0
    assert memory.read(0, 0) == b""
    memory.write(0, b"")
    for access in (lambda: memory.read(0, 1), lambda: memory.write_u32(0, 1), lambda: memory.write(0, b"x")):
        with pytest.raises(IndexError):
            access()


def test_a_memory_that_is_not_exported_can_be_read_all_the_same(start: Starter) -> None:
    assert start('(module (memory 1) (data (i32.const 3) "hidden"))').memory.read(3, 6) == b"hidden"


def test_a_view_outlives_its_instance(start: Starter) -> None:
    """The memory stays mapped until the last view of it goes."""
    instance = start(GROWING.format(bounds="1 4"), HOSTS)
    instance.memory.write(100, b"still here")
    part = instance.memory.view()[100:110]
    read = instance.memory.read
    del instance
    gc.collect()
    others = [start(GROWING.format(bounds="1 4"), HOSTS) for _ in range(20)]
    for other in others:
        other.memory.write(100, b"overwritten")
    assert bytes(part) == b"still here"
    assert read(100, 10) == b"still here"


def addresses() -> int:
    """How many bytes of addresses this process has reserved."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[0]) * 4096


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_goes_when_nobody_looks_at_it_any_more(start: Starter) -> None:
    """Each takes 4 GiB of addresses at least, of which there are 128 TiB."""
    before = addresses()
    for _ in range(100):
        instance = start(GROWING.format(bounds="1 4"), HOSTS)
        instance.memory.read(0, 1)
        instance.close()
    del instance
    gc.collect()
    assert addresses() - before < 20 * 2**32


def test_another_thread_reads_what_the_owner_saw_last(start: Starter) -> None:
    """The python engine shows its owner at once that a memory grew; the others when it asks."""
    instance = start(GROWING.format(bounds="1 4"), HOSTS)
    memory = instance.memory
    memory.write(5, b"x")
    found: list[object] = []

    def look() -> None:
        found.append((memory.read(5, 1), memory.size()))
        try:
            memory.read(PAGE, 1)
        except IndexError as error:
            found.append(type(error))

    instance.exports["grow"](1)
    unseen: list[object] = [(b"x", PAGE), IndexError]
    for expected in ([(b"x", 2 * PAGE)] if start.engine.name == "python" else unseen, [(b"x", 2 * PAGE)]):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
        assert found == expected
        memory.size()
        found.clear()


def test_a_memory_that_moved_is_never_read() -> None:
    views = [memoryview(bytearray(10)), memoryview(bytearray(20))]
    memory = LinearMemory(lambda: views[0])
    views.pop(0)
    for access in (lambda: memory.read(15, 1), memory.size, lambda: memory.write(15, b"x")):
        with pytest.raises(PluginError, match="moved"):
            access()


def test_a_memory_that_shrank_is_never_read() -> None:
    views = [memoryview(bytearray(10)), nothing()]
    memory = LinearMemory(lambda: views[0])
    views.pop(0)
    with pytest.raises(PluginError, match="shrank"):
        memory.size()
