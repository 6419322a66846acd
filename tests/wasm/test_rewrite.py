"""A rewritten module does what the original does, and what every engine lacks."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simwasm.errors import BadModule, PluginError
from simwasm.wasm.decode import instructions
from simwasm.wasm.encode import section, u32
from simwasm.wasm.module import Bounds, FuncType, Kind, MemoryType
from simwasm.wasm.reader import read_module
from simwasm.wasm.rewrite import FUEL, MEMORY, SLICE, Limits, global_export, rewrite, table_export

Assemble = Callable[..., bytes]
Start = Callable[..., Any]
ENDLESS: dict[tuple[str, str], Callable[..., Any]] = {SLICE: lambda: 1_000_000}

KERNELS = """(module (memory (export "memory") 1) (table $t 4 funcref) (elem (i32.const 0) $fib $sum)
  (global $counter (mut i32) (i32.const 0)) (type $unary (func (param i32) (result i32)))
  (func $fib (export "fib") (param i32) (result i32)
    (if (result i32) (i32.lt_s (local.get 0) (i32.const 2)) (then (local.get 0))
      (else (call $fib (i32.sub (local.get 0) (i32.const 1))) (call $fib (i32.sub (local.get 0) (i32.const 2)))
        (i32.add))))
  (func $sum (export "sum") (param i32) (result i32) (local i32 i64 f32)
    (loop (local.set 1 (i32.add (local.get 1) (local.get 0)))
      (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (local.get 1))
  (func (export "by_table") (param i32 i32) (result i32) (call_indirect (type $unary) (local.get 1) (local.get 0)))
  (func (export "sieve") (param i32) (result i32) (local i32 i32)
    (local.set 1 (i32.const 2))
    (loop
      (if (i32.eqz (i32.load8_u (local.get 1))) (then
        (global.set $counter (i32.add (global.get $counter) (i32.const 1)))
        (local.set 2 (i32.add (local.get 1) (local.get 1)))
        (block (loop (br_if 1 (i32.ge_u (local.get 2) (local.get 0))) (i32.store8 (local.get 2) (i32.const 1))
          (local.set 2 (i32.add (local.get 2) (local.get 1))) (br 0)))))
      (br_if 0 (i32.lt_u (local.tee 1 (i32.add (local.get 1) (i32.const 1))) (local.get 0))))
    (global.get $counter))
  (func (export "values") (param i32) (result i32)
    (local.get 0) (loop (param i32) (result i32) (i32.const 1) (i32.sub) (local.tee 0) (local.get 0) (br_if 0))))"""

CALLS = [("fib", 15), ("sum", 100), ("by_table", 0, 9), ("by_table", 1, 9), ("sieve", 1000), ("values", 50)]


def outcome(running: Any, name: str, words: tuple[int, ...]) -> object:
    """The result of a call, or that it stopped, with what the engine calls the reason."""
    try:
        return running.call(name, *words)
    except Exception as error:  # each engine has its own classes for traps
        text = str(error).partition("\n    at ")[0].rpartition("wasm trap: ")[2]
        return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call[0])
def test_kernels_compute_the_same(assemble: Assemble, start: Start, call: tuple[str, int]) -> None:
    """Results and memory are those of the original."""
    wasm = assemble(KERNELS)
    before, after = start(wasm, {}), start(rewrite(read_module(wasm)).wasm, ENDLESS)
    assert before.call(*call) == after.call(*call)
    assert before.memory() == after.memory()


class Stub:
    """A host that answers every import with `answer`, runs a clock, and remembers how it was asked."""

    def __init__(self, wasm: bytes, answer: int) -> None:
        self.asked: list[tuple[object, ...]] = []
        self.guest: Any = None
        self.functions: dict[tuple[str, str], Callable[..., Any]] = {}
        for item in read_module(wasm).imported(Kind.FUNCTION):
            assert isinstance(item.type, FuncType)
            given = (0 if item.module.startswith("wasi") else answer) if item.type.results else None
            self.functions[item.module, item.name] = self._function(item.name, given)

    def _function(self, name: str, answer: int | None) -> Callable[..., int | None]:
        def asked(*words: int) -> int | None:
            self.asked.append((name, *words))
            if name == "clock_time_get":  # Go does not start if no time passes
                self.guest.write(words[2], (1_000_000 * len(self.asked)).to_bytes(8, "little"))
            return (
                8 if name in ("fd_write", "poll_oneoff", "fd_prestat_get") else answer
            )  # or Go goes on forever

        return asked


LIFE = (("_initialize",), ("_start",), ("proxy_on_context_create", 1, 0), ("proxy_on_vm_start", 1, 0),
        ("proxy_on_configure", 1, 0), ("proxy_on_context_create", 2, 1), ("proxy_on_request_headers", 2, 3, 1),
        ("proxy_on_log", 2), ("malloc", 100), ("proxy_on_delete", 2))  # fmt: skip


PLUGINS = sorted(Path(__file__).parents[2].glob("samples/*/plugin.wasm"))
LIVES = [
    (path, engine) for path in PLUGINS if path.stat().st_size < 1 << 20 for engine in ("wasmtime", "wasmer")
]
"""But for the large one, which takes an engine 5 s to compile, twice; Envoy runs it as it was."""
SAID = [f"{path.parent.name}-{engine}" for path, engine in LIVES]


def life(
    start: Start, wasm: bytes, extra: dict[tuple[str, str], Callable[..., Any]], answer: int
) -> list[object]:
    """A plugin's life with a host that always answers the same: results, calls, memory; a trap ends it."""
    stub = Stub(wasm, answer)
    running = stub.guest = start(wasm, {**stub.functions, **extra})
    exports = {export.name: export.index for export in read_module(wasm).exports}
    seen: list[object] = []
    for name, *words in LIFE:
        if name in exports:
            params = len(read_module(wasm).function_type(exports[name]).params)
            seen.append(outcome(running, name, tuple(map(int, words[:params]))))
            if isinstance(seen[-1], str):
                break
    return [*seen, stub.asked, running.memory()]


@pytest.mark.parametrize(("plugin", "start"), LIVES, indirect=True, ids=SAID)
def test_plugins_live_the_same_life(plugin: bytes, start: Start) -> None:
    """Every host call, result, trap and byte of memory is that of the original."""
    rewritten = rewrite(read_module(plugin)).wasm
    assert life(start, plugin, {}, 0) == life(start, rewritten, ENDLESS, 0)


def test_a_plugin_lives_the_same_life_where_the_host_refuses(small_plugin: bytes, start: Start) -> None:
    rewritten = rewrite(read_module(small_plugin)).wasm
    assert life(start, small_plugin, {}, 1) == life(start, rewritten, ENDLESS, 1)


def test_rewritten_plugins_are_valid(plugin: bytes, wabt: Callable[..., str]) -> None:
    wabt(rewrite(read_module(plugin)).wasm, "wasm-validate")


def test_the_same_plugin_gives_the_same_bytes(usual_plugin: bytes) -> None:
    assert rewrite(read_module(usual_plugin)).wasm == rewrite(read_module(usual_plugin)).wasm


def test_an_endless_loop_ends_when_no_more_fuel_is_given(assemble: Assemble, start: Start) -> None:
    wasm = rewrite(read_module(assemble('(module (func (export "spin") (loop (br 0))))'))).wasm
    given = iter([1_000_000, 0])
    running = start(wasm, {SLICE: lambda: next(given)})
    assert "unreachable" in str(outcome(running, "spin", ()))


def test_an_endless_recursion_pays_too(assemble: Assemble, start: Start) -> None:
    wasm = assemble('(module (func $down (export "down") (param i32) (call $down (i32.const 0))))')
    running = start(rewrite(read_module(wasm), Limits(slice=1000)).wasm, {SLICE: lambda: 0})
    assert "unreachable" in str(outcome(running, "down", (0,)))


def test_fuel_begins_as_a_slice_and_counts_down(assemble: Assemble, start: Start) -> None:
    """sum(10): the entry pays for 2 instructions, ten times the loop head for 10."""
    running = start(rewrite(read_module(assemble(KERNELS)), Limits(slice=5000)).wasm, ENDLESS)
    assert running.get(FUEL) == 5000
    running.call("sum", 10)
    assert running.get(FUEL) == 5000 - 2 - 10 * 11


def test_a_refill_is_added_to_what_is_left(assemble: Assemble, start: Start) -> None:
    """Between two refills a guest pays exactly what it was given."""
    given: list[int] = []

    def more() -> int:
        given.append(1000)
        return 1000

    running = start(rewrite(read_module(assemble(KERNELS)), Limits(slice=1000)).wasm, {SLICE: more})
    running.call("sum", 1000)
    assert running.get(FUEL) == 1000 + sum(given) - 2 - 1000 * 11


def test_memory_grows_to_the_limit_and_not_beyond(assemble: Assemble, start: Start) -> None:
    text = """(module (memory (export "memory") 1)
      (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))"""
    running = start(rewrite(read_module(assemble(text)), Limits(pages=4)).wasm, ENDLESS)
    assert (running.call("grow", 3), running.call("grow", 1)) == (1, -1)


@pytest.mark.parametrize(("declared", "maximum"), [("1", 64), ("1 9", 9), ("1 99", 64), ("64", 64)])
def test_the_lower_maximum_of_memory_holds(assemble: Assemble, declared: str, maximum: int) -> None:
    module = read_module(
        rewrite(read_module(assemble(f"(module (memory {declared}))")), Limits(pages=64)).wasm
    )
    assert module.memories[0].bounds.maximum == maximum


def test_an_imported_memory_becomes_the_modules_own(assemble: Assemble, start: Start) -> None:
    wasm = assemble(
        '(module (import "env" "memory" (memory 2)) (func (export "size") (result i32) memory.size))'
    )
    rewritten = rewrite(read_module(wasm), Limits(pages=8)).wasm
    assert read_module(rewritten).memories == (MemoryType(Bounds(2, 8)),)
    assert start(rewritten, ENDLESS).call("size") == 2


def test_an_imported_table_becomes_the_modules_own_and_stays_first(assemble: Assemble, start: Start) -> None:
    wasm = assemble("""(module (import "env" "table" (table 1 funcref)) (table 2 funcref)
      (elem (table 0) (i32.const 0) func $seven) (func $seven (result i32) (i32.const 7))
      (func (export "call") (result i32) (call_indirect 0 (result i32) (i32.const 0))))""")
    rewritten = rewrite(read_module(wasm)).wasm
    assert [table.bounds.minimum for table in read_module(rewritten).tables] == [1, 2]
    assert start(rewritten, ENDLESS).call("call") == 7


def test_memory_larger_than_the_limit_at_start_is_refused(assemble: Assemble) -> None:
    module = read_module(assemble("(module (memory 100))"))
    with pytest.raises(PluginError, match=r"begins with 100 pages \(6.25 MiB\), the limit is 64 pages"):
        rewrite(module, Limits(pages=64))


def test_hidden_globals_are_exported_under_their_index(assemble: Assemble, start: Start) -> None:
    text = """(module (import "env" "g" (global i32)) (global (mut i64) (i64.const 7)) (global i32 (i32.const 1))
      (global (export "shown") (mut i32) (i32.const 2)))"""
    exports = read_module(rewrite(read_module(assemble(text))).wasm).exports
    assert [(item.name, item.index) for item in exports] == [("shown", 3), (global_export(1), 1), (FUEL, 4)]


def test_hidden_globals_have_their_value(assemble: Assemble, start: Start) -> None:
    wasm = rewrite(read_module(assemble("(module (global (mut i64) (i64.const 7)))"))).wasm
    assert start(wasm, ENDLESS).get(global_export(0)) == 7


def test_hidden_tables_are_exported_under_their_index(assemble: Assemble) -> None:
    text = '(module (table 1 funcref) (table (export "shown") 1 funcref) (table 1 externref))'
    exports = read_module(rewrite(read_module(assemble(text))).wasm).exports
    found = [item.name for item in exports if item.kind is Kind.TABLE]
    assert found == ["shown", table_export(0), table_export(2)]


@pytest.mark.parametrize(
    ("text", "added"), [('(export "memory")', False), ('(export "other")', True), ("", True)]
)
def test_memory_is_exported_unless_it_is_under_its_usual_name(
    assemble: Assemble, text: str, added: bool
) -> None:
    module = read_module(rewrite(read_module(assemble(f"(module (memory {text} 1))"))).wasm)
    assert (MEMORY in [export.name for export in module.exports]) is added


def test_the_slice_function_is_the_last_imported_one(plugin: bytes) -> None:
    imports = read_module(rewrite(read_module(plugin)).wasm).imported(Kind.FUNCTION)
    assert (imports[-1].module, imports[-1].name) == SLICE


def test_references_follow_the_functions_that_moved(assemble: Assemble, start: Start) -> None:
    """Start function, elements of every kind, exports, ref.func and both calls still reach the same function."""
    text = """(module (import "env" "tell" (func $tell (param i32))) (type $v (func)) (table $t 6 funcref)
      (func $one (call $tell (i32.const 1))) (func $two (call $tell (i32.const 2)))
      (func $three (call $tell (i32.const 3)))
      (func $start (call $tell (i32.const 0))) (start $start) (export "two" (func $two))
      (elem (table $t) (i32.const 0) func $one $two) (elem (table $t) (i32.const 2) funcref (ref.func $three))
      (elem $passive func $two) (elem declare func $one)
      (func (export "all") (call $one) (call_indirect (type $v) (i32.const 1)) (call_indirect (type $v) (i32.const 2))
        (table.init $passive (i32.const 3) (i32.const 0) (i32.const 1)) (call_indirect (type $v) (i32.const 3))
        (table.set $t (i32.const 4) (ref.func $one)) (call_indirect (type $v) (i32.const 4))))"""
    told: list[int] = []
    running = start(rewrite(read_module(assemble(text))).wasm, {**ENDLESS, ("env", "tell"): told.append})
    running.call("all")
    running.call("two")
    assert told == [0, 1, 2, 3, 2, 1, 2]


def test_function_names_move_with_the_functions(assemble: Assemble, wabt: Callable[..., str]) -> None:
    wasm = assemble('(module (import "env" "log" (func $log)) (func $mine))', "--debug-names")
    printed = wabt(rewrite(read_module(wasm)).wasm, "wasm-objdump", "-x", "-j", "name")
    assert re.findall(r"func\[(\d)\] <(.*)>", printed) == [
        ("0", "log"), ("1", "simwasm.slice"), ("2", "mine"), ("3", "simwasm.refill")]  # fmt: skip


def test_custom_sections_other_than_names_are_dropped(plugin: bytes) -> None:
    module = read_module(rewrite(read_module(plugin)).wasm)
    assert [section.name for section in module.sections if section.id == 0] == ["name"]


def test_a_module_of_nothing_becomes_one_that_runs(start: Start) -> None:
    assert start(rewrite(read_module(b"\0asm\1\0\0\0")).wasm, ENDLESS).get(FUEL) == Limits().slice


def test_a_module_that_was_rewritten_is_refused(small_plugin: bytes) -> None:
    with pytest.raises(PluginError, match="rewritten by simwasm before; load the one your build produced"):
        rewrite(read_module(rewrite(read_module(small_plugin)).wasm))


def test_an_instruction_that_cannot_be_decoded_is_named_with_its_function(assemble: Assemble) -> None:
    wasm = assemble("(module (func) (func $bad (nop) (nop)))", "--debug-names")
    body = read_module(wasm).bodies[1]
    broken = wasm[: body.code + 1] + b"\x06" + wasm[body.code + 2 :]
    with pytest.raises(
        BadModule, match=rf"0x06.*exception handling.*function bad.*offset 0x{body.code + 1:x}"
    ):
        rewrite(read_module(broken))


def nested(assemble: Assemble, kind: str, depth: int) -> bytes:
    """A function of blocks within blocks."""
    code = {"block": b"\x02\x40", "loop": b"\x03\x40"}[kind] * depth + b"\x0b" * depth
    content = b"\x01" + u32(len(code) + 2) + b"\0" + code + b"\x0b"
    wasm = assemble("(module (func))")
    return wasm[: read_module(wasm).sections[-1].start - 2] + section(10, content)


def test_blocks_nested_deeper_are_refused_before_an_engine_compiles_them_for_minutes(
    assemble: Assemble,
) -> None:
    with pytest.raises(BadModule, match=r"nested deeper than 10,000.*func\[0\]"):
        rewrite(read_module(nested(assemble, "block", 10_001)))


@pytest.mark.parametrize("kind", ["block", "loop"])
def test_ten_thousand_nested_blocks_are_rewritten(assemble: Assemble, kind: str) -> None:
    """Deeper than Python's recursion limit."""
    depth = 10_000
    assert sys.getrecursionlimit() < depth
    wasm = nested(assemble, kind, depth)
    rewritten = read_module(rewrite(read_module(wasm)).wasm)
    body = rewritten.bodies[0]
    found = list(instructions(rewritten.data, body.code, body.end))
    assert sum(item.opcode.name == kind for item in found) == depth
