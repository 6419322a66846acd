"""Every operation against wasmtime, bit by bit, of edge values and random ones.

One module has a function per instruction, which reads operands from memory, case after case, and writes results
there; Python does the same on its side.
"""

from __future__ import annotations

import random
import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

import pytest
import wasmtime

from simwasm.engines.transpiler.floats import (
    f32_reinterpret_i32,
    f64_reinterpret_i64,
    i32_reinterpret_f32,
    i64_reinterpret_f64,
)
from simwasm.engines.transpiler.operations import OPERATIONS
from simwasm.engines.transpiler.stopped import Stopped
from simwasm.errors import TrapKind
from simwasm.wasm.module import FuncType, ValType
from simwasm.wasm.opcodes import OPCODES, Immediate, Opcode

SLOT, CASES = 16, 1024
BLOCK = SLOT * CASES
RESULTS = 3 * BLOCK
"""Where results go: after three blocks of operands."""

COUNTS = [0, 1, 2, 7, 8, 15, 16, 31, 32, 33, 63, 64]
INTEGERS = {
    width: sorted({x + by & (1 << width) - 1 for at in (0, 8, 16, 32, 64) if at <= width
                   for x in (1 << at >> 1, 1 << at) for by in (-1, 0, 1)} | set(COUNTS))
    for width in (32, 64)
}  # fmt: skip
# What rounds to a tie of 24 bits, and to the other side than the number itself.
INTEGERS[64] += [0x8000008000000001, 0x7FFFFFBFFFFFFFFF, 0xFFFFFFBFFFFFFFFF, 0x0040_0000_4000_0001]
FLOATS = [0.0, 1e-45, 1.1e-38, 5e-324, 0.3, 0.5, 1.0, 1.5, 2.5, 3.4999, 126.5, 127.0, 8388607.5, 16777217.0,
          2147483647.5, 2147483648.0, 4294967295.5, 4294967296.0, 4503599627370495.5, 9007199254740993.0,
          9223372036854775807.0, 18446744073709551615.0, 3.4028234e38, 3.4028236e38, 1.7e308]  # fmt: skip
SPECIAL32 = [0x7F800000, 0x7FC00000, 0x7FC12345, 0x7F800001, 0x7FA00000, 0x4EFFFFFF, 0x5EFFFFFF, 0x5F7FFFFF]
SPECIAL64 = [0x7FF << 52, 0x7FF8 << 48, 0x7FF8123456789ABC, 0x7FF0000000000001, 0x7FF4 << 48, 0x36A0 << 48]


def _floats32() -> list[int]:
    rounded = [struct.unpack("<I", struct.pack("<f", min(x, 3.4028234e38)))[0] for x in FLOATS]
    return [bits | sign for bits in rounded + SPECIAL32 for sign in (0, 1 << 31)]


def _floats64() -> list[int]:
    bits = [struct.unpack("<Q", struct.pack("<d", x))[0] for x in FLOATS]
    return [x | sign for x in bits + SPECIAL64 for sign in (0, 1 << 63)]


EDGES = {
    ValType.I32: INTEGERS[32],
    ValType.I64: INTEGERS[64],
    ValType.F32: _floats32(),
    ValType.F64: _floats64(),
}
SIZES = {ValType.I32: 4, ValType.I64: 8, ValType.F32: 4, ValType.F64: 8, ValType.V128: 16}
_LANES = ((8, [0, 1, 2, 0x7E, 0x7F, 0x80, 0x81, 0xFE, 0xFF]), (16, [0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF, 0x00FF]),
          (32, INTEGERS[32]), (64, INTEGERS[64]), (32, EDGES[ValType.F32]), (64, EDGES[ValType.F64]))  # fmt: skip


def _vector(chance: random.Random) -> int:
    """Edge values in lanes of some width, or anything."""
    if chance.random() < 0.2:
        return chance.getrandbits(128)
    width, edges = chance.choice(_LANES)
    return sum(chance.choice(edges) << at for at in range(0, 128, width))


def _some(type: ValType, chance: random.Random) -> int:
    if type is ValType.V128:
        return _vector(chance)
    return chance.choice(EDGES[type]) if chance.random() < 0.5 else chance.getrandbits(8 * SIZES[type])


