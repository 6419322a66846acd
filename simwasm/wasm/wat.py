"""One instruction as the text format writes it.

Rules that live here: what is printed assembles back to the same instruction (indices, not names, so it
needs no declarations); floats are exact, in hexadecimal.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable

from simwasm.wasm.decode import Immediates, Instruction
from simwasm.wasm.opcodes import Immediate, Opcode
from simwasm.wasm.reader import VALUE_TYPES


def text(instruction: Instruction) -> str:
    """Write one instruction.

    >>> text(next(instructions(bytes.fromhex("280208"), 0, 3)))
    'i32.load offset=8'
    """
    opcode, immediates = instruction.opcode, instruction.immediates
    written = _WRITERS[opcode.immediate](opcode, immediates)
    return f"{opcode.name} {written}" if written else opcode.name


def _plain(_: Opcode, immediates: Immediates) -> str:
    return " ".join(map(str, immediates))


def _nothing(_: Opcode, __: Immediates) -> str:
    return ""


def _first(_: Opcode, immediates: Immediates) -> str:
    return str(immediates[0])


def _block(_: Opcode, immediates: Immediates) -> str:
    (kind,) = immediates
    if kind >= 0:
        return f"(type {kind})"
    return "" if kind == -64 else f"(result {VALUE_TYPES[kind & 0x7F].value})"


def _indirect(_: Opcode, immediates: Immediates) -> str:
    kind, table = immediates
    return f"{table} (type {kind})" if table else f"(type {kind})"


def _swapped(_: Opcode, immediates: Immediates) -> str:
    """An element segment comes after the table in the text format."""
    return f"{immediates[1]} {immediates[0]}"


def _address(opcode: Opcode, immediates: Immediates) -> str:
    align, offset = immediates[:2]
    words = [f"offset={offset}"] if offset else []
    if align != _natural_alignment(opcode.name):
        words.append(f"align={1 << align}" if align < 64 else f"align=2**{align}")
    return " ".join([*words, *map(str, immediates[2:])])


_WIDTH = re.compile(r"(?:load|store)(\d+)(x\d)?")
_EXPONENT = {"8": 0, "16": 1, "32": 2, "64": 3}
_BY_TYPE = {"i32": 2, "f32": 2, "i64": 3, "f64": 3, "v128": 4}


def _natural_alignment(name: str) -> int:
    """The exponent that is left out: `i32.load16_u` reads 2 bytes, `v128.load8x8_s` reads 8."""
    width = _WIDTH.search(name)
    if width is None:
        return _BY_TYPE[name.split(".")[0]]
    return 3 if width[2] else _EXPONENT[width[1]]


def _f32(_: Opcode, immediates: Immediates) -> str:
    return _float(struct.unpack("<f", struct.pack("<I", immediates[0]))[0], immediates[0], 8, 23)


def _f64(_: Opcode, immediates: Immediates) -> str:
    return _float(struct.unpack("<d", struct.pack("<Q", immediates[0]))[0], immediates[0], 11, 52)


def _float(value: float, bits: int, exponent: int, fraction: int) -> str:
    sign = "-" if bits >> (exponent + fraction) else ""
    payload = bits & ((1 << fraction) - 1)
    if value != value:
        canonical = payload == 1 << (fraction - 1)
        return f"{sign}nan" if canonical else f"{sign}nan:0x{payload:x}"
    if value in (float("inf"), float("-inf")):
        return f"{sign}inf"
    return re.sub(r"\.?0*p", "p", value.hex())


def _v128(_: Opcode, immediates: Immediates) -> str:
    words = (immediates[0] >> shift & 0xFFFFFFFF for shift in (0, 32, 64, 96))
    return "i32x4 " + " ".join(f"0x{word:08x}" for word in words)


def _heap(_: Opcode, immediates: Immediates) -> str:
    return VALUE_TYPES[immediates[0] & 0x7F].value.removesuffix("ref")


def _types(_: Opcode, immediates: Immediates) -> str:
    return f"(result {VALUE_TYPES[immediates[0] & 0x7F].value})"


_WRITERS: dict[Immediate, Callable[[Opcode, Immediates], str]] = {
    **dict.fromkeys(Immediate, _plain),
    Immediate.BLOCK: _block,
    Immediate.INDIRECT: _indirect,
    Immediate.MEMORY: _nothing,
    Immediate.MEMORIES: _nothing,
    Immediate.DATA_MEMORY: _first,
    Immediate.ELEMENT_TABLE: _swapped,
    Immediate.ADDRESS: _address,
    Immediate.ADDRESS_LANE: _address,
    Immediate.F32: _f32,
    Immediate.F64: _f64,
    Immediate.V128: _v128,
    Immediate.HEAP: _heap,
    Immediate.TYPES: _types,
}
