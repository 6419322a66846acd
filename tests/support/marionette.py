"""A plugin that makes whichever host calls its configuration says: any function, any words, in any callback.

    plugin = marionette(Abi.V0_2_1, [Pull("proxy_on_tick", "proxy_get_status", (16, 20, 24)), Give("proxy_on_log", 7)])

The module is one for each version of the ABI, so that thousands of scripts cost no compilation. It acts for the root
and the first stream only, and so many times; whoever comes later meets a plugin that does nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from struct import pack
from typing import NamedTuple

import wasmtime
from wat import signature

from simwasm.abi.pairs import encode_pairs
from simwasm.abi.table import ALLOCATORS, Abi, Function, callbacks, host_functions
from simwasm.plugin import Plugin
from simwasm.wasm.module import ValType

SCRIPT, WORDS, SIZE = 65536, 12, 104
"""Where the script is, how many words a call may have, and how many bytes one entry takes."""
DATA, HEAP = 1024, 131072
_PAGES = 4
_RESULT, _TRAP = 0xFFFF, 0xFFFE
_MOST_CALLS = 60
_STARTS = ("_initialize", "main", "__main_void", "_start")

TEXTS = (
    b"", b"k", b":path", b":status", b"x-a", b"content-length", b"auth", b"nobody", b"wasm.k", b"request\0path",
    b"response\0code", b"compress", b"\xff\xfe\0", b"a" * 300,
    encode_pairs(((":method", "GET"), (":path", "/"), (":authority", "a"))),
    encode_pairs((("x-b", "1"),)), pack("<III", 1, 1 << 30, 1), pack("<I", 0xFFFFFFFF), b"\x0a\x06\x0a\x04auth",
)  # fmt: skip
"""What stands in the memory for pointers to find."""


class Pull(NamedTuple):
    """In this callback, this function is called with these words."""

    callback: str
    function: str
    words: tuple[int, ...]


class Give(NamedTuple):
    """This callback gives this result."""

    callback: str
    result: int


class Fall(NamedTuple):
    """This callback traps."""

    callback: str


Step = Pull | Give | Fall


@cache
def places() -> tuple[tuple[int, int], ...]:
    """Where each text is, and its size."""
    found, at = [], DATA
    for text in TEXTS:
        found.append((at, len(text)))
        at += len(text) + 8
    return tuple(found)


@cache
def functions(version: Abi) -> tuple[tuple[str, Function], ...]:
    """What the plugin can call, each with its module."""
    rows = (
        (module, row) for (module, _), row in host_functions(version).items() if module != "wasi_unstable"
    )
    return tuple(rows)


@cache
def phases(version: Abi) -> tuple[Function, ...]:
    """The callbacks that it has."""
    return tuple(row for name, row in callbacks(version).items() if name not in (*ALLOCATORS, *_STARTS))


def marionette(version: Abi, script: Sequence[Step]) -> Plugin:
    """The plugin with a script."""
    names = [row.name for _, row in functions(version)]
    numbers = {row.name: number for number, row in enumerate(phases(version))}
    entries = b"".join(_entry(each, names, numbers) for each in script if each.callback in numbers)
    return Plugin("marionette", module(version), config=entries + pack("<II", 0xFFFFFFFF, 0), vm_id="vm")


def _entry(each: Step, names: list[str], numbers: dict[str, int]) -> bytes:
    function, words = _TRAP, tuple[int, ...]()
    if isinstance(each, Give):
        function, words = _RESULT, (each.result,)
    elif isinstance(each, Pull):
        function, words = names.index(each.function), each.words
    padded = [word & (1 << 64) - 1 for word in (*words, *[0] * (WORDS - len(words)))]
    return pack(f"<II{WORDS}Q", numbers[each.callback], function, *padded)


@cache
def module(version: Abi) -> bytes:
    """The module for a version."""
    return bytes(wasmtime.wat2wasm(f"(module {' '.join(_fields(version))})"))


def _fields(version: Abi) -> Iterator[str]:
    for number, (home, row) in enumerate(functions(version)):
        yield f'(import "{home}" "{row.name}" (func $f{number} {signature(row.type)}))'
    yield f'(memory (export "memory") {_PAGES}) (func (export "{version.marker}"))'
    yield f"(global $left (mut i32) (i32.const {_MOST_CALLS})) (global $heap (mut i32) (i32.const {HEAP}))"
    yield _MALLOC
    for (at, _), text in zip(places(), TEXTS, strict=True):
        yield f'(data (i32.const {at}) "{"".join(f"{chr(92)}{byte:02x}" for byte in text)}")'
    yield f'(data (i32.const {SCRIPT}) "\\ff\\ff\\ff\\ff")'
    yield from _dispatcher(version)
    yield _PLAY
    for number, row in enumerate(phases(version)):
        yield _callback(version, number, row)


_MALLOC = f"""
(func (export "malloc") (param $size i32) (result i32) (local $at i32)
  (if (i32.gt_u (local.get $size) (i32.const 65536)) (then (return (i32.const 0))))
  (if (i32.gt_u (i32.add (global.get $heap) (local.get $size)) (i32.const 262000))
    (then (global.set $heap (i32.const {HEAP}))))
  (local.set $at (global.get $heap))
  (global.set $heap (i32.add (global.get $heap) (i32.add (local.get $size) (i32.const 8))))
  (local.get $at))"""

_PLAY = f"""
(func $play (param $phase i32) (result i32) (local $at i32) (local $result i32)
  (local.set $at (i32.const {SCRIPT}))
  (block $end (loop $next
    (br_if $end (i32.eq (i32.load (local.get $at)) (i32.const -1)))
    (br_if $end (i32.le_s (global.get $left) (i32.const 0)))
    (if (i32.eq (i32.load (local.get $at)) (local.get $phase)) (then
      (if (i32.eq (i32.load offset=4 (local.get $at)) (i32.const {_RESULT}))
        (then (local.set $result (i32.load offset=8 (local.get $at))))
        (else
          (global.set $left (i32.sub (global.get $left) (i32.const 1)))
          (if (i32.eq (i32.load offset=4 (local.get $at)) (i32.const {_TRAP})) (then unreachable))
          (call $pull (i32.load offset=4 (local.get $at)) (local.get $at))))))
    (local.set $at (i32.add (local.get $at) (i32.const {SIZE})))
    (br $next)))
  (local.get $result))"""


def _dispatcher(version: Abi) -> Iterator[str]:
    """One function that calls any host function, its words read from the script."""
    rows = functions(version)
    blocks = " ".join(f"(block $b{number}" for number in reversed(range(len(rows))))
    table = " ".join(f"$b{number}" for number in range(len(rows)))
    yield f"(func $pull (param $which i32) (param $at i32) (block $none {blocks}"
    yield f"(br_table {table} $none (local.get $which)))"
    for number, (_, row) in enumerate(rows):
        call = f"(call $f{number} {' '.join(_loads(row))})"
        yield f"{f'(drop {call})' if row.type.results else call} (return)" + (
            ")" if number + 1 < len(rows) else ""
        )
    yield "))"


def _loads(row: Function) -> Iterator[str]:
    for index, kind in enumerate(row.type.params):
        load = f"(i64.load offset={8 + 8 * index} (local.get $at))"
        yield load if kind is ValType.I64 else f"(i32.wrap_i64 {load})"


def _number(version: Abi, name: str) -> int:
    return [row.name for _, row in functions(version)].index(name)


def _callback(version: Abi, number: int, row: Function) -> str:
    """A callback that plays its part; the configuration is read when it is there, and later streams end the play."""
    before = ""
    if row.name == "proxy_on_configure":
        before = _READ_SCRIPT.replace("$get", f"$f{_number(version, 'proxy_get_buffer_bytes')}")
    elif row.name == "proxy_on_context_create":
        before = "(if (i32.gt_s (local.get 0) (i32.const 2)) (then (global.set $left (i32.const 0))))"
    played = f"(call $play (i32.const {number}))"
    if row.name in ("proxy_on_vm_start", "proxy_on_configure"):
        played = f"(i32.or (i32.const 1) {played})"
    end = played if row.type.results else f"(drop {played})"
    return f'(func (export "{row.name}") {signature(row.type)} {before} {end})'


_READ_SCRIPT = f"""
  (global.set $heap (i32.const {SCRIPT}))
  (drop (call $get (i32.const 7) (i32.const 0) (i32.const 65000) (i32.const 16) (i32.const 20)))
  (global.set $heap (i32.const {HEAP}))"""
