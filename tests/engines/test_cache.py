"""The cache of compiled code: an entry is whole and ours, or it is not there."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from guest import Starter, assemble, imports

from simwasm.cache import FORMAT, Cache, user_folder
from simwasm.engines.engine import Binary, Engine, Program, Words
from simwasm.engines.fuel import Fuel
from simwasm.engines.load import load
from simwasm.errors import Trap
from simwasm.wasm.rewrite import Limits, Rewritten

KEY = "a key"
CONTENT = bytes(range(256)) * 8
WASM = """(module
    (import "env" "host" (func $host (result i32)))
    (memory 1)
    (func (export "stop") (if (i32.const 1) (then unreachable)))
    (func (export "call") (result i32) (i32.add (call $host) (i32.const 1))))"""


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def entries(folder: Path) -> list[Path]:
    return sorted((folder / "cache").iterdir())


def only_entry(folder: Path) -> Path:
    (entry,) = entries(folder)
    return entry


def test_what_was_put_is_there(cache: Cache) -> None:
    assert cache.get(KEY) is None
    cache.put(KEY, CONTENT)
    assert cache.get(KEY) == CONTENT
    assert cache.get("another key") is None
    cache.put(KEY, b"")
    assert cache.get(KEY) == b""


def test_a_cache_without_a_folder_keeps_nothing() -> None:
    cache = Cache(None)
    cache.put(KEY, CONTENT)
    assert cache.get(KEY) is None


@pytest.mark.parametrize("size", [0, 1, 1000])
def test_any_changed_byte_makes_an_entry_disappear(cache: Cache, tmp_path: Path, size: int) -> None:
    cache.put(KEY, CONTENT[:size])
    entry = only_entry(tmp_path)
    whole = entry.read_bytes()
    for at in [*range(len(FORMAT) + 40), *range(len(FORMAT) + 40, len(whole), 97), len(whole) - 1]:
        if at < len(whole):
            entry.write_bytes(whole[:at] + bytes((whole[at] ^ 1,)) + whole[at + 1 :])
            assert cache.get(KEY) is None
    entry.write_bytes(whole)
    assert cache.get(KEY) == CONTENT[:size]


def test_a_truncated_or_longer_entry_disappears(cache: Cache, tmp_path: Path) -> None:
    cache.put(KEY, CONTENT)
    entry = only_entry(tmp_path)
    whole = entry.read_bytes()
    for size in (0, 1, len(FORMAT), len(FORMAT) + 31, len(FORMAT) + 32, len(whole) // 2, len(whole) - 1):
        entry.write_bytes(whole[:size])
        assert cache.get(KEY) is None
    entry.write_bytes(whole + b"\0")
    assert cache.get(KEY) is None


def test_an_entry_under_another_name_disappears(cache: Cache, tmp_path: Path) -> None:
    cache.put(KEY, CONTENT)
    whole = only_entry(tmp_path).read_bytes()
    cache.put("another key", b"other")
    for entry in entries(tmp_path):
        entry.write_bytes(whole)
    assert cache.get("another key") is None
    assert cache.get(KEY) == CONTENT


def test_an_entry_of_another_format_disappears(cache: Cache, tmp_path: Path) -> None:
    cache.put(KEY, CONTENT)
    entry = only_entry(tmp_path)
    entry.write_bytes(entry.read_bytes().replace(FORMAT, FORMAT.replace(b"1", b"0")))
    assert cache.get(KEY) is None


def test_a_damaged_entry_is_replaced(cache: Cache, tmp_path: Path) -> None:
    cache.put(KEY, CONTENT)
    only_entry(tmp_path).write_bytes(b"damaged")
    cache.put(KEY, CONTENT)
    assert cache.get(KEY) == CONTENT


posix = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="owners and modes are POSIX's")


@posix
def test_files_and_folders_are_for_their_owner_only(cache: Cache, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        cache.put(KEY, CONTENT)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "cache").stat().st_mode) == 0o700
    assert stat.S_IMODE(only_entry(tmp_path).stat().st_mode) == 0o600


@posix
@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_can_write_is_not_believed(cache: Cache, tmp_path: Path, mode: int) -> None:
    cache.put(KEY, CONTENT)
    only_entry(tmp_path).chmod(mode)
    assert cache.get(KEY) is None


@posix
@pytest.mark.parametrize("mode", [0o720, 0o702, 0o1777])
def test_a_folder_that_others_can_write_is_not_used(cache: Cache, tmp_path: Path, mode: int) -> None:
    cache.put(KEY, CONTENT)
    (tmp_path / "cache").chmod(mode)
    assert cache.get(KEY) is None
    cache.put("another key", CONTENT)
    assert len(entries(tmp_path)) == 1


@posix
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_belongs_to_another_user_is_not_believed(cache: Cache, tmp_path: Path, what: str) -> None:
    cache.put(KEY, CONTENT)
    os.chown(only_entry(tmp_path) if what == "file" else tmp_path / "cache", 65534, 65534)
    assert cache.get(KEY) is None


@posix
def test_a_link_is_not_followed(cache: Cache, tmp_path: Path) -> None:
    cache.put(KEY, CONTENT)
    entry = only_entry(tmp_path)
    moved = entry.rename(tmp_path / "elsewhere")
    entry.symlink_to(moved)
    assert cache.get(KEY) is None


def test_something_else_under_its_name_is_not_opened(cache: Cache, tmp_path: Path) -> None:
    cache.put(KEY, CONTENT)
    entry = only_entry(tmp_path)
    entry.unlink()
    entry.mkdir()
    assert cache.get(KEY) is None
    cache.put(KEY, CONTENT)
    assert entries(tmp_path) == [entry]


def test_a_folder_that_cannot_be_made_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = Cache(tmp_path / "file" / "cache")
    cache.put(KEY, CONTENT)
    assert cache.get(KEY) is None


def test_the_least_recently_used_go_first(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache", limit=4 * (len(CONTENT) + 100))
    for number in range(4):
        cache.put(f"{number}", CONTENT)
        for path in entries(tmp_path):
            status = path.stat()
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns - 10**9))
    assert cache.get("0") == CONTENT
    cache.put("4", CONTENT)
    assert cache.get("1") is None
    assert [number for number in range(5) if cache.get(f"{number}") == CONTENT] == [0, 2, 3, 4]


def test_an_entry_larger_than_the_limit_is_not_kept(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache", limit=100)
    cache.put(KEY, CONTENT)
    assert cache.get(KEY) is None
    assert entries(tmp_path) == []


def test_what_a_killed_process_left_goes_after_an_hour(cache: Cache, tmp_path: Path) -> None:
    cache.put(KEY, CONTENT)
    old, young = tmp_path / "cache" / "old.part", tmp_path / "cache" / "young.part"
    old.write_bytes(b"x")
    young.write_bytes(b"x")
    os.utime(old, (0, 0))
    cache.put(KEY, CONTENT)
    assert not old.exists()
    assert young.exists()


def test_the_folder_is_where_the_user_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("SIMWASM_CACHE_DIR", raising=False)
    assert user_folder() == Path("/home/someone/.cache/simwasm")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative/is/ignored")
    assert user_folder() == Path("/home/someone/.cache/simwasm")
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/cache/me")
    assert user_folder() == Path("/var/cache/me/simwasm")
    monkeypatch.setenv("SIMWASM_CACHE_DIR", str(tmp_path))
    assert user_folder() == tmp_path
    monkeypatch.setenv("SIMWASM_CACHE_DIR", "")
    assert user_folder() is None


class Counting:
    """An engine that counts what it is asked to do."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.name, self.version = engine.name, engine.version
        self.compiled = 0

    def compile(self, module: Rewritten) -> Program:
        self.compiled += 1
        return self._engine.compile(module)

    def restore(self, compiled: bytes, binary: Binary) -> Program:
        program: Program = self._engine.restore(compiled, binary)  # type: ignore[attr-defined]  # both can
        return program