@dataclass(frozen=True)
class Case:
    """One instruction with the immediates of a test."""

    row: Opcode
    text: str
    lanes: tuple[object, ...] = ()

    @property
    def of_memory(self) -> bool:
        return self.row.immediate in (Immediate.ADDRESS, Immediate.ADDRESS_LANE)

    @property
    def stores(self) -> bool:
        return self.of_memory and not self.type.results

    @property
    def type(self) -> FuncType:
        assert self.row.type is not None
        return self.row.type


def _cases(row: Opcode) -> Iterator[Case]:
    if row.immediate in (Immediate.LANE, Immediate.ADDRESS_LANE):
        count = (
            16 * 8 // int(re.findall(r"\d+", row.name.replace("v128", ""))[0]) if row.name[0] == "v" else 0
        )
        count = count or int(row.name.split(".")[0].split("x")[1])
        for lane in sorted({0, 1, count - 1}):
            yield Case(row, f"{row.name} {lane}", (lane,))
    elif row.immediate is Immediate.SHUFFLE:
        for seed in range(3):
            lanes = tuple(random.Random(seed).choices(range(32), k=16))
            yield Case(row, f"{row.name} {' '.join(map(str, lanes))}", (lanes,))
    else:
        yield Case(row, row.name)


TESTED = [case for row in OPCODES if row.name.replace(".", "_") in OPERATIONS for case in _cases(row)]


def _operand(at: int, type: ValType) -> str:
    return f"({type.value}.load offset={at * BLOCK} (local.get 0))"


def _function(index: int, case: Case) -> str:
    """From the case at the first argument to the one at the second."""
    operands = " ".join(_operand(at, type) for at, type in enumerate(case.type.params))
    if case.stores:
        operands = f"(i32.add (local.get 0) (i32.const {RESULTS})) {_operand(1, ValType.V128)}"
        done = f"({case.text} {operands})"
    else:
        (result,) = case.type.results
        done = f"({result.value}.store offset={RESULTS} (local.get 0) ({case.text} {operands}))"
    again = "(br_if 0 (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 16))) (local.get 1)))"
    return f'(func (export "{index}") (param i32 i32) (loop {done} {again}))'


class Wasmtime:
    """All cases compiled, and a memory."""

    def __init__(self) -> None:
        config = wasmtime.Config()
        config.cranelift_opt_level = "none"
        config.wasm_relaxed_simd_deterministic = True
        self.store = wasmtime.Store(wasmtime.Engine(config))
        functions = "\n".join(_function(index, case) for index, case in enumerate(TESTED))
        text = f'(module (memory (export "memory") {4 * BLOCK >> 16}) {functions})'
        self.exports = wasmtime.Instance(self.store, wasmtime.Module(self.store.engine, text), []).exports(
            self.store
        )
        memory = self.exports["memory"]
        assert isinstance(memory, wasmtime.Memory)
        self.memory = memory

    def run(self, index: int, first: int, last: int) -> TrapKind | None:
        """Let the function do these cases; what it traps with."""
        function = self.exports[str(index)]
        assert isinstance(function, wasmtime.Func)
        try:
            function(self.store, first * SLOT, last * SLOT)
        except wasmtime.Trap as trap:
            assert trap.trap_code is not None
            return KINDS[trap.trap_code]
        return None


KINDS = {
    wasmtime.TrapCode.INTEGER_OVERFLOW: TrapKind.INTEGER_OVERFLOW,
    wasmtime.TrapCode.INTEGER_DIVISION_BY_ZERO: TrapKind.DIVIDE_BY_ZERO,
    wasmtime.TrapCode.BAD_CONVERSION_TO_INTEGER: TrapKind.BAD_CONVERSION,
}


@pytest.fixture(scope="module")
def other() -> Wasmtime:
    return Wasmtime()


