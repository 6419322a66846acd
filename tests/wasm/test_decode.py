"""The decoder against `wasm-objdump -d`, on every instruction there is and on every sample plugin."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from simwasm.errors import BadModule
from simwasm.wasm.decode import Immediates, Instruction, instructions, split
from simwasm.wasm.encode import section, u32, vector
from simwasm.wasm.module import Module
from simwasm.wasm.opcodes import BY_NAME, OPCODES, Immediate, Opcode
from simwasm.wasm.reader import read_module
from simwasm.wasm.wat import text

Wabt = Callable[..., str]

SAMPLES_FOLDER = Path(__file__).parents[2] / "samples"
SAMPLES: dict[Immediate, list[tuple[bytes, Immediates]]] = {
    Immediate.NONE: [(b"", ())],
    Immediate.BLOCK: [(b"\x40", (-64,)), (b"\x7f", (-1,)), (b"\x7b", (-5,)), (b"\x01", (1,))],
    Immediate.LABEL: [(b"\x00", (0,)), (b"\x80\x80\x00", (0,))],
    Immediate.LABELS: [(b"\x00\x00", (0,)), (b"\x03\x00\x01\x80\x00\x01", (0, 1, 0, 1))],
    Immediate.FUNCTION: [(b"\x00", (0,)), (b"\x80\x80\x80\x80\x00", (0,))],
    Immediate.INDIRECT: [(b"\x01\x00", (1, 0)), (b"\x81\x00\x81\x00", (1, 1))],
    Immediate.LOCAL: [(b"\x01", (1,)), (b"\xc8\x01", (200,))],
    Immediate.GLOBAL: [(b"\x00", (0,))],
    Immediate.TABLE: [(b"\x01", (1,))],
    Immediate.TABLES: [(b"\x00\x01", (0, 1))],
    Immediate.MEMORY: [(b"\x00", (0,))],
    Immediate.MEMORIES: [(b"\x00\x00", (0, 0))],
    Immediate.DATA: [(b"\x00", (0,))],
    Immediate.DATA_MEMORY: [(b"\x00\x00", (0, 0))],
    Immediate.ELEMENT: [(b"\x00", (0,))],
    Immediate.ELEMENT_TABLE: [(b"\x00\x01", (0, 1))],
    Immediate.ADDRESS: [(b"\x00\x00", (0, 0)), (b"\x00\xff\xff\xff\xff\x0f", (0, 0xFFFFFFFF))],
    Immediate.ADDRESS_LANE: [(b"\x00\x81\x01\x01", (0, 129, 1))],
    Immediate.LANE: [(b"\x01", (1,))],
    Immediate.SHUFFLE: [(bytes(range(16, 32)), tuple(range(16, 32)))],
    Immediate.I32: [
        (b"\x7f", (-1,)),
        (b"\x80\x80\x80\x80\x78", (-(2**31),)),
        (b"\xff\xff\xff\xff\x07", (2**31 - 1,)),
        (b"\xff\x7f", (-1,)),
    ],
    Immediate.I64: [
        (b"\x40", (-64,)),
        (b"\x80" * 9 + b"\x7f", (-(2**63),)),
        (b"\xff" * 9 + b"\x00", (2**63 - 1,)),
    ],
    Immediate.F32: [
        (bytes.fromhex(bits), (int.from_bytes(bytes.fromhex(bits), "little"),))
        for bits in ("0000803f", "cdcccc3d", "00000080", "0000c07f", "0100a0ff", "0000807f", "01000000")
    ],
    Immediate.F64: [
        (bytes.fromhex(bits), (int.from_bytes(bytes.fromhex(bits), "little"),))
        for bits in ("9a9999999999b93f", "000000000000f0ff", "000000000000f8ff", "010000000000f07f")
    ],
    Immediate.V128: [(bytes(range(16)), (int.from_bytes(bytes(range(16)), "little"),))],
    Immediate.HEAP: [(b"\x70", (-16,)), (b"\x6f", (-17,))],
    Immediate.TYPES: [(b"\x01\x7f", (-1,)), (b"\x01\x6f", (-17,))],
}

# wabt 1.0.32 knows an older draft of relaxed SIMD, and the text format has no way to write padding.
RELAXED = {row.name for row in OPCODES if row.prefix == 0xFD and row.code >= 0x100}


def encoded(row: Opcode, immediates: bytes) -> bytes:
    return (bytes((row.prefix,)) + u32(row.code) if row.prefix else bytes((row.code,))) + immediates


def cases() -> list[tuple[Opcode, bytes, Immediates]]:
    """Every row of the table with every sample of its immediates."""
    return [(row, encoded(row, raw), values) for row in OPCODES for raw, values in SAMPLES[row.immediate]]


def module_around(code: bytes) -> bytes:
    """A module with one function of that code, and something for each index to name."""
    return (
        b"\0asm\1\0\0\0"
        + section(1, vector([b"\x60\x00\x00", b"\x60\x01\x7f\x01\x7f"]))
        + section(3, vector([b"\x00"]))
        + section(4, vector([b"\x70\x00\x01", b"\x70\x00\x01"]))
        + section(5, vector([b"\x00\x01"]))
        + section(6, vector([b"\x7f\x01\x41\x00\x0b"]))
        + section(9, vector([b"\x01\x00\x01\x00"]))
        + section(12, b"\x01")
        + section(10, vector([u32(len(code) + 5) + b"\x01\xac\x02\x7f" + code + b"\x0b"]))
        + section(11, vector([b"\x01\x00"]))
    )


def all_instructions(module: Module) -> Iterator[Instruction]:
    for body in module.bodies:
        yield from instructions(module.data, body.code, body.end)


LINE = re.compile(r"^ ([0-9a-f]{6,}): [0-9a-f ]+\| *(\S+) ?(.*)$")


def objdump(printed: str) -> list[tuple[int, str, str]]:
    """Offset, name and immediates of every instruction `wasm-objdump -d` printed."""
    found = (LINE.match(line) for line in printed.splitlines())
    return [
        (int(m[1], 16), m[2], m[3].replace(".p", "p")) for m in found if m and not m[2].startswith("local[")
    ]


NAMED = {Immediate.FUNCTION, Immediate.LOCAL, Immediate.GLOBAL, Immediate.DATA, Immediate.DATA_MEMORY}
VALUE_TYPES = {-1: "i32", -2: "i64", -3: "f32", -4: "f64", -5: "v128", -16: "funcref", -17: "externref"}


def as_objdump(instruction: Instruction) -> tuple[int, str, str]:
    """What `wasm-objdump -d` prints for an instruction, names of indices left out."""
    kind, values = instruction.opcode.immediate, instruction.immediates
    words = " ".join(map(str, values))
    if kind is Immediate.BLOCK:
        words = f"type[{values[0]}]" if values[0] >= 0 else VALUE_TYPES.get(values[0], "")
    elif instruction.opcode.name == "call_indirect":
        words = f"{values[1]} (type {values[0]})"
    elif kind is Immediate.I32:
        words = str(values[0] & 0xFFFFFFFF)
    elif kind in (Immediate.F32, Immediate.F64):
        words = text(instruction).partition(" ")[2]
    elif kind is Immediate.V128:
        words = text(instruction).partition("i32x4 ")[2]
    elif kind is Immediate.SHUFFLE:
        groups = (bytes(values[at : at + 4])[::-1].hex() for at in (0, 4, 8, 12))
        words = " ".join(f"0x{group}" for group in groups)
    elif kind in (Immediate.HEAP, Immediate.TYPES):
        words = VALUE_TYPES[values[0]].removesuffix("ref" if kind is Immediate.HEAP else "")
    return instruction.offset, instruction.opcode.name, words


def without_names(line: tuple[int, str, str]) -> tuple[int, str, str]:
    """`call 5 <malloc>` as `call 5`: a name may hold anything, brackets too."""
    offset, name, words = line
    kind = BY_NAME[name].immediate
    if name == "call_indirect":
        return offset, name, re.sub(r" <.*?>(?= \(|\))", "", words)
    return offset, name, re.sub(r" <.*$", "", words) if kind in NAMED | {Immediate.TABLE} else words


def test_every_instruction_reads_as_wasm_objdump_prints_it(wabt: Wabt) -> None:
    """Offset, name and immediates agree for every row of the table."""
    code = b"".join(raw for row, raw, _ in cases() if row.name not in RELAXED | {"else", "end"})
    blocks = sum(row.immediate is Immediate.BLOCK for row, _, __ in cases())
    module = read_module(module_around(code + b"\x0b" * blocks))
    printed = objdump(wabt(module.data, "wasm-objdump", "-d"))
    assert [without_names(line) for line in printed] == [as_objdump(i) for i in all_instructions(module)]


@pytest.mark.parametrize("sample", ["allow_header", "allow_header_as", "allow_header_c"])
def test_a_plugin_reads_as_wasm_objdump_prints_it(sample: str, wabt: Wabt) -> None:
    """Offset, name and immediates agree for every instruction of a real plugin."""
    plugin = (SAMPLES_FOLDER / sample / "plugin.wasm").read_bytes()
    printed = objdump(wabt(plugin, "wasm-objdump", "-d"))
    module = read_module(plugin)
    assert [without_names(line) for line in printed] == [as_objdump(i) for i in all_instructions(module)]


@pytest.mark.parametrize(("row", "raw", "values"), cases(), ids=lambda value: getattr(value, "name", ""))
def test_an_instruction_has_its_row_and_its_immediates(row: Opcode, raw: bytes, values: Immediates) -> None:
    assert list(instructions(raw, 0, len(raw))) == [Instruction(0, row, values)]


@pytest.mark.parametrize("row", [row for row in OPCODES if row.prefix], ids=lambda row: row.name)
def test_an_opcode_number_may_be_padded(row: Opcode) -> None:
    number = u32(row.code)
    padded = number[:-1] + bytes((number[-1] | 0x80, 0x80, 0x00))
    code = bytes((row.prefix,)) + padded + SAMPLES[row.immediate][0][0]
    assert [found.opcode for found in instructions(code, 0, len(code))] == [row]


def test_pieces_are_all_bytes_of_the_code(plugin: bytes) -> None:
    for body in read_module(plugin).bodies:
        assert b"".join(split(plugin, body.code, body.end)) == plugin[body.code : body.end]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("06", "exception handling"),
        ("fe00", "threads"),
        ("fb00", "garbage collection"),
        ("1400", "typed function references"),
        ("27", "illegal opcode 0x27"),
        ("fc3f", "illegal opcode 0xfc 0x3f"),
        ("28", "i32.load is not followed by an alignment exponent and an offset"),
        ("44aabb", "f64.const is not followed by the bits of a 64-bit float"),
        ("4180808080808000", "i32.const is not followed by a 32-bit integer"),
        ("0eff7f", "br_table with more labels"),
        ("0e01", "br_table with more labels"),
        ("0e02000080", "br_table with a broken label"),
        ("0e", "br_table with more labels"),
    ],
)
def test_code_that_cannot_be_decoded_says_why_and_where(code: str, reason: str) -> None:
    data = bytes.fromhex("01" + code)
    with pytest.raises(BadModule, match=f"{reason}.*function f.*offset 0x1") as caught:
        split(data, 0, len(data), "f")
    assert caught.value.offset == 1


@pytest.mark.parametrize("piece", [b"\x0e\x02\x00\x00\x00", b"\x02\x40", b"\x80", b"\x41\x80", b"\x0e"])
def test_a_megabyte_of_anything_takes_linear_time(piece: bytes) -> None:
    data = piece * (1_000_000 // len(piece))
    began = time.process_time()
    with suppress(BadModule):
        split(data, 0, len(data))
    assert time.process_time() - began < 5
