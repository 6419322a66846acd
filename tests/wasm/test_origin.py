"""Where engines say a guest stopped, led back to the plugin as it was built."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import wasmtime

from simwasm.errors import Frame
from simwasm.wasm.decode import instructions
from simwasm.wasm.module import Kind
from simwasm.wasm.reader import read_module
from simwasm.wasm.rewrite import Rewritten, rewrite

Assemble = Callable[..., bytes]

TEXT = """(module (import "env" "log" (func $log)) (memory (export "memory") 1)
  (func $inner (param i32)
    (loop (br_if 0 (i32.ne (local.tee 0 (i32.sub (local.get 0) (i32.const 1))) (i32.const 0))))
    (drop (i32.load (i32.const -4))))
  (func $outer (export "outer") (call $inner (i32.const 2)) nop)
  (func $spin (export "spin") nop (loop (br 0))))"""


def frames(error: Exception) -> list[tuple[int, int]]:
    """The functions and file offsets in an engine's trap, innermost first."""
    if isinstance(error, wasmtime.Trap):
        return [(frame.func_index, frame.module_offset or 0) for frame in error.frames]
    return [(int(index), int(at, 16)) for index, at in re.findall(r"\[(\d+)\]:0x([0-9a-f]+)", str(error))]


def stopped(start: Any, rewritten: Rewritten, name: str) -> list[Frame | None]:
    running = start(rewritten.wasm, {("env", "log"): lambda: None, ("simwasm", "slice"): lambda: 0})
    with pytest.raises((wasmtime.Trap, RuntimeError)) as caught:
        running.call(name)
    return [rewritten.origin(function, at) for function, at in frames(caught.value)]


def offset_of(wasm: bytes, function: int, name: str) -> int:
    """The offset of the first instruction of that name in a function of the module's own."""
    body = read_module(wasm).bodies[function]
    return next(i.offset for i in instructions(wasm, body.code, body.end) if i.opcode.name == name)


def test_a_trap_is_where_it_is_in_the_original(assemble: Assemble, start: Any) -> None:
    """Both frames, on each engine: the instruction that trapped, and the call it came by."""
    wasm = assemble(TEXT, "--debug-names")
    assert stopped(start, rewrite(read_module(wasm)), "outer") == [
        Frame(1, "inner", offset_of(wasm, 0, "i32.load")),
        Frame(2, "outer", offset_of(wasm, 1, "call")),
    ]


def test_running_out_of_fuel_is_at_the_loop_that_ran_out(assemble: Assemble, start: Any) -> None:
    """The added function has no origin, the check in the loop is its head."""
    wasm = assemble(TEXT, "--debug-names")
    assert stopped(start, rewrite(read_module(wasm)), "spin") == [
        None,
        Frame(3, "spin", offset_of(wasm, 2, "loop")),
    ]


def test_every_instruction_of_a_plugin_leads_back_to_itself(usual_plugin: bytes) -> None:
    """An instruction and its origin differ in nothing but the index of a function that moved."""
    module = read_module(usual_plugin)
    rewritten = rewrite(module)
    first = len(module.imported(Kind.FUNCTION))
    again = read_module(rewritten.wasm)
    sample = sorted(
        range(len(module.bodies)), key=lambda own: module.bodies[own].start - module.bodies[own].end
    )[:20]
    for own in sample:
        body = module.bodies[own]
        names = {i.offset: i.opcode.name for i in instructions(usual_plugin, body.code, body.end)}
        met = set()
        moved = again.bodies[own]
        for item in instructions(again.data, moved.code, moved.end):
            origin = rewritten.origin(first + own + 1, item.offset)
            assert origin is not None
            if names[origin.offset] == item.opcode.name:
                met.add(origin.offset)
        assert met == set(names)


def test_functions_that_were_added_have_no_origin(small_plugin: bytes) -> None:
    rewritten = rewrite(read_module(small_plugin))
    imported = len(rewritten.module.imported(Kind.FUNCTION))
    total = imported + len(rewritten.module.functions)
    assert [rewritten.origin(index, 0) for index in (imported, total + 1, total + 2)] == [None, None, None]


def test_imported_functions_keep_index_and_name(small_plugin: bytes) -> None:
    rewritten = rewrite(read_module(small_plugin))
    origin = rewritten.origin(0, 0)
    assert origin is not None and origin.name == rewritten.module.imports[0].name


def test_a_rewritten_module_from_a_cache_leads_back_too(assemble: Assemble) -> None:
    """Nothing but the bytes, the original and the limits is needed."""
    fresh = rewrite(read_module(assemble(TEXT)))
    cached = Rewritten(bytes(fresh.wasm), read_module(fresh.module.data), fresh.limits)
    at = read_module(fresh.wasm).bodies[1].end - 1
    assert cached.origin(3, at) == fresh.origin(3, at)
