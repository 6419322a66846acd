"""Real parts for the tests of the binary front end: wabt's tools, the sample plugins, both engines."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import pytest
import wasmtime

PLUGINS = sorted(Path(__file__).parents[2].glob("samples/*/plugin.wasm"))
USUAL = [path for path in PLUGINS if path.stat().st_size < 1 << 20]
I32 = 0x7F

Assemble = Callable[..., bytes]
Host = Mapping[tuple[str, str], Callable[..., Any]]


class Running(Protocol):
    """A module started by one of the engines."""

    def call(self, name: str, *words: int) -> Any: ...
    def get(self, name: str) -> Any: ...
    def memory(self) -> bytes: ...
    def write(self, at: int, data: bytes) -> None: ...


class OnWasmtime:
    """A module started by wasmtime."""

    def __init__(self, wasm: bytes, host: Host) -> None:
        engine, module = _for_wasmtime(wasm)
        self._store = wasmtime.Store(engine)
        imports = [self._import(item, host) for item in module.imports]
        self._exports = wasmtime.Instance(self._store, module, imports).exports(self._store)

    def _import(self, item: wasmtime.ImportType, host: Host) -> Any:
        if isinstance(item.type, wasmtime.MemoryType):
            return wasmtime.Memory(self._store, item.type)
        assert isinstance(item.type, wasmtime.FuncType)
        return wasmtime.Func(self._store, item.type, host[item.module, str(item.name)])

    def call(self, name: str, *words: int) -> Any:
        item = self._exports[name]
        assert isinstance(item, wasmtime.Func)
        return item(self._store, *words)

    def get(self, name: str) -> Any:
        item = self._exports[name]
        return item.value(self._store) if isinstance(item, wasmtime.Global) else item

    def memory(self) -> bytes:
        item = self._exports["memory"]
        assert isinstance(item, wasmtime.Memory)
        return bytes(item.read(self._store))

    def write(self, at: int, data: bytes) -> None:
        item = self._exports["memory"]
        assert isinstance(item, wasmtime.Memory)
        item.write(self._store, data, at)


@lru_cache(maxsize=4)
def _for_wasmtime(wasm: bytes) -> tuple[wasmtime.Engine, wasmtime.Module]:
    """A module compiled; tests that follow one another start the same ones."""
    config = wasmtime.Config()
    config.cranelift_opt_level = "none"  # a Go plugin compiles faster
    engine = wasmtime.Engine(config)
    return engine, wasmtime.Module(engine, wasm)


class OnWasmer:
    """A module started by wasmer."""

    def __init__(self, wasm: bytes, host: Host) -> None:
        import wasmer

        self._store, module = _for_wasmer(wasm)
        imports = wasmer.ImportObject()
        for space in {item.module for item in module.imports}:
            items = [item for item in module.imports if item.module == space]
            imports.register(space, {item.name: self._import(item, host) for item in items})
        self._imports = imports  # wasmer does not keep an imported memory alive itself
        self._instance = wasmer.Instance(module, imports)

    def _import(self, item: Any, host: Host) -> Any:
        import wasmer

        if isinstance(item.type, wasmer.MemoryType):
            return wasmer.Memory(self._store, item.type)
        return wasmer.Function(self._store, host[item.module, item.name], item.type)

    def call(self, name: str, *words: int) -> Any:
        return getattr(self._instance.exports, name)(*words)

    def get(self, name: str) -> Any:
        item = getattr(self._instance.exports, name)
        return getattr(item, "value", item)

    def memory(self) -> bytes:
        return bytes(self._instance.exports.memory.buffer)

    def write(self, at: int, data: bytes) -> None:
        memoryview(self._instance.exports.memory.buffer)[at : at + len(data)] = data


@lru_cache(maxsize=4)
def _for_wasmer(wasm: bytes) -> tuple[Any, Any]:
    import wasmer
    from wasmer_compiler_cranelift import Compiler

    store = wasmer.Store(wasmer.engine.Universal(Compiler))
    return store, wasmer.Module(store, wasm)


@pytest.fixture(scope="module", autouse=True)
def forget() -> Iterator[None]:
    """Keep no module longer than a file of tests: wasmtime cannot free it when Python ends."""
    yield
    _for_wasmtime.cache_clear()
    _for_wasmer.cache_clear()


@pytest.fixture
def assemble(tmp_path: Path) -> Assemble:
    """Assemble a module in the text format with wat2wasm; options may follow."""

    def run(text: str, *options: str) -> bytes:
        source, target = tmp_path / "module.wat", tmp_path / "module.wasm"
        source.write_text(text)
        subprocess.run(["wat2wasm", *options, source, "-o", target], check=True)
        return target.read_bytes()

    return run


@pytest.fixture
def wabt(tmp_path: Path) -> Callable[..., str]:
    """Run one of wabt's tools on a module and return what it prints; a failure fails the test."""

    def run(wasm: bytes, *command: str) -> str:
        target = tmp_path / "input.wasm"
        target.write_bytes(wasm)
        done = subprocess.run([*command, target], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture(params=PLUGINS, ids=[path.parent.name for path in PLUGINS])
def plugin(request: pytest.FixtureRequest) -> bytes:
    """Each sample plugin in turn."""
    path = request.param
    assert isinstance(path, Path)
    return path.read_bytes()


@pytest.fixture(params=USUAL, ids=[path.parent.name for path in USUAL])
def usual_plugin(request: pytest.FixtureRequest) -> bytes:
    """Each sample plugin but the large one, of which there is ten times as much and nothing else."""
    path = request.param
    assert isinstance(path, Path)
    return path.read_bytes()


@pytest.fixture(scope="session")
def small_plugin() -> bytes:
    """The smallest of the sample plugins."""
    return min((path.read_bytes() for path in PLUGINS), key=len)


@pytest.fixture(params=["wasmtime", "wasmer"])
def start(request: pytest.FixtureRequest) -> Callable[[bytes, Host], Running]:
    """Start a module with host functions, on each engine in turn."""
    if request.param == "wasmtime":
        return OnWasmtime
    if sys.version_info >= (3, 11) or importlib.util.find_spec("wasmer") is None:
        pytest.skip("wasmer needs Python 3.10")
    return OnWasmer