def works(program: Program) -> bool:
    instance = program.start(imports({"host": ("-> i32", lambda: 41)}), Fuel())
    with pytest.raises(Trap) as caught:
        instance.exports["stop"]()
    result: Words = instance.exports["call"]()
    return result == 42 and [frame.name for frame in caught.value.frames] == ["stop"]


def test_a_second_load_compiles_nothing(start: Starter, cache: Cache) -> None:
    engine = Counting(start.engine)
    assert works(load(engine, assemble(WASM), cache=cache))
    assert works(load(engine, assemble(WASM), cache=cache))
    assert engine.compiled == 1


def test_a_frame_is_the_same_from_the_cache(start: Starter, cache: Cache) -> None:
    def frames() -> object:
        program = load(start.engine, assemble(WASM), cache=cache)
        with pytest.raises(Trap) as caught:
            program.start(imports({"host": ("-> i32", lambda: 0)}), Fuel()).exports["stop"]()
        return caught.value.frames

    assert frames() == frames()


def test_other_limits_bytes_engines_and_versions_are_other_entries(start: Starter, cache: Cache) -> None:
    engine = Counting(start.engine)
    load(engine, assemble(WASM), cache=cache)
    load(engine, assemble(WASM), Limits(pages=77), cache)
    load(engine, assemble(WASM), Limits(slice=77_000), cache)
    load(engine, assemble(WASM.replace("const 1))))", "const 2))))")), cache=cache)
    engine.version += "-next"
    load(engine, assemble(WASM), cache=cache)
    engine.name += "-other"
    load(engine, assemble(WASM), cache=cache)
    assert engine.compiled == 6


