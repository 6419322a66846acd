"""How deep a guest gets: large frames count by their size, and Python's own limit is put back."""

from __future__ import annotations

import os
import signal
import sys
import threading

import pytest
from guest import Starter

from simwasm.engines.find import engine
from simwasm.engines.transpiler.recursion import DEEPEST, RESERVE
from simwasm.errors import Trap, TrapKind

LOCALS = 10_000


def deeper(locals: int) -> str:
    """A function that calls itself without end, with so many locals."""
    assigned = "".join(f"(local.set {at} (i32.const {at}))" for at in range(locals))
    return f"""(module (global $depth (export "depth") (mut i32) (i32.const 0))
        (func $down (export "down") (local {"i32 " * locals}) {assigned}
            (global.set $depth (i32.add (global.get $depth) (i32.const 1)))
            (call $down)))"""


def depth(locals: int) -> int:
    instance = Starter(engine("python"))(deeper(locals))
    with pytest.raises(Trap) as caught:
        instance.exports["down"]()
    assert caught.value.kind is TrapKind.STACK_EXHAUSTED
    assert caught.value.frames == ()
    return int(instance.get_global("depth"))


def test_frames_count_by_their_number_when_they_are_small() -> None:
    assert DEEPEST - 500 < depth(3) < DEEPEST


def test_frames_count_by_their_size_when_they_are_large() -> None:
    """So that they never take more than a quarter of a gibibyte together."""
    assert depth(LOCALS) <= (256 << 20) / (8 * LOCALS)


def test_pythons_own_limit_is_raised_for_the_guest_only() -> None:
    before = sys.getrecursionlimit()
    inside: list[int] = []

    def host(word: int) -> int:
        inside.append(sys.getrecursionlimit())
        if word:
            instance.exports["call"](0)
            inside.append(sys.getrecursionlimit())
        return word

    instance = Starter(engine("python"))(
        """(module (import "env" "host" (func $host (param i32) (result i32)))
        (func (export "call") (param i32) (result i32) (call $host (local.get 0))))""",
        {"host": ("i32 -> i32", host)},
    )
    instance.exports["call"](1)
    assert inside == [DEEPEST + RESERVE] * 3
    assert sys.getrecursionlimit() == before


@pytest.mark.skipif(sys.platform == "win32", reason="no os.kill with SIGINT")
def test_a_signal_in_the_middle_of_growth_leaves_a_whole_memory() -> None:
    """It can come anywhere, so it is sent until the guest was interrupted while it grew."""
    instance = Starter(engine("python"))(
        """(module (import "env" "host" (func $host)) (memory (export "memory") 1)
        (func (export "spin") (call $host)
            (loop (drop (memory.grow (i32.const 1))) (i32.store (i32.const 4) (memory.size)) (br 0)))
        (func (export "size") (result i32) (i32.load8_u (i32.const 5))))""",
        {"host": ("->", lambda: computing.set())},
        pages=100_000 // 16,
    )
    computing = threading.Event()

    def press() -> None:
        computing.wait()
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        instance.exports["spin"]()
    thread.join()
    instance.memory.write(5, b"\7")
    assert instance.exports["size"]() == 7
