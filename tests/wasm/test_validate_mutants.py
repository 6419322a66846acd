"""Broken plugins: our validator and wasmtime's take and refuse the same ones.

Most changes of single bytes make a module malformed, so others change instructions and keep the sizes right. wasmtime
has the features that we have and no others.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random

import pytest
import wasmtime

from simwasm.errors import BadModule
from simwasm.wasm.decode import split
from simwasm.wasm.encode import section, u32, vector
from simwasm.wasm.module import Module
from simwasm.wasm.opcodes import OPCODES, Immediate, Opcode
from simwasm.wasm.reader import read_module
from simwasm.wasm.validate import validate

SAMPLES = Path(__file__).parents[2] / "samples"
OTHERS = ("memory64", "threads", "multi_memory", "gc", "function_references", "exceptions")
"""Features of wasmtime that we do not have."""

CODE = 10


@cache
def engine() -> wasmtime.Engine:
    config = wasmtime.Config()
    for feature in OTHERS:
        setattr(config, f"wasm_{feature}", False)
    return wasmtime.Engine(config)


def ours(data: bytes) -> str:
    """Why we refuse a module; nothing if we take it."""
    try:
        validate(read_module(data))
    except BadModule as error:
        return str(error)
    return ""


def wasmtimes(data: bytes) -> str:
    try:
        wasmtime.Module.validate(engine(), data)
    except wasmtime.WasmtimeError as error:
        return str(error)
    return ""


def bytes_changed(module: Module, random: Random) -> bytes:
    """The file with some bytes changed, inserted or deleted."""
    data = bytearray(module.data)
    for _ in range(random.choice((1, 1, 2, 4))):
        at = random.randrange(8, len(data))
        change = random.randrange(4)
        if change == 0:
            data[at] ^= 1 << random.randrange(8)
        elif change == 1:
            data[at] = random.choice(b"\x00\x01\x05\x0b\x40\x70\x7e\x7f\x80\xff")
        elif change == 2:
            data[at:at] = random.randbytes(random.choice((1, 2)))
        else:
            del data[at : at + random.choice((1, 2))]
    return bytes(data)


def code_changed(module: Module, random: Random) -> bytes:
    """The file with one function's instructions changed; no other section than code is touched."""
    chosen = random.randrange(len(module.bodies))
    bodies = [module.data[body.start : body.end] for body in module.bodies]
    body = module.bodies[chosen]
    pieces = split(module.data, body.code, body.end)
    for _ in range(random.choice((1, 1, 2, 5))):
        random.choice(CHANGES)(pieces, random)
    bodies[chosen] = module.data[body.start : body.code] + b"".join(pieces)
    code = vector([u32(len(body)) + body for body in bodies])
    contents = [
        (s.id, code if s.id == CODE else module.data[s.start : s.end]) for s in module.sections if s.id
    ]
    return module.data[:8] + b"".join(section(number, content) for number, content in contents)


def _insert(pieces: list[bytes], random: Random) -> None:
    pieces.insert(random.randrange(len(pieces) + 1), instruction(random))


def _replace(pieces: list[bytes], random: Random) -> None:
    pieces[random.randrange(len(pieces))] = instruction(random)


def _delete(pieces: list[bytes], random: Random) -> None:
    if len(pieces) > 1:
        del pieces[random.randrange(len(pieces))]


def _repeat(pieces: list[bytes], random: Random) -> None:
    pieces.insert(random.randrange(len(pieces)), random.choice(pieces))


def _stop(pieces: list[bytes], random: Random) -> None:
    pieces.insert(random.randrange(len(pieces)), b"\x00")


CHANGES: tuple[Callable[[list[bytes], Random], None], ...] = (_insert, _replace, _delete, _repeat, _stop)


def instruction(random: Random) -> bytes:
    """Any instruction with small immediates."""
    row = random.choice(OPCODES)
    opcode = bytes((row.prefix,)) + u32(row.code) if row.prefix else bytes((row.code,))
    return opcode + immediates(row, random)


KINDS = b"\x6f\x70\x7b\x7c\x7d\x7e\x7f"
SIZES = {
    Immediate.NONE: 0,
    Immediate.INDIRECT: 2,
    Immediate.TABLES: 2,
    Immediate.MEMORIES: 2,
    Immediate.DATA_MEMORY: 2,
    Immediate.ELEMENT_TABLE: 2,
    Immediate.ADDRESS: 2,
    Immediate.ADDRESS_LANE: 3,
    Immediate.SHUFFLE: 16,
    Immediate.F32: 4,
    Immediate.F64: 8,
    Immediate.V128: 16,
}
"""How many bytes immediates have that are given small numbers; else one."""


def immediates(row: Opcode, random: Random) -> bytes:
    kind = row.immediate
    if kind is Immediate.BLOCK:
        return bytes((random.choice(KINDS + b"\x40\x00\x01\x02"),))
    if kind is Immediate.LABELS:
        return bytes((2, *(random.randrange(3) for _ in range(3))))
    if kind is Immediate.HEAP:
        return bytes((random.choice(KINDS[:2]),))
    if kind is Immediate.TYPES:
        return bytes((1, random.choice(KINDS)))
    if kind in (Immediate.MEMORY, Immediate.MEMORIES):
        return bytes(SIZES.get(kind, 1))
    numbers = bytes(random.choice((0, 0, 1, 1, 2, 3, 5, 9)) for _ in range(SIZES.get(kind, 1)))
    return numbers[:-1] + b"\0" if kind is Immediate.DATA_MEMORY else numbers


@pytest.mark.parametrize("change", [bytes_changed, code_changed], ids=["bytes", "code"])
@pytest.mark.parametrize(("sample", "times"), [("allow_header_c", 200), ("allow_header_as", 20)])
def test_wasmtime_takes_and_refuses_the_same(
    sample: str, times: int, change: Callable[[Module, Random], bytes]
) -> None:
    module = read_module((SAMPLES / sample / "plugin.wasm").read_bytes())
    taken = 0
    for seed in range(times):
        data = change(module, Random(seed))
        said, told = ours(data), wasmtimes(data)
        assert bool(said) == bool(told), f"seed {seed}: we say {said!r}, wasmtime says {told!r}"
        taken += not said
    assert 0 < taken < times, "both outcomes are to be compared"
