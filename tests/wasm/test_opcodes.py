"""The table itself."""

from __future__ import annotations

from collections import Counter

import wasmtime

from simwasm.wasm.encode import section, u32, vector
from simwasm.wasm.module import FuncType, ValType
from simwasm.wasm.opcodes import BY_NAME, ONE_BYTE, OPCODES, PREFIXED, PROPOSALS, Immediate, Opcode

LETTERS = {ValType.I32: 0x7F, ValType.I64: 0x7E, ValType.F32: 0x7D, ValType.F64: 0x7C, ValType.V128: 0x7B}
SAMPLES = {
    Immediate.NONE: b"",
    Immediate.ADDRESS: b"\0\0",
    Immediate.ADDRESS_LANE: b"\0\0\0",
    Immediate.LANE: b"\0",
    Immediate.SHUFFLE: bytes(16),
    Immediate.V128: bytes(16),
    Immediate.F32: bytes(4),
    Immediate.F64: bytes(8),
    Immediate.DATA_MEMORY: b"\0\0",
    Immediate.MEMORIES: b"\0\0",
    Immediate.ELEMENT_TABLE: b"\0\0",
    Immediate.TABLES: b"\0\0",
}


def function_of(row: Opcode, kind: FuncType) -> bytes:
    """A module whose function is the instruction alone, of the type the table gives it."""
    params, results = (vector(bytes((LETTERS[t],)) for t in side) for side in (kind.params, kind.results))
    opcode = bytes((row.prefix,)) + u32(row.code) if row.prefix else bytes((row.code,))
    gets = b"".join(b"\x20" + u32(index) for index in range(len(kind.params)))
    body = b"\0" + gets + opcode + SAMPLES.get(row.immediate, b"\0") + b"\x0b"
    return (
        b"\0asm\1\0\0\0"
        + section(1, vector([b"\x60" + params + results]))
        + section(3, vector([b"\0"]))
        + section(4, vector([b"\x70\0\1"]))
        + section(5, vector([b"\0\1"]))
        + section(9, vector([b"\x01\0\0"]))
        + section(12, b"\x01")
        + section(10, vector([u32(len(body)) + body]))
        + section(11, vector([b"\x01\0"]))
    )


def test_every_static_signature_is_what_an_engine_validates() -> None:
    engine = wasmtime.Engine()
    typed = [(row, row.type) for row in OPCODES if row.type]
    for row, kind in typed:
        wasmtime.Module.validate(engine, function_of(row, kind))
    assert len(typed) > 400


def test_an_opcode_is_in_the_table_once() -> None:
    assert max(Counter((row.prefix, row.code) for row in OPCODES).values()) == 1


def test_a_name_is_in_the_table_once_but_for_select() -> None:
    assert [name for name, count in Counter(row.name for row in OPCODES).items() if count > 1] == ["select"]


def test_rows_are_found_by_byte_by_number_and_by_name() -> None:
    assert ONE_BYTE[0x6A] is BY_NAME["i32.add"] and PREFIXED[0xFC, 10] is BY_NAME["memory.copy"]


def test_proposals_share_no_first_byte_with_the_table() -> None:
    prefixes = {row.prefix or row.code for row in OPCODES}
    assert not prefixes & frozenset().union(*PROPOSALS.values())
