"""Host functions: what they are given, what they may give back, what happens when they raise, and re-entrancy."""

from __future__ import annotations

import gc
import math
import os
import signal
import sys
import threading
import time
import weakref
from collections.abc import Callable

import pytest
from guest import Hosts, Starter

from simwasm.engines.engine import Instance, Words
from simwasm.errors import Trap, TrapKind

KINDS = ("i32", "i64", "f32", "f64")
NESTED = """(module
    (import "env" "host" (func $host (param i32) (result i32)))
    (memory (export "memory") 1 4)
    (func (export "inner") (param i32) (result i32)
        (if (i32.eq (local.get 0) (i32.const 1)) (then unreachable))
        (if (i32.eq (local.get 0) (i32.const 2)) (then (drop (memory.grow (i32.const 1)))))
        (i32.add (local.get 0) (i32.const 100)))
    (func $middle (param i32) (result i32) (i32.add (call $host (local.get 0)) (i32.const 1000)))
    (func (export "outer") (param i32) (result i32) (call $middle (local.get 0))))"""


class Nested:
    """A guest whose host function does what a test says."""

    def __init__(self, start: Starter) -> None:
        self.host: Callable[[int], Words] = lambda word: word
        self.instance: Instance = start(NESTED, {"host": ("i32 -> i32", lambda word: self.host(word))})
        self.outer, self.inner = self.instance.exports["outer"], self.instance.exports["inner"]


@pytest.fixture
def nested(start: Starter) -> Nested:
    return Nested(start)


def through(kind: str) -> str:
    """A guest that hands a word of that type to the host, and back what the host answers."""
    return f"""(module (import "env" "host" (func $host (param {kind}) (result {kind})))
        (func (export "call") (param {kind}) (result {kind}) (call $host (local.get 0))))"""


@pytest.mark.parametrize(
    ("kind", "word", "seen"),
    [
        ("i32", -1, -1), ("i32", 2**32 - 1, -1), ("i32", 2**31, -(2**31)), ("i32", 2**31 - 1, 2**31 - 1),
        ("i64", -1, -1), ("i64", 2**64 - 1, -1), ("i64", 2**63, -(2**63)), ("i64", 2**40, 2**40),
        ("f32", -1.5, -1.5), ("f64", 0.1, 0.1), ("f64", -math.inf, -math.inf),
    ],
)  # fmt: skip
def test_words_arrive_signed_and_may_be_answered_either_way(
    start: Starter, kind: str, word: float, seen: float
) -> None:
    arrived: list[float] = []

    def host(word_seen: float) -> float:
        arrived.append(word_seen)
        return word

    assert start(through(kind), {"host": (f"{kind} -> {kind}", host)}).exports["call"](word) == seen
    assert arrived == [seen]


def test_a_host_function_may_have_no_words_and_no_answer(start: Starter) -> None:
    calls: list[tuple[float, ...]] = []
    instance = start(
        '(module (import "env" "host" (func $host)) (func (export "call") (call $host) (call $host)))',
        {"host": ("->", lambda *words: calls.append(words))},
    )
    assert instance.exports["call"]() is None
    assert calls == [(), ()]


def test_a_host_function_may_have_many_words_and_answers(start: Starter) -> None:
    kinds = " ".join(KINDS * 3)
    seen: list[tuple[float, ...]] = []

    def host(*words: float) -> tuple[float, float]:
        seen.append(words)
        return 2**64 - 1, 0.5

    words = [1, -(2**40), 0.5, 0.25] * 3
    instance = start(
        f"""(module (import "env" "host" (func $host (param {kinds}) (result i64 f32)))
        (func (export "call") (param {kinds}) (result i64 f32)
            {" ".join(f"(local.get {index})" for index in range(12))} (call $host)))""",
        {"host": (f"{kinds} -> i64 f32", host)},
    )
    assert instance.exports["call"](*words) == (-1, 0.5)
    assert seen == [tuple(words)]


def test_a_start_function_may_call_the_host(start: Starter) -> None:
    calls: list[int] = []
    start(
        '(module (import "env" "host" (func $host (param i32))) (func $s (call $host (i32.const 7))) (start $s))',
        {"host": ("i32 ->", calls.append)},
    )
    assert calls == [7]


def test_a_host_function_may_call_the_guest(nested: Nested) -> None:
    nested.host = lambda word: nested.inner(word + 10)
    assert nested.outer(5) == 1115


def test_calls_nest_a_hundred_deep(nested: Nested) -> None:
    nested.host = lambda word: nested.outer(word - 1) if word else 0
    assert nested.outer(100) == 101_000


def test_memory_that_grew_in_a_nested_call_is_there_for_the_host(nested: Nested) -> None:
    def host(word: int) -> int:
        assert nested.instance.memory.size() == 65536
        nested.inner(2)
        nested.instance.memory.write(100_000, b"beyond")
        return word

    nested.host = host
    nested.outer(5)
    assert nested.instance.memory.read(100_000, 6) == b"beyond"


class Own(Exception):
    """An error of a host function's own."""


