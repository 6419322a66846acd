"""What is valid, what is not, with which words, and that no module takes long to judge.

The official suite has more cases of every rule (`test_validate_suite.py`); these are for the words and the places, for
what came after the suite, and for what is not about types: limits, and modules made to take time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import pytest
import wasmtime

from simwasm.errors import BadModule
from simwasm.wasm import limits
from simwasm.wasm.decode import instructions
from simwasm.wasm.encode import name, s32, section, u32, vector
from simwasm.wasm.reader import read_module
from simwasm.wasm.validate import validate

HEADER = b"\0asm\1\0\0\0"
NOTHING = b"\x60\0\0"
END = b"\x0b"
I32 = b"\x7f"


def judge(data: bytes) -> None:
    validate(read_module(data))


def text(fields: str) -> bytes:
    """A module written as text, valid or not."""
    return bytes(wasmtime.wat2wasm(f"(module {fields})"))


def function_type(params: bytes, results: bytes) -> bytes:
    return b"\x60" + u32(len(params)) + params + u32(len(results)) + results


def module(
    bodies: Sequence[bytes], types: Sequence[bytes] = (NOTHING,), first: int = 0, between: bytes = b""
) -> bytes:
    """A module of these functions - locals and code - of which all have the type `first`."""
    written = vector([u32(len(body)) + body for body in bodies])
    functions = vector([u32(first)] * len(bodies))
    return HEADER + section(1, vector(types)) + section(3, functions) + between + section(10, written)


def function(code: bytes) -> bytes:
    """A module of one function without parameters, results and locals."""
    return module([b"\0" + code + END])


def test_every_sample_plugin_is_valid(plugin: bytes) -> None:
    judge(plugin)


@pytest.mark.parametrize(
    "fields",
    [
        "(func (result i32) unreachable i32.add)",
        "(func (result i64) unreachable select)",
        "(func (result i32) (return (i32.const 1)) drop drop)",
        "(func (param i32 i64) (result i64 i32) (local.get 1) (local.get 0))",
        "(func (param i32) (result i32) local.get 0 (loop (param i32) (result i32) (br_if 0 (i32.const 0))))",
        "(func (param i32) (result i32) local.get 0 (if (param i32) (result i32) (local.get 0) (then) (else)))",
        "(func (result i32) unreachable (br_table 0 0 (i32.const 0)))",
        "(func (result i64) (block (result i32) unreachable (br_table 0 1 0)) unreachable)",
        "(func $f (param i32) (result i32) (return_call $f (local.get 0)))",
        "(table 1 funcref) (type $t (func)) (func (return_call_indirect (type $t) (i32.const 0)))",
        '(import "e" "g" (global i32)) (global i32 (i32.add (global.get 0) (i32.mul (i32.const 2) (i32.const 3))))',
        '(import "e" "g" (global i32)) (memory 1) (data (i32.sub (global.get 0) (i32.const 1)) "x")',
        "(func (param v128) (result v128) (f32x4.relaxed_madd (local.get 0) (local.get 0) (local.get 0)))",
        "(func (result externref) (select (result externref) (ref.null extern) (ref.null extern) (i32.const 0)))",
        "(func (result i32) unreachable ref.is_null)",
        '(func $f) (export "f" (func $f)) (func (result funcref) (ref.func $f))',
        "(func $f) (global funcref (ref.func $f)) (func (result funcref) (ref.func $f))",
        "(func $f) (elem declare func $f) (func (result funcref) (ref.func $f))",
        "(memory 65536) (table 0 4294967295 funcref)",
    ],
)
def test_it_is_valid(fields: str) -> None:
    judge(text(fields))


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ("(func (result i32) (i32.add (i32.const 1) (i64.const 1)))",
         "type mismatch: expected [i32 i32], found [i32 i64], at i32.add (function func[0]) in the code section"),
        ("(func $sum (result i32) i32.const 1 i32.add)", "expected [i32 i32], found [i32], at i32.add (function sum)"),
        ("(func (result i32))", "type mismatch: expected [i32], found [], at end"),
        ("(func i32.const 1)", "type mismatch: a block gives [], at its end is [i32], at end"),
        ("(func (if (result i32) (i32.const 1) (then (i32.const 1))) drop)",
         "an `if` without `else` takes [] and gives [i32], at end"),
        ("(func (result i32) (select (ref.null func) (ref.null func) (i32.const 0)) drop i32.const 0)",
         "select of references needs a type"),
        ("(func (drop (select (i32.const 0) (i64.const 0) (i32.const 0))))", "select between [i32 i64]"),
        ("(func unreachable i64.const 0 i32.eqz drop)", "expected [i32], found [i64], at i32.eqz"),
        ("(func (drop (ref.is_null (i32.const 0))))", "expected a reference, found [i32]"),
        ("(func drop)", "expected an operand, found [], at drop"),
        ("(func (param i32) (local i64 f32) (drop (local.get 3)))", "unknown local 3: there are 3"),
        ("(func (global.set 0 (i32.const 1)))", "unknown global 0: there are none"),
        ("(global i32 (i32.const 0)) (func (global.set 0 (i32.const 1)))", "global is immutable: global 0 is set"),
        ("(func (call 7))", "unknown function 7: there is 1"),
        ("(func (br 2))", "unknown label 2: there is 1"),
        ("(func (block (result i32) (br_table 0 1 (i32.const 0) (i32.const 0))) drop)", "br_table to [i32] and to []"),
        ("(func (drop (i32.load (i32.const 0))))", "unknown memory 0: there are none, at i32.load"),
        ("(memory 1) (func (drop (i32.load16_u align=4 (i32.const 0))))",
         "alignment must not be larger than natural: 2^2 is, 2^1 is natural"),
        ("(memory 1) (func (param v128) (v128.store64_lane align=16 0 (i32.const 0) (local.get 0)))", "alignment"),
        ("(func (table.set 0 (i32.const 0) (ref.null func)))", "unknown table 0"),
        ("(table 1 externref) (func (call_indirect 0 (i32.const 0)))", "table 0 is not one of functions"),
        ("(table 1 funcref) (table 1 externref) (func (table.copy 0 1 (i32.const 0) (i32.const 0) (i32.const 0)))",
         "type mismatch: funcref and externref"),
        ("(table 1 funcref) (func (elem.drop 0))", "unknown elem segment 0"),
        ("(func $f (drop (ref.func $f)))", "undeclared function reference 0"),
        ("(func $f (result i32) (return_call 1)) (func (result i64) (i64.const 0))",
         "a tail call gives [i64], the function [i32]"),
        ("(global i32 (i64.const 0))", "expected [i32], found [i64], at end in the global section"),
        ("(global i32 (i32.const 0)) (global i32 (global.get 0))",
         "unknown global 0: there are none that a constant expression may read in the global section"),
        ('(import "e" "g" (global (mut i32))) (global i32 (global.get 0))', "global 0 can change"),
        ("(global i32 (i32.popcnt (i32.const 0)))", "constant expression required, not i32.popcnt in the global"),
        ('(data (i32.const 0) "x")', "unknown memory 0: there are none in the data section"),
        ('(memory 1) (data (i64.const 0) "x")', "expected [i32], found [i64], at end in the data section"),
        ("(elem (i32.const 0))", "unknown table 0: there are none in the element section"),
        ("(table 1 externref) (func $f) (elem (i32.const 0) func $f)", "externref and funcref in the element section"),
        ("(table 1 externref) (elem (i32.const 0) externref (ref.null func))", "expected [externref], found [funcref]"),
        ("(func (param i32)) (start 0)", "start function 0 has the type i32 -> void"),
        ('(func (export "a")) (memory (export "a") 1)', "duplicate export name 'a' in the export section"),
        ("(memory 65537)", "memory size must be at most 65536 pages"),
        ("(memory 2 1)", "size minimum must not be greater than maximum: memory 2 1 in the memory section"),
        ('(import "e" "t" (table 2 1 funcref))', "must not be greater than maximum: table 2 1 funcref in the import"),
        ("(memory 1) (memory 1)", "multiple memories: more than one is not supported"),
        ("(memory i64 1)", "a 64-bit memory is not supported"),
        ("(memory 1 1 shared)", "a shared memory is not supported"),
        ("(tag)", "exception handling is not supported: build without it"),
        ('(import "e" "t" (tag))', "a tag, which belongs to exception handling"),
        ("(func (throw_ref (unreachable)))", "0x0a belongs to exception handling, which is not supported"),
        ("(type (struct))", "garbage collection, which is not supported"),
        ("(func (drop (ref.i31 (i32.const 0))))", "0xfb belongs to garbage collection, which is not supported"),
        ("(type $t (func)) (func (param (ref $t)))", "typed function references, which is not supported"),
        ("(func (atomic.fence))", "0xfe belongs to threads, which is not supported"),
    ],
)  # fmt: skip
def test_it_is_not_valid(fields: str, told: str) -> None:
    with pytest.raises(BadModule, match=re.escape(told)):
        judge(text(fields))


def test_what_is_broken_is_told_with_its_offset() -> None:
    data = text('(func nop) (func (export "f") (drop (i32.const 5)) (drop (i64.eqz (i32.const 6))))')
    broken = next(
        at for at in instructions(data, data.index(b"\x41\x06"), len(data)) if at.opcode.name == "i64.eqz"
    )
    with pytest.raises(BadModule, match=r"\(function f\)") as caught:
        judge(data)
    assert (caught.value.section, caught.value.offset) == ("code", broken.offset)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (b"\x01", r"END opcode expected \(function func\[0\]\) in the code section at offset 0x18"),
        (b"\x0b\x01\x0b", "instructions after the last `end`"),
        (b"\x05\x0b", "`else` without an `if`"),
        (b"\x02\x40\x0b", "END opcode expected"),
        (b"\x41\0\x04\x40\x05\x05\x0b\x0b", "`else` without an `if`"),
        (b"\xfc\x09\0\x0b", "data count section required, at data.drop"),
        (b"", "END opcode expected"),
        (b"\x06\x40\x0b\x0b", r"0x06 belongs to exception handling.*function func\[0\]"),
        (b"\xfd\x0d" + bytes(15) + b"\x20", "invalid lane index 32"),
        (b"\x3f\x01\x0b", "memory.size is not followed by a memory index: zero byte expected"),
        (b"\x41\x80\x80\x80\x80\x40\x1a\x0b", "integer too large"),
        (b"\x41\x80\x80\x80\x80\x80\0\x1a\x0b", "integer representation too long"),
        (b"\x41\x80", "unexpected end"),
        (b"\x02\x05\x0b\x0b", "unknown type 5: there is 1, at block"),
    ],
)
def test_code_that_no_text_can_say(code: bytes, told: str) -> None:
    with pytest.raises(BadModule, match=told):
        judge(module([b"\0" + code]))


MANY = bytes(I32) * 1001


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (module([], [function_type(MANY, b"")]), "1,001 parameters; at most 1,000"),
        (module([], [function_type(b"", MANY)]), "1,001 results; at most 1,000"),
        (
            module([b"\2" + u32(49_000) + b"\x7f" + u32(1001) + b"\x7e\x0b"]),
            "too many locals: 50,001; at most 50,000",
        ),
        (
            module([b"\1" + u32(49_001) + b"\x7f\x0b"], [function_type(MANY[1:], b"")]),
            "too many locals: 50,001",
        ),
        (module([b"\0" + b"\1" * limits.BODY + b"\x0b"]), "a function of 7,654,323 bytes; at most 7,654,321"),
        (function(b"\x41\0\x0e" + u32(65_521) + b"\0" * 65_522), "br_table with more than 65,520 labels"),
        (function(b"\x02\x40" * 10_001 + END * 10_001), "nested deeper than 10,000"),
        (HEADER + section(2, vector([name("m" * 100_001) + b"\0\3\x7f\0"])), "a name of 100,001 bytes"),
        (HEADER + section(11, u32(100_001) + b"\1\0" * 100_001), "100,001 items; at most 100,000"),
        (HEADER + section(1, u32(1_000_001) + NOTHING * 1_000_001), "1,000,001 items; at most 1,000,000"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_larger_than_engines_take_is_refused(data: bytes, told: str) -> None:
    with pytest.raises(BadModule, match=told):
        judge(data)


@pytest.mark.parametrize(
    "data",
    [
        module([b"\1" + u32(49_000) + b"\x7f\x0b"], [function_type(MANY[1:], b"")]),
        function(b"\x41\0\x0e" + u32(65_520) + b"\0" * 65_521),
        function(b"\x02\x40" * 10_000 + END * 10_000),
    ],
    ids=["locals", "labels", "nesting"],
)
def test_what_is_as_large_as_engines_take_is_valid(data: bytes) -> None:
    judge(data)


WIDE = bytes(I32) * 1000
SHAPES = [
    WIDE[10:] + bytes(0x7F if number >> bit & 1 else 0x7E for bit in range(10)) for number in range(1000)
]


def unknown_operands_for_many_labels() -> bytes:
    """Many labels of a thousand types each, and a thousand operands that may have any type."""
    types = [*(function_type(b"", shape) for shape in SHAPES), NOTHING]
    branch = b"\x1b" * 1000 + b"\x0e" + u32(499) + b"".join(map(u32, range(500)))
    opened = b"".join(b"\x02" + s32(number) for number in range(500))
    return module([b"\0" + opened + b"\0" + branch * 30 + b"\0" + b"\x0b\0" * 500 + END], types, first=500)


HOSTILE: dict[str, Callable[[], bytes]] = {
    "a call of two bytes takes and gives a thousand operands": lambda: module(
        [b"\0" + b"".join(b"\x20" + u32(at) for at in range(1000)) + b"\x10\0" * 30_000 + END],
        [function_type(WIDE, WIDE)],
    ),
    "the same where operands may have any type": lambda: module(
        [b"\0\0" + b"\x1b\x10\0" * 20_000 + END], [function_type(WIDE, WIDE)]
    ),
    "many labels": unknown_operands_for_many_labels,
    "functions that declare all locals there may be": lambda: module(
        [b"\1" + u32(50_000) + b"\x7f" + b"\x20\0\x1a\x0b"] * 10_000
    ),
    "functions of a thousand parameters": lambda: module(
        [b"\0\x20\0\x1a\x0b"] * 10_000, [function_type(WIDE, b"")]
    ),
    "blocks in blocks, each with a thousand parameters": lambda: module(
        [b"\0" + b"".join(b"\x20" + u32(at) for at in range(1000)) + b"\x02\0" * 9_000 + END * 9_001],
        [function_type(WIDE, WIDE)],
    ),
    "constants that are all different": lambda: function(
        b"".join(b"\x42" + s32(at << 20) + b"\x1a" for at in range(50_000))
    ),
    "segments that are all expressions": lambda: module(
        [b"\0\x0b"], between=section(9, vector([b"\5\x70" + vector([b"\xd2\0\x0b"] * 20_000)]))
    ),
}  # fmt: skip


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_no_module_takes_time_out_of_proportion(make: Callable[[], bytes]) -> None:
    """What is not linear takes minutes here."""
    judge(make())