def test_a_damaged_entry_is_compiled_again(start: Starter, cache: Cache, tmp_path: Path) -> None:
    engine = Counting(start.engine)
    load(engine, assemble(WASM), cache=cache)
    for round_, entry in enumerate(2 * [*entries(tmp_path)], 1):
        data = entry.read_bytes()
        entry.write_bytes(data[:-1] if round_ % 2 else b"")
        assert works(load(engine, assemble(WASM), cache=cache))
    assert engine.compiled > 1


@pytest.mark.parametrize("content", [b"", b"\0\0\0\0", b"\2\0\0\0[]native", b"\xff" * 100, bytes(1000)])
def test_an_entry_of_the_right_name_but_foreign_content_is_compiled_again(
    start: Starter, cache: Cache, tmp_path: Path, content: bytes
) -> None:
    """As another program with the same key would leave it; never seen, but the engine would run it."""
    engine = Counting(start.engine)
    load(engine, assemble(WASM), cache=cache)

    class Foreign(Cache):
        def get(self, key: str) -> bytes | None:
            return content if engine.version in key else super().get(key)

    assert works(load(engine, assemble(WASM), cache=Foreign(tmp_path / "cache")))
    assert engine.compiled == 2


def test_an_unwritable_cache_is_no_error(start: Starter, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert works(load(start.engine, assemble(WASM), cache=Cache(tmp_path / "file")))


def test_processes_at_once_agree(start: Starter, tmp_path: Path) -> None:
    (tmp_path / "module.wasm").write_bytes(assemble(WASM))
    script = f"""
import sys
from pathlib import Path
sys.path[:0] = {sys.path!r}
from guest import imports
from simwasm.cache import Cache
from simwasm.engines.find import engine
from simwasm.engines.fuel import Fuel
from simwasm.engines.load import load
folder = Path({str(tmp_path)!r})
wasm = (folder / "module.wasm").read_bytes()
for _ in range(5):
    program = load(engine({start.engine.name!r}), wasm, cache=Cache(folder / "cache"))
    print(program.start(imports({{"host": ("-> i32", lambda: 41)}}), Fuel()).exports["call"]())
    for entry in (folder / "cache").iterdir():
        entry.unlink(missing_ok=True)
"""
    running = [
        subprocess.Popen(
            [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    for process in running:
        out, err = process.communicate(timeout=120)
        assert (process.returncode, out.split()) == (0, ["42"] * 5), err