RAISED = [
    Own("mine"), KeyError("k"), RuntimeError("RuntimeError: unreachable"), TypeError(), RecursionError(),
    OverflowError(), KeyboardInterrupt(), SystemExit(3), GeneratorExit(), Trap(TrapKind.OTHER),
]  # fmt: skip


@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("depth", [0, 1, 5])
def test_what_a_host_function_raises_comes_out_as_the_same_object(
    nested: Nested, error: BaseException, depth: int
) -> None:
    def host(word: int) -> Words:
        if word:
            return nested.outer(word - 1)
        raise error

    nested.host = host
    error.__context__ = None  # other tests raise it, too
    for _ in range(2):
        with pytest.raises(type(error)) as caught:
            nested.outer(depth)
        assert caught.value is error
        assert error.__context__ is None
    nested.host = lambda word: word
    assert nested.outer(1) == 1001


@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
def test_what_is_raised_while_starting_comes_out_as_the_same_object(
    start: Starter, error: BaseException
) -> None:
    def host() -> None:
        raise error

    text = '(module (import "env" "host" (func $host)) (start $host))'
    with pytest.raises(type(error)) as caught:
        start(text, {"host": ("->", host)})
    assert caught.value is error


def test_a_trap_in_a_nested_call_has_the_frames_of_that_call_only(nested: Nested) -> None:
    nested.host = nested.inner
    with pytest.raises(Trap) as caught:
        nested.outer(1)
    assert [frame.name for frame in caught.value.frames] == ["inner"]


def test_a_host_function_may_catch_a_nested_trap_and_go_on(nested: Nested) -> None:
    def host(word: int) -> int:
        with pytest.raises(Trap):
            nested.inner(1)
        return word

    nested.host = host
    assert nested.outer(5) == 1005


def test_endless_nesting_ends_wherever_it_begins(nested: Nested, start: Starter) -> None:
    """Python's limit ends it, or the engine's where Python's own frames are large (wasmtime 40 on 3.12)."""
    nested.host = lambda word: nested.outer(word)

    def begin(depth: int) -> Words:
        return begin(depth - 1) if depth else nested.outer(0)

    for depth in range(0, 60, 11 if start.engine.name == "python" else 1):
        with pytest.raises((RecursionError, Trap)) as caught:
            begin(depth)
        assert not isinstance(caught.value, Trap) or caught.value.kind is TrapKind.STACK_EXHAUSTED
    nested.host = lambda word: word
    assert nested.outer(1) == 1001


@pytest.mark.parametrize("answer", ["x", None, 1.5])
def test_an_answer_that_does_not_fit_is_an_error_and_no_trap(nested: Nested, answer: object) -> None:
    nested.host = lambda word: answer  # type: ignore[assignment, return-value]  # that is the point
    with pytest.raises((TypeError, RuntimeError)) as caught:
        nested.outer(1)
    assert not isinstance(caught.value, Trap)


@pytest.mark.skipif(sys.platform == "win32", reason="no os.kill with SIGINT")
def test_ctrl_c_reaches_a_guest_that_only_computes(start: Starter) -> None:
    """It arrives in the request for fuel, at an instruction that no `try` covers (see `callback`)."""
    computing = threading.Event()
    instance = start(
        '(module (import "env" "host" (func $host)) (func (export "spin") (call $host) (loop (br 0))))',
        {"host": ("->", computing.set)},
    )
    over = False

    def press() -> None:
        while computing.wait() and not over:
            computing.clear()
            time.sleep(0.002)
            os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=press)
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
    try:
        thread.start()
        for _ in range(20):
            with pytest.raises(KeyboardInterrupt):
                instance.exports["spin"]()
        over = True
        computing.set()
        thread.join()
    finally:
        signal.signal(signal.SIGINT, handler)


def test_a_program_starts_in_any_thread(start: Starter) -> None:
    from guest import NOWHERE, assemble

    from simwasm.engines.fuel import Fuel
    from simwasm.engines.load import load

    program = load(
        start.engine, assemble('(module (func (export "f") (result i32) (i32.const 3)))'), cache=NOWHERE
    )
    results: list[Words] = []
    threads = [
        threading.Thread(target=lambda: results.append(program.start({}, Fuel()).exports["f"]()))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [3] * 4


def test_an_instance_is_collected_once_it_is_closed(start: Starter) -> None:
    """Though its host function leads back to it, as a session's do."""

    class Holder:
        instance: Instance

        def host(self, word: int) -> int:
            return word

    def begin() -> weakref.ref[Holder]:
        holder = Holder()
        hosts: Hosts = {"host": ("i32 -> i32", holder.host)}
        holder.instance = start(NESTED, hosts)
        assert holder.instance.exports["outer"](1) == 1001
        holder.instance.close()
        return weakref.ref(holder)

    held = begin()
    gc.collect()
    assert held() is None


def test_an_export_outlives_its_instance(start: Starter) -> None:
    outer = start(NESTED, {"host": ("i32 -> i32", lambda word: word + 1)}).exports["outer"]
    gc.collect()
    for _ in range(100):
        assert outer(1) == 1002