_FROM_BITS: dict[ValType, Callable[[int], object]] = {
    ValType.I32: int,
    ValType.I64: int,
    ValType.F32: f32_reinterpret_i32,
    ValType.F64: f64_reinterpret_i64,
    ValType.V128: lambda bits: bits.to_bytes(16, "little"),
}
_TO_BITS: dict[ValType, Callable[..., int]] = {
    ValType.I32: int,
    ValType.I64: int,
    ValType.F32: i32_reinterpret_f32,
    ValType.F64: i64_reinterpret_f64,
    ValType.V128: lambda v: int.from_bytes(v, "little"),
}

_MAY_TRAP = re.compile(r"i(32|64)\.(div|rem)_|i(32|64)\.trunc_f")
_KEEPS_BITS = re.compile(
    r".*\.(abs|neg|copysign|reinterpret|pm|splat|extract|replace)|i|v128|.*\.([gln][te]|eq)"
)


def _operands(case: Case) -> list[tuple[int, ...]]:
    """Every edge with every other, and random values."""
    chance = random.Random(case.text)
    if case.of_memory:
        return [
            (chance.randrange(BLOCK - SLOT), *[_vector(chance)] * (len(case.type.params) - 1))
            for _ in range(50)
        ]
    random_ones = [tuple(_some(type, chance) for type in case.type.params) for _ in range(100)]
    if ValType.V128 in case.type.params:
        return random_ones
    edges = list(product(*(EDGES[type] for type in case.type.params)))
    return chance.sample(edges, min(len(edges), 400)) + random_ones


def _done(case: Case, operands: tuple[int, ...], memory: bytearray) -> int | TrapKind:
    """What Python makes of it: the bits of the result, or of what is stored, or the trap."""
    words = [_FROM_BITS[type](bits) for type, bits in zip(case.type.params, operands, strict=True)]
    run = OPERATIONS[case.row.name.replace(".", "_")]
    if case.stores:
        slot = bytearray(16)
        run(slot, *case.lanes, 0, words[1])
        return int.from_bytes(slot, "little")
    try:
        result = run(*([memory] if case.of_memory else []), *case.lanes, *words)
    except ZeroDivisionError:
        return TrapKind.DIVIDE_BY_ZERO
    except Stopped as stopped:
        return stopped.kind
    (type,) = case.type.results
    assert type in (ValType.F32, ValType.F64, ValType.V128) or result.__class__ is int
    return _TO_BITS[type](result)


def _same(case: Case, ours: int | TrapKind, theirs: int | TrapKind) -> bool:
    """Whether all bits are equal, or a float is a quiet NaN in both."""
    if (
        ours == theirs
        or _KEEPS_BITS.match(case.row.name)
        or isinstance(ours, TrapKind)
        or isinstance(theirs, TrapKind)
    ):
        return ours == theirs
    width = int(case.row.name[1:3])
    quiet = {32: 0x7FC00000, 64: 0x7FF8 << 48}[width]
    lane = (1 << width) - 1
    pairs = [(ours >> at & lane, theirs >> at & lane) for at in range(0, 128, width)]
    return all(x == y or x & y & quiet == quiet for x, y in pairs)


@pytest.mark.parametrize("index", range(len(TESTED)), ids=[case.text.split(" ")[0] for case in TESTED])
def test_an_operation_gives_the_bits_that_wasmtime_gives(index: int, other: Wasmtime) -> None:
    case = TESTED[index]
    given = _operands(case)
    for at in range(len(case.type.params)):
        block = b"".join(operands[at].to_bytes(SLOT, "little") for operands in given)
        other.memory.write(other.store, block, at * BLOCK)
    other.memory.write(other.store, bytes(BLOCK), RESULTS)
    memory = other.memory.read(other.store, 0, BLOCK)
    traps: list[TrapKind | None]
    if _MAY_TRAP.match(case.row.name):
        traps = [other.run(index, number, number + 1) for number in range(len(given))]
    else:
        traps = [other.run(index, 0, len(given))] * len(given)
    results = other.memory.read(other.store, RESULTS, RESULTS + BLOCK)
    for number, operands in enumerate(given):
        theirs = traps[number] or int.from_bytes(results[number * SLOT : number * SLOT + SLOT], "little")
        ours = _done(case, operands, memory)
        assert _same(case, ours, theirs), (case.text, [*map(hex, operands)], ours, theirs)
