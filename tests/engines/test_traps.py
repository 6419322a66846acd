"""Guests that stop where it hurts: out of stack with and without the host, while starting, before they start."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable

import pytest
from guest import NOWHERE, Starter, assemble

from simwasm.engines.engine import Words
from simwasm.engines.find import engine as find_engine
from simwasm.engines.fuel import Fuel
from simwasm.engines.load import load
from simwasm.errors import BadModule, PluginError, Trap, TrapKind
from simwasm.wasm.rewrite import Limits

RECURSIVE = """(module
    (import "env" "host" (func $host (param i32) (result i32)))
    (memory (export "memory") 1)
    (global $depth (export "depth") (mut i32) (i32.const 0))
    (func $plain (export "plain") (param i32) (result i32)
        (global.set $depth (i32.add (global.get $depth) (i32.const 1)))
        (i32.add (call $plain (i32.add (local.get 0) (i32.const 1))) (i32.const 1)))
    (func $talking (export "talking") (param i32) (result i32)
        (i32.add (call $talking (call $host (local.get 0))) (i32.const 1)))
    (func $ping (export "ping") (param i32) (result i32) (i32.add (call $pong (local.get 0)) (i32.const 1)))
    (func $pong (param i32) (result i32) (i32.add (call $ping (call $host (local.get 0))) (i32.const 1)))
    (func (export "fine") (result i32) (call $host (i32.const 41))))"""


def busy(word: int) -> int:
    """A host function that now and then needs some stack of its own."""

    def deep(levels: int) -> int:
        return deep(levels - 1) if levels else word + 1

    return deep(0 if word % 100 else 200)


def frames_here() -> int:
    frame, count = sys._getframe(), 0
    while frame := frame.f_back:  # type: ignore[assignment]  # None ends it
        count += 1
    return count


def in_this_thread(run: Callable[[], None]) -> None:
    run()


def in_a_worker(run: Callable[[], None]) -> None:
    failures: list[BaseException] = []

    def work() -> None:
        try:
            run()
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    for failure in failures:
        raise failure


@pytest.mark.parametrize("export", ["plain", "talking", "ping"])
@pytest.mark.parametrize("place", [in_this_thread, in_a_worker], ids=lambda place: place.__name__)
def test_endless_recursion_is_a_trap_and_leaves_python_whole(
    start: Starter, export: str, place: Callable[[Callable[[], None]], None]
) -> None:
    def run() -> None:
        instance = start(RECURSIVE, {"host": ("i32 -> i32", busy)})
        before = frames_here()
        for _ in range(2):
            with pytest.raises(Trap) as caught:
                instance.exports[export](0)
            assert caught.value.kind is TrapKind.STACK_EXHAUSTED
            assert caught.value.frames == ()
            assert frames_here() == before
            assert instance.exports["fine"]() == 42

    place(run)


def test_recursion_that_goes_through_the_host_ends_before_the_stack_does(start: Starter) -> None:
    """Even if Python's own limit is out of the way."""
    script = f"""
import sys, threading
sys.path[:0] = {sys.path!r}
from guest import Starter
from simwasm.engines.find import engine
from simwasm.engines.fuel import Fuel
from simwasm.errors import Trap
start = Starter(engine({start.engine.name!r}))
text = '''(module (import "env" "host" (func $host (param i32) (result i32)))
    (func (export "outer") (param i32) (result i32) (call $host (local.get 0))))'''
instance = start(text, {{"host": ("i32 -> i32", lambda word: instance.exports["outer"](word))}})
sys.setrecursionlimit(2500)
try:
    instance.exports["outer"](1)
except (RecursionError, Trap) as error:
    print(type(error).__name__)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() in ("RecursionError", "Trap")


def test_a_deep_but_finite_recursion_is_fine(start: Starter) -> None:
    """As deep as V8 lets it go in Envoy, about, with small frames."""
    instance = start(
        """(module (func $down (export "down") (param i32) (result i32)
            (if (result i32) (local.get 0)
                (then (i32.add (call $down (i32.sub (local.get 0) (i32.const 1))) (i32.const 1)))
                (else (i32.const 0)))))"""
    )
    assert instance.exports["down"](10_000) == 10_000


@pytest.mark.parametrize(
    ("fields", "kind", "names"),
    [
        ("(func $s unreachable) (start $s)", TrapKind.UNREACHABLE, ["s"]),
        ("(func $t unreachable) (func $s (call $t)) (start $s)", TrapKind.UNREACHABLE, ["t", "s"]),
        ('(memory 1) (data (i32.const 65530) "simwasm")', TrapKind.MEMORY_BOUNDS, []),
        ('(memory 1) (data (i32.const -1) "")', TrapKind.MEMORY_BOUNDS, []),
        ("(table 1 funcref) (func $f) (elem (i32.const 1) $f)", TrapKind.TABLE_BOUNDS, []),
    ],
)
def test_a_trap_while_starting(start: Starter, fields: str, kind: TrapKind, names: list[str]) -> None:
    with pytest.raises(Trap) as caught:
        start(f"(module {fields})")
    assert caught.value.kind is kind
    assert [frame.name for frame in caught.value.frames] == names


def test_a_frame_is_where_the_original_has_it(start: Starter) -> None:
    text = '(module (func (export "stop") (nop) (if (i32.const 1) (then (nop) unreachable))))'
    with pytest.raises(Trap) as caught:
        start(text).exports["stop"]()
    (frame,) = caught.value.frames
    assert frame.function == 0
    assert frame.offset == assemble(text).index(bytes.fromhex("01 00 0b 0b")) + 1


def test_fuel_that_ends_at_a_copy_ended_there(start: Starter) -> None:
    """Moving much is paid by code that is put before it."""
    body = "(loop (memory.fill (i32.const 0) (i32.const 1) (i32.const 65536)) (br 0))"
    text = f'(module (memory 1) (func (export "fill") {body}))'
    with pytest.raises(Trap) as caught:
        start(text, fuel=Fuel(20_000)).exports["fill"]()
    assert caught.value.frames[0].offset == assemble(text).index(b"\xfc\x0b")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("(module (func (result i32) (i64.const 1)))", r"type mismatch: expected \[?i32\]?, found \[?i64"),
        ("(module (func (export \"a\")) (func (drop (i32.load (i32.const 0)))))", "memory"),
        (
            "(module (func (local i32) (i64.eqz (local.get 0)) drop))",
            r"type mismatch: expected \[?i64\]?, found \[?i32",
        ),
    ],
)  # fmt: skip
def test_an_invalid_module_is_reported_with_the_offset_in_the_original(
    start: Starter, text: str, complaint: str
) -> None:
    with pytest.raises(BadModule, match=complaint) as caught:
        start(text)
    assert caught.value.offset is not None
    assert caught.value.offset < len(assemble(text))
    assert "rewritten" not in str(caught.value)


def test_an_invalid_module_has_the_same_offset_everywhere(starters: dict[str, Starter]) -> None:
    def offset(start: Starter) -> int | None:
        with pytest.raises(BadModule) as caught:
            start("(module (func nop nop) (func (result i32) nop i64.const 1))")
        return caught.value.offset

    assert len({offset(start) for start in starters.values()}) == 1


NEWER = [
    ("(module (func $f (return_call $f)))", "tail calls"),
    ("(module (global i32 (i32.add (i32.const 1) (i32.const 2))))", "extended constant expressions"),
    (
        "(module (func (drop (i8x16.relaxed_swizzle (v128.const i64x2 1 2) (v128.const i64x2 1 2)))))",
        "relaxed SIMD",
    ),
]


@pytest.mark.parametrize(("text", "feature"), NEWER)
def test_a_feature_that_wasmer_lacks_names_the_engine_that_has_it(text: str, feature: str) -> None:
    pytest.importorskip("wasmer", reason="wasmer has builds for CPython 3.10 only", exc_type=ImportError)
    with pytest.raises(BadModule) as caught:
        Starter(find_engine("wasmer"))(text)
    assert f"the module uses {feature}, which wasmer does not have; try --engine wasmtime" in str(
        caught.value
    )


@pytest.mark.parametrize("text", [text for text, _ in NEWER])
@pytest.mark.parametrize("name", ["wasmtime", "python"])
def test_other_engines_have_the_features(name: str, text: str) -> None:
    Starter(find_engine(name))(text)


def test_a_memory_that_begins_beyond_the_limit_is_refused(start: Starter) -> None:
    with pytest.raises(PluginError, match="11 pages"):
        start("(module (memory 11))", pages=10)


@pytest.mark.skipif(sys.platform != "linux", reason="ulimit -v is Linux's")
def test_addresses_that_the_machine_does_not_give_are_an_error_with_advice(start: Starter) -> None:
    if start.engine.name == "python":
        pytest.skip("it reserves no addresses for a small memory")
    script = f"""
import sys, resource
sys.path[:0] = {sys.path!r}
from guest import Starter
from simwasm.engines.find import engine
from simwasm.engines.fuel import Fuel
from simwasm.errors import EngineUnavailable
start = Starter(engine({start.engine.name!r}))
start("(module)")
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
try:
    start("(module (memory 1))")
except EngineUnavailable as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "ulimit -v" in done.stdout


def test_limits_belong_to_a_program(start: Starter) -> None:
    """Nothing of one program's limits reaches another of the same plugin."""
    from simwasm.engines.fuel import Fuel

    text = '(module (memory 1) (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))'

    def grow(pages: int) -> Words:
        return (
            load(start.engine, assemble(text), Limits(pages=pages), NOWHERE)
            .start({}, Fuel())
            .exports["grow"](5)
        )

    assert (grow(5), grow(6), grow(5)) == (-1, 1, -1)
