"""The official test suite: every module in it is read, decoded and rewritten, and does the same afterwards.

Values are compared between the original and the rewritten module, bit by bit, because Python cannot hand over every
float that the suite expects.
"""

from __future__ import annotations

import struct
from typing import Any

import pytest
import wasmtime
from testsuite import CORE, Converted, commands, named

from simwasm.errors import PluginError
from simwasm.wasm.disasm import disassemble
from simwasm.wasm.module import Kind
from simwasm.wasm.reader import read_module
from simwasm.wasm.rewrite import Limits, rewrite

WIDE = Limits(slice=50_000, pages=65536)

MOST = 500
"""Commands of a file: the few that have more say the same of one address after the other."""

# Modules share memories and tables with each other there; a rewritten module has its own.
SHARING = ("data", "elem", "imports", "linking")

Outcome = tuple[Any, ...]


class World:
    """The modules of one test file, all as they are or all rewritten."""

    def __init__(self, engine: wasmtime.Engine, rewritten: bool) -> None:
        self._rewritten = rewritten
        self._engine = engine
        self._store = wasmtime.Store(engine)
        self._linker = wasmtime.Linker(engine)
        self._linker.allow_shadowing = True
        self._named: dict[str, wasmtime.Instance] = {}
        self._latest: wasmtime.Instance | None = None
        self._define()

    def _define(self) -> None:
        i32, i64, f32, f64 = (getattr(wasmtime.ValType, kind)() for kind in ("i32", "i64", "f32", "f64"))
        prints = {"": [], "_i32": [i32], "_i64": [i64], "_f32": [f32], "_f64": [f64], "_i32_f32": [i32, f32]}
        for name, params in {**prints, "_f64_f64": [f64, f64]}.items():
            kind = wasmtime.FuncType(params, [])
            self._linker.define_func("spectest", f"print{name}", kind, lambda *_: None)
        self._linker.define_func("simwasm", "slice", wasmtime.FuncType([], [i32]), lambda: 50_000)
        text = """(module (table (export "table") 10 20 funcref) (memory (export "memory") 1 2)
          (global (export "global_i32") i32 (i32.const 666)) (global (export "global_i64") i64 (i64.const 666))
          (global (export "global_f32") f32 (f32.const 666.6)) (global (export "global_f64") f64 (f64.const 666.6)))"""
        spectest = self._linker.instantiate(self._store, wasmtime.Module(self._engine, text))
        self._linker.define_instance(self._store, "spectest", spectest)

    def instantiate(self, data: bytes, name: str | None) -> Outcome:
        wasm = rewrite(read_module(data), WIDE).wasm if self._rewritten else data
        try:
            self._latest = self._linker.instantiate(self._store, wasmtime.Module(self._engine, wasm))
        except (wasmtime.Trap, wasmtime.WasmtimeError) as error:
            return reason(error)
        if name:
            self._named[name] = self._latest
        return ("instantiated",)

    def register(self, alias: str, name: str | None) -> None:
        instance = self._named[name] if name else self._latest
        assert instance is not None
        exports = instance.exports(self._store)
        for exported in exports:
            if not exported.startswith("simwasm:"):
                self._linker.define(self._store, alias, exported, exports[exported])

    def act(self, action: dict[str, Any]) -> Outcome:
        instance = self._named[action["module"]] if "module" in action else self._latest
        assert instance is not None
        item = instance.exports(self._store)[action["field"]]
        if isinstance(item, wasmtime.Global):
            return bits(item.value(self._store))
        assert isinstance(item, wasmtime.Func)
        try:
            return bits(item(self._store, *map(argument, action["args"])))
        except (wasmtime.Trap, wasmtime.WasmtimeError) as error:
            return reason(error)


def reason(error: Exception) -> Outcome:
    """Why it failed, without the places, which differ."""
    code = error.trap_code if isinstance(error, wasmtime.Trap) else None
    return ("failed", type(error).__name__, code)


def bits(value: object) -> Outcome:
    listed = value if isinstance(value, list) else [value]
    return tuple(struct.pack("<d", item) if isinstance(item, float) else str(item) for item in listed)


def argument(value: dict[str, Any]) -> object:
    kind, text = value["type"], str(value.get("value"))
    if kind in ("i32", "i64"):
        return getattr(wasmtime.Val, kind)(int(text))
    if kind in ("f32", "f64"):
        if text.startswith("nan"):
            return getattr(wasmtime.Val, kind)(float("nan"))
        packed = int(text).to_bytes(int(kind[1:]) // 8, "little")
        return getattr(wasmtime.Val, kind)(struct.unpack("<f" if kind == "f32" else "<d", packed)[0])
    if kind == "externref":
        return wasmtime.Val.externref(None if text == "null" else int(text))
    return wasmtime.Val.funcref(None)


def vectors(command: dict[str, Any]) -> bool:
    """Whether an action takes or returns a vector, which wasmtime-py cannot hand over."""
    values = command["action"].get("args", []) + command.get("expected", [])
    return any(value["type"] == "v128" for value in values)


@pytest.mark.parametrize("name", named(tuple(name for name in CORE if name not in SHARING)))
def test_rewritten_modules_do_what_the_originals_do(converted: Converted, name: str) -> None:
    """Every action of a test file has the same outcome with all modules rewritten."""
    folder = converted(name)
    engine = wasmtime.Engine()
    worlds = World(engine, rewritten=False), World(engine, rewritten=True)
    for command in commands(folder)[:MOST]:
        where = f"{name}.wast:{command['line']}"
        if command["type"] in ("module", "assert_uninstantiable", "assert_unlinkable"):
            data = (folder / command["filename"]).read_bytes()
            before, after = (world.instantiate(data, command.get("name")) for world in worlds)
            assert before == after, where
        elif command["type"] == "register":
            for world in worlds:
                world.register(command["as"], command.get("name"))
        elif "action" in command and command["type"] != "assert_exhaustion" and not vectors(command):
            before, after = (world.act(command["action"]) for world in worlds)
            assert before == after, where


@pytest.mark.parametrize("name", named(CORE))
def test_every_module_is_read_or_refused(converted: Converted, name: str) -> None:
    """A valid module is decoded to its last instruction; a malformed or invalid one may be a PluginError."""
    folder = converted(name)
    for command in commands(folder):
        if "filename" not in command or command.get("module_type") == "text":
            continue
        data = (folder / command["filename"]).read_bytes()
        try:
            module = read_module(data)
            wasm = rewrite(module, WIDE).wasm
            for function in range(len(module.bodies)):
                assert list(disassemble(module, function + len(module.imported(Kind.FUNCTION))))
        except PluginError:
            assert command["type"].startswith("assert_"), f"{name}.wast:{command['line']}"
            continue
        if command["type"] == "module":
            wasmtime.Module.validate(wasmtime.Engine(), wasm)
