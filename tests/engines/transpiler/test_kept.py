"""Code that was made once is kept: what a program ran before needs no generator, and what is new is added."""

from __future__ import annotations

import gc
import subprocess
import sys
from pathlib import Path

import pytest
from guest import assemble

from simwasm.cache import Cache
from simwasm.engines.engine import Growing, Program, Steppable
from simwasm.engines.find import engine
from simwasm.engines.fuel import Fuel
from simwasm.engines.load import load
from simwasm.engines.python_engine import PythonEngine
from simwasm.engines.transpiler.generate import Generated, Generator
from simwasm.errors import Trap
from simwasm.wasm.reader import read_module
from simwasm.wasm.rewrite import Limits

TEXT = """(module
    (memory (export "memory") 1) (data (i32.const 5) "simwasm") (data (i32.const 4094) "crossing")
    (func (export "one") (result i32) (i32.const 1))
    (func (export "two") (result i32) (i32.add (call $half) (i32.const 1)))
    (func $half (result i32) (i32.const 1))
    (func (export "stop") (unreachable)))"""


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def loaded(cache: Cache) -> Program:
    program = load(engine("python"), assemble(TEXT), cache=cache)
    assert isinstance(program, Growing)
    return program


def test_what_an_instance_made_is_there_for_the_next_program(cache: Cache) -> None:
    kept: list[bytes] = []
    program = loaded(cache)
    assert isinstance(program, Growing)
    program.keep(kept.append)
    instance = program.start({}, Fuel())
    assert instance.exports["two"]() == 2
    assert kept == []
    instance.close()
    assert len(kept) == 1
    again = program.start({}, Fuel())
    assert again.exports["two"]() == 2
    again.close()
    assert len(kept) == 1
    more = program.start({}, Fuel())
    assert more.exports["one"]() == 1
    more.close()
    assert len(kept) == 2
    assert len(kept[1]) > len(kept[0])


SCRIPT = """
import sys
sys.path[:0] = {path!r}
from pathlib import Path
from guest import assemble
from simwasm.cache import Cache
from simwasm.engines.find import engine
from simwasm.engines.fuel import Fuel
from simwasm.engines.load import load
instance = load(engine("python"), Path({wasm!r}).read_bytes(), cache=Cache(Path({folder!r}))).start({{}}, Fuel())
print(instance.exports["two"](), bytes(instance.memory.view()[4094:4102]).decode())
made = ["simwasm.engines.transpiler.generate", "simwasm.wasm.validate"]
print(*(name for name in made if name in sys.modules))
"""


def test_a_program_that_ran_before_needs_neither_validator_nor_generator(tmp_path: Path) -> None:
    wasm, folder = tmp_path / "module.wasm", tmp_path / "cache"
    wasm.write_bytes(assemble(TEXT))
    script = SCRIPT.format(path=sys.path, wasm=str(wasm), folder=str(folder))
    found = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        found.append(done.stdout.splitlines())
    assert found == [
        ["2 crossing", "simwasm.engines.transpiler.generate simwasm.wasm.validate"],
        ["2 crossing", ""],
    ]


def test_programs_of_one_module_share_their_code(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []

    class Counting(Generator):
        def generate(self, own: int, *, steppable: bool = False) -> Generated:
            made.append(own)
            return super().generate(own, steppable=steppable)

    monkeypatch.setattr("simwasm.engines.transpiler.generate.Generator", Counting)
    python = engine("python")
    programs = [load(python, assemble(TEXT), cache=cache) for _ in range(3)]
    programs.append(load(python, assemble(TEXT), Limits(pages=7), cache))
    for program in programs:
        assert program.start({}, Fuel()).exports["two"]() == 2
    assert made == [1, 2, 1, 2]


def test_what_nobody_closed_is_kept_when_the_program_goes(cache: Cache) -> None:
    kept: list[bytes] = []
    program = loaded(cache)
    assert isinstance(program, Growing)
    program.keep(kept.append)
    instance = program.start({}, Fuel())
    assert instance.exports["two"]() == 2
    del program, instance
    gc.collect()
    assert len(kept) == 1


def test_both_variants_of_a_function_are_kept(cache: Cache) -> None:
    told: list[int] = []
    for _ in range(2):
        instance = loaded(cache).start({}, Fuel())
        assert isinstance(instance, Steppable)
        assert instance.exports["one"]() == 1
        instance.watch(told.append)
        assert instance.exports["one"]() == 1
        instance.close()
    assert len(told) == 4


def test_a_trap_in_kept_code_is_at_the_same_place(cache: Cache) -> None:
    found = set()
    for _ in range(2):
        instance = loaded(cache).start({}, Fuel())
        with pytest.raises(Trap) as caught:
            instance.exports["stop"]()
        found.add(caught.value.frames)
        instance.close()
    assert len(found) == 1


@pytest.mark.parametrize("end", [0, 10, 40, 200, -1])
def test_what_is_cut_short_is_refused(end: int) -> None:
    program = PythonEngine().take(read_module(assemble(TEXT)), Limits())
    with pytest.raises(ValueError, match="not compiled by the python engine"):
        PythonEngine().restore(program.compiled()[:end], lambda: pytest.fail("nothing is read"))


def test_a_module_of_tens_of_thousands_of_segments_starts_with_all_of_them() -> None:
    segments = "".join(f'(data (i32.const {at * 3}) "{at % 10}")' for at in range(2000))
    text = f'(module (memory (export "memory") 1) {segments} (data (i32.const 3) "x"))'
    program = PythonEngine().take(read_module(assemble(text)), Limits())
    memory = program.start({}, Fuel()).memory
    assert memory.read(0, 9) == b"0\0\0x\0\0002\0\0"
    assert memory.read(3 * 1999, 1) == b"9"


def test_a_segment_that_was_copied_at_the_start_is_empty_afterwards() -> None:
    text = """(module (memory 1) (data $d (i32.const 0) "x") (data $p "passive")
        (func (export "init") (param i32) (memory.init $d (i32.const 0) (i32.const 0) (local.get 0)))
        (func (export "passive") (result i32) (memory.init $p (i32.const 0) (i32.const 0) (i32.const 7))
            (i32.load8_u (i32.const 0))))"""
    exports = PythonEngine().take(read_module(assemble(text)), Limits()).start({}, Fuel()).exports
    assert exports["init"](0) is None
    assert exports["passive"]() == ord("p")
    with pytest.raises(Trap, match="out of bounds memory access"):
        exports["init"](1)


@pytest.mark.parametrize("place", ["65530", "-1"])
def test_a_segment_beyond_the_memory_traps_when_an_instance_starts(place: str) -> None:
    text = f'(module (memory 1) (data (i32.const 0) "ok") (data (i32.const {place}) "simwasm"))'
    program = PythonEngine().take(read_module(assemble(text)), Limits())
    with pytest.raises(Trap, match="out of bounds memory access"):
        program.start({}, Fuel())
