"""What is printed assembles back to what was read."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import wasmtime

from simwasm.wasm.decode import Immediates, Instruction, instructions
from simwasm.wasm.disasm import disassemble
from simwasm.wasm.module import Kind
from simwasm.wasm.opcodes import OPCODES, Immediate, Opcode
from simwasm.wasm.reader import read_module
from simwasm.wasm.wat import text

SAMPLES: dict[Immediate, tuple[Immediates, ...]] = {
    **dict.fromkeys(Immediate, ((0,), (5,))),
    Immediate.NONE: ((),),
    Immediate.BLOCK: ((-64,), (-1,), (-17,), (1,)),
    Immediate.LABELS: ((0,), (0, 3, 1)),
    Immediate.INDIRECT: ((1, 0), (1, 1)),
    Immediate.TABLES: ((0, 1),),
    Immediate.MEMORY: ((0,),),
    Immediate.MEMORIES: ((0, 0),),
    Immediate.DATA_MEMORY: ((1, 0),),
    Immediate.ELEMENT_TABLE: ((0, 1), (1, 0)),
    Immediate.ADDRESS: ((0, 0), (0, 4_000_000_000)),
    Immediate.ADDRESS_LANE: ((0, 7, 1),),
    Immediate.LANE: ((1,),),
    Immediate.SHUFFLE: (tuple(range(8, 24)),),
    Immediate.I32: ((-1,), (-(2**31),), (2**31 - 1,)),
    Immediate.I64: ((-1,), (-(2**63),), (2**63 - 1,)),
    Immediate.F32: tuple((int(bits, 16),) for bits in (
        "0", "80000000", "3dcccccd", "1", "7f7fffff", "7f800000", "ffc00000", "7fa00001")),
    Immediate.F64: tuple((int(bits, 16),) for bits in (
        "0", "8000000000000000", "3fb999999999999a", "1", "7ff0000000000000", "fff8000000000000",
        "7ff0000000000001")),
    Immediate.V128: ((int.from_bytes(bytes(range(16)), "little"),),),
    Immediate.HEAP: ((-16,), (-17,)),
    Immediate.TYPES: ((-1,), (-5,), (-17,)),
}  # fmt: skip
CASES = [
    Instruction(0, row, values)
    for row in OPCODES
    for values in SAMPLES[row.immediate]
    if row.name not in ("else", "end")
]


@pytest.fixture(scope="module")
def assembled() -> bytes:
    """One function for each case, the instruction first in it."""
    bodies = []
    for case in CASES:
        end = " end" if case.opcode.immediate is Immediate.BLOCK else ""
        bodies.append(f"(func {text(case)}{end})")
    return bytes(
        wasmtime.wat2wasm("(module (type (func)) (type (func (param i32)))" + "\n".join(bodies) + ")")
    )


@pytest.mark.parametrize("number", range(len(CASES)), ids=lambda n: text(CASES[n]).replace(" ", "_"))
def test_the_text_of_an_instruction_assembles_to_it(assembled: bytes, number: int) -> None:
    module = read_module(assembled)
    body = module.bodies[number]
    found = next(instructions(assembled, body.code, body.end))
    assert found[1:] == CASES[number][1:]


def test_every_instruction_of_a_plugin_assembles_back(usual_plugin: bytes) -> None:
    """All distinct instructions of a real plugin survive printing and assembling."""
    module = read_module(usual_plugin)
    found: dict[tuple[Opcode, Immediates], Instruction] = {}
    for body in module.bodies:
        for item in instructions(usual_plugin, body.code, body.end):
            if item.opcode.immediate not in (
                Immediate.BLOCK,
                Immediate.INDIRECT,
            ) and item.opcode.name not in ("else", "end"):
                found.setdefault(item[1:], item)
    source = "(module (func " + "\n".join(text(item) for item in found.values()) + "))"
    again = read_module(bytes(wasmtime.wat2wasm(source)))
    (body,) = again.bodies
    read = [item[1:] for item in instructions(again.data, body.code, body.end)]
    assert read[:-1] == list(found)


def test_blocks_indent_what_is_in_them(assemble: Callable[..., bytes]) -> None:
    wasm = assemble("(module (func (block (if (i32.const 1) (then (nop)) (else (drop (i32.const 2))))) nop))")
    shown = ["  " * line.depth + line.text for line in disassemble(read_module(wasm), 0)]
    inner = ["    nop", "  else", "    i32.const 2", "    drop", "  end"]
    assert shown == ["block", "  i32.const 1", "  if", *inner, "end", "nop", "end"]


def test_calls_and_locals_carry_their_names(assemble: Callable[..., bytes]) -> None:
    wasm = assemble(
        "(module (func $callee) (func (param $size i32) local.get $size drop call $callee))", "--debug-names"
    )
    notes = {line.text: line.note for line in disassemble(read_module(wasm), 1)}
    assert (notes["call 0"], notes["local.get 0"]) == ("callee", "size")


def test_a_function_is_named_by_its_index_among_all(small_plugin: bytes) -> None:
    """The first function of the module's own comes after the imported ones."""
    module = read_module(small_plugin)
    first = len(module.imported(Kind.FUNCTION))
    assert next(disassemble(module, first)).offset == module.bodies[0].code
