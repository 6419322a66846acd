"""A module written out as Python is the module."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from guest import assemble

from simwasm.cli import main
from simwasm.engines.written import Written, line_text, lines_of, packed, unpacked
from simwasm.errors import InputError

ROOT = Path(__file__).parents[2]
GUEST = """(module
    (import "env" "host" (func $host (param i32 i64) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "abc")
    (table funcref (elem $inner))
    (global $count (mut i32) (i32.const 0))
    (func $inner (param $size i32) (result i32) (call $host (local.get $size) (i64.const -1)))
    (func (export "call") (param i32) (result i32)
        (global.set $count (i32.add (global.get $count) (i32.const 1)))
        (call_indirect (param i32) (result i32) (local.get 0) (i32.const 0)))
    (func $max (param f64 f64) (result f64) (f64.max (local.get 0) (local.get 1)))
    (func (export "max") (param f64 f64) (result f64) (call $max (local.get 0) (local.get 1)))
    (func $loads (param i32) (result i32) (i32.load (local.get 0)))
    (func (export "trap") (result i32) (call $loads (i32.const -1)))
    (func (export "vector") (result i32)
        (i8x16.extract_lane_u 3 (v128.const i8x16 0x66 0x31 0x20 0x6c 0x30 0 0 0 0 0 0 0 0 0 0 0))))"""


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the guest as a file of Python, once whole and once with one function."""
    folder = tmp_path_factory.mktemp("written")
    (folder / "guest.wasm").write_bytes(assemble(GUEST))
    for words in (["-o", str(folder / "whole.py")], ["-f", "max", "-o", str(folder / "part.py")]):
        assert main(["transpile", str(folder / "guest.wasm"), *words]) == 0
    return folder


def run(folder: Path, code: str) -> str:
    """What a program prints that imports the file, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("name", ["whole", "part"])
def test_it_is_imported_and_runs(out: Path, name: str) -> None:
    code = f"""
import {name} as guest
instance = guest.instantiate({{("env", "host"): lambda size, wide: size * 2 if wide == -1 else 0}})
print(instance.exports["call"](21), instance.exports["max"](1.5, -2.5), instance.exports["vector"](),
      instance.memory.read(0, 3), instance.exports["call"](-2))
"""
    assert run(out, code) == "42 1.5 108 b'abc' -4"


def test_a_trap_is_where_it_is_in_the_plugin(out: Path) -> None:
    code = """
import whole
from simwasm.errors import Trap
try:
    whole.instantiate({("env", "host"): lambda *words: 0}).exports["trap"]()
except Trap as trap:
    print(trap.kind.name, *(frame.name for frame in trap.frames), hex(trap.frames[0].offset))
"""
    wasm = assemble(GUEST)
    assert run(out, code) == f"MEMORY_BOUNDS loads trap {wasm.index(bytes.fromhex('280200')):#x}"


def test_a_change_in_the_file_is_a_change_of_the_guest(out: Path) -> None:
    text = (out / "whole.py").read_text()
    before, name, after = text.partition("__max(l0, l1):")
    (out / "changed.py").write_text(before + name + after.replace("return ", "return 100 + ", 1))
    code = """
import changed
print(changed.instantiate({("env", "host"): lambda *words: 0}).exports["max"](2.0, 3.0))
"""
    assert run(out, code) == "103.0"


def test_its_lines_are_in_tracebacks(out: Path) -> None:
    """What a host function raises went through the file."""
    code = """
import traceback, whole
def host(*words): raise KeyError("mine")
try:
    whole.instantiate({("env", "host"): host}).exports["call"](1)
except KeyError as error:
    frames = traceback.extract_tb(error.__traceback__)
    print(*(frame.line.split("  #")[0].strip() for frame in frames if frame.filename.endswith("whole.py")), sep="; ")
"""
    outer, inner, *_ = run(out, code).split("; ")
    assert "T0_1[0](" in outer
    assert "f0__host(l0" in inner


def test_an_import_that_is_missing_is_named(out: Path) -> None:
    code = """
import whole
from simwasm.errors import LinkError
try: whole.instantiate()
except LinkError as error: print(error)
"""
    assert "missing import: env.host" in run(out, code)


def test_a_file_of_another_version_says_what_to_do() -> None:
    with pytest.raises(InputError, match="make it anew"):
        Written(0, "")


def test_offsets_of_lines_come_back() -> None:
    offsets = [0, 0, 5, 5, 4096, 5]
    assert lines_of(line_text(offsets)) == offsets


def test_a_module_comes_back() -> None:
    assert unpacked(packed(assemble(GUEST))) == assemble(GUEST)
